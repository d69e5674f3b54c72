"""The runs of our assets as the Dagster instance records them: read once, then only what changed since.

The history is a copy of the instance's records, never a queue of events: a tick that fails loses nothing, and a process
that starts anew reads everything again.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import dagster as dg

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.naming import COMPONENT_TAG
from raito_pipeline.orchestration.runs.tags import (
    ASIDE_TAG,
    BACKFILL_TAG,
    LAYER_TAG,
    LOOKS_TAG,
    PARENT_TAG,
    PARTITION_TAG,
    REFUSED_TAG,
    STEP_TAG,
    STORAGE_TAG,
    TRIGGER_TAG,
    begun,
    launched_by_command,
    retried,
    syncs_of,
)

HORIZON = timedelta(days=3)
"""How far back runs are looked at: a sync whose last run is older is not continued any more."""
_PAGE = 1_000
_MOST = 50_000
"""How many runs a process reads when it starts, the newest first: about fifteen seconds."""
_ACTIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_OVERLAP = timedelta(seconds=60)
"""How much of the past is read again: clocks differ, and a transaction may end late."""
_FORGETS_EVERY = timedelta(minutes=1)
_OURS = {LAYER_TAG: [layer.value for layer in Layer]}


class State(StrEnum):
    """How far a run is."""

    WAITING = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "cancelled"


_STATES = {
    dg.DagsterRunStatus.SUCCESS: State.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: State.FAILED,
    dg.DagsterRunStatus.CANCELED: State.CANCELED,
    dg.DagsterRunStatus.STARTED: State.RUNNING,
    dg.DagsterRunStatus.CANCELING: State.RUNNING,
}


@dataclass(frozen=True, slots=True)
class RunView:
    """What automation needs to know of a run, for one account (or organization) of it.

    `number` counts the runs of the instance in the order of their creation.
    """

    number: int
    run_id: str
    owner: str
    sync: str
    layer: Layer
    state: State
    created: datetime
    updated: datetime
    started: datetime | None = None
    ended: datetime | None = None
    backfill: str | None = None
    begun: bool = False
    refused: str | None = None
    will_retry: bool = False
    """Dagster tries it again, or has not decided yet: its record changes once more then"""
    by_command: bool = False
    """launched by `raito-pipeline run`, which runs the layers one after the other by itself"""
    looks: bool = False
    """only looks for drift, or was launched beside the syncs: what it made was made by nobody's hand"""

    trigger: str = ""
    """the id of what Raito Cloud asked for, where it was launched for that"""
    step: int = 1
    """which of the runs for that it is"""
    again: bool = False
    """executed again, by a person or by Dagster"""
    storage: str | None = None
    """what tells the storage that holds its lease from others (`tags.storage_name`); None before it was let in"""

    @property
    def active(self) -> bool:
        """True where the run is queued or running."""
        return self.state in (State.WAITING, State.RUNNING)

    @property
    def name(self) -> str:
        """The run as a person finds it in the UI."""
        return f"run {self.run_id[:8]}"


def views(record: dg.RunRecord, instance: dg.DagsterInstance) -> Iterator[RunView]:
    """A run record as one view for each of its accounts (or organizations)."""
    run = record.dagster_run
    will_retry = retried(run.status, run.tags, instance) is not False
    layer = Layer(run.tags[LAYER_TAG])
    owned = syncs_of(run.tags)
    if not owned and PARTITION_TAG in run.tags:
        owned = {run.tags[PARTITION_TAG].split("|")[0]: ""}
    for owner, sync in owned.items():
        yield RunView(
            number=record.storage_id,
            run_id=run.run_id,
            owner=owner,
            sync=sync,
            layer=layer,
            state=_STATES.get(run.status, State.WAITING),
            created=record.create_timestamp,
            updated=record.update_timestamp,
            started=_time(record.start_time),
            ended=_time(record.end_time),
            backfill=run.tags.get(BACKFILL_TAG),
            begun=begun(run),
            refused=run.tags.get(REFUSED_TAG) or None,
            storage=run.tags.get(STORAGE_TAG) if begun(run) else None,
            by_command=launched_by_command(run.tags),
            looks=LOOKS_TAG in run.tags or ASIDE_TAG in run.tags,
            will_retry=will_retry,
            again=PARENT_TAG in run.tags,
            trigger=run.tags.get(TRIGGER_TAG, ""),
            step=int(run.tags.get(STEP_TAG, 1)),
        )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@dataclass
