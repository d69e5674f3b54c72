"""Stage `access_push`: access controls granted in Raito Cloud are exported, planned and made in AWS."""

from collections.abc import Callable

import dagster as dg

from raito_pipeline import pushes
from raito_pipeline.dagster_support.cells import CellLog, Results
from raito_pipeline.dagster_support.grid import Cell, Grid
from raito_pipeline.dagster_support.layers import IAM_TABLES
from raito_pipeline.dagster_support.specs import table_spec
from raito_pipeline.pushes import Push
from raito_pipeline.raito_jobs import RunJobs
from raito_pipeline.resources import Services

GROUP = "access_push"
_MODE = "pipeline: mode is plan, so nothing is changed in AWS"


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The export, the plan and the results, each a step: whoever wants to see the plan first stops after it."""

    @dg.multi_asset(
        name="access_controls",
        specs=[table_spec("access_controls", grid, group=GROUP, kinds={"raito"})],
    )
    def access_controls(
        context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], raito_jobs: dg.ResourceParam[RunJobs]
    ) -> Results:
        """Exports the access controls of an account from Raito Cloud."""
        yield from _each_cell(context, services, "access_controls", lambda push: push.export(raito_jobs))

    @dg.multi_asset(
        name="access_push_plan",
        specs=[table_spec("access_push_plan", grid, group=GROUP, kinds={"iam"}, deps=["access_controls", *IAM_TABLES])],
    )
    def access_push_plan(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> Results:
        """Plans what has to be changed in AWS for the access controls; changes nothing."""
        yield from _each_cell(context, services, "access_push_plan", lambda push: push.plan(grid))

    @dg.multi_asset(
        name="access_push_results",
        specs=[table_spec("access_push_results", grid, group=GROUP, kinds={"iam", "raito"}, deps=["access_push_plan"])],
    )
    def access_push_results(
        context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], raito_jobs: dg.ResourceParam[RunJobs]
    ) -> Results:
        """Makes the planned changes in AWS, and tells Raito Cloud what came of each access control."""
        yield from _each_cell(context, services, "access_push_results", lambda push: push.apply(raito_jobs))

    return [access_controls, access_push_plan, access_push_results]


def _each_cell(
    context: dg.AssetExecutionContext, services: Services, table: str, work: Callable[[Push], None]
) -> Results:
    log = CellLog(context, services.store(context.run.run_id))
    for cell in log.cells("account"):
        reason = _why_not(services, table, cell)
        if reason is not None:
            log.out_of_scope(table, cell, reason)
            continue
        with log.attempt(table, cell):
            try:
                work(Push(log, services, cell))
            except (pushes.PlanOutdated, pushes.PushDenied) as error:
                log.fail(table, cell, str(error))
    yield from log.finish()


def _why_not(services: Services, table: str, cell: Cell) -> str | None:
    """Why `raito.yml` leaves a table out, or None where it is to be made."""
    off = pushes.switched_off(services.account(cell.account))
    if off is None and table == "access_push_results" and services.options.pipeline.mode == "plan":
        return _MODE
    return off
