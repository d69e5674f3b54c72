"""Stage `access_push`: access controls granted in Raito Cloud are exported, planned and made in AWS."""

from collections.abc import Callable, Mapping
from functools import partial

import dagster as dg

from raito_pipeline.aws.push.account_plan import PlanUnreadable
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.push.kept_plans import PlanUnknown
from raito_pipeline.orchestration.push.making import Approval, PlanOutdated, PushDenied, apply
from raito_pipeline.orchestration.push.push_center import OF_THE_CENTER
from raito_pipeline.orchestration.push.pushes import Push, switched_off
from raito_pipeline.orchestration.push.remembered import TARGETS, push_notes
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.tags import LOSSES_TAG, PLAN_TAG
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs

GROUP = "access_push"
CENTER = OF_THE_CENTER
BUCKETS = "push_buckets"
PLAN = ("access_push_plan", "access_push_targets", "access_push_orphans")
RESULTS = ("access_push_results",)
PLAN_CONFIG, LOSSES_CONFIG = "plan", "with_losses"
CONFIG = {
    PLAN_CONFIG: dg.Field(
        str,
        is_required=False,
        description="The id of the plan that is to be made in AWS, as access_push_plan shows it. Materialize "
        "access_push_results alone. Another plan than the newest is refused.",
    ),
    LOSSES_CONFIG: dg.Field(
        bool,
        is_required=False,
        description="Make it also where people lose more access than max-push-losses and max-push-loss-share allow.",
    ),
}
_MODE = "pipeline: mode is plan, so nothing is changed in AWS"


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The export, the plan and the results: whoever wants to see the plan first stops after it."""
    return [
        table_spec("access_controls", grid, group=GROUP, kinds={"raito"}),
        *(table_spec(table, grid, group=GROUP, kinds={"identitycenter"}) for table in CENTER),
        table_spec(BUCKETS, grid, group=GROUP, kinds={"s3"}),
        *(table_spec(table, grid, group=GROUP, kinds={"iam"}) for table in PLAN),
        table_spec("access_push_results", grid, group=GROUP, kinds={"iam", "raito"}),
    ]


def make(log: CellLog, services: Services, jobs: RunJobs, grid: Grid, cell: Cell) -> None:
    """Export, plan and push, as far as the run selected them; after one that failed, the others are not tried."""
    approval = approval_of(log)
    steps: Mapping[tuple[str, ...], Callable[[Push], None]] = {
        ("access_controls",): lambda push: push.export(jobs),
        CENTER: lambda push: push.read_center(),
        (BUCKETS,): lambda push: push.read_buckets(),
        PLAN: lambda push: push.plan(grid),
        RESULTS: lambda push: apply(push, jobs, grid, approval),
    }
    failed = ""
    for tables, work in steps.items():
        if not any(map(log.wants, tables)):
            continue
        reason = _why_not(services, tables, cell)
        if reason is not None:
            for table in tables:
                log.out_of_scope(table, cell, reason, push_notes(log.store, cell.account) if table == TARGETS else {})
        elif failed:
            log.fail(cell, f"not tried, because {failed} failed", *tables)
        elif not _done(log, tables, cell, partial(work, Push(log, services, cell))):
            # Without Identity Center everything but permission sets is pushed.
            failed = "" if tables == CENTER else tables[0]


def approval_of(log: CellLog) -> Approval:
    """The plan that a person asks to be made, by the configuration of the run or its tags."""
    config, tags = log.context.op_execution_context.op_config or {}, log.context.run.tags
    plan_id = str(config.get(PLAN_CONFIG) or "") or tags.get(PLAN_TAG)
    return Approval(plan_id, bool(config.get(LOSSES_CONFIG)) or tags.get(LOSSES_TAG) == "true")


def _done(log: CellLog, tables: tuple[str, ...], cell: Cell, work: Callable[[], None]) -> bool:
    """Do one step of the push; false where it failed, which was noted."""
    before = len(log.failures)
    with log.attempt(cell, *tables):
        try:
            work()
        except (PlanOutdated, PushDenied, PlanUnknown, PlanUnreadable) as error:
            log.fail(cell, str(error), *tables)
    return len(log.failures) == before


def _why_not(services: Services, tables: tuple[str, ...], cell: Cell) -> str | None:
    """Why `raito.yml` leaves tables out, or None where they are to be made."""
    target = services.account(cell.account)
    off = switched_off(target)
    if off is None and tables == CENTER and target.organization is None:
        return "the account links no organization"
    if off is None and "access_push_results" in tables and services.options.pipeline.mode == "plan":
        return _MODE
    return off
