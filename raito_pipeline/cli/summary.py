"""What came of a sync, account by account: a pure function from stored rows to frozen values.

The terminal and `--json` show the same value. Nothing is read here: see `raito_pipeline.cli.gather`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec

from raito_pipeline.aws.repair import repairs
from raito_pipeline.model import TABLES, ImportResult, PushResult, PushTarget
from raito_pipeline.orchestration.push.plans import PLAN_ID
from raito_pipeline.orchestration.runs.sync import LayerResult, LayerRun
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG
from raito_pipeline.storage import CellInfo, ReadStatus

_LINE = re.compile(r"(?P<table>\w+) (?P<place>\S+?): (?P<reason>.*)", re.DOTALL)
_ACCESS = "access_providers"
_ONLY_BELOW = "only what lies below"


class Outcome(StrEnum):
    """How something ended."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Of several outcomes the worst counts; of none, all is complete."""
    return max(outcomes, key=list(Outcome).index, default=Outcome.COMPLETE)


def of_whole(outcomes: Iterable[Outcome], *, interrupted: bool) -> Outcome:
    """How a sync ended, of the outcomes of its parts: one that was interrupted is not complete, whatever they are."""
    return worst([*outcomes, *([Outcome.PARTIAL] if interrupted else [])])


EXIT_STATUS: Mapping[Outcome, int] = {Outcome.COMPLETE: 0, Outcome.FAILED: 1, Outcome.PARTIAL: 3}
"""The exit status of a command that ends with a summary. 2 is a wrong configuration."""
INTERRUPTED = 130
"""The exit status of a command that was interrupted, as shells have it."""


@dataclass(frozen=True, slots=True)
class SyncedTarget:
    """What a sync is of: an account (or an organization), by its partition key, target name and account id."""

    key: str
    target: str
    id: str
    organization: bool = False
    least: tuple[tuple[str, str], ...] = ()
    """(action, resource) of the least policy that it needs"""

    @property
    def label(self) -> str:
        """The place as people name it."""
        return self.target if self.id in self.target else f"{self.target} {self.id}"


