"""The jobs in Raito Cloud of one Dagster run: one a target, shared by its steps, ended with the run.

A job says what happened: it is COMPLETED only where every step of the run that concerns its target ended well, every
task was completed or skipped, and nothing that the target's imports stand on had failed before. Each step's end is
taken from the event log of the run, so that no step can forget to tell.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import dagster as dg

from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.recording.guard import Attempts, Need, failed_cells
from raito_pipeline.orchestration.recording.layers import account_cell, upstream_needs
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.run_events import LogLine, RunEvents, TableEnd, TableState
from raito_pipeline.orchestration.runs.run_log import RunLog
from raito_pipeline.orchestration.runs.sync_run import SyncRun
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import ImportsUnderWay, JobRefused, RaitoError, RaitoRefused, RaitoUnreachable
from raito_pipeline.raito.exchange import ExchangeFolder
from raito_pipeline.raito.jobs import Job, JobType, Status, Task, said
from raito_pipeline.raito.open_jobs import OpenJob, OpenJobs
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.raito.task_log import write_log
from raito_pipeline.raito.upload import upload_log
from raito_pipeline.redaction import redact
from raito_pipeline.storage import StorageError, Store

logger = logging.getLogger(__name__)

Target = AccountTarget | OrganizationTarget

TASK_TABLES: Mapping[JobType, tuple[str, ...]] = {
    JobType.DATA_SOURCE: ("data_source_import",),
    JobType.IDENTITY_STORE: ("identity_store_import", "org_identity_store_import"),
    JobType.DATA_ACCESS: (
        "access_providers",
        "access_controls",
        "access_push_plan",
        "access_push_results",
        "access_provider_import",
    ),
    JobType.DATA_USAGE: ("data_usage_import",),
}
"""The tables of a run that a task is about: what becomes of them becomes of the task.

