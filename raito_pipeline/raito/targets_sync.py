"""What all targets of one sync share towards Raito Cloud: a version check first, and one message at the end."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import VersionNotSupported
from raito_pipeline.raito.jobs import Job, end_of_targets
from raito_pipeline.raito.version import check_version

logger = logging.getLogger(__name__)


@dataclass
class TargetsSync:
    """One sync of one or more targets."""

    _checked: dict[RaitoClient, VersionNotSupported | None] = field(default_factory=dict)
    _jobs: dict[RaitoClient, list[str]] = field(default_factory=dict)

    def require_version(self, client: RaitoClient) -> None:
        """Ask once whether Raito Cloud supports this client; a version that will not be for long is a warning.

        Raises `VersionNotSupported`, or what made the asking fail.
        """
        if client not in self._checked:
            check = check_version(client)
            if check.supported and check.message:
                logger.warning("Raito Cloud: %s", check.message)
            self._checked[client] = None if check.supported else VersionNotSupported(check.message)
        refused = self._checked[client]
        if refused is not None:
            raise refused

    def add(self, job: Job) -> None:
        """A job that ended with this sync."""
        self._jobs.setdefault(job.client, []).append(job.id)

    def end(self) -> None:
        """Say that these jobs were all; once for each domain, and not at all where there was none."""
        jobs, self._jobs = self._jobs, {}
        for client, ids in jobs.items():
            end_of_targets(client, ids)

    @contextmanager
    def until_the_end(self) -> Iterator["TargetsSync"]:
        """The time of the sync; however it ends, the end is said."""
        try:
            yield self
        finally:
            self.end()