@dataclass(frozen=True, slots=True)
class Stored:
    """What the tables hold of one sync of a place. `incomplete` counts the access providers that are not exactly what
    AWS gives, `incomplete_by` those with a reason of each code, `access_providers` all of them."""

    cells: tuple[CellInfo, ...] = ()
    imports: tuple[tuple[str, ImportResult], ...] = ()
    """the rows of the import tables, each with the name of its table"""
    push_targets: tuple[PushTarget, ...] = ()
    push_results: tuple[PushResult, ...] = ()
    access_providers: int = 0
    incomplete: int = 0
    incomplete_by: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KindChanges:
    """What an import did to one kind of thing in Raito Cloud. `refused` are elements that Raito Cloud did not take."""

    kind: str
    added: int
    updated: int
    removed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is not complete, and what: cells (`table region`), or a stage in words."""

    outcome: Outcome
    what: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Control:
    """An access control that was not pushed, and why."""

    id: str
    name: str
    type: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PushSummary:
    """The access controls of a push: how many are in AWS now, those that the plan refused, those that AWS did."""

    pushed: int
    refused: tuple[Control, ...]
    failed: tuple[Control, ...]

    @property
    def outcome(self) -> Outcome:
        """Refused is partial: nothing was tried, and the reason is known before."""
        return Outcome.FAILED if self.failed else Outcome.PARTIAL if self.refused else Outcome.COMPLETE


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """What came of one account or organization."""

    place: str
    target: str
    id: str
    outcome: Outcome
    changes: tuple[KindChanges, ...]
    causes: tuple[Cause, ...]
    push: PushSummary | None
    access_providers: int
    incomplete_access_providers: int
    access_warnings: tuple[str, ...]
    """what Raito Cloud left out of access providers, because it does not know what they name: narrower access"""
    repair: tuple[str, ...]
    read_anew: tuple[Cause, ...] = ()
    """tables whose stored file could not be used, and why; this sync read them anew"""
    waiting: str | None = None
    """the plan that waits for its approval, and how to make it"""
    incomplete_by_code: Mapping[str, int] = field(default_factory=dict)
    """incomplete access providers by code: `narrower`, `wider` or `who`; one may have reasons of several"""
    not_known: tuple[str, ...] = ()
    """what may limit the access and is not known, while nothing is partial because of it"""


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """How one layer (a Dagster run) of the sync ended."""

    place: str
    name: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """What came of a whole sync."""

    sync: str
    outcome: Outcome
    seconds: float
    storage: str
    causes: tuple[Cause, ...]
    """what concerns no single account"""
    places: tuple[TargetSummary, ...]
    layers: tuple[LayerSummary, ...]
    interrupted: bool = False
    """true where somebody ended the sync before its end; what was not begun is not in it"""

    @property
    def status(self) -> int:
        """The exit status of the command."""
        return INTERRUPTED if self.interrupted else EXIT_STATUS[self.outcome]

    def json(self) -> dict[str, Any]:
        """The summary as JSON values, with the exit status."""
        return {"status": self.status, **asdict(self)}

    @classmethod
    def of_json(cls, text: str | bytes) -> "SyncSummary":
        """Read back what `json` gave. Raises `ValueError`."""
        return msgspec.json.decode(text, type=cls)


def summary(
    sync: str,
    places: Sequence[SyncedTarget],
    stored: Mapping[str, Stored],
    results: Sequence[LayerResult],
    *,
    seconds: float,
    storage: str,
    unusable: Mapping[str, Sequence[Cause]] | None = None,
    causes: Sequence[Cause] = (),
    interrupted: bool = False,
) -> SyncSummary:
    """Put together what came of a sync.

    `stored` holds what was stored by this sync of each place (by its key), `unusable` what else is known of a place, as
    by the check before the sync, `causes` what concerns no single place. `seconds` is the time that all took.
    `interrupted`: before its end.
    """
    by_place: dict[str, list[LayerResult]] = {place.key: [] for place in places}
    for result in results:
        by_place.setdefault(place_key(result.layer), []).append(result)
    given = unusable or {}
    ended = tuple(
        _place(place, stored.get(place.key, Stored()), by_place[place.key], given.get(place.key, ()))
        for place in places
        if by_place[place.key] or given.get(place.key)
    )
    labels = {place.key: place.label for place in places}
    layers = tuple(
        LayerSummary(
            labels.get(place_key(r.layer), r.layer.place),
            r.layer.name,
            layer_outcome(r, stored.get(place_key(r.layer), Stored())),
            round(r.seconds, 3),
        )
        for r in results
    )
    ends = [*(each.outcome for each in causes), *(each.outcome for each in ended), *(each.outcome for each in layers)]
    outcome = of_whole(ends, interrupted=interrupted)
    return SyncSummary(sync, outcome, round(seconds, 3), storage, tuple(causes), ended, layers, interrupted)


def place_key(layer: LayerRun) -> str:
    """The partition key of the account or organization that a layer is of."""
    return layer.tags.get(ACCOUNT_TAG) or layer.partition_key or layer.place


def layer_outcome(result: LayerResult, stored: Stored) -> Outcome:
    """How a layer ended: failed, partial where something that it stored is, else complete."""
    if not result.success:
        return Outcome.FAILED
    tables = set(result.layer.tables)
    outcomes = [Outcome.PARTIAL for cell in stored.cells if cell.table in tables and _cell_reasons(cell)]
    imports = ((table, row) for table, row in stored.imports if table in tables)
    outcomes += [cause.outcome for table, row in imports for cause in _import_causes(table, row)]
    if "access_push_results" in tables:
        outcomes.append(_push(stored).outcome)
    return worst(outcomes)


def _place(
    place: SyncedTarget, stored: Stored, results: Sequence[LayerResult], unusable: Sequence[Cause]
) -> TargetSummary:
    push = _push(stored) if stored.push_results else None
    causes = _grouped(_within(place, cause) for cause in (*unusable, *_failures(results), *_partial(stored)))
    ends = [cause.outcome for cause in causes] + ([push.outcome] if push else [])
    told = [cause.reason for cause in causes]
    told += [reason for control in (*push.failed, *push.refused) for reason in control.reasons] if push else []
    return TargetSummary(
        place=place.key,
        target=place.target,
        id=place.id,
        outcome=worst(ends),
        changes=_changes(stored.imports),
        causes=causes,
        push=push,
        access_providers=stored.access_providers,
        incomplete_access_providers=stored.incomplete,
        incomplete_by_code=stored.incomplete_by,
        access_warnings=tuple(text for _, row in stored.imports if row.task == "DA" for text in row.warnings),
        not_known=tuple(text for cell in stored.cells if cell.table == _ACCESS for text in cell.warnings),
        repair=tuple(str(repair) for repair in repairs(told, place.least)),
        read_anew=_grouped(
            Cause(Outcome.COMPLETE, (_cell_label(cell.table, cell.region),), cell.replaces)
            for cell in stored.cells
            if cell.replaces
        ),
        waiting=next((cell.extra.get("reason") for cell in stored.cells if _waits(cell)), None),
    )


def _waits(cell: CellInfo) -> bool:
    """Whether the cell says that a plan waits for its approval."""
    return cell.table == "access_push_results" and cell.status is ReadStatus.OUT_OF_SCOPE and PLAN_ID in cell.extra


# -- causes --------------------------------------------------------------------------------------------------------


def _failures(results: Iterable[LayerResult]) -> Iterator[Cause]:
    for result in results:
        for line in result.failures:
            match = _LINE.fullmatch(line)
            if match and match["table"] in TABLES:
                yield Cause(
                    Outcome.FAILED, (_cell_label(match["table"], match["place"].partition("/")[2]),), match["reason"]
                )
            else:
                yield Cause(Outcome.FAILED, (result.layer.name,), line)
        if result.skipped:
            yield Cause(Outcome.FAILED, result.skipped, "not tried, because what it is made of failed")


def _partial(stored: Stored) -> Iterator[Cause]:
    said = {table: row.reason or "" for table, row in stored.imports}
    for cell in stored.cells:
        # An import says with its row why it removed nothing; its cell may say the same.
        for reason in (each for each in _cell_reasons(cell) if each not in said.get(cell.table, "")):
            yield Cause(Outcome.PARTIAL, (_cell_label(cell.table, cell.region),), reason)
    problems = {(cell.table, problem) for cell in stored.cells for problem in cell.problems}
    for table, row in stored.imports:
        # Errors of what was taken over all the same are problems of the cell, and said with it.
        told = tuple(each for each in row.warnings if (table, f"Raito Cloud: {each}") not in problems)
        yield from _import_causes(table, replace(row, warnings=told))


def _cell_reasons(cell: CellInfo) -> tuple[str, ...]:
    """Why a cell is not complete; empty where it is, or where nothing depends on it."""
    # What limits access and is not known is optional: it is said, and nothing is partial because of it.
    told = cell.problems if cell.table == _ACCESS else (*cell.problems, *cell.warnings)
    if cell.status is ReadStatus.DENIED and TABLES[cell.table].optional:
        return ()
    if cell.complete:
        return () if cell.status is ReadStatus.OUT_OF_SCOPE else told
    return told or (f"the read is {cell.status.value}",)


def _import_causes(table: str, row: ImportResult) -> Iterator[Cause]:
    what = (table,)
    if row.status not in ("COMPLETED", "SKIPPED"):
        yield Cause(Outcome.FAILED, what, f"the import in Raito Cloud ended as {row.status}")
    if row.failed:
        yield Cause(Outcome.PARTIAL, what, f"Raito Cloud refused {row.failed:,} of {row.elements:,} elements")
    for warning in () if row.task == "DA" else row.warnings:
        yield Cause(Outcome.PARTIAL, what, f"Raito Cloud warns: {warning}")
    # A usage import that had nothing new to send, and one of a part alone, are what was asked for.
    expected = row.task == "DU" or row.status == "SKIPPED" or _ONLY_BELOW in (row.reason or "")
    if row.reason and not expected:
        yield Cause(Outcome.PARTIAL, what, f"nothing was removed from Raito Cloud, because {row.reason}")


def _cell_label(table: str, region: str | None) -> str:
    """A cell within its account: the table, and its region where it has one."""
    return f"{table} {region}" if region else table


def _within(place: SyncedTarget, cause: Cause) -> Cause:
    """A cause as it is told below the name of its account: cells without the account that they are of."""
    cells = rf"\b({'|'.join(TABLES)}) {re.escape(place.id)}(?:/(\S))?"
    told = re.sub(cells, lambda match: _cell_label(match[1], match[2]), cause.reason)
    return replace(cause, reason=told)


def _grouped(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Each reason once, with everything that it is the reason of; a reason that repeats another one only names it."""
    merged: dict[tuple[Outcome, str], list[str]] = {}
    for cause in causes:
        merged.setdefault((cause.outcome, _without(cause.reason, merged)), []).extend(cause.what)
    ordered = sorted(merged.items(), key=lambda item: item[0][0] is not Outcome.FAILED)
    return tuple(Cause(outcome, tuple(dict.fromkeys(what)), reason) for (outcome, reason), what in ordered)


