"""Stage `cloudtrail_usage`: which CloudTrail log files were read, and the usage statements that they gave."""

import json
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg

from raito_pipeline.aws.data_objects.unread import UNREAD_BUCKETS
from raito_pipeline.aws.readers.cloudtrail import CloudTrailLogs
from raito_pipeline.aws.usage.earlier import known_layouts
from raito_pipeline.aws.usage.known import KnownObjects, regions_of_buckets
from raito_pipeline.aws.usage.reading import read_usage
from raito_pipeline.aws.usage.report import Incomplete, UsageReport
from raito_pipeline.aws.usage.statements import UsagePlace
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import OrgUser, S3Bucket
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.partitioning.partitions import organization_of
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import Need, judge
from raito_pipeline.orchestration.recording.layers import account_cell
from raito_pipeline.orchestration.recording.makers import CellMaker
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.usage_window import usage_window
from raito_pipeline.storage import CellInfo, Store

GROUP = "cloudtrail_usage"
TABLES = ("cloudtrail_files", "usage_statements")


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The regional tables of this stage."""
    return [table_spec(table, grid, group=GROUP, kinds={"cloudtrail", "s3"}) for table in TABLES]


def _switched_off(target: AccountTarget) -> str | None:
    if target.skip_data_usage_sync:
        return "skip-data-usage-sync is on"
    return None if target.aws_s3_cloudtrail_bucket else "aws-s3-cloudtrail-bucket is not set"


def _make(grid: Grid, log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    services.require_logs(target)
    clients = services.aws(target)
    meter = Meter(clients)
    assert cell.region is not None
    assert target.aws_s3_cloudtrail_bucket is not None
    incomplete = _incomplete(log, grid, target, cell)
    regions = {row.name: row.region for row in log.store.rows(S3Bucket, cell.account) if row.region is not None}
    logs = CloudTrailLogs(
        clients,
        target.aws_s3_cloudtrail_bucket,
        regions.get(target.aws_s3_cloudtrail_bucket, cell.region),
        target.account_id,
        cell.region,
        known_layouts(log.store, cell.account, cell.region),
        log.folder_searches,
    )
    # A catalog of Glue may name buckets of other regions than its own, which need not have any bucket. Those of other
    # accounts have the region of the catalog in their names, wherever they are.
    catalogs = target.regions if target.aws_glue_enabled else ()
    named = regions_of_buckets(log.store, cell.account, [cell.region, *catalogs] if catalogs else ())
    place = UsagePlace(target.account_id, cell.region, _people(log.store, services, cell), {**named, **regions})
    known = KnownObjects.load(log.store, cell.account, sorted({*regions.values(), *catalogs}), target.aws_partition)
    report = read_usage(
        log.store,
        logs,
        cell.account,
        cell.region,
        known,
        place,
        target,
        services.options.pipeline,
        incomplete=incomplete,
        usage_last_used=_last_used(log.store, services, cell),
        progress=services.progress,
    )
    for table in TABLES:
        info = _written_or_confirmed(log.store, table, cell)
        log.record(cell, info, {**meter.cost().metadata(), **_metadata(report, info)})


def _written_or_confirmed(store: Store, table: str, cell: Cell) -> CellInfo:
    """What is known of a cell that this run wrote or, where no log file gave anything new, left as it was.

    The latter is confirmed, so that it counts as of this sync.
    """
    info = store.info(table, *cell.place)
    if info is not None and info.run_id == store.run_id:
        return info
    files = store.info("cloudtrail_files", *cell.place)
    return store.confirm(table, *cell.place, read_at=files.read_at if files else None)


def _incomplete(log: CellLog, grid: Grid, target: AccountTarget, cell: Cell) -> Incomplete:
    """Which data objects may exist without being known: those that this sync did not read.

    Raises `CellMissing` where they were never read: every statement would be dropped, and its file never be read again.
    """
    log.store.require("data_objects", *cell.place)
    objects = log.store.info("data_objects", *cell.place)
    buckets = log.store.info("s3_buckets", cell.account)
    needs = [
        Need("s3_buckets", [account_cell(cell.account)], grid.account),
        Need("data_objects", [cell], grid.account_region),
    ]
    # What this very run reads is of this sync, and Dagster knows it only as begun.
    now = objects is not None and objects.run_id == log.context.run.run_id
    upstream = judge(log.attempts, log.store, needs[:1] if now else needs)
    if upstream.complete and objects and objects.complete and not _unread_catalog(log.store, target, cell):
        return Incomplete()
    of_this_sync = now and buckets is not None and buckets.sync == log.store.sync
    if not of_this_sync or objects is None or target.aws_glue_enabled or UNREAD_BUCKETS not in objects.extra:
        return Incomplete(whole=True)
    return Incomplete(frozenset(json.loads(objects.extra[UNREAD_BUCKETS])))


def _unread_catalog(store: Store, target: AccountTarget, cell: Cell) -> bool:
    """Whether a catalog of Glue was never read: those of other regions may have tables on the buckets of this one."""
    return target.aws_glue_enabled and any(
        store.info("data_objects", cell.account, region) is None for region in target.regions
    )


def _people(store: Store, services: Services, cell: Cell) -> dict[str, str]:
    """The users of Identity Center by id, as the last sync of the organization found them."""
    key = organization_of(services.options, cell.account)
    place = None if key is None else cell_of("organization", key).place
    if place is None or store.info("org_users", *place) is None:
        return {}
    return {row.user_id: row.user_name for row in store.rows(OrgUser, *place)}


def _last_used(store: Store, services: Services, cell: Cell) -> datetime | None:
    """Until when usage is known: the last reading of this cell or, before the first, what Raito Cloud has."""
    info = store.info("cloudtrail_files", *cell.place)
    if info is not None and info.status.value != "out_of_scope":
        return info.read_at
    target = services.account(cell.account)
    return usage_window(services.raito(target), target.data_source_id).last_used if target.data_source_id else None


def _metadata(report: UsageReport, info: CellInfo) -> dict[str, Any]:
    gaps = [f"- {day}" for day in report.gaps]
    counts = {name: value for name, value in asdict(report).items() if name not in ("skipped", "gaps", "problems")}
    return {
        "found": counts,
        "records without statement": dict(report.skipped),
        "days without log file": dg.MetadataValue.md("\n".join(gaps) or "none"),
        "complete": info.status.value,
    }


def makers(grid: Grid) -> tuple[CellMaker, ...]:
    """How the regional cells of this stage are made."""
    return (CellMaker(TABLES, _switched_off, partial(_make, grid)),)
