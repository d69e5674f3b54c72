"""How a step makes its cells: where they are stored, what fails one of them, and what Dagster is told.

These are three things: the stored tables (`storage.Store`), the failure policy (`failure_policy.py`) and the recorder
(`recorder.py`). `CellLog` binds them together for one step, so that no asset can leave one out.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import dagster as dg

from raito_pipeline.aws.readers.cloudtrail import FolderSearches
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.gone import Kept
from raito_pipeline.orchestration.partitioning.grid import Cell, cell_of
from raito_pipeline.orchestration.recording.failure_policy import FailurePolicy
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.progress import silent_place
from raito_pipeline.orchestration.recording.recorder import Recorder, Results
from raito_pipeline.storage import CellInfo, ReadStatus, StorageError, Store

_NOT_REACHED = "it was not made; the log of the run says why"


@dataclass
class CellLog:
    """The cells of one step.

    A cell that fails (`with log.attempt(...)`) does not stop the others; `finish` fails the step at its end, naming
    every cell that failed and why. Every cell that a step was asked for is recorded and has its checks evaluated,
    whether it was made or not.
    """

    context: dg.AssetExecutionContext
    stores: Callable[[Cell], Store]
    """the stored tables for the work on a cell: what is written is noted as of the sync of its account"""
    require_lease: Callable[[Cell], None]
    """raises `LeaseLost` where another sync may have the account by now; asked before something is changed outside"""
    attempts: Attempts
    """how the last attempts at the cells that this step stands on ended"""
    name: Callable[[Cell], str] = attrgetter("label")
    """a cell as people name it: with the name of its target"""
    work_on: Callable[[str, Callable[[str], None]], None] = silent_place
    """is given what is being made, and where to log its progress"""
    naming: Naming = field(default_factory=Naming)
    """which asset a table is"""
    folder_searches: FolderSearches = field(default_factory=FolderSearches)
    """folders of CloudTrail logs that the cells of this step looked for: those of one region are those of the others"""
    policy: FailurePolicy = field(default_factory=FailurePolicy)
    recorder: Recorder = field(init=False)
    _store: Store | None = None

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.context, self.naming, self.name)

    @property
    def failures(self) -> list[str]:
        """A line for each piece of work that failed so far."""
        return self.policy.lines

    @property
    def store(self) -> Store:
        """The stored tables, for the cell that is being made. There is none outside `attempt` and `out_of_scope`."""
        if self._store is None:
            raise RuntimeError("no cell is being made")
        return self._store

    def _use(self, cell: Cell, *tables: str) -> None:
        # A stored table that cannot be used is said where the others of this run are.
        readable = frozenset().union(*(TABLES[table].readable for table in tables))
        self._store = replace(self.stores(cell), warn=self.context.log.warning, readable=readable)

    def cells(self, partitioned_by: str) -> list[Cell]:
        """The cells that this step was asked for."""
        return [cell_of(partitioned_by, key) for key in self.context.partition_keys]

    def wants(self, table: str) -> bool:
        """True where the run selected the asset of `table`."""
        return self.naming.key(table) in self.context.selected_asset_keys

    @contextmanager
    def attempt(self, cell: Cell, table: str, *others: str) -> Iterator[None]:
        """Try to make one cell: where AWS, Raito Cloud or the storage fails, `finish` says so, the old cell stays.

        `others` are the tables whose cells are made by the same work; they fail with it.
        """
        self._use(cell, table, *others)
        self.work_on(f"{table} of {self.name(cell)}", self.context.log.info)
        with self.policy.attempt(cell, (table, *others), self.context.log, self.name(cell)):
            yield

    def fail(self, cell: Cell, reason: str, table: str, *others: str) -> None:
        """Note that a cell could not be made, nor those of `others` that were to come of the same work."""
        self.policy.fail(cell, (table, *others), reason, self.context.log, self.name(cell))

    def advise(self, hints: Iterable[str]) -> None:
        """Tell what would make the next sync better."""
        for hint in hints:
            self.context.log.info(hint)

    def store_read(self, table: str, cell: Cell, read: Read[Any], meter: Meter) -> None:
        """Store what a reader gave as one cell, and tell Dagster about it.

        Raises `ValueError` for a read that was denied of a table that something else cannot do without.
        """
        if read.status is ReadStatus.DENIED and not TABLES[table].optional:
            raise ValueError(f"{table} is not optional: let the error of what was denied leave the reader")
        info = self.store.write(
            table,
            read.rows,
            cell.account,
            cell.region,
            status=read.status,
            problems=read.problems,
            read_at=read.read_at,
        )
        self.record(cell, info, meter.cost().metadata())

    def out_of_scope(self, table: str, cell: Cell, reason: str, notes: Mapping[str, str] | None = None) -> None:
        """Store an empty cell for a region or stage that `raito.yml` leaves out; `notes` are what it goes on noting."""
        around = self._store  # of the attempt that this may be part of
        self._use(cell, table)
        info = self.store.write(
            table,
            (),
            cell.account,
            cell.region,
            status=ReadStatus.OUT_OF_SCOPE,
            extra={**(notes or {}), "reason": reason},
        )
        self.record(cell, info, {"in_scope": False, "why": reason})
        self._store = around or self._store

    def keep(self, cell: Cell, kept: Kept, *tables: str) -> None:
        """Leave cells as they are stored, and say why."""
        level = logging.INFO if kept.confirmed else logging.WARNING
        for table in tables:
            self.context.log.log(level, f"{table} {self.name(cell)}: {kept.reason}")
            self.recorder.kept(table, cell, self.store.info(table, *cell.place), kept)

    def record(self, cell: Cell, info: CellInfo, metadata: Mapping[str, Any]) -> None:
        """Tell Dagster that a cell was stored, with `metadata` of the step's own, and what its checks find."""
        self.recorder.materialized(cell, info, self.store, metadata)
        if self.policy.reason(info.table, cell) is None:
            self.recorder.checked(cell, info, self.store)

    def ready(self) -> Results:
        """The results so far, so that Dagster shows them before the step ends; each is given once."""
        yield from self.recorder.ready()

    def finish(self) -> Results:
        """The results of the step. Raises `CellsFailed` after them, with one line for each cell that failed."""
        self._record_what_is_not_made()
        if self._store is not None:
            self._store.flush()
        yield from self.recorder.ready()
        self.recorder.checks_are_told()
        self.policy.raise_at_the_end()

    def _record_what_is_not_made(self) -> None:
        """Record the cells that failed, and those that were not reached because of it."""
        for table in (self.naming.table(key) for key in self.context.selected_asset_keys):
            for cell in self.cells(TABLES[table].partitioned_by):
                reason = self.policy.reason(table, cell)
                if reason is None and self.recorder.is_recorded(table, cell):
                    continue
                self._use(cell, table)
                self.recorder.failed(table, cell, self._before(table, cell), reason or _NOT_REACHED)

    def _before(self, table: str, cell: Cell) -> CellInfo | None:
        """What is stored of a cell that failed; None also where that cannot be read: why it failed is what counts."""
        with suppress(StorageError):
            return self.store.info(table, *cell.place)
        return None
