"""What happened in one run, read from the event log of the Dagster instance: the one record that outlives a step.

It tells how each table ended, also where the run was interrupted, and holds the log lines of the steps.
"""

import logging
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

import dagster as dg

from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.runs.failures import failure_lines

_INTERRUPTS = frozenset({"KeyboardInterrupt", "DagsterExecutionInterruptedError", "SystemExit"})
_STEP_TIMES = {
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
}
_SHOWN = frozenset(
    {
        dg.DagsterEventType.STEP_START,
        dg.DagsterEventType.STEP_SUCCESS,
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.STEP_SKIPPED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
    }
)
_UNSHOWN = frozenset({"path", "read at"})
_NONE = ("", "none")


class TableState(StrEnum):
    """How a table of a run ended."""

    MADE = "made"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNREACHED = "unreached"
    """what comes before it failed, or the run ended before it"""


@dataclass(frozen=True, slots=True)
class TableEnd:
    """How a table of a run ended for one partition; `causes` says why it was not made (nothing where it was)."""

    table: str
    step: str
    state: TableState
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log: Unix seconds, level (as in `logging`), the step that it is about (empty: none), and its text."""

    at: float
    level: int
    step: str
    text: str


@dataclass
class _Step:
    """What the events say of a step; times are Unix seconds. `failed` holds a line for each cell that failed."""

    tables: tuple[str, ...]
    began: float | None = None
    ended: float | None = None
    succeeded: bool = False
    interrupted: bool = False
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunEvents:
    """The events of a run as they are at the time of asking; each method reads them anew."""

    instance: dg.DagsterInstance
    run_id: str
    naming: Naming = field(default_factory=Naming)

    @cached_property
    def planned(self) -> Mapping[str, str]:
        """The tables that the run is to make, with the step that makes each."""
        events = self._events({dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED})
        return {
            self.naming.table(event.asset_key): event.step_key or ""
            for event, _ in events
            if event.asset_key is not None
        }

    def ends(self, partition: str, others: Collection[str] = ()) -> tuple[TableEnd, ...]:
        """How each planned table ended for a partition. `others` are partitions that the run may be for as well."""
        events = self._events()
        steps = self._steps(events)
        made = {
            self.naming.table(event.asset_key)
            for event, _ in events
            if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION
            and event.asset_key is not None
            and event.partition in (None, partition)
        }
        ends = [
            _end_of(table, key, step, made, partition, others) for key, step in steps.items() for table in step.tables
        ]
        failed = " and ".join(end.table for end in ends if end.state in (TableState.FAILED, TableState.INTERRUPTED))
        reason = f"because {failed} failed" if failed else "because the run ended before it"
        return tuple(
            replace(end, causes=(f"{end.table} not reached, {reason}",)) if end.state is TableState.UNREACHED else end
            for end in ends
        )

    def goes_on(self) -> bool:
        """Whether steps are still to come, or under way in other processes; false once a step has failed."""
        steps = self._steps(self._events(_STEP_TIMES)).values()
        return all(step.succeeded or step.ended is None for step in steps) and any(step.ended is None for step in steps)

    def windows(self) -> tuple[tuple[str, float, float], ...]:
        """Each step that began, with the times of its beginning and end (Unix seconds, infinity = not ended)."""
        steps = self._steps(self._events(_STEP_TIMES)).items()
        return tuple((key, step.began, step.ended or math.inf) for key, step in steps if step.began is not None)

    def lines(self) -> Iterator[LogLine]:
        """What was logged about the steps, in order."""
        for entry in self.instance.all_logs(self.run_id):
            event = entry.dagster_event
            if event is None:
                yield LogLine(entry.timestamp, int(entry.level), entry.step_key or "", entry.user_message)
            elif event.event_type in _SHOWN:
                failed = event.event_type is dg.DagsterEventType.STEP_FAILURE
                level = logging.ERROR if failed else logging.INFO
                yield LogLine(entry.timestamp, level, event.step_key or "", _shown(event, self.naming))

    def _events(self, kinds: set[dg.DagsterEventType] | None = None) -> list[tuple[dg.DagsterEvent, float]]:
        """The events of these kinds (all, without), with their times in Unix seconds."""
        entries = self.instance.all_logs(self.run_id, of_type=kinds)
        return [(entry.dagster_event, entry.timestamp) for entry in entries if entry.dagster_event is not None]

    def _steps(self, events: Iterable[tuple[dg.DagsterEvent, float]]) -> dict[str, _Step]:
        """Every planned step, in the order in which they began."""
        keys = dict.fromkeys(self.planned.values())
        steps = {key: _Step(tuple(t for t, step in self.planned.items() if step == key)) for key in keys}
        for event, at in events:
            if event.step_key in steps:
                _follow(steps[event.step_key], event, at)
        return dict(sorted(steps.items(), key=lambda item: item[1].began or math.inf))


def _follow(step: _Step, event: dg.DagsterEvent, at: float) -> None:
    """Note what one more event says of a step."""
    if event.event_type is dg.DagsterEventType.STEP_START:
        step.began = at
    elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
        step.ended, step.succeeded = at, True
    elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
        error = event.step_failure_data.error
        step.ended, step.failed = at, tuple(failure_lines(event))
        step.interrupted = error is not None and error.cls_name in _INTERRUPTS


def _end_of(
    table: str, key: str, step: _Step, made: Collection[str], partition: str, others: Collection[str]
) -> TableEnd:
    """How a table ended, as far as its own step tells."""
    # A failed step has a line `table partition: reason` for each cell, or one line of another kind where it broke.
    own = [line for line in step.failed if line.startswith(f"{table} ") and _concerns(line, partition, others)]
    broken = [line for line in step.failed if not any(line.startswith(f"{each} ") for each in step.tables)]
    if table in made or step.succeeded:
        return TableEnd(table, key, TableState.MADE)
    if own and not step.interrupted:
        return TableEnd(table, key, TableState.FAILED, tuple(own))
    if step.interrupted or (step.began is not None and step.ended is None):
        missing = ", ".join(sorted(each for each in step.tables if each not in made))
        return TableEnd(table, key, TableState.INTERRUPTED, (f"interrupted: the run was ended before {missing}",))
    if broken:
        return TableEnd(table, key, TableState.FAILED, tuple(broken))
    return TableEnd(table, key, TableState.UNREACHED)


def _concerns(line: str, partition: str, others: Collection[str]) -> bool:
    """Whether a line `table partition: reason` is about a partition, and not about one of the others."""
    head = line.partition(": ")[0]
    return partition in head or not any(other in head for other in others)


def _shown(event: dg.DagsterEvent, naming: Naming) -> str:
    if event.event_type is dg.DagsterEventType.STEP_FAILURE:
        return "\n".join(failure_lines(event))
    if event.event_type is not dg.DagsterEventType.ASSET_MATERIALIZATION:
        return event.message or event.event_type.value
    made = event.step_materialization_data.materialization
    values = [(name, value.value) for name, value in made.metadata.items() if "/" not in name and name not in _UNSHOWN]
    shown = [
        f"{name}: {value}" for name, value in values if isinstance(value, (int, float, str)) and value not in _NONE
    ]
    described = ", ".join(text for text in shown if "\n" not in text)
    return f"{naming.table(made.asset_key)} {made.partition or ''} stored: {described}"
