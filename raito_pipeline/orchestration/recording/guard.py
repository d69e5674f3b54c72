"""Whether everything that an upload stands on is there, whole and from this sync.

Only then may Raito Cloud be told to remove what a file lacks. Two sources are asked: the stored cells (which sync wrote
or confirmed them, was the read complete) and the Dagster instance (did the last attempt at the cell fail, is one under
way). "Of this sync" is judged by the id of the sync, never by clock times.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import dagster as dg
from dagster import AssetPartitionStatus

from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.storage import CellInfo, ReadStatus, Store


@dataclass(frozen=True)
class Need:
    """A table that an upload reads, and the cells of it that must be there.

    They must be of the sync of the store, unless they belong to a sync of their own, as those of an organization do;
    such ones must have been read since a time.
    """

    table: str
    cells: Sequence[Cell]
    definition: dg.PartitionsDefinition[str]
    since: datetime | None = None
    own_sync: bool = False
    may_be_partial: bool = False
    """whether a cell that was read in part is enough"""


@dataclass(frozen=True)
class Verdict:
    """Why the stored cells are not the whole truth of this sync (no reason: they are)."""

    reasons: tuple[str, ...]

    def but(self, reason: str) -> "Verdict":
        """The same with one more reason."""
        return Verdict((*self.reasons, reason))

    @property
    def complete(self) -> bool:
        """True where deletions may follow from what the cells lack."""
        return not self.reasons

    @property
    def text(self) -> str | None:
        """The reasons in one text, or None where there are none."""
        return in_one_sentence(self.reasons) or None


def in_one_sentence(reasons: Iterable[str]) -> str:
    """Reasons behind each other: some are sentences of their own, others parts of one."""
    return "; ".join(reason.strip().rstrip(".") for reason in reasons)


_Outcomes = dict[tuple[str, tuple[str, ...]], Mapping[str, AssetPartitionStatus | None]]


@dataclass(frozen=True)
class Attempts:
    """How the last attempt at each cell ended, as the Dagster instance knows it.

    Each question takes some queries, and the steps of a run ask for the same tables again and again, so an answer is
    kept: for the time of a run, as its lease of the account sees to it that nobody else makes them meanwhile. Cells of
    another sync, as those of an organization are, have a lease of their own: what is known of them is kept for one
    step. The tables that the run makes itself (`made_here`) change while it works, and are asked for each time.
    """

    instance: dg.DagsterInstance
    naming: Naming
    made_here: Collection[str] = ()
    _of_run: _Outcomes = field(default_factory=dict)
    _of_step: _Outcomes = field(default_factory=dict)

    def for_a_step(self) -> "Attempts":
        """The same for one more step of the run."""
        return replace(self, _of_step={})

    def of(self, need: Need) -> Mapping[str, AssetPartitionStatus | None]:
        """The outcome of the last attempt by partition key; a cell that was never tried has none."""
        asset, keys = self.naming.key(need.table), tuple(cell.partition_key for cell in need.cells)
        kept = self._of_step if need.own_sync else self._of_run
        outcome = kept.get((need.table, keys))
        if outcome is None or need.table in self.made_here:
            outcome = self._ask(asset, keys, need.definition)
            kept[need.table, keys] = outcome
        return outcome

    def _ask(
        self, asset: dg.AssetKey, keys: tuple[str, ...], definition: dg.PartitionsDefinition[str]
    ) -> Mapping[str, AssetPartitionStatus | None]:
        """What Dagster says of some partitions.

        Its own answer is made of all partitions of an asset and written back whenever one of them was made, by whatever
        account: with a thousand of them that is most of what a run asks. So it is asked only where it matters, of cells
        that a run meant to make after they were made last.
        """
        made = self.instance.get_latest_storage_id_by_partition(
            asset, dg.DagsterEventType.ASSET_MATERIALIZATION, set(keys)
        )
        planned = self.instance.get_latest_storage_id_by_partition(
            asset, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, set(keys)
        )
        if any(number > made.get(key, 0) for key, number in planned.items()):
            return self.instance.get_status_by_partition(asset, keys, definition) or {}
        return dict.fromkeys(made, AssetPartitionStatus.MATERIALIZED)


def judge(attempts: Attempts, store: Store, needs: Iterable[Need]) -> Verdict:
    """Ask the store and the instance about every cell that is needed."""
    reasons: list[str] = []
    for need in needs:
        ended = attempts.of(need)
        for cell in need.cells:
            info = store.info(need.table, cell.account, cell.region)
            reason = _reason(need, cell, info, ended.get(cell.partition_key), store.sync)
            if reason:
                reasons.append(reason)
    return Verdict(tuple(reasons))


def unusable_memories(store: Store, table: str, cell: Cell) -> Iterator[str]:
    """The stored cells that the making of a cell looks at as they are, and that cannot be used: a line each.

    What is not read from AWS in each sync may be old, and may be missing; but it says what was there before.
    """
    spec = TABLES[table]
    for name in (*spec.looks_at, *(each for each in spec.reads if not TABLES[each].is_read_from_aws)):
        if TABLES[name].partitioned_by == spec.partitioned_by:
            unusable = store.unusable(name, *cell.place)
            if unusable is not None:
                yield unusable


def failed_cells(attempts: Attempts, store: Store, needs: Iterable[Need]) -> tuple[str, ...]:
    """The needed cells that are not there, or whose last attempt failed: a line each. What was read in part is none."""
    lines: list[str] = []
    for need in needs:
        ended = attempts.of(need)
        for cell in need.cells:
            name = f"{need.table} {cell.label}"
            if ended.get(cell.partition_key) == AssetPartitionStatus.FAILED:
                lines.append(f"{name}: the last attempt to read it failed")
            elif store.info(need.table, cell.account, cell.region) is None:
                lines.append(f"{name} was never read")
    return tuple(dict.fromkeys(lines))


def _reason(
    need: Need, cell: Cell, info: CellInfo | None, attempt: AssetPartitionStatus | None, sync: str
) -> str | None:
    name = f"{need.table} {cell.label}"
    if info is None:
        return f"{name} was never read"
    if attempt == AssetPartitionStatus.FAILED:
        return f"{name}: the last attempt to read it failed, what is stored was read at {info.read_at:%Y-%m-%d %H:%M}"
    if attempt == AssetPartitionStatus.IN_PROGRESS:
        return f"{name} is being read by another run"
    if not need.own_sync and info.sync != sync:
        return f"{name} is of another sync (read at {info.read_at:%Y-%m-%d %H:%M:%S})"
    if need.since is not None and info.read_at < need.since:
        return f"{name} is too old: read at {info.read_at:%Y-%m-%d %H:%M:%S}, needed since {need.since:%Y-%m-%d %H:%M}"
    if not info.complete and not (need.may_be_partial and info.status is ReadStatus.PARTIAL):
        return f"{name} is {info.status.value}: {in_one_sentence(info.problems) or 'no reason given'}"
    return None
