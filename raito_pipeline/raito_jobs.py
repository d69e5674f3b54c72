"""The jobs in Raito Cloud of one Dagster run: one a target, shared by its steps, ended with the run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from raito_pipeline.config import AccountTarget, OrganizationTarget
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.jobs import Job, JobType, Task, end_of_targets
from raito_pipeline.resources import Services


@dataclass
class RunJobs:
    """Makes a job for a target when a step first needs it."""

    services: Services
    _jobs: dict[str, Job] = field(default_factory=dict)
    _tasks: dict[tuple[str, JobType], Task] = field(default_factory=dict)

    def of(self, target: AccountTarget | OrganizationTarget) -> Job:
        """The job of a target in this run. Raises `RaitoError` where Raito Cloud does not make one."""
        if target.name not in self._jobs:
            source = target.data_source_id if isinstance(target, AccountTarget) else None
            client = self.services.raito(target)
            self._jobs[target.name] = Job.start(client, source, target.identity_store_id)
        return self._jobs[target.name]

    def task(self, target: AccountTarget | OrganizationTarget, job_type: JobType) -> Task:
        """The task of a target in this run: the one that is under way (a push and the import after it share theirs),
        else a new one, started. Raises `RaitoError`."""
        key = (target.name, job_type)
        if key not in self._tasks or self._tasks[key].ended:
            self._tasks[key] = self.of(target).task(job_type).start()
        return self._tasks[key]

    def finish(self) -> None:
        """End every job, failed where one of its tasks failed, and tell that the run is over."""
        for task in self._tasks.values():
            task.complete()
        for job in self._jobs.values():
            job.finish()
        for client, ids in self._by_client().items():
            end_of_targets(client, ids)

    def _by_client(self) -> dict[RaitoClient, list[str]]:
        found: dict[RaitoClient, list[str]] = {}
        for job in self._jobs.values():
            found.setdefault(job.client, []).append(job.id)
        return found


@contextmanager
def run_jobs(services: Services) -> Iterator[RunJobs]:
    """The jobs for the time of a run; they are ended however it ends."""
    jobs = RunJobs(services)
    try:
        yield jobs
    finally:
        jobs.finish()


def raito_jobs(services: Services) -> dg.ResourceDefinition:
    """The resource `raito_jobs`: made at the start of a run, ended with it."""

    def made(_context: dg.InitResourceContext) -> Iterator[RunJobs]:
        with run_jobs(services) as jobs:
            yield jobs

    # A run that is not let into its account makes no job, and its jobs end before it lets another run in.
    needs = {"sync_run"}
    text = "The jobs of this run in Raito Cloud, one a target."
    return dg.ResourceDefinition(made, description=text, required_resource_keys=needs)
