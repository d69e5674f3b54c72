"""The regional tables of all stages, in one step.

A run makes all regions of an account. In one step for all tables, a cell that fails stops neither the other regions
nor the tables after it: Dagster would skip every step downstream of one that failed. The stages themselves are in
`data_objects`, `access` and `cloudtrail_usage`.
"""

from collections.abc import Sequence

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.orchestration.partitioning import gone, partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.makers import CellMaker
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun
from raito_pipeline.storage import CellUnusable

from . import access, cloudtrail_usage, data_objects


def build(grid: Grid, options: Options) -> list[dg.AssetsDefinition]:
    """Data objects, access points and usage of the regions of an account.

    Raises `ValueError` for a table of one of the stages that none of their makers makes.
    """
    specs = [*data_objects.specs(grid), *access.regional_specs(grid), *cloudtrail_usage.specs(grid)]
    # Data objects of all regions come before any usage: a statement needs to know what it may point at.
    makers = [*data_objects.makers(grid), *access.MAKERS, *cloudtrail_usage.makers(grid)]
    _require_makers(specs, makers)

    @step(grid.naming, specs, name="regional", backfill_policy=dg.BackfillPolicy.single_run())
    def regional(context: dg.AssetExecutionContext, services: Services, sync_run: SyncRun) -> Results:
        """Reads what an account holds in each of its regions."""
        log = sync_run.log(context)
        for maker in makers:
            tables = [table for table in maker.tables if log.wants(table)]
            for cell in log.cells("account_region") if tables else []:
                reason = _why_not(options, services, maker, cell)
                with log.attempt(cell, *maker.tables):
                    kept = gone.kept(options, log.store, cell.account, cell.region or "") if reason else None
                    if kept is not None:  # its tables stay until an import has removed what they hold
                        log.keep(cell, kept, *tables)
                        continue
                    for table in tables if reason else []:
                        log.out_of_scope(table, cell, reason or "")
                    if reason is None:
                        _make(log, services, maker, cell)
        yield from log.finish()

    return [regional]


def _require_makers(specs: Sequence[dg.AssetSpec], makers: Sequence[CellMaker]) -> None:
    made = {table for maker in makers for table in maker.tables}
    forgotten = [spec.key.to_user_string() for spec in specs if spec.key.to_user_string() not in made]
    if forgotten:
        raise ValueError(f"no CellMaker makes the table {forgotten[0]}: add one to the makers of its stage in assets/")


def _make(log: CellLog, services: Services, maker: CellMaker, cell: Cell) -> None:
    """Make a cell; where what the previous sync stored of these very tables is damaged, as if there had been none."""
    try:
        maker.make(log, services, cell)
    except CellUnusable as error:
        if error.table not in maker.tables:
            raise
        log.context.log.warning(str(error))
        maker.make(log, services, cell)


def _why_not(options: Options, services: Services, maker: CellMaker, cell: Cell) -> str | None:
    """Why `raito.yml` leaves a cell out, or None where it is to be made."""
    if cell.region is None or not partitions.in_scope(options, cell.account, cell.region):
        return f"aws-regions of {cell.account} does not name {cell.region}"
    return maker.switched_off(services.account(cell.account))
