"""The uploads to Raito Cloud: for each import what it stands on, the files that it sends, and what is kept of it.

Every upload asks the guard first. Where something is missing or of an earlier sync, what is there is sent without
permission to delete, and the result says which cell is missing and why.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.access.external_ids import BUCKET_POLICY
from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.inputs import made_of, versions
from raito_pipeline.aws.usage.earlier import log_files
from raito_pipeline.aws.usage.seen import HashSet
from raito_pipeline.config import AccountTarget, OrganizationTarget
from raito_pipeline.model import (
    TABLES,
    AccessControl,
    AccessProvider,
    IamGroup,
    IamUser,
    ImportResult,
    OrgGroup,
    OrgUser,
    PushResult,
    S3BucketPolicy,
    UsageUploaded,
)
from raito_pipeline.model.batches import texts
from raito_pipeline.orchestration.partitioning import gone, partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import Need, Verdict, judge
from raito_pipeline.orchestration.recording.layers import upstream_needs
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs
from raito_pipeline.orchestration.upload.unchanged import SENT, fingerprint, last_alike, not_sent_again
from raito_pipeline.raito.deletions import (
    Elements,
    disagreement,
    held_by_raito_cloud,
    in_doubt,
    remember,
    too_many,
    unread,
)
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.exchange import ExchangeFolder
from raito_pipeline.raito.files.access_providers import write_access_providers
from raito_pipeline.raito.files.data_objects import write_data_objects
from raito_pipeline.raito.files.identities import root_user, write_account_identities, write_organization_identities
from raito_pipeline.raito.files.usage import write_usage
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.imports import (
    Imported,
    PendingImport,
    finish_all,
    skipped,
    start_access_provider_import,
    start_data_source_import,
    start_data_usage_import,
    start_identity_store_import,
)
from raito_pipeline.raito.jobs import JobType, Status, Task
from raito_pipeline.raito.metadata import set_data_source_metadata, set_identity_store_metadata
from raito_pipeline.storage import CellInfo, CellMissing, ReadStatus, StorageError, Store

Target = AccountTarget | OrganizationTarget
_DATA_OBJECT, _ACCESS_PROVIDER = "data object", "access provider"


@dataclass(frozen=True)
class Work:
    """What an upload works with: one cell, its target, its task in Raito Cloud, and a folder for its files."""

    services: Services
    store: Store
    cell: Cell
    target: Target
    task: Task
    verdict: Verdict
    folder: Path
    subtree: Subtree | None = None
    """the only data objects to send; None = all"""
    log_files: list[tuple[str, str]] = field(default_factory=list)
    """keys and ETags of the log files whose statements are stored at the time of the upload"""
    sent: str = ""
    """what tells what is sent from what was sent before"""
    count: "Count | None" = None
    """what the import does to what Raito Cloud holds; None where that is not counted"""

    @property
    def account(self) -> AccountTarget:
        """The target of an account's upload."""
        assert isinstance(self.target, AccountTarget)
        return self.target

    @property
    def may_delete(self) -> bool:
        """Whether Raito Cloud may remove what the file lacks: asked for, and nothing is missing."""
        return self.target.delete_untouched and self.verdict.complete

    @property
    def replace_groups(self) -> bool:
        """Whether the members of a group are those of the file alone: asked for, and nothing is missing."""
        return self.target.replace_groups and self.verdict.complete


Ids = Mapping[str, Iterable[Sequence[str]]]
"""External ids in batches, by kind of element."""


@dataclass(frozen=True)
class Count:
    """What Raito Cloud holds before an import (None: not known, as before the first one), and what is sent."""

    owner: str
    """id of the data source or identity store"""
    held: Elements | None
    sent: Elements
    certain: bool = True
    """false after a run that was killed and an import that failed: Raito Cloud may have taken in what was sent"""

    def afterwards(self, *, removed: bool) -> Elements:
        """What Raito Cloud holds after the import, in which what was not sent was `removed`, or was not."""
        return self.sent if removed or self.held is None else self.held.with_(self.sent)

    def note(self, row: ImportResult) -> ImportResult:
        """The row of the import with what its counters are expected to be."""
        after = self.afterwards(removed=row.delete_untouched)
        if self.held is None or not self.certain:
            return replace(row, held=len(after) if row.delete_untouched else None)
        added, removed = len(self.sent.less(self.held)), len(self.held.less(after))
        return replace(row, held=len(after), expected_added=added, expected_removed=removed)


