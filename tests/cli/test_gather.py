"""What a sync stored of a place, out of the tables: its own cells and rows, and those of no other sync."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.cli.gather import gather, places_of
from raito_pipeline.cli.summary import Stored
from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, AccessProvider, ImportResult, PushResult, PushTarget
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.storage import Store
from tests.model.test_schema import example_row
from tests.orchestration.conftest import FIRST, loads

__all__ = ["loads"]
ACCOUNT = str(FIRST)


@pytest.fixture
def options(loads: Any) -> Options:
    options: Options = loads(accounts=1)
    return options


def collected(
    options: Options, tables: Iterable[str], sync: str = "s1", run: str = "run-1", so_far: Stored | None = None
) -> Stored:
    place = next(each for each in places_of(options) if each.key == ACCOUNT)
    return gather(Store.open(options.pipeline.storage), options, place, (sync, run), tables, so_far)


def store(options: Options, sync: str = "s1", run: str = "run-1") -> Store:
    return Store.open(options.pipeline.storage, run, sync)


def test_places_are_organizations_then_accounts_with_the_rights_that_they_need(options: Options) -> None:
    organization, account = places_of(options)
    assert (organization.organization, account.organization) == (True, False)
    assert (account.key, account.target, account.id) == (ACCOUNT, "account-0", ACCOUNT)
    assert ("s3:ListAllMyBuckets", "*") in account.least
    assert any(action == "sso:ListInstances" for action, _ in organization.least)


def test_cells_of_other_syncs_do_not_count_and_those_of_the_run_do(options: Options) -> None:
    store(options).write("iam_users", [], ACCOUNT)
    store(options, "s0", "run-0").write("iam_groups", [], ACCOUNT)
    store(options, "s0", "run-1").write("iam_roles", [], ACCOUNT)

    found = collected(options, ["iam_users", "iam_groups", "iam_roles", "iam_policies"])

    assert [cell.table for cell in found.cells] == ["iam_users", "iam_roles"]


def test_regions_are_those_of_the_target(options: Options) -> None:
    for region in ("eu-west-1", "us-east-1", "ap-south-1"):
        store(options).write("data_objects", [], ACCOUNT, region)
    assert [cell.region for cell in collected(options, ["data_objects"]).cells] == ["eu-west-1", "us-east-1"]


def test_rows_that_a_summary_counts_are_read_with_their_cells(options: Options) -> None:
    place, tables = (
        cell_of("account", ACCOUNT).account,
        ("data_source_import", "access_providers", "access_push_targets", "access_push_results"),
    )
    whole = replace(example_row(AccessProvider, null=True), external_id="a", incomplete=False)
    rows: dict[str, list[Any]] = {
        "data_source_import": [example_row(ImportResult, null=True)],
        "access_providers": [whole, replace(whole, external_id="b", incomplete=True)],
        "access_push_targets": [example_row(PushTarget, null=True)],
        "access_push_results": [example_row(PushResult, null=True)],
    }
    for table in tables:
        store(options).write(table, rows[table], place)

    found = collected(options, tables)

    assert found.imports == (("data_source_import", rows["data_source_import"][0]),)
    assert (found.access_providers, found.incomplete) == (2, 1)
    assert (len(found.push_targets), len(found.push_results)) == (1, 1)


def test_layers_add_to_one_another(options: Options) -> None:
    for table in ("iam_users", "s3_buckets"):
        store(options).write(table, [], ACCOUNT)
    first = collected(options, ["iam_users"])
    both = collected(options, ["s3_buckets"], so_far=first)
    assert [cell.table for cell in both.cells] == ["iam_users", "s3_buckets"]
    assert all(cell.table in TABLES for cell in both.cells)
