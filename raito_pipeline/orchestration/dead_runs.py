"""Runs that Dagster takes for running while their process is dead.

The code server reports a run whose process died while the server lives. Where both died (a machine lost its power, a
container was replaced), nobody does: run monitoring of Dagster cannot ask the default run launcher. The lease tells: a
live run holds and renews it. A run that counts as running and was seen without its lease twice is reported as failed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg

from raito_pipeline.orchestration.history import RunView, State
from raito_pipeline.storage.lease import Leases

GRACE = timedelta(seconds=30)
"""How long a run may be without its lease: it gives it back a moment before it ends."""
STARTS_WITHIN = timedelta(minutes=5)
"""How long a run may take to ask for its lease, besides the time that it waits for it."""


@dataclass
class DeadRuns:
    """The runs that were seen without their lease, and since when. Kept between the ticks of a process."""

    wait: timedelta
    _suspected: dict[str, datetime] = field(default_factory=dict)

    def report(
        self, instance: dg.DagsterInstance, leases: Leases, runs: Mapping[str, Sequence[RunView]], now: datetime
    ) -> Iterator[str]:
        """Report the dead runs as failed to the instance; gives a line for each."""
        running = [run for found in runs.values() for run in found if run.state is State.RUNNING]
        suspected = {run.run_id: run for run in running if self._suspicious(leases, run, now)}
        self._suspected = {run_id: self._suspected.get(run_id, now) for run_id in suspected}
        for run_id, since in self._suspected.items():
            if now - since >= GRACE and (text := _report(instance, suspected[run_id])):
                yield text

    def _suspicious(self, leases: Leases, run: RunView, now: datetime) -> bool:
        began = run.started or run.created
        if not run.begun and now - began < self.wait + STARTS_WITHIN:
            return False
        holder = leases.under_way(run.owner)
        return holder is None or holder.state != "held" or holder.run_id != run.run_id


def _report(instance: dg.DagsterInstance, run: RunView) -> str | None:
    found = instance.get_run_by_id(run.run_id)
    if found is None or found.is_finished:
        return None
    text = (
        f"{run.name} ({run.layer.value} of {run.owner}) gives no sign of life: its process is dead, or its storage out "
        f"of its reach. It was reported as failed."
    )
    if found.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(found, text)
    else:
        instance.report_run_failed(found, text)
    return text
