"""Which cells stand behind a cell: by the declarations of the tables, and by what `raito.yml` says of the account."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Outside, upstream_tables
from raito_pipeline.orchestration.partitioning.grid import cell_of, make_grid
from raito_pipeline.orchestration.recording.layers import account_cell, need_of, region_cells, upstream_needs
from raito_pipeline.storage import Store
from tests.orchestration.conftest import Loads, account_ids

(ACCOUNT,) = account_ids(1)
ORGANIZATION = "999988887777_eu-west-1"
READ = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def options(loads: Loads) -> Options:
    """One account with two regions, linked to an organization."""
    return loads(accounts=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Nothing is stored."""
    return Store.open(tmp_path / "data", "run", "sync")


def test_an_account_stands_on_all_its_regions_and_its_organization(options: Options, store: Store) -> None:
    grid = make_grid(options)

    needs = {
        need.table: [cell.label for cell in need.cells]
        for need in upstream_needs("access_provider_import", account_cell(ACCOUNT), options, grid, store)
    }

    assert set(needs) == set(upstream_tables("access_providers"))
    assert needs["iam_roles"] == [ACCOUNT]
    assert needs["access_points"] == [f"{ACCOUNT}/eu-west-1", f"{ACCOUNT}/us-east-1"]
    assert needs["org_users"] == ["999988887777/eu-west-1"]


def test_a_region_stands_on_the_same_region_and_on_its_account(options: Options, store: Store) -> None:
    grid, cell = make_grid(options), cell_of("account_region", f"{ACCOUNT}|us-east-1")

    needs = {
        need.table: [found.label for found in need.cells]
        for need in upstream_needs("usage_statements", cell, options, grid, store)
    }

    assert needs["data_objects"] == [f"{ACCOUNT}/us-east-1"]
    assert needs["s3_buckets"] == [ACCOUNT]


def test_an_organization_may_be_a_day_older_than_its_account_and_is_judged_by_its_own_sync(
    options: Options, store: Store
) -> None:
    grid = make_grid(options)
    before = need_of("org_users", account_cell(ACCOUNT), options, grid, store)
    store.write("s3_buckets", (), ACCOUNT, read_at=READ)
    after = need_of("org_users", account_cell(ACCOUNT), options, grid, store)
    own = need_of("org_users", cell_of("organization", ORGANIZATION), options, grid, store)

    assert before is not None
    assert after is not None
    assert own is not None
    assert (before.since, before.own_sync) == (None, True)
    assert (after.since, after.own_sync) == (READ - timedelta(days=1), True)
    # Within its own sync it must be of that sync.
    assert (own.since, own.own_sync) == (None, False)
    assert [cell.partition_key for cell in own.cells] == [ORGANIZATION]


def test_an_account_without_organization_stands_on_none(options: Options, store: Store) -> None:
    alone = options.model_copy(
        update={"accounts": tuple(t.model_copy(update={"organization": None}) for t in options.accounts)}
    )
    needs = upstream_needs("access_providers", account_cell(ACCOUNT), alone, make_grid(alone), store)

    assert not {need.table for need in needs} & set(Outside.AWS_IDENTITY_CENTER.feeds)


def test_only_regions_of_the_account_count(loads: Loads) -> None:
    options = loads(accounts=2)
    first, second = options.accounts
    one_region = second.model_copy(update={"regions": ("eu-west-1",)})
    fewer = options.model_copy(update={"accounts": (first, one_region)})

    cells = region_cells(fewer, make_grid(fewer), second.partition)

    assert [cell.region for cell in cells] == ["eu-west-1"]


@pytest.mark.parametrize("table", list(TABLES))
def test_every_table_can_be_asked_what_stands_behind_its_cells(table: str, options: Options, store: Store) -> None:
    grid = make_grid(options)
    keys = {"account": ACCOUNT, "account_region": f"{ACCOUNT}|eu-west-1", "organization": ORGANIZATION}
    by = TABLES[table].partitioned_by

    needs = list(upstream_needs(table, cell_of(by, keys[by]), options, grid, store))

    assert [need.table for need in needs] == list(upstream_tables(table))
    for need in needs:
        assert need.cells
        assert all(need.definition.has_partition_key(cell.partition_key) for cell in need.cells)