class NothingToSend(CellMissing):
    """No region of an account was ever read: there is nothing that could be sent."""

    def __init__(self, table: str, account: str, verdict: Verdict) -> None:
        LookupError.__init__(self, f"nothing was sent, because nothing was ever read: {verdict.text or 'no regions'}")
        self.table, self.account, self.region, self.uri = table, account, None, ""


class Upload(ABC):
    """One kind of import."""

    table: ClassVar[str]
    job_type: ClassVar[JobType]
    names: ClassVar[tuple[JobType, ...]] = ()
    """the imports that bring what this one names"""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def target(self, services: Services, cell: Cell) -> Target | None:
        """The target that the cell belongs to; None where no target uploads it."""
        return services.account(cell.partition_key)

    @abstractmethod
    def switched_off(self, target: Target) -> str | None:
        """Why the import is left out, or None where it is made."""

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """The table of the import, and those in which it notes something for the next sync."""
        return TABLES[cls.table].with_notes

    def needs(self, services: Services, store: Store, cell: Cell) -> Iterable[Need]:
        """What must be there and whole before Raito Cloud may remove anything."""
        return upstream_needs(self.table, cell, services.options, self.grid, store)

    def doubts(self, services: Services, store: Store, cell: Cell) -> Iterable[str]:  # noqa: ARG002
        """Why nothing may be removed although every cell that is needed is whole."""
        return ()

    def ids(self, work: Work) -> Ids | None:  # noqa: ARG002
        """The external ids that are going to be sent; None where nothing is ever removed."""
        return None

    def owner(self, target: Target) -> str:
        """The id of the data source or identity store that the import goes to."""
        source = target.data_source_id if isinstance(target, AccountTarget) else None
        return (target.identity_store_id if self.job_type is JobType.IDENTITY_STORE else source) or ""

    def meant_to_go(self, work: Work) -> Ids:  # noqa: ARG002
        """Elements that are not sent any more because somebody said so."""
        return {}

    def not_read(self, work: Work) -> Mapping[str, Sequence[str]]:  # noqa: ARG002
        """Elements that are not sent and may be there all the same, as what they are made of was never read."""
        return {}

    def lacks(self, work: Work) -> bool:
        """Whether what it names did not reach Raito Cloud in this run, which then cannot have taken all of it over."""
        tasks = work.task.job.tasks
        return any(tasks[each].status is Status.FAILED for each in self.names if each in tasks)

    @abstractmethod
    def write(self, work: Work) -> tuple[ImportFile, ...]:
        """Write the files; none where there is nothing to send. Raises `CellMissing`, `StorageError`."""

    @abstractmethod
    def send(self, work: Work, files: tuple[ImportFile, ...]) -> PendingImport:
        """Send the files. Raises `RaitoError`."""

    def imported(self, work: Work) -> Sequence[CellInfo]:
        """Note what has to be known at the next sync; called after Raito Cloud took the files over.

        Gives the cells that were written.
        """
        if work.count is None:
            return ()
        after = work.count.afterwards(removed=work.may_delete)
        doubt = not (work.count.certain or work.may_delete)  # what an unknown import added was removed, or is there
        return (remember(work.store, self.table, work.cell.place, work.count.owner, after, doubt=doubt),)


