"""A summary as a person sees it: one table, complete at any width, on a terminal and in a file."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raito_pipeline.cli.summary import Cause, KindChanges, Outcome, PushSummary, SyncSummary, TargetSummary
from raito_pipeline.model import TABLES

_MARKS = {Outcome.COMPLETE: "✓", Outcome.PARTIAL: "◐", Outcome.FAILED: "✗"}
_PLAIN_MARKS = {Outcome.COMPLETE: "+", Outcome.PARTIAL: "!", Outcome.FAILED: "x"}
_STYLES = {Outcome.COMPLETE: "green", Outcome.PARTIAL: "yellow", Outcome.FAILED: "red"}
_VERDICTS = {
    Outcome.COMPLETE: "everything succeeded",
    Outcome.PARTIAL: "not everything is complete: see what is marked partial",
    Outcome.FAILED: "something failed",
}
_LABEL = len("incomplete access")
Rows = Iterator[tuple[str | Text, str | Text]]


def mark(console: Console, outcome: Outcome) -> Text:
    """The mark of an outcome, in letters that the console can show."""
    marks = _MARKS if console.encoding.lower().startswith("utf") else _PLAIN_MARKS
    return Text(marks[outcome], style=_STYLES[outcome])


def show_summary(console: Console, value: SyncSummary) -> None:
    """Print what came of a sync: a block an account, and the verdict."""
    table = Table("", "account", "what came of it", title="What came of the sync", pad_edge=False, expand=False)
    table.columns[1].overflow = table.columns[2].overflow = "fold"
    table.columns[1].max_width = 22
    for place in value.places:
        table.add_section()
        name = Text.assemble((place.target, "bold"), "" if place.id in place.target else f"\n{place.id}")
        name.append(f"\n{place.outcome.value}", style=_STYLES[place.outcome])
        table.add_row(mark(console, place.outcome), name, _grid(_place_rows(place)))
    if value.places:
        console.print(table, soft_wrap=False)
    for cause in value.causes:
        console.print(Text.assemble(mark(console, cause.outcome), f" {', '.join(cause.what)}: {cause.reason}"))
    if value.interrupted:
        console.print("what is not named above was not begun", style="red")
        verdict = Text("interrupted", style="red")
    else:
        verdict = Text(_VERDICTS[value.outcome], style=_STYLES[value.outcome])
    console.print(Text.assemble(verdict, f" in {value.seconds:.1f} s; tables in {value.storage}"))


def _grid(rows: Rows) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(min_width=_LABEL, max_width=_LABEL, overflow="fold")
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, text)
    return grid


def _place_rows(place: TargetSummary) -> Rows:
    yield from _change_rows(place.changes)
    if place.access_providers:
        of = f"{place.incomplete_access_providers:,} of {place.access_providers:,} access providers"
        by = ", ".join(f"{count:,} {code}" for code, count in place.incomplete_by_code.items() if count)
        yield "incomplete access", f"{of} ({by})" if by else of
    if place.access_warnings:
        first, *others = place.access_warnings
        more = f"; {len(others):,} more in access_provider_import and with --json" if others else ""
        yield "left out", f"{first}{more}"
    for line in place.not_known:
        yield "not known", line
    if place.waiting is not None:
        yield Text("waits", style="cyan"), place.waiting
    if place.push is not None:
        yield from _push_rows(place.push)
    for cause in place.causes:
        yield Text(cause.outcome.value, style=_STYLES[cause.outcome]), cause_text(cause)
    for cause in place.read_anew:
        yield "read anew", f"{listed(cause.what)}: what was stored could not be used ({cause.reason})"
    for line in place.repair:
        yield Text("to repair", style="cyan"), line


def cause_text(cause: Cause) -> str:
    """A cause in a sentence: what it concerns, then why."""
    return f"{listed(cause.what)}: {cause.reason}"


def listed(what: tuple[str, ...]) -> str:
    """Several cells in few words: the tables that share their regions stand together."""
    regions: dict[str, list[str]] = {}
    for each in what:
        table, _, region = each.partition(" ") if each.partition(" ")[0] in TABLES else (each, "", "")
        regions.setdefault(table, []).append(region)
    together: dict[tuple[str, ...], list[str]] = {}
    for table, places in regions.items():
        together.setdefault(tuple(places), []).append(table)
    return "; ".join(" ".join((", ".join(tables), ", ".join(places))).strip() for places, tables in together.items())


def _change_rows(changes: tuple[KindChanges, ...]) -> Rows:
    for change in changes:
        if change.added or change.updated or change.removed or change.refused:
            refused = f", {change.refused:,} refused" if change.refused else ""
            yield change.kind, f"+{change.added:,} ~{change.updated:,} -{change.removed:,}{refused}"
    same = [c.kind for c in changes if not (c.added or c.updated or c.removed or c.refused)]
    if same:
        yield "no change", ", ".join(same)


def _push_rows(push: PushSummary) -> Rows:
    yield "access controls", f"{push.pushed:,} pushed, {len(push.refused):,} refused, {len(push.failed):,} failed"
    for outcome, controls in ((Outcome.FAILED, push.failed), (Outcome.PARTIAL, push.refused)):
        word = "failed" if outcome is Outcome.FAILED else "refused"
        for control in controls:
            yield Text(word, style=_STYLES[outcome]), f"{control.name}: {'; '.join(control.reasons)}"
