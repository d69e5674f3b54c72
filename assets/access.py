"""Stage `access`: access points of each region, and access providers made of everything that IAM and S3 say."""

import dagster as dg

from raito_pipeline.aws.access_points import read_access_points
from raito_pipeline.config import AccountTarget
from raito_pipeline.dagster_support.cells import CellLog, Meter
from raito_pipeline.dagster_support.grid import Cell, Grid
from raito_pipeline.dagster_support.layers import IAM_TABLES
from raito_pipeline.dagster_support.makers import CellMaker
from raito_pipeline.dagster_support.specs import table_spec
from raito_pipeline.resources import Services

GROUP = "access"


def regional_specs(grid: Grid) -> list[dg.AssetSpec]:
    """The regional table of this stage."""
    deps = [dg.AssetDep("s3_buckets", partition_mapping=grid.regions_to_account)]
    return [table_spec("access_points", grid, group=GROUP, kinds={"s3"}, deps=deps)]


def _switched_off(target: AccountTarget) -> str | None:
    if target.skip_data_access_sync:
        return "skip-data-access-sync is on"
    return "aws-access-skip-s3-access-points is on" if target.aws_access_skip_s3_access_points else None


def _make(log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    clients = services.aws(target)
    meter = Meter(clients)
    assert cell.region is not None
    read = read_access_points(
        clients, target.account_id, cell.region, target.aws_concurrency, services.progress
    )
    log.store_read("access_points", cell, read, meter)


MAKERS = (CellMaker(("access_points",), _switched_off, _make),)
