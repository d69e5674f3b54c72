"""Stage `access_push`: access controls granted in Raito Cloud are exported, planned and made in AWS."""

from collections.abc import Callable, Mapping
from functools import partial

import dagster as dg

from raito_pipeline.orchestration import pushes
from raito_pipeline.orchestration.cells import CellLog
from raito_pipeline.orchestration.grid import Cell, Grid
from raito_pipeline.orchestration.layers import IAM_TABLES
from raito_pipeline.orchestration.pushes import Push
from raito_pipeline.orchestration.raito_jobs import RunJobs
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.specs import table_spec

GROUP = "access_push"
_MODE = "pipeline: mode is plan, so nothing is changed in AWS"


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The export, the plan and the results: whoever wants to see the plan first stops after it."""
    return [
        # Raito Cloud calculates access controls from what was imported: asked for earlier, the push is of yesterday.
        table_spec(
            "access_controls", grid, group=GROUP, kinds={"raito"}, deps=["identity_store_import", "data_source_import"]
        ),
        table_spec("access_push_plan", grid, group=GROUP, kinds={"iam"}, deps=["access_controls", *IAM_TABLES]),
        table_spec("access_push_results", grid, group=GROUP, kinds={"iam", "raito"}, deps=["access_push_plan"]),
    ]


def make(log: CellLog, services: Services, jobs: RunJobs, grid: Grid, cell: Cell) -> None:
    """Export, plan and push, as far as the run selected them; after one that failed, the others are not tried."""
    work: Mapping[str, Callable[[Push], None]] = {
        "access_controls": lambda push: push.export(jobs),
        "access_push_plan": lambda push: push.plan(grid),
        "access_push_results": lambda push: push.apply(jobs),
    }
    failed = ""
    for table in (table for table in work if log.wants(table)):
        reason = _why_not(services, table, cell)
        if reason is not None:
            log.out_of_scope(table, cell, reason)
        elif failed:
            log.fail(table, cell, f"not tried, because {failed} failed")
        elif not _done(log, table, cell, partial(work[table], Push(log, services, cell))):
            failed = table


def _done(log: CellLog, table: str, cell: Cell, work: Callable[[], None]) -> bool:
    """Do one step of the push; false where it failed, which was noted."""
    before = len(log.failures)
    with log.attempt(table, cell):
        try:
            work()
        except (pushes.PlanOutdated, pushes.PushDenied) as error:
            log.fail(table, cell, str(error))
    return len(log.failures) == before


def _why_not(services: Services, table: str, cell: Cell) -> str | None:
    """Why `raito.yml` leaves a table out, or None where it is to be made."""
    off = pushes.switched_off(services.account(cell.account))
    if off is None and table == "access_push_results" and services.options.pipeline.mode == "plan":
        return _MODE
    return off
