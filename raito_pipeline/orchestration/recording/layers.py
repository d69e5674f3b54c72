"""The upstream check of a cell: which cells of other tables it is made of, by the declarations of the tables."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, upstream_tables
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.recording.guard import Need
from raito_pipeline.storage import Store

_ORGANIZATION_AGE = timedelta(hours=24)
"""How much older than the account the organization that it belongs to may be: each is synced by itself."""
_FIRST_TABLE = "s3_buckets"
"""of the first layer of an account: when it was read, the sync began"""


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


def upstream_needs(table: str, cell: Cell, options: Options, grid: Grid, store: Store) -> Iterator[Need]:
    """What must be complete before something may be removed because of what a cell of `table` says.

    That is every cell of the tables read from AWS that it is made of (`model.tables.upstream_tables`).
    """
    for upstream in upstream_tables(table):
        need = need_of(upstream, cell, options, grid, store)
        if need is not None:
            yield need


def need_of(upstream: str, cell: Cell, options: Options, grid: Grid, store: Store) -> Need | None:
    """The cells of the table `upstream` that a cell of another table is made of; None where there are none.

    Of a regional table these are all regions for the cell of an account, and the same region for that of a region. Of a
    table of the organization it is the cell of the organization that the account links, which may be 24 hours older.
    """
    by = TABLES[upstream].partitioned_by
    definition = grid.definition(by)
    if by == "account":
        may_be_partial = TABLES[upstream].may_be_partial
        return Need(upstream, [account_cell(cell.account)], definition, may_be_partial=may_be_partial)
    if by == "account_region":
        cells = [cell] if cell.region is not None else region_cells(options, grid, cell.account)
        return Need(upstream, cells, definition)
    if grid.organization.has_partition_key(cell.partition_key):
        return Need(upstream, [cell], definition)
    organization = partitions.organization_of(options, cell.account)
    if organization is None:
        return None
    oldest = _oldest_organization(store, cell.account)
    return Need(upstream, [cell_of("organization", organization)], definition, oldest, own_sync=True)


def _oldest_organization(store: Store, account: str) -> datetime | None:
    """When the organization of an account must have been read at the earliest; None before the account was read."""
    first = store.info(_FIRST_TABLE, account)
    return None if first is None else first.read_at - _ORGANIZATION_AGE