class OrganizationIdentityUpload(Upload):
    """The people of an organization."""

    table = "org_identity_store_import"
    job_type = JobType.IDENTITY_STORE

    def target(self, services: Services, cell: Cell) -> Target | None:
        return services.organization_target(cell.partition_key)

    def switched_off(self, target: Target) -> str | None:
        return _identities_off(target)

    def ids(self, work: Work) -> Ids:
        place = (work.cell.account, work.cell.region)
        users = [user.user_id for user in work.store.rows(OrgUser, *place)]
        return {"user": [users], "group": [[group.group_id for group in work.store.rows(OrgGroup, *place)]]}

    def write(self, work: Work) -> tuple[ImportFile, ...]:
        place = (work.cell.account, work.cell.region)
        return write_organization_identities(
            work.folder, work.store.rows(OrgUser, *place), work.store.rows(OrgGroup, *place)
        )

    def send(self, work: Work, files: tuple[ImportFile, ...]) -> PendingImport:
        return _send_identities(work, files, organization=True)


class AccountIdentityUpload(Upload):
    """The IAM users and groups of an account."""

    table = "identity_store_import"
    job_type = JobType.IDENTITY_STORE

    def switched_off(self, target: Target) -> str | None:
        return _identities_off(target)

    def ids(self, work: Work) -> Ids:
        users = [user.user_id for user in work.store.rows(IamUser, work.cell.account)]
        groups = [group.group_id for group in work.store.rows(IamGroup, work.cell.account)]
        return {"user": [[*users, root_user(work.account.account_id)["externalId"]]], "group": [groups]}

    def write(self, work: Work) -> tuple[ImportFile, ...]:
        return write_account_identities(
            work.folder,
            work.account.account_id,
            work.store.rows(IamUser, work.cell.account),
            work.store.rows(IamGroup, work.cell.account),
            excluded=work.account.aws_user_excludes,
            machine_tag=work.target.tag_key_and_value_for_user_is_machine,
        )

    def send(self, work: Work, files: tuple[ImportFile, ...]) -> PendingImport:
        return _send_identities(work, files, organization=False)


def _send_identities(work: Work, files: tuple[ImportFile, ...], *, organization: bool) -> PendingImport:
    assert work.target.identity_store_id is not None
    users, groups = files
    set_identity_store_metadata(work.task.job.client, work.target.identity_store_id, organization=organization)
    return start_identity_store_import(
        work.task,
        users,
        groups,
        delete_untouched=work.may_delete,
        replace_groups=work.replace_groups,
    )


class DataObjectUpload(Upload):
    """The data objects of an account, of all its regions."""

    table = "data_source_import"
    job_type = JobType.DATA_SOURCE

    def switched_off(self, target: Target) -> str | None:
        return _source_off(target, target.skip_data_source_sync, "skip-data-source-sync")

    def doubts(self, services: Services, store: Store, cell: Cell) -> Iterable[str]:
        return gone.reasons(services.options, store, cell.account)

    def ids(self, work: Work) -> Ids:
        account = [] if work.subtree else [[work.account.account_id]]
        return {_DATA_OBJECT: chain(account, *(_full_names(work, region) for region in self._regions(work)))}

    def meant_to_go(self, work: Work) -> Ids:
        regions = gone.confirmed_regions(work.services.options, work.store, work.cell.account)
        return {_DATA_OBJECT: chain.from_iterable(_full_names(work, region) for region in regions)}

    def imported(self, work: Work) -> Sequence[CellInfo]:
        written = super().imported(work)
        if work.may_delete:
            for region in gone.confirmed_regions(work.services.options, work.store, work.cell.account):
                gone.forget(work.store, work.cell.account, region)
        return written

    def _regions(self, work: Work) -> list[str]:
        """The regions to send. Raises `NothingToSend`."""
        regions = [work.subtree.place.region] if work.subtree else stored_regions(work, "data_objects")
        if not regions:  # an import of the account alone would say that it is empty
            raise NothingToSend("data_objects", work.cell.account, work.verdict)
        return regions

    def write(self, work: Work) -> tuple[ImportFile, ...]:
        file = write_data_objects(
            work.folder / "data-objects.json",
            work.store,
            work.cell.account,
            self._regions(work),
            work.account.account_id,
            owner_key=work.target.tag_overwrite_key_for_data_object_owners,
            part=work.subtree.within if work.subtree else None,
        )
        return (file,)

    def send(self, work: Work, files: tuple[ImportFile, ...]) -> PendingImport:
        assert work.account.data_source_id is not None
        set_data_source_metadata(
            work.task.job.client,
            work.account.data_source_id,
            permissions(),
            ACCESS_PROVIDER_TYPES.descriptions,
            glue=work.account.aws_glue_enabled,
            organization=work.account.organization is not None,
        )
        return start_data_source_import(work.task, files[0], delete_untouched=work.may_delete)


