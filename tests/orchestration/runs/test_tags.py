"""The tags of a run: which sync, accounts and layer it belongs to, as its record tells them."""

from collections.abc import Mapping

import dagster as dg
import pytest

from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.partitioning.grid import Grid, make_grid
from raito_pipeline.orchestration.runs.tags import (
    command_tags,
    joined,
    launched_by_command,
    layer_tags,
    partition_keys,
    scope_of,
    syncs_of,
)
from raito_pipeline.storage.owner import Owner
from tests.orchestration.conftest import FIRST, Loads

ONE, TWO = str(FIRST), str(FIRST + 1)


@pytest.fixture
def grid(loads: Loads) -> Grid:
    """Two accounts with two regions each."""
    return make_grid(loads(accounts=2))


def run(tags: Mapping[str, str], tables: tuple[str, ...] | None = None) -> dg.DagsterRun:
    selection = None if tables is None else frozenset(map(dg.AssetKey, tables))
    return dg.DagsterRun("any_job", tags=dict(tags), asset_selection=selection)


def across(first: str, last: str) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def test_a_run_of_a_layer_carries_its_sync_account_layer_and_place_in_the_queue() -> None:
    assert layer_tags(Layer.FINISH, ONE, "s1") == {
        "raito/sync": "s1",
        "raito/account": ONE,
        "raito/layer": "finish",
        "dagster/priority": "3",
    }


def test_a_run_of_the_command_names_its_process_until_it_is_executed_again_in_the_ui() -> None:
    tags = command_tags()

    assert tags == {"raito/launched-by": "command", "raito/process": Owner.here().name}
    assert launched_by_command(tags)
    assert not launched_by_command({**tags, "dagster/parent_run_id": "abc"})
    assert not launched_by_command({})


@pytest.mark.parametrize(
    ("accounts", "syncs", "expected"),
    [
        ("1,2", "a,b", {"1": "a", "2": "b"}),
        ("1,2", "a", {"1": "a", "2": "a"}),  # a backfill: one sync for all
        ("1,2", ",b", {"1": "", "2": "b"}),  # the first is not settled yet
        ("1", "", {"1": ""}),
        ("", "a", {}),
    ],
)
def test_each_account_has_its_sync(accounts: str, syncs: str, expected: dict[str, str]) -> None:
    assert syncs_of({"raito/account": accounts, "raito/sync": syncs}) == expected


def test_joined_is_read_back() -> None:
    assert joined({"1": "a", "2": "b"}) == {"raito/account": "1,2", "raito/sync": "a,b"}
    assert syncs_of(joined({"1": "a", "2": ""})) == {"1": "a", "2": ""}


@pytest.mark.parametrize(
    ("tags", "keys"),
    [
        ({"dagster/partition": ONE}, [ONE]),
        (across(ONE, TWO), [ONE, TWO]),
        (across(f"{TWO}|eu-west-1", f"{TWO}|us-east-1"), [f"{TWO}|eu-west-1", f"{TWO}|us-east-1"]),
        (across("gone-1", "gone-2"), ["gone-1", "gone-2"]),  # of a configuration that had them
        ({"dagster/asset_partition_range_start": ONE}, []),
        ({}, []),
    ],
)
def test_the_partitions_of_a_run(grid: Grid, tags: Mapping[str, str], keys: list[str]) -> None:
    assert partition_keys(run(tags), grid) == keys


def test_a_run_is_of_the_layer_that_its_tags_name(grid: Grid) -> None:
    scope = scope_of(run({"raito/layer": "regions", **across(f"{ONE}|eu-west-1", f"{ONE}|us-east-1")}), grid)
    assert (scope.layer, scope.owners) == (Layer.REGIONS, (ONE,))

    # without partitions, the accounts of its tags
    assert scope_of(run({"raito/layer": "account", "raito/account": f"{ONE},{TWO}"}), grid).owners == (ONE, TWO)


ALL = tuple(TABLES)
FIRST_LAYER = Layer.ACCOUNT.tables
OF_IAM = ("identity_store_import", "identity_store_import_elements")


@pytest.mark.parametrize(
    ("tags", "tables", "layer"),
    [
        ({"dagster/partition": ONE}, FIRST_LAYER, Layer.ACCOUNT),
        ({"dagster/partition": ONE}, FIRST_LAYER[1:], Layer.CELLS),
        ({"dagster/partition": ONE}, Layer.FINISH.tables, Layer.FINISH),
        # an asset backfill makes the identity store with the first layer, as it is made of nothing but IAM
        ({"dagster/partition": ONE}, (*FIRST_LAYER, *OF_IAM), Layer.ACCOUNT),
        ({"dagster/partition": ONE}, tuple(set(Layer.FINISH.tables) - set(OF_IAM)), Layer.FINISH),
        ({"dagster/partition": ONE}, OF_IAM, Layer.CELLS),
        # of several layers it is the first: the others have to follow
        ({"dagster/partition": ONE}, (*FIRST_LAYER, *Layer.FINISH.tables), Layer.ACCOUNT),
        ({"dagster/partition": f"{ONE}|eu-west-1"}, Layer.REGIONS.tables, Layer.CELLS),
        (across(f"{ONE}|eu-west-1", f"{ONE}|us-east-1"), Layer.REGIONS.tables, Layer.REGIONS),
        (across(ONE, TWO), FIRST_LAYER, Layer.CELLS),  # two accounts are no layer of one
        ({"raito/layer": "of another version", "dagster/partition": ONE}, FIRST_LAYER, Layer.ACCOUNT),
    ],
)
def test_a_run_without_a_layer_is_judged_by_what_it_makes(
    grid: Grid, tags: Mapping[str, str], tables: tuple[str, ...], layer: Layer
) -> None:
    assert scope_of(run(tags, tables), grid).layer is layer
