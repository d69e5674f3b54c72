"""The imports: upload the file, ask Raito Cloud to take it over, wait, and say what became of it.

`start_...` uploads and asks; `finish` and `finish_all` wait. Independent imports are started one after the other and
finished together. The task reports DATA_UPLOAD, QUEUED and its end on the way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from raito_pipeline.model import ImportedKind, ImportResult
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.files.tags import TAG_SOURCE
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.jobs import (
    PATIENT,
    Counts,
    Polling,
    Status,
    Subtask,
    SubtaskAnswer,
    Task,
    number_of,
    wait,
    wait_all,
)
from raito_pipeline.raito.upload import upload


@dataclass(frozen=True, slots=True)
class PendingImport:
    """An import that Raito Cloud works on."""

    task: Task
    subtask: Subtask
    files: tuple[ImportFile, ...]
    delete_untouched: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: counts by kind of object, warnings, and the files it was made of."""

    job_id: str
    task: str
    status: str
    files: tuple[ImportFile, ...]
    delete_untouched: bool
    counts: tuple[Counts, ...]
    warnings: tuple[str, ...]
    finished_at: datetime
    errors: tuple[str, ...] = ()
    """what Raito Cloud could not take over although it completed the import; they are among the warnings"""

    def to_row(self, target: str, reason: str | None = None) -> ImportResult:
        """The row of the import tables; `reason` says why nothing may be removed, or why it was skipped."""
        return ImportResult(
            target=target,
            task=self.task,
            job_id=self.job_id,
            status=self.status,
            delete_untouched=self.delete_untouched,
            reason=reason,
            elements=sum(file.elements for file in self.files),
            bytes=sum(file.bytes for file in self.files),
            sha256=self.files[0].sha256 if self.files else "",
            added=sum(each.added for each in self.counts),
            updated=sum(each.updated for each in self.counts),
            removed=sum(each.removed for each in self.counts),
            failed=sum(each.failed for each in self.counts),
            kinds=tuple(
                ImportedKind(each.object_type, each.added, each.updated, each.removed, each.failed)
                for each in self.counts
            ),
            warnings=self.warnings,
            finished_at=self.finished_at,
        )


def start_identity_store_import(
    task: Task,
    users: ImportFile,
    groups: ImportFile,
    *,
    delete_untouched: bool,
    replace_groups: bool = True,
) -> PendingImport:
    """Send users and groups of the job's identity store. Raises `RaitoError`."""

    def settings(keys: Sequence[str]) -> dict[str, Any]:
        return {
            "identityStore": task.job.identity_store_id,
            "deleteUntouched": delete_untouched,
            "replaceGroups": replace_groups,
            "usersFileKey": keys[0],
            "groupsFileKey": keys[1],
            "tagSourcesScope": [TAG_SOURCE],
        }

    return _start(task, "ImportIdentityRequest", (users, groups), settings, delete_untouched)


def start_data_source_import(task: Task, file: ImportFile, *, delete_untouched: bool) -> PendingImport:
    """Send data objects of the job's data source. Raises `RaitoError`."""

    def settings(keys: Sequence[str]) -> dict[str, Any]:
        return {
            "dataSource": task.job.data_source_id,
            "deleteUntouched": delete_untouched,
            "fileKey": keys[0],
            "tagSourcesScope": [TAG_SOURCE],
        }

    return _start(task, "ImportDataSourceRequest", (file,), settings, delete_untouched)


def start_access_provider_import(task: Task, file: ImportFile, *, delete_untouched: bool) -> PendingImport:
    """Send access providers of the job's data source. Raises `RaitoError`."""

    def settings(keys: Sequence[str]) -> dict[str, Any]:
        return {"dataSource": task.job.data_source_id, "deleteUntouched": delete_untouched, "fileKey": keys[0]}

    return _start(task, "ImportAccessProvidersRequest", (file,), settings, delete_untouched)


def start_data_usage_import(task: Task, files: Sequence[ImportFile]) -> PendingImport:
    """Send usage statements of the job's data source (at least one file). Raises `RaitoError`."""

    def settings(keys: Sequence[str]) -> dict[str, Any]:
        return {"dataSource": task.job.data_source_id, "fileKeys": list(keys)}

    return _start(task, "ImportDataUsageRequest", tuple(files), settings, False)