class AccessProviderUpload(Upload):
    """The access providers of an account, less those that the push of this sync removed from AWS."""

    table = "access_provider_import"
    job_type = JobType.DATA_ACCESS
    names = (JobType.DATA_SOURCE, JobType.IDENTITY_STORE)

    def switched_off(self, target: Target) -> str | None:
        return _source_off(target, target.skip_data_access_sync, "skip-data-access-sync")

    def doubts(self, services: Services, store: Store, cell: Cell) -> Iterable[str]:
        return gone.reasons(services.options, store, cell.account)

    def ids(self, work: Work) -> Ids:
        return {_ACCESS_PROVIDER: [[row.external_id for row in self._rows(work)]]}

    def meant_to_go(self, work: Work) -> Ids:
        return {_ACCESS_PROVIDER: [sorted(removed_by_push(work.store, work.cell.account))]}

    def not_read(self, work: Work) -> Mapping[str, Sequence[str]]:
        rows = work.store.earlier(S3BucketPolicy, work.cell.account)
        return {_ACCESS_PROVIDER: [f"{BUCKET_POLICY}{row.bucket}" for row in rows if not row.policy_read]}

    def _rows(self, work: Work) -> Iterator[AccessProvider]:
        account = work.cell.account
        return still_there(work.store.rows(AccessProvider, account), removed_by_push(work.store, account))

    def write(self, work: Work) -> tuple[ImportFile, ...]:
        return (write_access_providers(work.folder / "access-providers.json", self._rows(work)),)

    def send(self, work: Work, files: tuple[ImportFile, ...]) -> PendingImport:
        return start_access_provider_import(work.task, files[0], delete_untouched=work.may_delete)


class UsageUpload(Upload):
    """The usage statements of the log files that were not uploaded before."""

    table = "data_usage_import"
    job_type = JobType.DATA_USAGE
    names = (JobType.DATA_SOURCE,)

    def switched_off(self, target: Target) -> str | None:
        if isinstance(target, AccountTarget) and not target.aws_s3_cloudtrail_bucket:
            return "aws-s3-cloudtrail-bucket is not set, so there is no usage to read"
        return _source_off(target, target.skip_data_usage_sync, "skip-data-usage-sync")

    def needs(self, services: Services, store: Store, cell: Cell) -> Iterable[Need]:  # noqa: ARG002
        # Usage is only ever added: nothing is removed because a statement is missing.
        return ()

    def write(self, work: Work) -> tuple[ImportFile, ...]:
        files = write_usage(work.folder, self._fresh(work), work.target.maximum_file_size)
        return tuple(file for file in files if file.elements)

    def send(self, work: Work, files: tuple[ImportFile, ...]) -> PendingImport:
        return start_data_usage_import(work.task, files)

    def imported(self, work: Work) -> Sequence[CellInfo]:
        now, sent = datetime.now(UTC), sorted(work.log_files)
        if self.lacks(work):
            # Raito Cloud refuses statements about what it does not know yet, and takes none twice: they are sent again.
            before = _sent_before(work.store, work.cell.account)
            sent = [file for file in sent if _version(*file) in before]
        rows = (UsageUploaded(key, etag, work.task.job.id, now) for key, etag in sent)
        return (work.store.write("usage_uploaded", rows, work.cell.account),)

    def _fresh(self, work: Work) -> Iterator[pa.RecordBatch]:
        """The statements of the versions of log files that were not sent before."""
        sent = _sent_before(work.store, work.cell.account)
        for region in stored_regions(work, "usage_statements"):
            fresh: set[str] = set()
            for file in log_files(work.store, work.cell.account, region):
                work.log_files.append(file)
                if _version(*file) not in sent:
                    fresh.add(file[0])
            if fresh:
                files = pa.array(sorted(fresh), pa.string())
                for batch in work.store.batches("usage_statements", work.cell.account, region):
                    of_these: Any = pc.is_in(batch.column("file_key"), value_set=files)
                    yield batch if of_these.true_count == len(of_these) else batch.filter(of_these)