Tables that come of the same work (`access_push_targets`, notes for the next sync) end as these do.
"""
_NO_LOG_OPTION: Mapping[JobType, str] = {
    JobType.DATA_SOURCE: "disable_log_forwarding_data_source_sync",
    JobType.IDENTITY_STORE: "disable_log_forwarding_identity_store_sync",
    JobType.DATA_ACCESS: "disable_log_forwarding_data_access_sync",
    JobType.DATA_USAGE: "disable_log_forwarding_data_usage_sync",
}
_TASK_OF = {table: job_type for job_type, tables in TASK_TABLES.items() for table in tables}
_CALCULATED_FROM = (JobType.DATA_SOURCE, JobType.IDENTITY_STORE)


@dataclass
class RunJobs:
    """Makes a job for a target when a step first needs it, and ends all of them.

    `sync` is what the targets of one sync share; without one, the run is a sync of its own.
    """

    services: Services
    grid: Grid
    run: RunEvents
    log: RunLog
    attempts: Attempts
    """how the last attempts at the cells that the tasks stand on ended"""
    sync: TargetsSync | None = None
    _own_sync: TargetsSync = field(default_factory=TargetsSync)
    _jobs: dict[str, tuple[Target, Job]] = field(default_factory=dict)
    _refused: dict[str, RaitoError] = field(default_factory=dict)
    _interrupted: set[str] = field(default_factory=set)

    def of(self, target: Target) -> Job:
        """The job of a target in this run. Raises `RaitoError` where Raito Cloud makes none.

        A refusal is asked for once: each later step of the target gets the same one.
        """
        if target.name in self._refused:
            raise self._refused[target.name]
        if target.name not in self._jobs:
            try:
                self._jobs[target.name] = target, self._begin(target)
            except RaitoError as error:
                if not error.retry_helps:
                    self._refused[target.name] = error
                raise
        return self._jobs[target.name][1]

    def task(self, target: Target, job_type: JobType) -> Task:
        """The task of a target in this run, under way: a push and the import after it share theirs.

        Raises `RaitoError`.
        """
        return self.of(target).task(job_type).start()

    def follow_a_killed_run(self, target: Target) -> bool:
        """Whether the last run of a target was killed: what Raito Cloud took in of it is not known."""
        return target.name in self._interrupted

    def require_imports_ended(self, target: Target) -> None:
        """Refuse to ask for access controls before this run's imports that they are calculated from have ended.

        Raises `ImportsUnderWay`, and `RaitoError` where there is no job.
        """
        tasks = self.of(target).tasks
        for job_type in _CALCULATED_FROM:
            if job_type in self._planned and (job_type not in tasks or not tasks[job_type].ended):
                raise ImportsUnderWay(target.name, TASK_TABLES[job_type][:1])

    def finish(self) -> None:
        """End every job as the run ended for its target, and say that they were all (unless the sync goes on)."""
        for target, job in self._jobs.values():
            self._end(target, job)
            (self.sync or self._own_sync).add(job)
        self._own_sync.end()

    # -- the beginning of a job --------------------------------------------------------------------------------------

    def _begin(self, target: Target) -> Job:
        client = self.services.raito(target)
        (self.sync or self._own_sync).require_version(client)
        if self._open_jobs.interrupted(target.name):
            self._interrupted.add(target.name)
        for name in (target.name, _checked(target)):
            _close_left(self._open_jobs, name, client)
        try:
            job = _noted_job(self._open_jobs, target.name, client, target, self._planned)
        except RaitoRefused as error:
            ids = {"data-source-id": _source(target), "identity-store-id": target.identity_store_id}
            raise JobRefused(target.name, ids, error) from None
        for job_type in TASK_TABLES:
            if job_type not in self._planned:
                job.skip(job_type)
        return job

    @property
    def _planned(self) -> tuple[JobType, ...]:
        """The tasks that the run is to work on."""
        return tuple(
            each
            for each, tables in TASK_TABLES.items()
            if not self.run.planned.keys().isdisjoint(name for table in tables for name in TABLES[table].with_notes)
        )

    @cached_property
    def _store(self) -> Store:
        return Store.open(self.services.options.pipeline.storage, self.run.run_id).for_a_run()

    @cached_property
    def _open_jobs(self) -> OpenJobs:
        return OpenJobs(self._store)

    # -- the end of a job --------------------------------------------------------------------------------------------

    def _end(self, target: Target, job: Job) -> None:
        ends = self.run.ends(self._partition(target), self._other_partitions(target))
        for job_type in self._planned:
            self._end_task(job.task(job_type), [end for end in ends if end.table in TASK_TABLES[job_type]])
        failed = [text for end in ends if end.state is not TableState.UNREACHED for text in end.causes]
        for text in (*failed, *self._failed_before(target, job)):
            if not _follows_from_another(text):
                job.add_error(self._redacted(text))
        self._send_logs(target, job)
        if job.finish():
            self._open_jobs.forget(target.name, job.id)
        else:
            self._open_jobs.note(target.name, OpenJob.of(job, self._planned).ended(job))

    def _end_task(self, task: Task, ends: Sequence[TableEnd]) -> None:
        """End a task as its tables ended: one that was never reached fails with the reason."""
        causes = [self._redacted(text) for end in ends for text in end.causes]
        causes = [text for text in causes if not _follows_from_another(text)] or causes
        if causes and task.status is not Status.SKIPPED:
            task.fail_because(causes)
        elif task.status is None:
            task.event(Status.SKIPPED)
        else:
            task.complete()

    def _redacted(self, text: str) -> str:
        return redact(text, self.services.secrets())

    def _partition(self, target: Target) -> str:
        if isinstance(target, AccountTarget):
            return target.partition
        organizations = (each for each in partitions.organizations(self.services.options) if each.target == target.name)
        return next(each.key for each in organizations)

    def _other_partitions(self, target: Target) -> set[str]:
        definition = self.grid.account if isinstance(target, AccountTarget) else self.grid.organization
        return set(definition.get_partition_keys()) - {self._partition(target)}

    def _failed_before(self, target: Target, job: Job) -> tuple[str, ...]:
        """What earlier layers failed to read for the tasks of this job, or why that is not known."""
        if not isinstance(target, AccountTarget):
            return ()
        worked_on = {each for each, task in job.tasks.items() if task.status is not Status.SKIPPED}
        needs = _needs(self.services.options, self.grid, self._store, target.partition, worked_on)
        try:
            return failed_cells(self.attempts.for_a_step(), self._store, needs)
        except StorageError as error:  # the job ends all the same
            return (str(error),)

    # -- logs --------------------------------------------------------------------------------------------------------

    def _send_logs(self, target: Target, job: Job) -> None:
        """Upload the log of each task. One that cannot be uploaded is a warning, and never fails the sync."""
        wanted = [t for t in job.tasks.values() if t.status is not Status.SKIPPED and self._forwards(t.job_type)]
        if not wanted:
            return
        lines = list(self.log.merged(self.run.lines(), self.run.windows()))
        try:
            with ExchangeFolder(target.name, "logs", target.delete_temp_files) as folder:
                for task in wanted:
                    self._send_log(target, task, lines, folder / f"{task.job_type}.log")
        except (RaitoUnreachable, StorageError) as error:
            logger.warning("logs of %s were not uploaded: %s", target.name, said(job.client, error))

    def _send_log(self, target: Target, task: Task, lines: Iterable[LogLine], path: Path) -> None:
        """Upload the log of one task. Raises `RaitoUnreachable`, as the next one would meet it, too."""
        chosen = ((line.at, line.level, line.step, line.text) for line in self._about(task.job_type, lines))
        try:
            upload_log(task, write_log(path, chosen, self.services.secrets()))
        except RaitoUnreachable:
            raise
        except (RaitoError, OSError) as error:
            about = f"the log of task {task.job_type} of {target.name}"
            logger.warning("%s was not uploaded: %s", about, said(task.job.client, error))

    def _about(self, job_type: JobType, lines: Iterable[LogLine]) -> Iterator[LogLine]:
        """The lines of the steps behind a task, less those about a table of another task."""
        own = set(TASK_TABLES[job_type])
        steps = {step for table, step in self.run.planned.items() if table in own}
        for line in lines:
            table = line.text.partition(" ")[0].rstrip(":")
            if line.step in steps and (table in own or table not in _TASK_OF):
                yield line

    def _forwards(self, job_type: JobType) -> bool:
        options = self.services.options
        return not (options.disable_log_forwarding or getattr(options, _NO_LOG_OPTION[job_type]))


def report_unusable(services: Services, target: Target, errors: Sequence[str]) -> None:
    """Make a job that says why a target is not synced at all: every task of it fails with these reasons.

    Raises `RaitoError` where Raito Cloud does not take it.
    """
    client, sync = services.raito(target), services.targets_sync or TargetsSync()
    sync.require_version(client)
    notes, name = OpenJobs(Store.open(services.options.pipeline.storage)), _checked(target)
    _close_left(notes, name, client)
    concerned = tuple(each for each in TASK_TABLES if _concerns(each, target))
    job = _noted_job(notes, name, client, target, concerned)
    clean = [redact(error, services.secrets()) for error in errors]
    for job_type in TASK_TABLES:
        if job_type in concerned:
            job.task(job_type).fail_because(clean)
        else:
            job.skip(job_type)
    if job.finish():
        notes.forget(name, job.id)
    sync.add(job)
    if services.targets_sync is None:
        sync.end()


def _concerns(job_type: JobType, target: Target) -> bool:
    return isinstance(target, AccountTarget) or job_type is JobType.IDENTITY_STORE


def _source(target: Target) -> str | None:
    return target.data_source_id if isinstance(target, AccountTarget) else None


def _checked(target: Target) -> str:
    """Under which name a job is noted that only says why a target is not synced.

    It is made without the lease of the account: the notes of a sync that may be under way are not touched.
    """
    return f"{target.name} (check)"


def _close_left(notes: OpenJobs, name: str, client: RaitoClient) -> None:
    """Close the jobs that were noted under a name, and not ended."""
    for job_id in notes.close(name, client):
        logger.warning("job %s of %s, which an interrupted run left open, was closed as FAILED", job_id, name)


def _noted_job(notes: OpenJobs, name: str, client: RaitoClient, target: Target, planned: Sequence[JobType]) -> Job:
    """Begin a job of which every change is noted, so that the next sync closes it where this process is killed.

    Raises `RaitoError` where Raito Cloud makes none.
    """
    job = Job.create(client, _source(target), target.identity_store_id)
    job.on_change = lambda changed: notes.note(name, OpenJob.of(changed, planned))
    job.on_change(job)
    job.update(Status.IN_PROGRESS)
    return job


def _follows_from_another(cause: str) -> bool:
    """Whether a table was only not tried because of one that failed, which says the cause itself."""
    return ": not tried, because " in cause


def _needs(options: Options, grid: Grid, store: Store, account: str, job_types: Iterable[JobType]) -> Iterator[Need]:
    """What the tasks of an account stand on."""
    tables = (table for job_type in job_types for table in TASK_TABLES[job_type])
    of_account = [table for table in tables if TABLES[table].partitioned_by == "account"]
    for table in of_account:
        yield from upstream_needs(table, account_cell(account), options, grid, store)


@contextmanager
def run_jobs(services: Services, grid: Grid, events: RunEvents, attempts: Attempts) -> Iterator[RunJobs]:
    """The jobs for the time of a run; they are ended however it ends."""
    with RunLog().collecting() as log:
        jobs = RunJobs(services, grid, events, log, attempts, services.targets_sync)
        try:
            yield jobs
        finally:
            jobs.finish()


def raito_jobs(services: Services, grid: Grid) -> dg.ResourceDefinition:
    """The resource `raito_jobs`: made at the start of a run, ended with it."""

    # A run that is not let into its account makes no job, and its jobs end before it lets another run in.
    admission = grid.naming.resource("sync_run")

    def begun(context: dg.InitResourceContext) -> Iterator[RunJobs]:
        run: SyncRun = getattr(context.resources, admission)
        with run_jobs(services, grid, run.events, run.attempts) as jobs:
            yield jobs

    text = "The jobs of this run in Raito Cloud, one a target."
    return dg.ResourceDefinition(begun, description=text, required_resource_keys={admission})
