"""Which jobs in Raito Cloud have begun and not ended, kept in a small file beside the tables.

A run that is killed reports nothing any more: its job would stay IN_PROGRESS for ever. The next sync of the same
target finds it here and closes it. A job whose end Raito Cloud did not take stays here with that end.
"""

import logging
import posixpath
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import msgspec

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoError, RaitoRefused
from raito_pipeline.raito.jobs import Job, JobType, Status
from raito_pipeline.storage import StorageError, Store
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.files import put

logger = logging.getLogger(__name__)

FOLDER = "_jobs"
_MOST = 20
_SECONDS_BETWEEN_NOTES = 30.0
INTERRUPTED = "the run of this job was interrupted; closed by the next sync"


@dataclass(frozen=True)
class OpenJob:
    """A job as it was last known: what it is about, its tasks that have not ended, and its end where that is known."""

    id: str
    base_url: str
    domain: str
    data_source_id: str | None
    identity_store_id: str | None
    unfinished: tuple[str, ...]
    open_subtasks: tuple[tuple[str, str], ...] = ()
    end: str | None = None
    errors: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Job, planned: Sequence[JobType]) -> "OpenJob":
        """What is known of a job of which the tasks `planned` are to be worked on."""
        tasks = job.tasks.values()
        ended = {task.job_type for task in tasks if task.ended}
        return cls(
            id=job.id,
            base_url=job.client.connection.base_url,
            domain=job.client.connection.domain,
            data_source_id=job.data_source_id,
            identity_store_id=job.identity_store_id,
            unfinished=tuple(
                each.value for each in JobType if each not in ended and (each in planned or each in job.tasks)
            ),
            open_subtasks=tuple((task.job_type.value, name) for task in tasks for name in sorted(task.open_subtasks)),
        )

    def ended(self, job: Job) -> "OpenJob":
        """The same with the end of the job, which Raito Cloud did not take."""
        return replace(self, end=job.outcome.value, errors=tuple(job.errors))

    def close(self, client: RaitoClient) -> bool:
        """Report the end: the one that is known, else FAILED, with every task that was open.

        Gives whether nothing is left to report: also where Raito Cloud knows no such job (any more).
        """
        job = Job(client, self.id, self.data_source_id, self.identity_store_id, errors=list(self.errors))
        for name in self.unfinished:
            task = job.task(JobType(name))
            task.open_subtasks = {subtask for job_type, subtask in self.open_subtasks if job_type == name}
            task.fail_because([INTERRUPTED])
        try:
            if self.end is None:
                job.report_status(Status.FAILED, [INTERRUPTED])
            else:
                job.report_status(Status(self.end), self.errors)
        except RaitoError as error:
            logger.warning("job %s of an earlier run cannot be closed: %s", self.id, error)
            return not error.retry_helps and isinstance(error, RaitoRefused)
        return True


@dataclass(frozen=True)
class OpenJobs:
    """The open jobs of each target, in `<root>/_jobs/<target>.json`. Nothing here ever fails a sync."""

    store: Store
    _noted: dict[str, tuple[OpenJob, float]] = field(default_factory=dict, compare=False)
    """what was written of each job, and when"""

    def path(self, target: str) -> str:
        """Where the file of a target lies inside the file system of the store."""
        return posixpath.join(self.store.root, FOLDER, f"{quote(target, safe='')}.json")

    def is_noted(self, target: str) -> bool:
        """Whether there is a file of a target, damaged or not. Raises `StorageError`."""
        path = self.path(target)
        with storage_errors("the note of open jobs", "read", path):
            return self.store.files.read(path) is not None

    def read(self, target: str) -> tuple[OpenJob, ...]:
        """The open jobs of a target; none where the file is damaged. Raises `StorageError` where it cannot be read."""
        path = self.path(target)
        with storage_errors("the note of open jobs", "read", path):
            content = self.store.files.read(path)
        try:
            return () if content is None else msgspec.json.decode(content, type=tuple[OpenJob, ...])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning("%s cannot be used (%s): jobs that an interrupted run left open are not closed", path, error)
            return ()

    def interrupted(self, target: str) -> bool:
        """Whether a run of a target may have been killed: a job has no end, or it cannot be read whether one has."""
        try:
            return any(job.end is None for job in self.read(target))
        except StorageError as error:
            logger.warning("%s Whether a run was interrupted is not known.", error)
            return True

    def write(self, target: str, jobs: Sequence[OpenJob]) -> None:
        """Replace what is known of a target; without jobs the file goes."""
        path, files = self.path(target), self.store.files
        try:
            with storage_errors("the note of open jobs", "written", path):
                if jobs:
                    put(files, path, msgspec.json.format(msgspec.json.encode(jobs)))
                elif files.read(path) is not None:
                    files.delete(path)
        except StorageError as error:
            logger.warning("%s", error)

    def note(self, target: str, job: OpenJob) -> None:
        """Note the state of one job beside the others of the target.

        Where each write is paid for, that a task ended waits for a change half a minute later: a run that is killed
        before reports a task as failed that had just ended, in a job that failed.
        """
        noted, at = self._noted.get(job.id, (None, 0.0))
        soon = self.store.files.costly and time.monotonic() - at < _SECONDS_BETWEEN_NOTES
        if noted is not None and (noted == job or (soon and job.end is None)):
            return
        if self._change(target, lambda jobs: [*(each for each in jobs if each.id != job.id), job][-_MOST:]):
            self._noted[job.id] = (job, time.monotonic())

    def forget(self, target: str, job_id: str) -> None:
        """A job that ended."""
        self._change(target, lambda jobs: [each for each in jobs if each.id != job_id])

    def _change(self, target: str, change: Callable[[Sequence[OpenJob]], Sequence[OpenJob]]) -> bool:
        """Replace what is known of a target by what `change` makes of it; false where that cannot be read.

        To write then would forget the jobs of earlier runs, which nobody would close any more.
        """
        try:
            known = self.read(target)
        except StorageError as error:
            logger.warning("%s", error)
            return False
        self.write(target, change(known))
        return True

    def close(self, target: str, client: RaitoClient) -> tuple[str, ...]:
        """Close what an earlier run of the target left open, in the domain of `client`; gives the ids of these jobs.

        What Raito Cloud cannot take now stays for the next time.
        """
        try:
            known = self.read(target)
        except StorageError as error:
            logger.warning("%s Jobs that an interrupted run left open are closed by a later sync.", error)
            return ()
        closed = []
        for job in known:
            here = (job.base_url, job.domain) == (client.connection.base_url, client.connection.domain)
            if here and job.close(client):
                closed.append(job.id)
        if closed:
            self.write(target, [job for job in known if job.id not in closed])
        return tuple(closed)