def upload_all(uploads: Sequence[Upload], log: CellLog, services: Services, jobs: RunJobs, cell: Cell) -> None:
    """Make the imports of one cell at the same time; one that fails does not keep the others from their end."""
    pending: list[tuple[Upload, Work, PendingImport]] = []
    with ExitStack() as folders:
        for upload in uploads:
            with log.attempt(cell, *upload.tables()):
                begun = _begin(upload, log, services, jobs, cell, folders)
                if begun is not None:
                    pending.append((upload, *begun))
        with in_doubt_unless_done((upload, work) for upload, work, _ in pending):
            outcomes = finish_all([begun for _, _, begun in pending])
        for (upload, work, _), outcome in zip(pending, outcomes, strict=True):
            with log.attempt(cell, *upload.tables()), in_doubt_unless_done([(upload, work)]):
                _take(upload, log, cell, work, outcome)


def _take(upload: Upload, log: CellLog, cell: Cell, work: Work, outcome: Imported | RaitoError) -> None:
    """Keep what came of an import. Raises `RaitoError` where nothing did, `StorageError`."""
    if isinstance(outcome, RaitoError):
        raise outcome
    notes = upload.imported(work)
    row = outcome.to_row(work.target.name, work.verdict.text)
    noted = work.count.note(row) if work.count else row
    problems = (*_problems(work), *(f"Raito Cloud: {error}" for error in outcome.errors))
    _keep(upload, log, cell, noted, problems, sent=_mark(upload, work, outcome))
    for info in notes:
        log.record(cell, info, {})


def _mark(upload: Upload, work: Work, outcome: Imported) -> str:
    """What tells what was sent from other files; empty where it was not taken over whole, so that it is sent again."""
    return "" if outcome.errors or upload.lacks(work) else work.sent


@contextmanager
def in_doubt_unless_done(imports: Iterable[tuple[Upload, Work]]) -> Iterator[None]:
    """Note of imports that Raito Cloud may hold something else than was known, where the block ends with any error.

    Their answers may have been lost, the run interrupted, the storage full: the next import is sent, whatever it says.
    """
    try:
        yield
    except BaseException:
        for upload, work in imports:
            if work.count is not None and work.count.held is not None:
                _note_doubt(upload, work, work.count.owner, work.count.held)
        raise


def _note_doubt(upload: Upload, work: Work, owner: str, held: Elements) -> None:
    try:
        remember(work.store, upload.table, work.cell.place, owner, held, doubt=True)
    except StorageError as error:
        work.store.warn(f"{upload.table}: that its import may have been made could not be noted: {error}")


def _begin(
    upload: Upload, log: CellLog, services: Services, jobs: RunJobs, cell: Cell, folders: ExitStack
) -> tuple[Work, PendingImport] | None:
    target = upload.target(services, cell)
    if target is None:
        log.out_of_scope(upload.table, cell, "no target of raito.yml uploads this organization")
        _keep_notes(upload, log, cell)
        return None
    off = upload.switched_off(target)
    if off is not None:
        row = skipped(jobs.of(target).task(upload.job_type)).to_row(target.name, off)
        _keep(upload, log, cell, row, out_of_scope=True)
        _keep_notes(upload, log, cell)
        return None
    log.require_lease(cell)
    task = jobs.task(target, upload.job_type)
    try:
        work = _work(upload, log, services, task, cell, target, folders)
        if work.count is not None and jobs.follow_a_killed_run(target):
            work = replace(work, count=replace(work.count, certain=False))
        files = upload.write(work)
        work = replace(work, sent=_fingerprint(upload, work, files))
        again = _unchanged(upload, work)
        if files and again is None:
            with in_doubt_unless_done([(upload, work)]):
                return work, upload.send(work, files)
    except Exception as error:
        task.fail(error)
        raise
    task.complete()
    if again is None:
        _keep(upload, log, cell, _nothing_sent(task, target.name))
    else:
        _keep(upload, log, cell, again, _problems(work), sent=work.sent)
    _keep_notes(upload, log, cell)
    return None


