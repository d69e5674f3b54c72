"""What automation asks about runs beyond their records: backfills, cells that failed, and who made a cell since."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.automation.history import RunView, State
from raito_pipeline.orchestration.automation.reconcile import FailedCell
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.recording.layers import account_cell, region_cells
from raito_pipeline.orchestration.runs.failures import failure_lines
from raito_pipeline.orchestration.runs.tags import work_of
from raito_pipeline.storage import ReadStatus, Store
from raito_pipeline.storage.lease import Leases

_LONGEST_REASON = 200
_BACKFILL_STATES = {
    "REQUESTED": State.RUNNING,
    "CANCELING": State.CANCELED,
    "CANCELED": State.CANCELED,
    "FAILING": State.FAILED,
    "FAILED": State.FAILED,
    "COMPLETED_FAILED": State.FAILED,
}


@dataclass
class Known:
    """What runs that have ended left unmade; it never changes, so it is kept between ticks."""

    failed: dict[tuple[str, str], tuple[FailedCell, ...]] = field(default_factory=dict)
    partial: dict[tuple[str, str], tuple[FailedCell, ...]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, runs: Mapping[str, Sequence[RunView]]) -> None:
        """Forget the runs that are not in the history any more."""
        there = {(run.run_id, owner) for owner, of_owner in runs.items() for run in of_owner}
        with self.lock:
            self.failed = {key: cells for key, cells in self.failed.items() if key in there}
            self.partial = {key: cells for key, cells in self.partial.items() if key in there}


@dataclass(frozen=True)
class InstanceEvidence:
    """The answers of the Dagster instance and the stored tables, for one tick."""

    instance: dg.DagsterInstance
    store: Store
    options: Options
    grid: Grid
    runs: Mapping[str, Sequence[RunView]]
    known: Known
    _backfills: dict[str, State | None] = field(default_factory=dict)

    def backfill(self, backfill_id: str) -> State | None:
        """How far an asset backfill is, or whether one of a job was cancelled; None for any other."""
        if backfill_id not in self._backfills:
            backfill = self.instance.get_backfill(backfill_id)
            state = None if backfill is None else _BACKFILL_STATES.get(backfill.status.value, State.SUCCEEDED)
            counts = backfill is not None and (backfill.is_asset_backfill or state is State.CANCELED)
            self._backfills[backfill_id] = state if counts else None
        return self._backfills[backfill_id]

    def failed_cells(self, run: RunView) -> Sequence[FailedCell]:
        """The cells of the account of `run` that a failed run of a layer did not make, with the reason of the run."""
        return self._once(self.known.failed, run, self._failed)

    def partial_cells(self, run: RunView) -> Sequence[FailedCell]:
        """The cells of the account of `run` that a run of a layer made in part."""
        return self._once(self.known.partial, run, self._partial)

    def _once(
        self,
        kept: dict[tuple[str, str], tuple[FailedCell, ...]],
        run: RunView,
        ask: Callable[[RunView], Iterator[FailedCell]],
    ) -> Sequence[FailedCell]:
        key = (run.run_id, run.owner)
        if key not in kept:
            cells = tuple(ask(run))
            with self.known.lock:
                kept[key] = cells
        return kept[key]

    def maker(self, cell: FailedCell, sync: str) -> str | None:
        """The id of the run that made a cell as of a sync, or None where what is stored is not of that sync."""
        info = self.store.info(cell.table, cell.account, cell.region)
        return info.run_id if info is not None and info.sync == sync else None

    def organization(self, account: str) -> RunView | None:
        """The newest run of the layer of the organization that an account belongs to."""
        key = partitions.organization_of(self.options, account)
        runs = [run for run in self.runs.get(key or "", ()) if run.layer is Layer.ORGANIZATION]
        return runs[-1] if runs else None

    def deleted(self, account: str, sync: str, layer: Layer) -> str | None:
        """The id of the run of a layer that worked on a sync last, where the instance has it no more; else None."""
        last = Leases(self.options.pipeline.storage).look(account).record
        if last is None or (last.sync, last.what) != (sync, work_of(layer)):
            return None
        return last.run_id if self.instance.get_run_by_id(last.run_id) is None else None

    def _failed(self, run: RunView) -> Iterator[FailedCell]:
        made = {(table, key) for table, key, _ in self._made(run)}
        planned = self._planned(run)
        reasons = _Reasons(run, tuple(self._failures(run)))
        cells = [account_cell(run.owner)]
        if run.layer is Layer.REGIONS:
            cells = region_cells(self.options, self.grid, run.owner)
        for table in run.layer.tables:
            for cell in cells:
                wanted = (table, cell.partition_key) in planned or not planned
                if wanted and (table, cell.partition_key) not in made:
                    yield FailedCell(table, cell.account, cell.region, reasons.of(table, cell))

    def _partial(self, run: RunView) -> Iterator[FailedCell]:
        for table, key, read in self._made(run):
            if read == ReadStatus.PARTIAL.value and key.split("|")[0] == run.owner:
                cell = cell_of(TABLES[table].partitioned_by, key)
                yield FailedCell(table, cell.account, cell.region, f"{run.name} read it in part")

    def _planned(self, run: RunView) -> set[tuple[str, str | None]]:
        """What a run was to make: not all of its layer where a part was re-executed. Empty where it never began."""
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        records = self.instance.get_records_for_run(run.run_id, of_type=kind).records
        return {(self.grid.naming.table(each.asset_key), each.partition_key) for each in records if each.asset_key}

    def _made(self, run: RunView) -> Iterator[tuple[str, str, object]]:
        """Table, partition key and outcome of what a run made."""
        events = self.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        for record in events.records:
            if record.asset_key is not None and record.partition_key is not None:
                made = record.asset_materialization
                read = made.metadata.get("read") if made is not None else None
                yield self.grid.naming.table(record.asset_key), record.partition_key, read.value if read else None

    def _failures(self, run: RunView) -> Iterator[dg.DagsterEvent]:
        """The events of the steps of a run that failed; without one, that of the run itself."""
        for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE):
            records = self.instance.get_records_for_run(run.run_id, of_type=kind).records
            events = [event for record in records if (event := record.event_log_entry.dagster_event) is not None]
            yield from events
            if events:
                return


@dataclass(frozen=True)
class _Reasons:
    """Why a run did not make its cells, by the events of what failed in it."""

    run: RunView
    failures: Sequence[dg.DagsterEvent]

    def of(self, table: str, cell: Cell) -> str:
        """Why it did not make a cell. The lines of a step are `TABLE CELL: why`, those of what broke have no cell."""
        lines = [line for event in self.failures for line in failure_lines(event)]
        mine = (line for line in lines if line.startswith(f"{table} {cell.label}: "))
        others = (line for line in lines if line.split(": ")[0].endswith(f" {cell.label}"))
        line = next(mine, None) or next(others, None)
        if line is not None:
            return _short(f"it failed in {self.run.name}: {line.split(': ', 1)[1]}")
        broke = next((failure_lines(event)[0] for event in self.failures if not _is_of_cells(event)), None)
        return _short(f"{self.run.name} did not make it{'' if broke is None else f': {broke}'}")


def _is_of_cells(event: dg.DagsterEvent) -> bool:
    """Whether a step ended by the cells that failed in it, and not by an error of its own."""
    return event.is_step_failure and event.step_failure_data.user_failure_data is not None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1].rstrip()}…"