class History:
    """The runs of a configuration in an instance, kept between the ticks of one process. Thread-safe."""

    horizon: timedelta = HORIZON
    component: str = ""
    """whose runs these are; "" = of the configuration without a name"""
    location: str | None = None
    """the code location whose runs these are, once it is known (`of_location`): another one may have the same names"""
    storage: str = ""
    """what tells the storage of the configuration from others (`tags.storage_name`)"""
    _runs: dict[str, dict[str, RunView]] = field(default_factory=dict)
    _sorted: dict[str, tuple[RunView, ...]] = field(default_factory=dict)
    """the runs of each owner in order, made anew where one of them changed: a thousand accounts have 200,000 of them"""
    _read_until: datetime | None = None
    forgot: datetime | None = None
    """when it last looked for runs that are too old"""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of_location(self, name: str | None) -> None:
        """Look at the runs of a code location, and at those that were made by none (by a command, say).

        Of others, as one that was renamed, only those count that are at work in the same storage: they hold leases that
        ours wait for, and there may be nobody else to find that they are dead.
        """
        with self._lock:
            if name is not None and name != self.location:
                self.location, self._read_until = name, None
                self._runs.clear()
                self._sorted.clear()

    def _is_ours(self, run: dg.DagsterRun) -> bool:
        if run.tags.get(COMPONENT_TAG, "") != self.component:
            return False
        origin = run.remote_job_origin
        if origin is None or self.location is None or origin.location_name == self.location:
            return True
        return not run.is_finished and begun(run) and run.tags.get(STORAGE_TAG) == self.storage

    def refresh(self, instance: dg.DagsterInstance, now: datetime) -> Mapping[str, tuple[RunView, ...]]:
        """The runs of each account and organization since `horizon`, in the order of their creation."""
        with self._lock:
            for record in self._changed(instance, now):
                self._keep(record, instance)
            self._read_until = now
            if self.forgot is None or abs(now - self.forgot) >= _FORGETS_EVERY:  # a clock may have been ahead
                self._look_again(instance)
                self._forget(now - self.horizon)
                self.forgot = now
            for owner in self._runs.keys() - self._sorted.keys():
                self._sorted[owner] = tuple(sorted(self._runs[owner].values(), key=_number))
            return dict(self._sorted)

    def _changed(self, instance: dg.DagsterInstance, now: datetime) -> Iterator[dg.RunRecord]:
        if self._read_until is not None:
            yield from _records(instance, dg.RunsFilter(tags=_OURS, updated_after=self._read_until - _OVERLAP))
            return
        # A run that works for days changes nothing on its record.
        yield from _records(instance, dg.RunsFilter(tags=_OURS, statuses=_ACTIVE))
        yield from _records(instance, dg.RunsFilter(tags=_OURS, updated_after=now - self.horizon))

    def _keep(self, record: dg.RunRecord, instance: dg.DagsterInstance) -> None:
        run = record.dagster_run
        if not self._is_ours(run):
            for owner in syncs_of(run.tags):  # it may have counted while it was at work
                self._drop(owner, [run.run_id])
            return
        for view in views(record, instance):
            if self._runs.setdefault(view.owner, {}).get(view.run_id) != view:
                self._runs[view.owner][view.run_id] = view
                self._sorted.pop(view.owner, None)

    def _look_again(self, instance: dg.DagsterInstance) -> None:
        """Read the queued and running runs once more, and drop those that the instance does not have any more.

        A run that somebody deleted changes nothing, and what a worker with a slow clock wrote may seem to be old: its
        account would wait for it for ever.
        """
        active = list({run.run_id for runs in self._runs.values() for run in runs.values() if run.active})
        there = set()
        for first in range(0, len(active), _PAGE):
            for record in instance.get_run_records(dg.RunsFilter(run_ids=active[first : first + _PAGE])):
                there.add(record.dagster_run.run_id)
                self._keep(record, instance)
        gone = set(active) - there
        for owner in self._runs:
            self._drop(owner, gone)

    def _forget(self, before: datetime) -> None:
        """Drop what is older than the horizon; queued and running runs stay."""
        for owner, runs in list(self._runs.items()):
            self._drop(owner, [run.run_id for run in runs.values() if run.updated < before and not run.active])
            if not runs:
                del self._runs[owner]

    def _drop(self, owner: str, run_ids: Iterable[str]) -> None:
        runs = self._runs.get(owner, {})
        for run_id in runs.keys() & set(run_ids):
            del runs[run_id]
            self._sorted.pop(owner, None)


def _number(view: RunView) -> int:
    return view.number


def _records(instance: dg.DagsterInstance, wanted: dg.RunsFilter) -> Iterator[dg.RunRecord]:
    """The records that a filter lets through, page by page, the newest first."""
    cursor: str | None = None
    for _ in range(0, _MOST, _PAGE):
        page = instance.get_run_records(wanted, limit=_PAGE, cursor=cursor)
        yield from page
        if len(page) < _PAGE:
            return
        cursor = page[-1].dagster_run.run_id
