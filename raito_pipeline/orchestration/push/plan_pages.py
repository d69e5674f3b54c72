"""A plan as Markdown: the page that is kept beside it, and the part of it that fits into an event of Dagster."""

from collections.abc import Iterator, Sequence

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.wording import MARKS, SAME, ControlPlan, in_words
from raito_pipeline.orchestration.recording.markdown import code, diff_block, plain

MOST_BYTES = 3_500
"""of the words of a plan in an event: the event log keeps each of them for good"""


def page_of(plan: AccountPlan) -> str:
    """The whole plan: every access control with its changes, documents before and after as differences, and reasons."""
    controls = in_words(ACCESS_PROVIDER_TYPES.push, plan)
    lines = [
        f"# Plan {plan.id} of {plain(plan.target)} ({plan.account_id})",
        "",
        f"Made {plan.made_at:%Y-%m-%d %H:%M} UTC: ",
    ]
    lines[-1] += f"{counts_in_words(controls)}."
    if plan.recovery:
        lines += ["", f"This applies the export of {plan.recovery} again."]
    for table, read_at in sorted(plan.read_at.items()):
        lines += ["", f"- {table} was read {read_at:%Y-%m-%d %H:%M:%S} UTC"]
    for control in controls:
        lines += ["", *_section(control)]
    return "\n".join(lines) + "\n"


def _section(control: ControlPlan) -> Iterator[str]:
    yield f"## `{control.mark}` {plain(control.head)}"
    yield ""
    yield plain(f"{control.sentence} (access control {control.name}, {control.id})")
    for line in control.details:
        yield f"- {plain(line)}"
    for line in control.warnings:
        yield f"- warning: {plain(line)}"
    for line in control.errors:
        yield f"- not made: {plain(line)}"
    for line in control.held_back:
        yield f"- held back: {plain(line)}"
    for diff in control.diffs:
        yield from ("", code(diff.title), "", *diff_block(diff.lines))


def short_page(controls: Sequence[ControlPlan], most_bytes: int = MOST_BYTES) -> str:
    """The access controls of a plan in a line each, with their differences as far as they fit."""
    listed = [control for control in controls if control.mark != SAME]
    lines = [f"- `{control.mark}` {plain(control.head)}: {plain(_cut(control.sentence))}" for control in listed]
    text = ""
    for number, line in enumerate(lines):
        if len(text.encode()) + len(line.encode()) > most_bytes:
            return f"{text}- and {len(lines) - number} more\n"
        text += f"{line}\n"
    for control in listed:
        for diff in control.diffs:
            block = "\n".join(["", code(diff.title), "", *diff_block(diff.lines), ""])
            if len(text.encode()) + len(block.encode()) > most_bytes:
                return text
            text += block
    return text or "nothing is to be changed"


def _cut(text: str, width: int = 300) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def counts_in_words(controls: Sequence[ControlPlan]) -> str:
    """How many access controls are added, changed, removed, refused: those of which there are some."""
    counted = [(sum(control.mark == mark for control in controls), word) for mark, word in MARKS.items()]
    return ", ".join(f"{count:,} {word}" for count, word in counted if count) or "no access controls"