def start_feedback_import(task: Task, file: ImportFile) -> PendingImport:
    """Send the feedback of a push to the job's data source. Raises `RaitoError`."""

    def settings(keys: Sequence[str]) -> dict[str, Any]:
        return {"dataSource": task.job.data_source_id, "fileKey": keys[0]}

    return _start(task, "ImportAccessProvidersSyncFeedback", (file,), settings, False)


def finish(pending: PendingImport, polling: Polling = PATIENT) -> Imported:
    """Wait for one import; its counts and warnings go into the task, whose end the caller reports.

    Raises `ImportFailed`, `ImportTimedOut` and other `RaitoError`s.
    """
    return _imported(pending, wait(pending.task.job.client, pending.subtask, polling))


def finish_all(pending: Sequence[PendingImport], polling: Polling = PATIENT) -> tuple[Imported | RaitoError, ...]:
    """Wait for independent imports at the same time; one that fails does not touch the others.

    Each task's end is reported as soon as it is known. Results and errors come in the order of `pending`.
    """
    if not pending:
        return ()
    outcomes: dict[int, Imported | RaitoError] = {}

    def ended(position: int, answer: SubtaskAnswer | RaitoError) -> None:
        task = pending[position].task
        if isinstance(answer, RaitoError):
            outcomes[position] = answer
            task.fail(answer)
        else:
            outcomes[position] = _imported(pending[position], answer)
            task.complete()

    wait_all(pending[0].task.job.client, [each.subtask for each in pending], polling, ended)
    return tuple(outcomes[position] for position in range(len(pending)))


def skipped(task: Task) -> Imported:
    """Report a task that is switched off, or has nothing to send, and give the result that says so."""
    task.event(Status.SKIPPED)
    job = task.job.id
    return Imported(job, task.job_type.value, Status.SKIPPED.value, (), False, (), (), datetime.now(UTC))


def _start(
    task: Task,
    operation: str,
    files: tuple[ImportFile, ...],
    settings: Callable[[Sequence[str]], dict[str, Any]],
    delete_untouched: bool,
) -> PendingImport:
    job = task.job
    task.event(Status.DATA_UPLOAD)
    keys = [upload(job.client, file) for file in files]
    variables = {"input": {"jobId": job.id, "importSettings": settings(keys)}}
    subtask_id = job.client.ask(operation, variables, "subtask", "subtaskId")
    task.event(Status.QUEUED)
    return PendingImport(task, Subtask(job.id, task.job_type.value, subtask_id), files, delete_untouched)


def _imported(pending: PendingImport, answer: SubtaskAnswer) -> Imported:
    counts = counts_of(answer.kind, answer.result)
    pending.task.counts.extend(counts)
    pending.task.warnings.extend(answer.warnings)
    return Imported(
        job_id=answer.subtask.job_id,
        task=pending.task.job_type.value,
        status=answer.status,
        files=pending.files,
        delete_untouched=pending.delete_untouched,
        counts=counts,
        warnings=answer.warnings,
        finished_at=datetime.now(UTC),
        errors=answer.errors,
    )


def counts_of(kind: str, result: Mapping[str, Any]) -> tuple[Counts, ...]:
    """The counters of a subtask's result (`__typename`, fields) by kind of object, in the words of the service."""

    def number(name: str) -> int:
        return number_of(result, name)

    def three(object_type: str, prefix: str) -> Counts:
        names = (f"{prefix}{change}" for change in ("Added", "Updated", "Removed"))
        return Counts(object_type, *(number(name) for name in names))

    if kind == "DataSourceImportResult":
        return (three("data objects", "dataObjects"),)
    if kind == "IdentityStoreImportResult":
        return three("users", "users"), three("groups", "groups")
    if kind == "AccessProviderImportResult":
        return (three("imported access providers", "access"),)
    if kind == "DataUsageImportResult":
        # Statements that were there before are neither added nor failed; the edges are Raito Cloud's own sums.
        return (Counts("statements", added=number("statementsAdded"), failed=number("statementsFailed")),)
    return ()
