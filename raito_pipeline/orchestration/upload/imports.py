"""The imports of Raito Cloud, one class each: what it stands on, the files that it sends, and what is noted of it.

Where something that an import stands on is missing or of an earlier sync, what is there is sent without permission to
delete, and the result says which cell is missing and why.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.access.external_ids import BUCKET_POLICY
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.usage.earlier import log_files
from raito_pipeline.aws.usage.seen import HashSet
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import (
    TABLES,
    AccessProvider,
    IamGroup,
    IamUser,
    OrgGroup,
    OrgUser,
    S3BucketPolicy,
    UsageUploaded,
)
from raito_pipeline.model.batches import texts
from raito_pipeline.orchestration.partitioning import gone
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.partitioning.partitions import regions_of_part
from raito_pipeline.orchestration.recording.guard import Need, Verdict
from raito_pipeline.orchestration.recording.layers import upstream_needs
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.removed_by_push import removed_by_push, still_there
from raito_pipeline.orchestration.upload.work import NothingToSend, Target, Work, stored_regions
from raito_pipeline.raito.deletions import remember
from raito_pipeline.raito.files.access_providers import write_access_providers
from raito_pipeline.raito.files.data_objects import write_data_objects
from raito_pipeline.raito.files.identities import root_user, write_account_identities, write_organization_identities
from raito_pipeline.raito.files.usage import write_usage
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.imports import (
    PendingImport,
    start_access_provider_import,
    start_data_source_import,
    start_data_usage_import,
    start_identity_store_import,
)
from raito_pipeline.raito.jobs import JobType, Status
from raito_pipeline.raito.metadata import set_data_source_metadata, set_identity_store_metadata
from raito_pipeline.storage import CellInfo, CellMissing, Store

_DATA_OBJECT, _ACCESS_PROVIDER = "data object", "access provider"

Ids = Mapping[str, Iterable[Sequence[str]]]
"""External ids in batches, by kind of element."""


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
        """Elements that are not sent and may be there all the same, as what they are made of was never read.

        Raises `CellUnusable` where that is not known any more.
        """
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
        # What an unknown import added, or nobody knows of, was removed, or is there.
        doubt, lost = (False, "") if work.may_delete else (not work.count.certain, work.count.lost)
        return (remember(work.store, self.table, work.cell.place, work.count.owner, after, doubt=doubt, lost=lost),)


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
        return {_DATA_OBJECT: chain.from_iterable(_names_as_far_as_known(work, region) for region in regions)}

    def imported(self, work: Work) -> Sequence[CellInfo]:
        written = super().imported(work)
        if work.may_delete:
            for region in gone.confirmed_regions(work.services.options, work.store, work.cell.account):
                gone.forget(work.store, work.cell.account, region)
        return written

    def _regions(self, work: Work) -> list[str]:
        """The regions to send. Raises `NothingToSend`."""
        regions = stored_regions(work, "data_objects")
        if work.subtree is not None:
            read = regions_of_part(work.account, work.subtree.place)
            regions = [region for region in regions if region in read]
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
        rows = work.store.remembered(S3BucketPolicy, work.cell.account)
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
        """The statements of the versions of log files that were not sent before. Raises `NothingToSend`.

        What was sent is read in any case: where it is damaged, that is met now, and not a sync later.
        """
        sent = _sent_before(work.store, work.cell.account)
        regions = stored_regions(work, "usage_statements")
        if not regions:
            never = Verdict((f"usage_statements {work.cell.account} was never read in any region",))
            raise NothingToSend("usage_statements", work.cell.account, never)
        for region in regions:
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


def _full_names(work: Work, region: str) -> Iterator[list[str]]:
    """The full names of the data objects of a region that are sent, in batches."""
    batches = work.store.batches("data_objects", work.cell.account, region)
    for batch in work.subtree.within(batches) if work.subtree else batches:
        yield texts(batch, "full_name")


def _names_as_far_as_known(work: Work, region: str) -> Iterator[list[str]]:
    """The same of a region that is not read any more: what is damaged of it is not known, and counts as nothing."""
    with suppress(CellMissing):
        yield from _full_names(work, region)


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
