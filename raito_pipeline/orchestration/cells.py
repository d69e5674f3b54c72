"""How a step writes cells and tells Dagster about them, one by one, so that each cell is green or red by itself."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import dagster as dg
import pandas as pd

from raito_pipeline.aws.connection.clients import AwsClients, WrongAccount
from raito_pipeline.aws.connection.errors import AwsError, one_line
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.config import ConfigError
from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.checks import Recorded, checks_of, failure_metadata
from raito_pipeline.orchestration.grid import Cell, cell_of
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.progress import silent_place
from raito_pipeline.orchestration.quiet import without_frames
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.storage import CellInfo, CellMissing, ReadStatus, StorageError, Store
from raito_pipeline.storage.lease import LeaseLost

Results = Iterator[dg.MaterializeResult[None] | dg.Output[None]]
"""What the function of a step gives to Dagster."""
_SAMPLE_ROWS = 5
_SAMPLE_WIDTH = 60


class ReadRefused(Exception):
    """A mandatory read was denied or throttled away."""

    def __init__(self, status: ReadStatus, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems).replace(".; ", ". ") or f"the read was {status.value}")
        self.status, self.problems = status, tuple(problems)


def require(read: Read[Any]) -> None:
    """Let only a read pass that may replace the stored cell. Raises `ReadRefused`."""
    if read.status not in (ReadStatus.COMPLETE, ReadStatus.PARTIAL, ReadStatus.OUT_OF_SCOPE, ReadStatus.OPTED_OUT):
        raise ReadRefused(read.status, read.problems)


_OF_A_CELL = (
    AwsError,
    WrongAccount,
    ReadRefused,
    RaitoError,
    CellMissing,
    ConfigError,
    StorageError,
    LeaseLost,
)
"""The errors that fail one cell, and leave those after it to be tried."""


class CellsFailed(dg.Failure):
    """Ends a step of which cells failed. Dagster shows the name of an error with its module before the reason."""

    __module__ = "builtins"


@dataclass
class CellLog:
    """What happened to the cells of one step.

    A cell that fails (`with log.attempt(...)`) does not stop the others; `finish` fails the step at its end, naming
    every cell that failed and why.

    A step of one partition ends with results, which steps after it in the same run wait for. A step of several
    partitions reports each cell as an event of its own: a result would put one metadata on all of them.

    Every cell that a step was asked for has its checks evaluated, whether it was made or not.
    """

    context: dg.AssetExecutionContext
    stores: Callable[[Cell], Store]
    """the stored tables for the work on a cell: what is written is noted as of the sync of its account"""
    require_lease: Callable[[Cell], None]
    """raises `LeaseLost` where another sync may have the account by now; asked before something is changed outside"""
    name: Callable[[Cell], str] = attrgetter("label")
    """a cell as people name it: with the name of its target"""
    work_on: Callable[[str, Callable[[str], None]], None] = silent_place
    """told what is being made, and where to log its progress"""
    naming: Naming = field(default_factory=Naming)
    """which asset a table is"""
    failures: list[str] = field(default_factory=list)
    results: list[dg.MaterializeResult[None]] = field(default_factory=list)
    _store: Store | None = None
    _made: set[tuple[str, str]] = field(default_factory=set)
    _failed: dict[tuple[str, str], str] = field(default_factory=dict)
    """why a cell was not made, by table and partition key"""

    @property
    def store(self) -> Store:
        """The stored tables, for the cell that is being made. There is none outside `attempt` and `out_of_scope`."""
        if self._store is None:
            raise RuntimeError("no cell is being made")
        return self._store

    def _use(self, cell: Cell) -> None:
        # A stored table that cannot be used is said where the others of this run are.
        self._store = replace(self.stores(cell), warn=self.context.log.warning)

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
        self._use(cell)
        self.work_on(f"{table} of {self.name(cell)}", self.context.log.info)
        try:
            yield
        except _OF_A_CELL as error:
            self.fail(cell, str(error), table, *others)
        except dg.Failure:
            raise
        except Exception as error:  # the edge of a cell: whatever it is, it is no matter of the others
            self.context.log.debug(f"{table} {cell.label} failed", exc_info=error)
            words = one_line(str(error)) or "no further words"
            reason = f"{type(error).__name__}: {words}. This was not expected; the log has it all at debug."
            self.fail(cell, reason, table, *others)

    def fail(self, cell: Cell, reason: str, table: str, *others: str) -> None:
        """Note that a cell could not be made, nor those of `others` that were to come of the same work."""
        self.context.log.error(f"{table} {self.name(cell)}: {reason}")
        self.failures.append(f"{table} {cell.label}: {reason}")
        for each in (table, *others):
            self._failed.setdefault((each, cell.partition_key), reason)

    def advise(self, hints: Iterable[str]) -> None:
        """Tell what would make the next sync better."""
        for hint in hints:
            self.context.log.info(hint)

    def store_read(self, table: str, cell: Cell, read: Read[Any], meter: "Meter") -> None:
        """Store what a reader gave as one cell, and tell Dagster about it. Raises `ReadRefused`."""
        require(read)
        info = self.store.write(
            table,
            read.rows,
            cell.account,
            cell.region,
            status=read.status,
            problems=read.problems,
            read_at=read.read_at,
        )
        self.made(cell, info, meter.cost().metadata())

    def out_of_scope(self, table: str, cell: Cell, reason: str) -> None:
        """Store an empty cell for a region or stage that `raito.yml` leaves out."""
        self._use(cell)
        info = self.store.write(
            table, (), cell.account, cell.region, status=ReadStatus.OUT_OF_SCOPE, extra={"reason": reason}
        )
        self.made(cell, info, {"in_scope": False, "why": reason})

    def made(self, cell: Cell, info: CellInfo, metadata: Mapping[str, Any]) -> None:
        """Tell Dagster that a cell was written."""
        for told in (*info.problems, *info.warnings):
            self.context.log.warning(f"{info.table} {self.name(cell)}: {told}")
        key, shown = self.naming.key(info.table), {**self._named(cell), **cell_metadata(self.store, info), **metadata}
        # What a table notes for the next sync is written also where only that table was asked for.
        if len(self.context.partition_keys) == 1 and key in self.context.selected_asset_keys:
            self.results.append(dg.MaterializeResult(asset_key=key, metadata=shown))
        else:
            self.context.log_event(dg.AssetMaterialization(key, partition=cell.partition_key, metadata=shown))
        self._made.add((info.table, cell.partition_key))
        if (info.table, cell.partition_key) not in self._failed:
            self._check(cell, self._recorded(cell, info))

    def _named(self, cell: Cell) -> dict[str, Any]:
        named = self.name(cell)
        return {} if named == cell.label else {"target": dg.MetadataValue.text(named)}

    def _recorded(self, cell: Cell, info: CellInfo) -> Recorded:
        store, place = self.store, (info.account, info.region)
        row_type = TABLES[info.table].row_type
        return Recorded(
            info.table,
            self.name(cell),
            info,
            rows=lambda: tuple(store.rows(row_type, *place, table=info.table)),
            column=lambda name: store.dataset(info.table, *place).to_table([name]).column(name).to_pylist(),
        )

    def _check(self, cell: Cell, recorded: Recorded) -> None:
        """Tell Dagster what the checks of a table find in a cell."""
        key = self.naming.key(recorded.table)
        for check in checks_of(recorded.table):
            if dg.AssetCheckKey(key, check.name) not in self.context.selected_asset_check_keys:
                continue
            found = check.evaluate(recorded)
            evaluation = dg.AssetCheckEvaluation(
                asset_key=key,
                check_name=check.name,
                passed=found.passed,
                metadata=found.metadata(),
                severity=found.severity or check.severity,
                description=found.reason,
                partition=cell.partition_key,
            )
            self.context.log_event(evaluation)

    def ready(self) -> Results:
        """The results so far, so that Dagster shows them before the step ends; each is given once."""
        results, self.results = self.results, []
        yield from results

    def finish(self) -> Results:
        """The results of the step. Raises `dagster.Failure` after them, with one line for each cell that failed."""
        self._check_what_is_not_made()
        yield from self.ready()
        # Each check was told by an event a cell; Dagster complains in the log of a step that gives no output for one.
        for key in self.context.selected_asset_check_keys:
            spec = self.context.assets_def.get_spec_for_check_key(key)
            yield dg.Output(None, output_name=spec.get_python_identifier())
        if self.failures:
            # What a person has to know is in the lines; a stack of frames would hide it.
            raise without_frames(CellsFailed(description="\n".join(self.failures), allow_retries=False))

    def _check_what_is_not_made(self) -> None:
        """Evaluate the checks of the cells that failed, and of those that were not reached because of it."""
        for key in self.context.selected_asset_keys:
            table = self.naming.table(key)
            for cell in self.cells(TABLES[table].partitioned_by):
                place = (table, cell.partition_key)
                if place in self._made and place not in self._failed:
                    continue
                reason = self._failed.get(place) or "it was not made; the log of the run says why"
                self._use(cell)
                info = self.store.info(table, *cell.place)
                recorded = Recorded(table, self.name(cell), info, reason)
                self._check(cell, recorded)
                # The page of a partition shows the last materialization, and what was observed since.
                seen = dg.AssetObservation(key, partition=cell.partition_key, metadata=failure_metadata(recorded))
                self.context.log_event(seen)


@dataclass(frozen=True)
class Cost:
    """Time and AWS calls of a piece of work."""

    seconds: float
    calls: Mapping[str, int]

    def metadata(self) -> dict[str, Any]:
        """As Dagster metadata."""
        return {
            "seconds": dg.MetadataValue.float(round(self.seconds, 3)),
            "AWS calls": dg.MetadataValue.int(sum(self.calls.values())),
            "AWS calls by operation": dg.MetadataValue.json(dict(sorted(self.calls.items()))),
        }


class Meter:
    """Measures what a piece of work costs, from its making to `cost()`."""

    def __init__(self, *clients: AwsClients) -> None:
        self._clients = clients
        self._began = time.monotonic()
        self._before = [dict(c.calls) for c in clients]

    def cost(self) -> Cost:
        """Seconds and calls since the meter was made."""
        calls: dict[str, int] = {}
        for before, client in zip(self._before, self._clients, strict=True):
            for name, count in client.calls.copy().items():
                if count > before.get(name, 0):
                    calls[name] = calls.get(name, 0) + count - before.get(name, 0)
        return Cost(time.monotonic() - self._began, calls)


def cell_metadata(store: Store, info: CellInfo) -> dict[str, Any]:
    """What the Dagster UI shows of a cell: rows, size, place, how complete its read was, a sample."""
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(info.rows),
        "dagster/uri": dg.MetadataValue.text(info.uri),
        "path": dg.MetadataValue.path(info.uri),
        "size in bytes": dg.MetadataValue.int(info.bytes),
        "read": dg.MetadataValue.text(info.status.value),
        "read at": dg.MetadataValue.timestamp(info.read_at),
        "problems": dg.MetadataValue.md(_listed(info.problems)),
        "warnings": dg.MetadataValue.md(_listed(info.warnings)),
        "sample": dg.MetadataValue.md(sample(store, info)),
    }


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "none"


def sample(store: Store, info: CellInfo) -> str:
    """The first rows of a cell as a small markdown table, long values cut."""
    if info.rows == 0:
        return "no rows"
    head = store.dataset(info.table, info.account, info.region).head(_SAMPLE_ROWS)
    return markdown_table(head.to_pandas())


def markdown_table(frame: pd.DataFrame) -> str:
    """A small frame as a markdown table; values past 60 characters are cut."""

    def cut(value: object) -> str:
        text = "" if value is None else str(value)
        text = text.replace("|", "\\|").replace("\n", " ")
        return text if len(text) <= _SAMPLE_WIDTH else text[: _SAMPLE_WIDTH - 1] + "…"

    header: Sequence[str] = [str(c) for c in frame.columns]
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(cut(v) for v in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines)
