"""Tells Dagster what became of the cells of a step: materializations, observations, and the checks of each.

A step of one partition gives results where a step after it in the same run waits for them, or where Dagster compares
code versions. All else is reported as an event of its own: a result costs one event more and a question about each of
its inputs, and that of several partitions would put one metadata on all of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any

import dagster as dg

from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.gone import Kept
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.recording.checks import Recorded, checks_of, failure_metadata
from raito_pipeline.orchestration.recording.lineage import column_lineage
from raito_pipeline.orchestration.recording.previews import bullets, preview
from raito_pipeline.storage import CellInfo, Store

_NO_OUTPUT_OF_A_CHECK = "did not yield or return expected outputs"
_Result = dg.MaterializeResult[None] | dg.AssetMaterialization
Results = Iterator[_Result]
"""What the function of a step gives to Dagster."""


@dataclass
class Recorder:
    """The events of one step."""

    context: dg.AssetExecutionContext
    naming: Naming = field(default_factory=Naming)
    """which asset a table is"""
    name: Callable[[Cell], str] = attrgetter("label")
    """a cell as people name it: with the name of its target"""
    _results: list[_Result] = field(default_factory=list)
    _recorded: set[tuple[str, str]] = field(default_factory=set)

    def materialized(self, cell: Cell, info: CellInfo, store: Store, metadata: Mapping[str, Any]) -> None:
        """A cell was stored (or confirmed). `metadata` is shown besides what is shown of every cell."""
        for line in (*info.problems, *info.warnings):
            self.context.log.warning(f"{info.table} {self.name(cell)}: {line}")
        if info.replaces is not None:
            self.context.log.warning(f"{info.table} {self.name(cell)} was read anew: {info.replaces}")
        if info.upgrades is not None:
            self.context.log.info(
                f"{info.table} {self.name(cell)} has the columns of this version now: {info.upgrades}"
            )
        key = self.naming.key(info.table)
        shown = {
            **self._target(cell),
            **cell_metadata(store, info),
            **column_lineage(info.table, self.naming),
            **metadata,
        }
        # What a table notes for the next sync is written also where only that table was asked for.
        in_turn = len(self.context.partition_keys) == 1 and key in self.context.selected_asset_keys
        if in_turn and _is_awaited(info.table):
            # Not as metadata of the result: Dagster would keep that twice, with the output of the step as well.
            self.context.add_asset_metadata(shown, asset_key=key)
            self._results.append(dg.MaterializeResult(asset_key=key))
        else:
            made = dg.AssetMaterialization(key, partition=cell.partition_key, metadata=shown)
            if in_turn:  # what is older than a table that it is made of is outdated in the UI
                self._results.append(made)
            else:
                self.context.log_event(made)
        self._recorded.add((info.table, cell.partition_key))

    def is_recorded(self, table: str, cell: Cell) -> bool:
        """Whether it was said in this step that a cell was made, or why it is left as it is."""
        return (table, cell.partition_key) in self._recorded

    def checked(self, cell: Cell, info: CellInfo, store: Store) -> None:
        """Evaluate the checks of a cell that was stored."""
        place, row_type = (info.account, info.region), TABLES[info.table].row_type
        recorded = Recorded(
            info.table,
            self.name(cell),
            info,
            rows=lambda: tuple(store.rows(row_type, *place, table=info.table)),
            column=lambda name: store.dataset(info.table, *place).to_table([name]).column(name).to_pylist(),
        )
        self._evaluate(cell, recorded)

    def failed(self, table: str, cell: Cell, stored: CellInfo | None, reason: str) -> None:
        """A cell was not made: its checks fail, and the page of the partition says why beside what is stored."""
        recorded = Recorded(table, self.name(cell), stored, reason)
        self._evaluate(cell, recorded)
        # The page of a partition shows the last materialization, and what was observed since.
        key, metadata = self.naming.key(table), failure_metadata(recorded)
        self.context.log_event(dg.AssetObservation(key, partition=cell.partition_key, metadata=metadata))

    def kept(self, table: str, cell: Cell, stored: CellInfo | None, kept: Kept) -> None:
        """A cell was left as it is stored: its checks and the page of the partition say why."""
        self._evaluate(cell, Recorded(table, self.name(cell), stored, kept=kept))
        key, metadata = self.naming.key(table), {"not read": f"{self.name(cell)}: {kept.reason}"}
        self.context.log_event(dg.AssetObservation(key, partition=cell.partition_key, metadata=metadata))
        self._recorded.add((table, cell.partition_key))

    def ready(self) -> Results:
        """The results so far, so that Dagster shows them before the step ends; each is given once."""
        results, self._results = self._results, []
        # Dagster refuses a result before those of what it is made of, and notes are stored before what they are about.
        yield from sorted(results, key=lambda result: _depth(self.naming.table(_key_of(result))))

    def checks_are_told(self) -> None:
        """Keep Dagster from logging that checks gave no output: what each found is an event a cell already."""
        self.context.log.addFilter(lambda record: _NO_OUTPUT_OF_A_CHECK not in record.getMessage())

    def _target(self, cell: Cell) -> dict[str, Any]:
        name = self.name(cell)
        return {} if name == cell.label else {"target": dg.MetadataValue.text(name)}

    def _evaluate(self, cell: Cell, recorded: Recorded) -> None:
        key = self.naming.key(recorded.table)
        for check in checks_of(recorded.table):
            if dg.AssetCheckKey(key, check.name) not in self.context.selected_asset_check_keys:
                continue
            finding = check.evaluate(recorded)
            self.context.log_event(
                dg.AssetCheckEvaluation(
                    asset_key=key,
                    check_name=check.name,
                    passed=finding.passed,
                    metadata=finding.metadata(),
                    severity=finding.severity or check.severity,
                    description=finding.reason,
                    partition=cell.partition_key,
                )
            )


def _key_of(result: _Result) -> dg.AssetKey:
    assert result.asset_key is not None
    return result.asset_key


@cache
def _depth(table: str) -> int:
    """How many tables, each made of the next, a table stands on."""
    return 1 + max(map(_depth, TABLES[table].parents), default=0)


def _is_awaited(table: str) -> bool:
    """Whether Dagster needs a result: for a step after this one in the same run, or to compare code versions."""
    spec = TABLES[table]
    return spec.is_derived or spec.layer is not Layer.FINISH


def cell_metadata(store: Store, info: CellInfo) -> dict[str, Any]:
    """What the Dagster UI shows of a cell: rows, size, place, how complete its read was, its first rows."""
    anew = {} if info.replaces is None else {"read anew": dg.MetadataValue.text(f"what was stored: {info.replaces}")}
    older = {} if info.upgrades is None else {"upgraded": dg.MetadataValue.text(f"what was stored: {info.upgrades}")}
    return {
        **anew,
        **older,
        "dagster/partition_row_count": dg.MetadataValue.int(info.rows),
        "dagster/uri": dg.MetadataValue.text(info.uri),
        "path": dg.MetadataValue.path(info.uri),
        "size in bytes": dg.MetadataValue.int(info.bytes),
        "read": dg.MetadataValue.text(info.status.value),
        "read at": dg.MetadataValue.timestamp(info.read_at),
        "problems": bullets(info.problems),
        "warnings": bullets(info.warnings),
        "first rows": preview(store, info),
    }
