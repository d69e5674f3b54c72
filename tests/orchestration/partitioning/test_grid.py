"""The partitions of a configuration as Dagster sees them, and the cell of each key."""

import dagster as dg
import pytest

from raito_pipeline.orchestration.partitioning.grid import Cell, KnownPartitions, cell_of, make_grid
from tests.orchestration.conftest import FIRST, Loads

FIRST_KEY, SECOND_KEY, ORGANIZATION = str(FIRST), str(FIRST + 1), "999988887777_eu-west-1"


@pytest.mark.parametrize(
    ("by", "key", "cell", "label"),
    [
        ("account", "111122223333", Cell("111122223333", None, "111122223333"), "111122223333"),
        # two targets of one account: the name of the target is part of the key
        (
            "account",
            "111122223333-east_1",
            Cell("111122223333-east_1", None, "111122223333-east_1"),
            "111122223333-east_1",
        ),
        (
            "account_region",
            "111122223333|eu-west-1",
            Cell("111122223333", "eu-west-1", "111122223333|eu-west-1"),
            "111122223333/eu-west-1",
        ),
        # the region is what stands after the last underscore
        ("organization", "d-12_34_us-east-1", Cell("d-12_34", "us-east-1", "d-12_34_us-east-1"), "d-12_34/us-east-1"),
    ],
)
def test_the_cell_of_a_key(by: str, key: str, cell: Cell, label: str) -> None:
    assert cell_of(by, key) == cell
    assert (cell.label, cell.place) == (label, (cell.account, cell.region))


def test_accounts_regions_and_organizations_are_partitions(loads: Loads) -> None:
    grid = make_grid(loads(accounts=2))

    assert grid.account.get_partition_keys() == [FIRST_KEY, SECOND_KEY]
    assert grid.organization.get_partition_keys() == [ORGANIZATION]
    assert grid.regions == ["eu-west-1", "us-east-1"]
    assert grid.regional_keys(SECOND_KEY) == [f"{SECOND_KEY}|eu-west-1", f"{SECOND_KEY}|us-east-1"]
    assert set(grid.account_region.get_partition_keys()) == {
        f"{account}|{region}" for account in (FIRST_KEY, SECOND_KEY) for region in ("eu-west-1", "us-east-1")
    }


def test_each_table_has_the_partitions_of_its_declaration(loads: Loads) -> None:
    grid = make_grid(loads())

    assert grid.definition("account") is grid.account
    assert grid.definition("account_region") is grid.account_region
    assert grid.definition("organization") is grid.organization


def upstream(
    mapping: dg.PartitionMapping | None, of: dg.PartitionsDefinition[str], key: str, above: object
) -> set[str]:
    assert mapping is not None
    asked = of.empty_subset().with_partition_keys([key])
    result = mapping.get_upstream_mapped_partitions_result_for_partitions(asked, of, above)  # type: ignore[arg-type]
    return set(result.partitions_subset.get_partition_keys())


def test_the_regions_of_an_account_lead_to_it_and_to_no_other(loads: Loads) -> None:
    grid = make_grid(loads(accounts=2))

    down = grid.mapping("account_region", "account")

    assert upstream(down, grid.account, SECOND_KEY, grid.account_region) == set(grid.regional_keys(SECOND_KEY))


def test_an_organization_leads_to_the_accounts_that_link_it(loads: Loads) -> None:
    grid = make_grid(loads(accounts=2))

    assert upstream(grid.mapping("organization", "account"), grid.account, FIRST_KEY, grid.organization) == {
        ORGANIZATION
    }
    assert grid.mapping("organization", "account_region") is not None


def test_partitions_of_one_kind_need_no_mapping_and_nothing_of_an_account_makes_an_organization(loads: Loads) -> None:
    grid = make_grid(loads())

    assert grid.mapping("account", "account") is None
    with pytest.raises(KeyError):
        grid.mapping("account", "organization")


def test_what_partitions_are_compared_by_is_that_of_plain_ones() -> None:
    ours, plain = KnownPartitions(["a", "b"]), dg.StaticPartitionsDefinition(["a", "b"])
    assert (ours == plain, plain == ours, hash(ours), str(ours)) == (True, True, hash(plain), str(plain))
    assert {ours, plain, KnownPartitions(["a", "b"])} == {plain}
    assert KnownPartitions(["a"]) != ours


@pytest.mark.parametrize("accounts", [0, 1, 2])
@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("account", "account_region"),
        ("account_region", "account"),
        ("organization", "account"),
        ("organization", "account_region"),
    ],
)
def test_dagster_takes_each_mapping_also_without_any_account(
    loads: Loads, accounts: int, above: str, below: str
) -> None:
    grid = make_grid(loads(accounts=accounts))

    mapping = grid.mapping(above, below)

    assert mapping is not None
    mapping.validate_partition_mapping(grid.definition(above), grid.definition(below))
