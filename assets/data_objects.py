"""Stage `data_objects`: buckets, folders and files, or Glue tables and columns."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import dagster as dg
import pyarrow as pa

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied
from raito_pipeline.aws.data_objects.glue import access_point_regions, glue_objects
from raito_pipeline.aws.data_objects.marks import PAGE_MARKS
from raito_pipeline.aws.data_objects.misspelt import misspelt_of
from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.data_objects.unread import UNREAD_BUCKETS, keep_others_of_catalog, tables_of
from raito_pipeline.aws.readers import glue, s3
from raito_pipeline.aws.readers.access_points import access_point_buckets
from raito_pipeline.aws.readers.bucket_policies import read_bucket_policies
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.aws.readers.s3_inventory import InventoryOf, inventories_of
from raito_pipeline.aws.readers.s3_objects import write_s3_objects
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import DataObject, S3Bucket, S3BucketPolicy
from raito_pipeline.model.batches import texts
from raito_pipeline.model.glue import FEDERATED, GlueTable, from_json, to_json
from raito_pipeline.orchestration.partitioning import gone
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.partitioning.partitions import regions_of_part
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.failure_policy import ReadRefused
from raito_pipeline.orchestration.recording.guard import judge
from raito_pipeline.orchestration.recording.layers import upstream_needs
from raito_pipeline.orchestration.recording.makers import CellMaker
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.recording.subtree_cells import write_rows_outside
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun
from raito_pipeline.storage import CellMissing, CellWriter, ReadStatus, Store

GROUP = "data_objects"


_BUCKETS, _POLICIES = "s3_buckets", "s3_bucket_policies"


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The buckets of the account and their policies; the data objects are regional (`assets/regional.py`).

    In one step, so that policies are read where the buckets are those of the previous sync, too.
    """
    specs = [table_spec(table, grid, group=GROUP, kinds={"s3"}) for table in (_BUCKETS, _POLICIES)]

    @step(grid.naming, specs, name=_BUCKETS)
    def s3_buckets(context: dg.AssetExecutionContext, services: Services, sync_run: SyncRun) -> Results:
        """Reads the buckets of an account with their regions, tags and policies."""
        log = sync_run.log(context)
        for cell in log.cells("account"):
            if log.wants(_BUCKETS):
                with log.attempt(cell, _BUCKETS):
                    _read_buckets(log, services, cell)
            if log.wants(_POLICIES):
                with log.attempt(cell, _POLICIES):
                    _read_policies(log, services, cell)
        yield from log.finish()

    return [s3_buckets]


