"""A plan as a person sees it: complete at any width, on a terminal and in a file."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.text import Text

from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.wording import ADDED, CHANGED, REFUSED, REMOVED, SAME, ControlPlan
from raito_pipeline.model import PushResult
from raito_pipeline.orchestration.push.plan_pages import counts_in_words
from raito_pipeline.orchestration.push.remembered import EXPORT

_STYLES = {ADDED: "green", CHANGED: "yellow", REMOVED: "red", REFUSED: "magenta", SAME: "dim"}
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_INDENT = 4


def show_plan(
    console: Console, plan: AccountPlan, controls: Sequence[ControlPlan], now: datetime, held_back: str = ""
) -> None:
    """Print a plan: what it is, how old what it stands on is, and every access control that is not as granted."""
    name = plan.target if plan.account_id in plan.target else f"{plan.target} {plan.account_id}"
    _line(console, Text.assemble((name, "bold"), f": plan {plan.id}: {counts_in_words(controls)}"))
    for line in ages(plan, now):
        _line(console, Text(line, style="dim"))
    for problem in plan.problems:
        _line(console, Text(problem, style="red"))
    if held_back:
        _line(console, Text(held_back, style="magenta"))
    for control in controls:
        if control.mark != SAME or control.warnings or control.errors:
            _show_control(console, control, refused_alike=bool(plan.problems))


def ages(plan: AccountPlan, now: datetime) -> Iterator[str]:
    """How old the export and what was read of AWS are."""
    read = [at for table, at in plan.read_at.items() if table != EXPORT]
    if read:
        yield f"AWS was read {_moment(min(read), now)}"
    if plan.recovery:
        yield f"the export of {plan.recovery} is applied again"
    elif EXPORT in plan.read_at:
        yield f"Raito Cloud was asked {_moment(plan.read_at[EXPORT], now)}"


def _moment(at: datetime, now: datetime) -> str:
    age = max(now - at, timedelta())
    hours, minutes = divmod(round(age.total_seconds() / 60), 60)
    days, hours = divmod(hours, 24)
    said = f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({said} ago)"


def _show_control(console: Console, control: ControlPlan, *, refused_alike: bool) -> None:
    sentence = "refused" if control.mark == REFUSED and refused_alike else control.sentence
    head = Text.assemble((f"{control.mark} {control.head}", _STYLES[control.mark]), f": {sentence}")
    _line(console, head)
    if control.name not in control.head:
        _line(console, Text(f"access control {control.name}", style="dim"), _INDENT)
    for line in control.details:
        _line(console, Text(line), _INDENT)
    for line in control.held_back:
        _line(console, Text(f"held back: {line}", style="magenta"), _INDENT)
    for line in control.warnings:
        _line(console, Text(f"warning: {line}", style="yellow"), _INDENT)
    if control.mark != REFUSED:
        for line in control.errors:
            _line(console, Text(f"not made: {line}", style="red"), _INDENT)
    for diff in control.diffs:
        _line(console, Text(diff.title, style="dim"), _INDENT)
        for line in diff.lines:
            _line(console, Text(line, style=_DIFF_STYLES.get(line[:1], "")), _INDENT + 2)


def show_results(
    console: Console, plan: AccountPlan, results: Sequence[PushResult], differences: Sequence[str]
) -> None:
    """Print what came of a plan: each access control that failed with its reasons, and what AWS has otherwise."""
    failed = [result for result in results if result.errors]
    made = sum(result.changes_made for result in results)
    said = f"plan {plan.id}: {made:,} changes made; {len(results) - len(failed):,} of {len(results):,} access controls"
    _line(console, Text(f"{said} are in AWS as granted", style="red" if failed else "green"))
    for result in failed:
        for error in result.errors:
            _line(console, Text(f"{result.access_control_name}: {error}", style="red"), _INDENT)
    for line in differences:
        _line(console, Text(f"not as it was left: {line}", style="yellow"), _INDENT)


def _line(console: Console, text: Text, indent: int = 0) -> None:
    """A line that is folded where the terminal is narrow, and never cut; JSON in it stays whole, to be copied."""
    for part, is_json in _parts(text):
        if is_json:
            console.print(part, soft_wrap=True)
            continue
        for line in part.wrap(console, max(console.width - indent, 20), overflow="fold"):
            line.rstrip()
            console.print(Text(" " * indent) + line)


def _parts(text: Text) -> Iterator[tuple[Text, bool]]:
    """A text and the JSON objects in it, in their order, and whether each is one."""
    begin = text.plain.find('{"')
    if begin < 0:
        yield text, False
        return
    try:
        _, end = json.JSONDecoder().raw_decode(text.plain, begin)
    except ValueError:
        yield text, False
        return
    for part, is_json in ((text[:begin], False), (text[begin:end], True)):
        if part.plain.strip():
            yield part, is_json
    if text.plain[end:].strip(" ,.;"):
        yield from _parts(text[end:])
