"""Stage `data_objects`: buckets, folders and files, or Glue tables and columns."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg

from raito_pipeline.aws import glue, s3
from raito_pipeline.aws.s3_inventory import InventoryOf, inventories_of
from raito_pipeline.config import AccountTarget
from raito_pipeline.dagster_support.cells import CellLog, Meter, ReadRefused, Results
from raito_pipeline.dagster_support.grid import Cell, Grid
from raito_pipeline.dagster_support.makers import CellMaker
from raito_pipeline.dagster_support.specs import table_spec
from raito_pipeline.model import S3Bucket
from raito_pipeline.objects.glue import glue_objects
from raito_pipeline.objects.scan import write_s3_objects
from raito_pipeline.resources import Services
from raito_pipeline.storage import ReadStatus, Store
from raito_pipeline.target_settings import glue_settings, s3_settings, scan_settings

GROUP = "data_objects"


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The buckets of the account; the data objects themselves are regional (`assets/regional.py`)."""
    spec = table_spec("s3_buckets", grid, group=GROUP, kinds={"s3"})

    @dg.multi_asset(name="s3_buckets", specs=[spec], can_subset=False)
    def s3_buckets(context: dg.AssetExecutionContext, services: dg.ResourceParam[Services]) -> Results:
        """Reads the buckets of an account with their regions and tags."""
        log = CellLog(context, services.store(context.run.run_id))
        for cell in log.cells("account"):
            with log.attempt("s3_buckets", cell):
                target = services.account(cell.account)
                clients = services.aws(target)
                meter = Meter(clients)
                read = s3.read_buckets(
                    clients,
                    s3_settings(target),
                    earlier=_earlier(log.store, cell),
                    progress=services.progress,
                )
                log.store_read("s3_buckets", cell, read, meter)
        yield from log.finish()

    return [s3_buckets]


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The regional table of this stage."""
    deps = [dg.AssetDep("s3_buckets", partition_mapping=grid.regions_to_account)]
    return [table_spec("data_objects", grid, group=GROUP, kinds={"s3", "glue"}, deps=deps)]


def _switched_off(target: AccountTarget) -> str | None:
    # Usage statements point at data objects, so these are read for usage alone, too.
    return "skip-data-source-sync is on" if target.skip_data_source_sync and target.skip_data_usage_sync else None


def _make(log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    clients = services.aws(target)
    meter = Meter(clients)
    buckets = tuple(log.store.rows(S3Bucket, cell.account))
    assert cell.region is not None
    if target.aws_glue_enabled:
        read = glue.read_tables(clients, cell.region, glue_settings(target), services.progress)
        log.require(read)
        rows, found = glue_objects(read.rows, target.account_id, cell.region, buckets)
        info = log.store.write(
            "data_objects", rows, *cell.place, status=read.status, problems=read.problems, read_at=read.read_at
        )
        log.made(cell, info, {**meter.cost().metadata(), "found": asdict(found)})
        return
    inventories = _inventories(services, target, cell.region, buckets)
    with log.store.writer("data_objects", *cell.place) as writer:
        report = write_s3_objects(
            writer,
            s3.S3Keys(clients, cell.region),
            target.account_id,
            cell.region,
            buckets,
            scan_settings(target),
            services.progress,
            inventories,
        )
        if report.buckets and report.refused == report.buckets:
            # Leaving the writer by an error keeps the cell of the last sync.
            raise ReadRefused(ReadStatus.DENIED, writer.problems)
    assert writer.info is not None
    told: dict[str, Any] = {"found": asdict(report)}
    if inventories:
        told["inventories made at"] = {name: str(one.created or "not read") for name, one in inventories.items()}
    log.made(cell, writer.info, {**meter.cost().metadata(), **told})


def _inventories(
    services: Services, target: AccountTarget, region: str, buckets: Sequence[S3Bucket]
) -> dict[str, InventoryOf]:
    """The inventories that are read in place of listing buckets of the region."""
    regions = {bucket.name: bucket.region for bucket in buckets if bucket.region}
    wanted = [pair for pair in services.options.pipeline.s3_inventory if regions.get(pair[0]) == region]
    return inventories_of(services.aws(target), wanted, lambda holder: regions.get(holder, region))


MAKERS = (CellMaker(("data_objects",), _switched_off, _make),)


def _earlier(store: Store, cell: Cell) -> tuple[S3Bucket, ...]:
    return tuple(store.rows(S3Bucket, cell.account)) if store.info("s3_buckets", cell.account) else ()