def _read_buckets(log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    clients = services.aws(target)
    meter = Meter(clients)
    earlier = log.store.earlier(S3Bucket, cell.account)
    read = s3.read_buckets(clients, target, earlier=earlier, progress=services.progress)
    log.store_read(_BUCKETS, cell, read, meter)
    for name, like in _misspelt_inventories(services, log, cell, {row.name for row in read.rows}).items():
        log.context.log.warning(
            f"pipeline: s3-inventory names bucket {name}, which no account of the file has: {cell.label} has {like}. "
            f"Buckets are listed where no inventory is named for them"
        )


def _misspelt_inventories(services: Services, log: CellLog, cell: Cell, names: Collection[str]) -> dict[str, str]:
    """Buckets of `s3-inventory` that no account has, and the one here that is meant.

    Other accounts are looked at only where there may be one, and none is said before the buckets of all are known.
    """
    named = {bucket for bucket, _ in services.options.pipeline.s3_inventory}
    misspelt = misspelt_of(named.difference(names), names)
    for account in services.options.accounts if misspelt else ():
        if account.partition == cell.account:
            continue
        try:
            for row in log.store.rows(S3Bucket, account.partition):
                misspelt.pop(row.name, None)
        except CellMissing:
            return {}
        if not misspelt:
            break
    return misspelt


def _read_policies(log: CellLog, services: Services, cell: Cell) -> None:
    """Read the policies of the buckets that are stored by now."""
    target = services.account(cell.account)
    reason = _why_no_policies(services, target)
    if reason is not None:
        log.out_of_scope(_POLICIES, cell, reason)
        return
    clients = services.aws(target)
    meter = Meter(clients)
    read = read_bucket_policies(
        clients,
        target.account_id,
        gone.with_gone_regions(services.options, log.store, target),
        tuple(log.store.rows(S3Bucket, cell.account)),
        earlier=log.store.earlier(S3BucketPolicy, cell.account),
        progress=services.progress,
    )
    log.store_read(_POLICIES, cell, read, meter)


def _why_no_policies(services: Services, target: AccountTarget) -> str | None:
    if target.skip_data_access_sync:
        return "skip-data-access-sync is on"
    return None if services.options.pipeline.reads_bucket_policies else "bucket-policies is off"


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The regional table of this stage."""
    return [table_spec("data_objects", grid, group=GROUP, kinds={"s3", "glue"})]


def _switched_off(target: AccountTarget) -> str | None:
    # Usage statements point at data objects, so these are read for usage alone, too.
    return "skip-data-source-sync is on" if target.skip_data_source_sync and target.skip_data_usage_sync else None


def _make(grid: Grid, log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    subtree = Subtree.from_tags(log.context.run.tags)
    if subtree is not None and cell.region not in regions_of_part(target, subtree.place):
        log.fail(cell, f"{subtree.parent} is not in this partition", "data_objects")
        return
    assert cell.region is not None
    clients = services.aws(target)
    meter = Meter(clients)
    buckets = tuple(log.store.rows(S3Bucket, cell.account))
    with log.store.writer("data_objects", *cell.place) as writer:
        if subtree is not None:
            write_rows_outside(writer, log.store, cell.place, subtree)
        else:
            needs = upstream_needs("data_objects", cell, services.options, grid, log.store)
            for reason in judge(log.attempts, log.store, needs).reasons:
                writer.add_problem(reason)
        reading = _Reading(services, target, clients, cell.region, buckets, writer, subtree, log.store, cell)
        metadata = _read_glue(reading) if target.aws_glue_enabled else _read_s3(reading)
    assert writer.info is not None
    log.record(cell, writer.info, {**meter.cost().metadata(), **metadata})


@dataclass(frozen=True)
class _Reading:
    """What both ways of reading the data objects of a region work with."""

    services: Services
    target: AccountTarget
    clients: AwsClients
    region: str
    buckets: Sequence[S3Bucket]
    writer: CellWriter
    subtree: Subtree | None
    store: Store
    cell: Cell

    def previous(self) -> Iterator[pa.RecordBatch]:
        """The rows of the previous sync, streamed; none where the cell was never read."""
        if self.store.info("data_objects", *self.cell.place) is not None:
            yield from self.store.batches("data_objects", *self.cell.place)

    def extra(self, name: str) -> str:
        """What the previous sync noted beside the rows of this cell; empty where it did not."""
        info = self.store.info("data_objects", *self.cell.place)
        return "" if info is None else info.extra.get(name, "")

    def kept(self, rows: int) -> None:
        """Note in the cell that rows of the previous sync were written."""
        info = self.store.info("data_objects", *self.cell.place) if rows else None
        if info is not None:
            self.writer.add_problem(
                f"{rows} data objects of what could not be read are those of the previous sync "
                f"({info.read_at:%Y-%m-%d %H:%M})"
            )


def _read_glue(reading: _Reading) -> dict[str, Any]:
    target, region, writer, subtree = reading.target, reading.region, reading.writer, reading.subtree
    catalog = glue.read_catalog(
        reading.clients,
        region,
        target,
        account_id=target.account_id,
        earlier=from_json(reading.extra(FEDERATED)),
        progress=reading.services.progress,
    )
    read = catalog.tables
    points = _access_points(reading, read)
    in_part = read.status is ReadStatus.PARTIAL or points is None
    before = tables_of(reading.previous()) if in_part else ()
    rows, counts = glue_objects(read.rows, target.account_id, region, reading.buckets, points, before)
    above = _new_above(reading, rows)
    writer.write_rows(row for row in rows if subtree is None or subtree.holds(row) or row.full_name in above)
    for problem in read.problems:
        writer.add_problem(problem)
    if in_part:
        given = (row.full_name for row in rows)
        reading.kept(keep_others_of_catalog(writer, reading.previous(), given, subtree))
    if catalog.federated:
        writer.extra[FEDERATED] = to_json(catalog.federated)
    if catalog.notes:
        writer.extra["warnings"] = json.dumps(catalog.notes)
    if subtree is None:
        writer.read_at = read.read_at
    return {"found": asdict(counts)}


def _new_above(reading: _Reading, rows: Sequence[DataObject]) -> set[str]:
    """What the part that is read lies in, as far as this catalog has it for the first time: the cell lacks it."""
    if reading.subtree is None:
        return set()
    above = {row.full_name for row in rows if reading.subtree.lies_in(row.full_name)}
    return above.difference(*(texts(batch, "full_name") for batch in reading.previous()))


def _access_points(reading: _Reading, read: Read[GlueTable]) -> dict[str, str] | None:
    """The buckets behind the access points that tables name as their location; asked only where one does.

    Null where they may not be listed, which is a problem of the cell.
    """
    account = reading.target.account_id
    regions = access_point_regions(read.rows, account, reading.region)
    try:
        return access_point_buckets(reading.clients, account, regions)
    except AwsDenied as denied:
        reading.writer.add_problem(f"tables whose location is an access point are not known: {denied}")
        return None


def _read_s3(reading: _Reading) -> dict[str, Any]:
    inventories = _inventories(reading)
    report = write_s3_objects(
        reading.writer,
        s3.S3Keys(reading.clients, reading.region),
        reading.target.account_id,
        reading.region,
        reading.buckets,
        reading.target,
        reading.subtree,
        reading.services.progress,
        inventories,
        reading.previous(),
        reading.extra(PAGE_MARKS),
    )
    if report.buckets and report.refused == report.buckets:
        # Leaving the writer by an error keeps the cell of the last sync.
        raise ReadRefused(ReadStatus.DENIED, reading.writer.problems)
    reading.kept(report.kept)
    known = json.loads(reading.writer.extra.get(UNREAD_BUCKETS, "[]"))
    reading.writer.extra[UNREAD_BUCKETS] = json.dumps(sorted({*known, *report.unread}))
    made_at = {name: str(one.created or "not read") for name, one in inventories.items()}
    return {"found": asdict(report), **({"inventories made at": made_at} if made_at else {})}


def _inventories(reading: _Reading) -> dict[str, InventoryOf]:
    """The inventories that are read in place of listing buckets of the region."""
    region, regions = reading.region, {bucket.name: bucket.region for bucket in reading.buckets if bucket.region}
    wanted = [pair for pair in reading.services.options.pipeline.s3_inventory if regions.get(pair[0]) == region]
    return inventories_of(reading.clients, wanted, lambda holder: regions.get(holder, region))


def makers(grid: Grid) -> tuple[CellMaker, ...]:
    """How the regional cells of this stage are made."""
    return (CellMaker(("data_objects",), _switched_off, partial(_make, grid)),)
