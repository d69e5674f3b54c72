"""What every run of our assets does first: it takes the lease of its account, and settles to which sync it belongs.

The resource `sync_run` is the only way to the stored tables, so no asset can get round this. A run belongs

- to the sync that its tag `raito/sync` names (schedules, sensors and `raito-pipeline run` set it),
- else to a new one with the id of the run, where it makes the whole first layer of an account or organization,
- else to the last sync of its account: a cell that is made by hand heals that sync.

The lease is released with the run; between two layers the place of the sync is kept.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial

import dagster as dg

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.partitioning.partition_keys import settle_key
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.recording.progress import RunProgress, silent_place
from raito_pipeline.orchestration.recording.quiet import with_frames, without_frames
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.names import cell_name, target_name
from raito_pipeline.orchestration.runs.run_events import RunEvents
from raito_pipeline.orchestration.runs.tags import (
    ACCOUNT_TAG,
    LAYER_TAG,
    REFUSED_TAG,
    SYNC_TAG,
    TARGET_TAG,
    RunScope,
    admitted,
    joined,
    launched_by_command,
    scope_of,
    syncs_of,
    work_of,
)
from raito_pipeline.orchestration.runs.what_follows import nothing_follows
from raito_pipeline.storage import Store
from raito_pipeline.storage.lease import BETWEEN_LAYERS_SECONDS, Lease, Leases, SyncUnderWay

BETWEEN_LAYERS_OF_A_COMMAND = 60.0
"""Seconds: a command goes on at once. Where its process is provably gone (same machine), its place ends with it."""
_PATIENCE = 5.0
"""Seconds that are waited at a time, so that a run which waits can be cancelled."""
_GIVES_WAY_AFTER = 30.0
"""Seconds from when the next layer of the sync that is waited for was seen in the queue: it may wait for this run."""
_LONGEST_TAG = 250


class SyncSuperseded(Exception):
    """A run belongs to a sync of which a later one has begun."""

    def __init__(self, owner: str, sync: str, later: str) -> None:
        super().__init__(
            f"this run belongs to sync {sync} of {owner}, and a later one has begun ({later}): nothing was done. "
            f"Sync {owner} anew."
        )


class GaveWay(Exception):
    """A run waited for a sync whose next layer was in the queue, where this run has a place itself."""

    def __init__(self, owner: str, sync: str) -> None:
        super().__init__(
            f"a sync of {owner} is under way ({sync}), and its next layer waits in the queue, maybe for this run. "
            f"Nothing was done: sync {owner} again after it."
        )


class NoTargetOfIt(Exception):
    """A run is for an account or organization that the configuration does not name any more."""

    def __init__(self, owner: str, file: str) -> None:
        super().__init__(f"{owner} is of no target of {file} any more: nothing was done.")


class NoPartition(Exception):
    """A run was launched without a partition: it would be for nobody."""

    def __init__(self) -> None:
        super().__init__(
            "this run is for no account: nothing was done. Launch it for a partition: one, several or all of them in "
            "the UI, `--partition KEY` or the run tag `dagster/partition` elsewhere."
        )


@dataclass(frozen=True)
class SyncRun:
    """One run: the lease of each of its accounts (or organizations), and the stored tables to work with."""

    services: Services
    unbound: Store
    leases: Mapping[str, Lease]
    events: RunEvents
    """what is planned in it, and how that ended"""
    attempts: Attempts
    """how the last attempts at the cells that its steps stand on ended"""
    naming: Naming = field(default_factory=Naming)

    def store(self, owner: str) -> Store:
        """The stored tables; what is written is noted as of the sync that `owner` is in. Raises `KeyError`."""
        return replace(self.unbound, sync=self.leases[owner].sync)

    def log(self, context: dg.AssetExecutionContext) -> CellLog:
        """The log of a step, which gives each cell the store of its account."""
        with_frames()
        progress = self.services.progress
        return CellLog(
            context,
            lambda cell: self.store(owner_of(cell)),
            lambda cell: self.leases[owner_of(cell)].check(),
            self.attempts.for_a_step(),
            name=partial(cell_name, self.services),
            work_on=progress.work_on if isinstance(progress, RunProgress) else silent_place,
            naming=self.naming,
        )


def owner_of(cell: Cell) -> str:
    """The partition key of the account or organization of a cell."""
    return cell.partition_key.split("|")[0]


def sync_run(services: Services, grid: Grid) -> dg.ResourceDefinition:
    """The resource `sync_run`: made before the first step of a run, ended after its last."""

    def begun(context: dg.InitResourceContext) -> Iterator[SyncRun]:
        instance, given = context.instance, context.run
        if instance is None or given is None:
            raise RuntimeError("the stored tables are there within a run only")
        with_frames()
        if isinstance(services.progress, RunProgress) and context.log is not None:
            services.progress.work_on("this run", context.log.info)
        # Tags that an earlier step of this run wrote are on its record alone.
        run = instance.get_run_by_id(given.run_id) or given
        entry = _Entry(services, run, scope_of(run, grid), grid)
        entry.require_partition()
        with ExitStack() as held:
            leases = {owner: held.enter_context(entry.admit(instance, owner)) for owner in entry.scope.owners}
            instance.add_run_tags(run.run_id, entry.tags(leases))
            held.callback(with_frames)
            entry.settle_keys()
            stops = nothing_follows(instance, run, entry.scope, grid.naming)
            if stops is not None and context.log is not None:
                context.log.warning(stops)
            store = Store.open(services.options.pipeline.storage, run.run_id).for_a_run()
            events = RunEvents(instance, run.run_id, grid.naming)
            attempts = Attempts(instance, grid.naming, events.planned)
            yield SyncRun(services, store, leases, events, attempts, grid.naming)
            for lease in leases.values():
                lease.reserve_seconds = entry.reserves(events)
                lease.reserve_for_process = launched_by_command(run.tags)

    return dg.ResourceDefinition(begun, description="The sync that this run belongs to, and the stored tables.")


@dataclass(frozen=True)
class _Entry:
    """A run at its start."""

    services: Services
    run: dg.DagsterRun
    scope: RunScope
    grid: Grid

    def require_partition(self) -> None:
        """Raises `NoPartition` for a run that is for nobody."""
        if not self.scope.owners:
            raise without_frames(NoPartition())

    def admit(self, instance: dg.DagsterInstance, owner: str) -> Lease:
        """Take the lease of an account.

        Raises `SyncUnderWay`, `GaveWay`, `SyncSuperseded` or `NoTargetOfIt`, which the record of the run says.
        """
        try:
            # It was queued, or is executed again, and raito.yml was changed meanwhile.
            if not self.grid.names(owner):
                raise NoTargetOfIt(owner, self.services.options.file)
            return self._take(instance, owner)
        except (SyncUnderWay, GaveWay, SyncSuperseded, NoTargetOfIt) as error:
            instance.add_run_tags(self.run.run_id, {REFUSED_TAG: str(error)[:_LONGEST_TAG]})
            without_frames(error)
            raise

    def _take(self, instance: dg.DagsterInstance, owner: str) -> Lease:
        pipeline = self.services.options.pipeline
        leases = Leases(pipeline.storage)
        sync = syncs_of(self.run.tags).get(owner) or self.run.tags.get(SYNC_TAG)
        begins = self.scope.layer.begins
        deadline = time.monotonic() + pipeline.wait_for_sync_minutes * 60
        in_the_way_since = math.inf
        while True:
            last = leases.last_sync(owner)
            if sync and not begins and last not in (None, sync):
                raise SyncSuperseded(owner, sync, str(last))
            left = max(0.0, deadline - time.monotonic())
            try:
                return leases.acquire(owner, sync, self.run.run_id, self._what, min(_PATIENCE, left), begins)
            except SyncUnderWay as error:
                if left <= _PATIENCE:
                    raise
                now = time.monotonic()
                in_the_way_since = min(in_the_way_since, now) if self._is_in_the_way(instance, error) else math.inf
                if now - in_the_way_since >= _GIVES_WAY_AFTER:
                    raise without_frames(GaveWay(owner, error.record.sync)) from None
                self.services.progress(f"waiting for another sync of {owner}: {error.record.doing}", 0, None)

    def _is_in_the_way(self, instance: dg.DagsterInstance, other: SyncUnderWay) -> bool:
        """Whether what follows in the other sync is queued: where few runs go at once, each would wait for the other.

        A run of `raito-pipeline run` takes no place of the queue.
        """
        sync = {SYNC_TAG: other.record.sync, ACCOUNT_TAG: other.record.key}
        queued = dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED], tags=sync)
        may_be = other.record.state == "reserved" and not launched_by_command(self.run.tags)
        return may_be and instance.get_runs_count(queued) > 0

    def settle_keys(self) -> None:
        """Move the tables of an account to its key where a sync of it begins. Raises `KeyInUse`."""
        if self.scope.layer is Layer.ACCOUNT:
            # A store of its own: what it knows of where cells lie is no longer true after it.
            store = Store.open(self.services.options.pipeline.storage)
            for owner in self.scope.owners:
                for line in settle_key(self.services.options, store, owner):
                    self.services.progress(line, 0, None)

    @property
    def _what(self) -> str:
        return work_of(self.scope.layer)

    def tags(self, leases: Mapping[str, Lease]) -> dict[str, str]:
        """The tags that say to which sync the run belongs, whoever launched it."""
        syncs = {owner: lease.sync for owner, lease in leases.items()}
        names = [name for owner in leases if (name := target_name(self.services, owner))]
        named = {TARGET_TAG: ", ".join(names)[:_LONGEST_TAG]} if names else {}
        let_in = admitted(self.run, self.services.options.pipeline.storage)
        return {**joined(syncs), **named, **self.grid.naming.tags, LAYER_TAG: self.scope.layer.value, **let_in}

    def reserves(self, events: RunEvents) -> float:
        """How long the place of the sync is kept, in seconds: not at all where nothing is to follow.

        What may follow is the next layer or, where each step is a process of its own, the next step of this run.
        """
        record = events.instance.get_run_by_id(self.run.run_id)
        cancelled = record is not None and record.status in _CANCELLED
        if cancelled:
            return 0.0
        if self.scope.layer.following is None:
            return BETWEEN_LAYERS_SECONDS if events.goes_on() else 0.0
        return BETWEEN_LAYERS_OF_A_COMMAND if launched_by_command(self.run.tags) else BETWEEN_LAYERS_SECONDS


_CANCELLED: Sequence[dg.DagsterRunStatus] = (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED)
