"""What changed in AWS since the last push: what it made is planned once more, and has to be as it is.

Where AWS was read since, a plan of what it noted (`last_push.py`) that would change something is drift: somebody
changed by hand what Raito Cloud grants.
"""

from dataclasses import dataclass

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.inputs import PLANNED_ON
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.first_few import first_lines
from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.push.last_push import UnreadableNote
from raito_pipeline.orchestration.push.plans import Planning

_MOST_LINES = 20


@dataclass(frozen=True)
class Drift:
    """What AWS has otherwise than the last push left it, a line each; `reason` says why that is not known."""

    lines: tuple[str, ...] = ()
    reason: str = ""


def look(planning: Planning, grid: Grid) -> Drift:
    """Compare what is stored of AWS with what the last push left. Raises `CellMissing`, `StorageError`."""
    store, account = planning.store, planning.cell.account
    last = planning.last_push
    if last is None:
        return Drift(reason="nothing was pushed yet")
    if isinstance(last, UnreadableNote):
        return Drift(reason=last.reason)
    infos = (store.info(table, account) for table in PLANNED_ON if TABLES[table].is_read_from_aws)
    older = [info.table for info in infos if info is not None and info.read_at <= last.ended_at]
    if older:
        return Drift(reason=f"{older[0]} was not read since the last push")
    plan = planning.plan(grid, last.controls, "the last push")
    if plan.problems:
        return Drift(reason=plan.problems[0])
    controls = in_words(ACCESS_PROVIDER_TYPES.push, plan)
    lines = [
        f"{each.head} is not as the push left it; it would be put right: {each.sentence}"
        for each in controls
        if each.changes
    ]
    return Drift(tuple(first_lines(lines, _MOST_LINES)))
