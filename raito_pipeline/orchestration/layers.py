"""The layers of a sync: which tables one run materializes together, and what the uploads need of them."""

from collections.abc import Iterator
from datetime import timedelta

from raito_pipeline.config import Options
from raito_pipeline.orchestration import partitions
from raito_pipeline.orchestration.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.guard import Need
from raito_pipeline.storage import Store

ORGANIZATION_TABLES = ("org_users", "org_groups", "org_permission_sets", "org_account_assignments")
ORGANIZATION = (*ORGANIZATION_TABLES, "org_identity_store_import")
IAM_TABLES = ("iam_users", "iam_groups", "iam_roles", "iam_policies", "iam_attachments")
ROOTS = (*IAM_TABLES, "s3_buckets")
REGIONAL = ("data_objects", "access_points", "cloudtrail_files", "usage_statements")
FINAL = (
    "access_providers",
    "identity_store_import",
    "data_source_import",
    "access_controls",
    "access_push_plan",
    "access_push_results",
    "access_provider_import",
    "data_usage_import",
)

ORGANIZATION_MAY_BE_OLDER = timedelta(hours=24)
"""How much older than the account the organization that it belongs to may be: each is synced by itself."""


def account_cell(account: str) -> Cell:
    """The cell of an account in a table that has no regions."""
    return cell_of("account", account)


def region_cells(options: Options, grid: Grid, account: str) -> list[Cell]:
    """The cells of the regions that `raito.yml` asks for in an account."""
    return [
        cell
        for cell in (cell_of("account_region", key) for key in grid.regional_keys(account))
        if cell.region is not None and partitions.in_scope(options, account, cell.region)
    ]


def identity_needs(grid: Grid, account: str) -> Iterator[Need]:
    """What the import of the IAM users and groups stands on."""
    for table in ("iam_users", "iam_groups"):
        yield Need(table, [account_cell(account)], grid.account)


def data_object_needs(options: Options, grid: Grid, account: str) -> Iterator[Need]:
    """What the import of the data objects stands on: the buckets, and every region."""
    yield Need("s3_buckets", [account_cell(account)], grid.account)
    yield Need("data_objects", region_cells(options, grid, account), grid.account_region)


def access_needs(options: Options, grid: Grid, store: Store, account: str) -> Iterator[Need]:
    """What the import of the access providers stands on: IAM, buckets, access points of every region, organization."""
    for table in (*IAM_TABLES, "s3_buckets"):
        yield Need(table, [account_cell(account)], grid.account)
    yield Need("access_points", region_cells(options, grid, account), grid.account_region)
    organization = partitions.organization_of(options, account)
    if organization is not None:
        buckets = store.info("s3_buckets", account)
        oldest = buckets.read_at - ORGANIZATION_MAY_BE_OLDER if buckets else None
        cell = cell_of("organization", organization)
        for table in ORGANIZATION_TABLES:
            yield Need(table, [cell], grid.organization, oldest, own_sync=True)


def organization_needs(grid: Grid, key: str) -> Iterator[Need]:
    """What the import of the people of an organization stands on."""
    for table in ("org_users", "org_groups"):
        yield Need(table, [cell_of("organization", key)], grid.organization)