def _without(reason: str, earlier: Mapping[tuple[Outcome, str], Any]) -> str:
    for _, known in earlier:
        if reason != known and known in reason:
            reason = reason.replace(f": {known}", "")
    return reason


# -- counts --------------------------------------------------------------------------------------------------------


def _changes(imports: Iterable[tuple[str, ImportResult]]) -> tuple[KindChanges, ...]:
    return tuple(
        KindChanges(_kind(each.kind), each.added, each.updated, each.removed, each.failed)
        for _, row in imports
        for each in row.kinds
    )


def _kind(object_type: str) -> str:
    """The name of a kind in the plural, in small letters."""
    name = object_type.lower().removeprefix("imported ")
    return name if name.endswith("s") else f"{name}s"


def _push(stored: Stored) -> PushSummary:
    planned = {target.access_control_id: target for target in stored.push_targets}
    refused: list[Control] = []
    failed: list[Control] = []
    for result in stored.push_results:
        if not result.errors:
            continue
        target = planned.get(result.access_control_id)
        control = Control(result.access_control_id, result.access_control_name, result.type, result.errors)
        (refused if not result.changes_failed or (target and target.refused) else failed).append(control)
    pushed = len(stored.push_results) - len(refused) - len(failed)
    return PushSummary(pushed, tuple(refused), tuple(failed))