def _unchanged(upload: Upload, work: Work) -> ImportResult | None:
    """The row of an import that need not be sent, as Raito Cloud holds just that; None for one that is to be sent."""
    count = work.count
    if not work.sent or count is None or count.held is None or not count.certain:
        return None
    # What is held and not sent is to go, where it may.
    if len(count.sent.less(count.held)) or (work.may_delete and len(count.held.less(count.sent))):
        return None
    hours = work.services.options.pipeline.unchanged_imports_hours
    last = last_alike(work.store, upload.table, work.cell.place, work.sent, hours, datetime.now(UTC))
    return None if last is None else not_sent_again(last, work.task.job.id)


def _fingerprint(upload: Upload, work: Work, files: Sequence[ImportFile]) -> str:
    """What tells the import from others; empty where each one is sent."""
    if not work.services.options.pipeline.unchanged_imports_hours:
        return ""
    part = work.subtree.parent if work.subtree else None
    settings = (upload.owner(work.target), work.target.name, work.may_delete, work.replace_groups, part)
    return fingerprint(files, settings)


def _work(
    upload: Upload, log: CellLog, services: Services, task: Task, cell: Cell, target: Target, folders: ExitStack
) -> Work:
    """What an upload works with; says why nothing may be removed, where that is so. Raises as `_counted`."""
    verdict = judge(log.attempts, log.store, upload.needs(services, log.store, cell))
    for reason in upload.doubts(services, log.store, cell):
        verdict = verdict.but(reason)
    subtree = Subtree.from_tags(log.context.run.tags)
    if subtree is not None:
        verdict = verdict.but(f"only what lies below {subtree.parent} was read")
    folder = folders.enter_context(exchange_folder(target, upload.job_type.value))
    work = _counted(upload, Work(services, log.store, cell, target, task, verdict, folder, subtree))
    for reason in work.verdict.reasons:
        log.context.log.warning(f"{upload.table}: nothing is removed from Raito Cloud, because {reason}")
        task.warnings.append(f"nothing is removed, because {reason}")
    return work


def _counted(upload: Upload, work: Work) -> Work:
    """The same work, with what the import would do to what Raito Cloud holds, which must not be to remove too much.

    Raises `CellMissing` where there is nothing to send.
    """
    ids = upload.ids(work)
    if ids is None:
        return work
    owner = upload.owner(work.target)
    held = held_by_raito_cloud(work.store, upload.table, work.cell.place, owner)
    certain = not in_doubt(work.store, upload.table, work.cell.place)
    count = Count(owner, held, Elements.of(ids), certain)
    verdict = work.verdict
    if work.may_delete and held is not None:
        share = work.services.options.pipeline.max_import_deletions
        meant = Elements.of(upload.meant_to_go(work))
        for reason in (*unread(held, upload.not_read(work)), *too_many(held, count.sent, meant, share)):
            verdict = verdict.but(reason)
    return replace(work, count=count, verdict=verdict)


def _problems(work: Work) -> tuple[str, ...]:
    """What makes the import partial. That only a part was asked for does not."""
    return () if work.subtree else work.verdict.reasons


def _full_names(work: Work, region: str) -> Iterator[list[str]]:
    """The full names of the data objects of a region that are sent, in batches."""
    batches = work.store.batches("data_objects", work.cell.account, region)
    for batch in work.subtree.within(batches) if work.subtree else batches:
        yield texts(batch, "full_name")


def _nothing_sent(task: Task, target: str) -> ImportResult:
    done = Imported(task.job.id, task.job_type.value, "COMPLETED", (), False, (), (), datetime.now(UTC))
    return replace(done.to_row(target), reason="nothing new to send")


