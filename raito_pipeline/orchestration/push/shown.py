"""What people are shown of a push in the Dagster UI: its plan, what limits hold back of it, and its results."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import dagster as dg

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.pushed_types import explain
from raito_pipeline.aws.push.results import Summary
from raito_pipeline.aws.push.rules.losses import HeldBack, Limits, held_back
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.config import Options
from raito_pipeline.model import PushResult
from raito_pipeline.orchestration.push.plan_pages import counts_in_words, short_page
from raito_pipeline.orchestration.recording.previews import bullets, small_table

_MOST_CHANGES = 5
"""changes of a plan that its materialization shows; the table has them all"""
_SHOWN_OF_A_CHANGE = dict.fromkeys(("access control", "operation", "kind", "resource", "access", "why"), "string")
_TYPES = ACCESS_PROVIDER_TYPES.push


def plan_metadata(plan: AccountPlan, page: str, held: HeldBack) -> dict[str, Any]:
    """What the Dagster UI shows of a plan. `page` is where it can be read whole."""
    operations = Counter(f"{change.operation} {change.kind}" for change in plan.changes)
    controls = in_words(_TYPES, plan, held.positions)
    rows = (
        {
            "access control": each.row.access_control_name,
            "operation": each.row.operation,
            "kind": each.row.kind,
            "resource": each.row.resource,
            "access": each.access,
            "why": each.row.why,
        }
        for each in explain(_TYPES, plan.changes)
    )
    return {
        "plan id": plan.id,
        **({"held back": held.reason} if held.reason else {}),
        "in words": counts_in_words(controls),
        "plan": dg.MetadataValue.md(short_page(controls)),
        "whole plan": dg.MetadataValue.path(page),
        "changes by operation": dict(sorted(operations.items())),
        "access controls": len(plan.targets),
        "refused access controls": sum(target.refused for target in plan.targets),
        "changes": len(plan.changes),
        "first changes": small_table(rows, _SHOWN_OF_A_CHANGE, _MOST_CHANGES),
    }


def results_metadata(results: Sequence[PushResult], warnings: Sequence[str]) -> dict[str, Any]:
    """What the Dagster UI shows of a push."""
    summary = Summary.of(results)
    problems = [f"{result.access_control_name}: {error}" for result in results for error in result.errors]
    return {
        "access controls": summary.controls,
        "failed access controls": summary.failed,
        "changes made": summary.changes_made,
        "changes failed": summary.changes_failed,
        "failures": bullets(problems),
        "warnings of Raito Cloud": bullets(warnings),
    }


def held_back_of(options: Options, plan: AccountPlan) -> HeldBack:
    """What of a plan the limits of `raito.yml` hold back."""
    pipeline = options.pipeline
    limits = Limits(pipeline.max_push_losses, pipeline.max_push_loss_share)
    allowed = {target.access_control_id for target in plan.targets if not target.refused}
    changes = [change for change in _TYPES.changes(plan.changes) if change.row.access_control_id in allowed]
    return held_back(changes, plan.controls, limits, plan.id)
