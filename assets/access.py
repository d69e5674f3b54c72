"""Stage `access`: access points of each region, and access providers made of everything that IAM and S3 say."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
import pandas as pd

from raito_pipeline import partitions
from raito_pipeline.access import AccessInputs, build_access_providers
from raito_pipeline.aws.access_points import read_access_points
from raito_pipeline.config import AccountTarget
from raito_pipeline.dagster_support.cells import CellLog, Meter, markdown_table
from raito_pipeline.dagster_support.grid import Cell, Grid, cell_of
from raito_pipeline.dagster_support.guard import judge
from raito_pipeline.dagster_support.layers import (
    IAM_TABLES,
    ORGANIZATION_TABLES,
    access_needs,
    region_cells,
)
from raito_pipeline.dagster_support.makers import CellMaker
from raito_pipeline.dagster_support.specs import table_spec
from raito_pipeline.model import (
    AccessPoint,
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccountAssignment,
    OrgPermissionSet,
    S3Bucket,
)
from raito_pipeline.resources import Services
from raito_pipeline.storage import CellMissing, ReadStatus, Store
from raito_pipeline.target_settings import access_settings

GROUP = "access"
_MOST_REASONS = 10


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The access providers of an account, part of its last layer (`assets/last_layer.py`)."""
    deps: list[dg.AssetDep | str] = [
        *IAM_TABLES,
        "s3_buckets",
        dg.AssetDep("access_points", partition_mapping=grid.regions_to_account),
        *(dg.AssetDep(table, partition_mapping=grid.organization_to_account) for table in ORGANIZATION_TABLES),
    ]
    return [table_spec("access_providers", grid, group=GROUP, kinds={"iam", "s3"}, deps=deps)]


def make(log: CellLog, services: Services, grid: Grid, cell: Cell) -> None:
    """Work out who may do what from the stored tables, where the run selected it; AWS is not asked."""
    if log.wants("access_providers"):
        with log.attempt("access_providers", cell):
            _build(log, services, grid, cell)


def _build(log: CellLog, services: Services, grid: Grid, cell: Cell) -> None:
    target = services.account(cell.account)
    if target.skip_data_access_sync:
        log.out_of_scope("access_providers", cell, "skip-data-access-sync is on")
        return
    meter = Meter()
    read_at = datetime.now(UTC)
    verdict = judge(log.context.instance, log.store, access_needs(services.options, grid, log.store, cell.account))
    try:
        rows = build_access_providers(access_inputs(log.store, services, grid, cell.account), access_settings(target))
    except CellMissing as error:
        rows, verdict = _of_the_previous_sync(log.store, cell, error), verdict.but(f"it could not be built: {error}")
    info = log.store.write(
        "access_providers",
        rows,
        cell.account,
        status=ReadStatus.COMPLETE if verdict.complete else ReadStatus.PARTIAL,
        problems=verdict.reasons,
        read_at=read_at,
    )
    log.made(cell, info, {**meter.cost().metadata(), **incomplete_metadata(rows)})


def _of_the_previous_sync(store: Store, cell: Cell, error: CellMissing) -> tuple[AccessProvider, ...]:
    """The access providers as they were; raises `error`, which says what is missing, where they never were built."""
    if store.info("access_providers", cell.account) is None:
        raise error
    return tuple(store.rows(AccessProvider, cell.account))


def access_inputs(store: Store, services: Services, grid: Grid, account: str) -> AccessInputs:
    """The stored tables of an account and its organization.

    Raises `CellMissing` where IAM or the buckets were never read.
    """
    key = partitions.organization_of(services.options, account)
    place = None if key is None else cell_of("organization", key).place
    regions = [
        cell.region
        for cell in region_cells(services.options, grid, account)
        if cell.region is not None and store.info("access_points", account, cell.region) is not None
    ]
    linked = place is not None and store.info("org_permission_sets", *place) is not None
    return AccessInputs(
        account_id=services.account(account).account_id,
        users=tuple(store.rows(IamUser, account)),
        groups=tuple(store.rows(IamGroup, account)),
        roles=tuple(store.rows(IamRole, account)),
        policies=tuple(store.rows(IamPolicy, account)),
        attachments=tuple(store.rows(IamAttachment, account)),
        buckets=tuple(store.rows(S3Bucket, account)),
        access_points=tuple(row for region in regions for row in store.rows(AccessPoint, account, region)),
        permission_sets=tuple(store.rows(OrgPermissionSet, *place)) if linked and place else (),
        assignments=tuple(store.rows(OrgAccountAssignment, *place)) if linked and place else (),
    )


def incomplete_metadata(rows: Sequence[AccessProvider]) -> dict[str, dg.MetadataValue]:
    """How many access providers there are by type, how many are incomplete, and the most frequent reasons why."""
    reasons = Counter(reason for row in rows for reason in row.incomplete_reasons)
    frame = pd.DataFrame(reasons.most_common(_MOST_REASONS), columns=["reason", "times"])
    return {
        "by type": dg.MetadataValue.json(dict(sorted(Counter(row.type for row in rows).items()))),
        "incomplete": dg.MetadataValue.int(sum(row.incomplete for row in rows)),
        "most frequent reasons": dg.MetadataValue.md(markdown_table(frame) if reasons else "none"),
    }


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
    read = read_access_points(clients, target.account_id, cell.region, target.aws_concurrency, services.progress)
    log.store_read("access_points", cell, read, meter)


MAKERS = (CellMaker(("access_points",), _switched_off, _make),)