def exchange_folder(target: Target, stage: str) -> ExchangeFolder:
    """A folder for the files of one stage of a target, kept and copied as `raito.yml` says."""
    backups = Path(target.file_backup_location) if target.file_backup_location else None
    return ExchangeFolder(target.name, stage, target.delete_temp_files, backups, target.maximum_backups_per_target)


def _keep(
    upload: Upload,
    log: CellLog,
    cell: Cell,
    row: ImportResult,
    problems: Sequence[str] = (),
    *,
    out_of_scope: bool = False,
    sent: str = "",
) -> None:
    """Store what came of an import; one that `raito.yml` leaves out has a row, too, as it is reported as skipped."""
    status = ReadStatus.OUT_OF_SCOPE if out_of_scope else ReadStatus.COMPLETE
    extra = {"reason": row.reason or ""} if out_of_scope else {SENT: sent}
    info = log.store.write(
        upload.table, [row], cell.account, cell.region, status=status, problems=problems, extra=extra
    )
    metadata = {
        **({"in_scope": False, "why": row.reason or ""} if out_of_scope else {}),
        "status": row.status,
        "elements": row.elements,
        "added": row.added,
        "updated": row.updated,
        "removed": row.removed,
        "failed": row.failed,
        "delete untouched": row.delete_untouched,
        **({} if row.held is None else {"held by Raito Cloud": row.held}),
        **({"counts": differs} if (differs := disagreement(row)) else {}),
        "reason": row.reason or "",
        "job": row.job_id,
        "sent bytes": row.bytes,
    }
    log.record(cell, info, metadata)


def _keep_notes(upload: Upload, log: CellLog, cell: Cell) -> None:
    """Where nothing was imported, what is noted for the next sync stays true."""
    for table in TABLES[upload.table].notes:
        if log.store.info(table, *cell.place) is None:
            log.out_of_scope(table, cell, "nothing was ever imported")
        else:
            log.record(cell, log.store.confirm(table, *cell.place), {})


def stored_regions(work: Work, table: str) -> list[str]:
    """The regions of the account whose cell of `table` was ever written: what there is to send."""
    regions = partitions.regions(work.services.options)
    scope = [r for r in regions if partitions.in_scope(work.services.options, work.cell.account, r)]
    return [region for region in scope if work.store.info(table, work.cell.account, region) is not None]


def removed_by_push(store: Store, account: str) -> frozenset[str]:
    """External ids that the push took out of AWS after IAM was read: what their access controls have now is not them.

    Empty where IAM was read again, or the access controls were exported again, since the push: what is in AWS now is
    what was read.
    """
    results = store.info("access_push_results", account)
    if results is None or made_of(results) is None or made_of(results) != versions(store, account):
        return frozenset()
    left = {result.access_control_id: result.external_id for result in store.rows(PushResult, account)}
    controls = (control for control in store.rows(AccessControl, account) if control.id in left)
    return frozenset(c.external_id for c in controls if c.external_id and left[c.id] != c.external_id)


def still_there(rows: Iterable[AccessProvider], removed: frozenset[str]) -> Iterator[AccessProvider]:
    """The access providers less those that were removed, which the others do not name any more, either."""
    for row in rows:
        if row.external_id in removed:
            continue
        others = row.who_access_providers
        if others and removed.intersection(others):
            others = tuple(other for other in others if other not in removed)
            yield replace(row, who_access_providers=others)
        else:
            yield row


def _sent_before(store: Store, account: str) -> HashSet:
    sent = HashSet()
    if store.info("usage_uploaded", account) is not None:
        for batch in store.batches("usage_uploaded", account):
            sent.add_all([_version(*file) for file in zip(texts(batch, "file_key"), texts(batch, "etag"), strict=True)])
    return sent


def _version(key: str, etag: str) -> str:
    return f"{etag} {key}"


def _identities_off(target: Target) -> str | None:
    if target.skip_identity_store_sync:
        return "skip-identity-store-sync is on"
    return None if target.identity_store_id else "the target has no identity-store-id"


def _source_off(target: Target, skip: bool, option: str) -> str | None:
    if skip:
        return f"{option} is on"
    return None if target.data_source_id else "the target has no data-source-id"
