"""Runs that Dagster takes for running while their process is dead.

The code server reports a run whose process died while the server lives. Where both died (a machine lost its power, a
container was replaced), nobody does: run monitoring of Dagster cannot ask the default run launcher. The same holds for
a run of `raito-pipeline run`. The lease tells: a live run holds and renews it.

- A run whose lease names a process that is provably gone is reported as failed at once.
- So is a run of `raito-pipeline run` whose tag does, by the next such command, too: there may be no sensor.
- A run that counts as running and was seen without its lease twice is reported as failed, too.
- A run whose lease lies in another storage, as `raito.yml` had another one when it began, is reported after a day.
- So is a run of which each step is a process of its own, from where one gave the lease back: before the next one has
  started, or while steps of somebody else are at work in the same run, nobody holds it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dagster as dg

from raito_pipeline.orchestration.automation.history import RunView, State
from raito_pipeline.orchestration.runs.tags import (
    ACCOUNT_TAG,
    BY_COMMAND,
    LAUNCHED_BY_TAG,
    LAYER_TAG,
    PROCESS_TAG,
    launched_by_command,
    storage_name,
)
from raito_pipeline.storage.lease import HEARTBEAT_SECONDS, LeaseLook, LeaseRecord, Leases
from raito_pipeline.storage.owner import Owner

GRACE = timedelta(seconds=30)
"""How long a run may be without its lease: it gives it back a moment before it ends."""
LOOKS_AGAIN_AFTER = timedelta(seconds=HEARTBEAT_SECONDS)
"""How long a run counts as alive that was seen with its lease, or need not have it yet: each look is a call."""
STARTS_WITHIN = timedelta(minutes=5)
"""How long a run may take to ask for its lease, besides the time that it waits for it."""
ELSEWHERE_FOR = timedelta(days=1)
"""How long a run may work where it is not seen here whether it is alive: its account waits for it."""
_UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass
class DeadRuns:
    """The runs that were seen without their lease, and since when. Kept between the ticks of a process."""

    wait: timedelta
    _suspected: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _alive: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """when runs (each with one of its owners) were last seen with their lease, or before they had to have it"""

    def report(
        self, instance: dg.DagsterInstance, leases: Leases, runs: Mapping[str, Sequence[RunView]], now: datetime
    ) -> Iterator[str]:
        """Report the dead runs as failed to the instance; gives a line for each."""
        here = (None, storage_name(leases.location))  # where the lease of a run lies elsewhere, it cannot be seen here
        at_work = [run for of_owner in runs.values() for run in of_owner if run.state is State.RUNNING]
        running = [run for run in at_work if run.storage in here]
        # What was seen by a clock that was ahead is seen now.
        self._alive = {run: seen for run, seen in self._alive.items() if abs(now - seen) < LOOKS_AGAIN_AFTER}
        silent = [run for run in running if _one(run) not in self._alive]
        looks = {owner: leases.look(owner) for owner in dict.fromkeys(run.owner for run in silent)}
        for look in looks.values():
            if look.left_by_dead is not None and (text := _report_killed(instance, look.left_by_dead)):
                yield text
        if any(run.by_command and run.active for of_owner in runs.values() for run in of_owner):
            yield from report_dead_commands(instance)
        yield from self._report_suspected(instance, looks, silent, now)
        for run in at_work:
            if run.storage not in here and _for_a_day(run, now) and (text := _report_elsewhere(instance, run)):
                yield text

    def _report_suspected(
        self, instance: dg.DagsterInstance, looks: Mapping[str, LeaseLook], silent: Sequence[RunView], now: datetime
    ) -> Iterator[str]:
        late = [run for run in silent if self._should_hold(run, now) and not looks[run.owner].held_by(run.run_id)]
        self._alive |= {_one(run): now for run in silent if run not in late}
        suspected = {_one(run): run for run in late}
        self._suspected = {each: min(now, self._suspected.get(each, now)) for each in suspected}
        for each, since in self._suspected.items():
            run = suspected[each]
            if now - since < GRACE or _between_steps(instance, run, looks[run.owner], now):
                continue
            if text := _report_silent(instance, run):
                yield text

    def _should_hold(self, run: RunView, now: datetime) -> bool:
        return run.begun or now - (run.started or run.created) >= self.wait + STARTS_WITHIN


def _between_steps(instance: dg.DagsterInstance, run: RunView, look: LeaseLook, now: datetime) -> bool:
    """Whether a run without its lease may have a step to come, or one of somebody else under way."""
    record = look.record
    left_held = record is not None and record.state == "held" and record.run_id == run.run_id
    if left_held or _for_a_day(run, now):
        return False
    return bool(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_WORKER_STARTED))


def _for_a_day(run: RunView, now: datetime) -> bool:
    return now - (run.started or run.created) >= ELSEWHERE_FOR


def _one(run: RunView) -> tuple[str, str]:
    return run.run_id, run.owner


def report_dead_commands(instance: dg.DagsterInstance) -> list[str]:
    """Report the runs of `raito-pipeline run` whose process is provably gone as failed; gives a line for each."""
    unfinished = dg.RunsFilter(statuses=_UNFINISHED, tags={LAUNCHED_BY_TAG: BY_COMMAND})
    said = []
    for run in instance.get_runs(unfinished):
        owner = Owner.from_name(f".{run.tags.get(PROCESS_TAG, '')}")
        if owner is not None and owner.dead and launched_by_command(run.tags):
            layer, account = run.tags.get(LAYER_TAG, "a layer"), run.tags.get(ACCOUNT_TAG, "an account")
            said.append(_report(instance, run.run_id, f"{layer} of {account}", _killed(owner)))
    return [text for text in said if text]


def _report_killed(instance: dg.DagsterInstance, left: LeaseRecord) -> str | None:
    return _report(instance, left.run_id, f"{left.what} of {left.key}", _killed(left.owner))


def _killed(owner: Owner) -> str:
    return f"was killed with its process {owner.pid} on {owner.host}"


def _report_silent(instance: dg.DagsterInstance, run: RunView) -> str | None:
    silent = "gives no sign of life: its process is dead, or its storage out of its reach"
    return _report(instance, run.run_id, f"{run.layer.value} of {run.owner}", silent)


def _report_elsewhere(instance: dg.DagsterInstance, run: RunView) -> str | None:
    why = "began a day ago or earlier in another storage than raito.yml has now, where nobody sees whether it is alive"
    return _report(instance, run.run_id, f"{run.layer.value} of {run.owner}", why)


def _report(instance: dg.DagsterInstance, run_id: str, what: str, why: str) -> str | None:
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return None
    text = f"run {run_id[:8]} ({what}) {why}. It was reported as failed."
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, text)
    else:
        instance.report_run_failed(run, text)
    return text
