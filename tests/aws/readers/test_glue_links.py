"""Resource links of Glue: each table once, whichever way it is seen."""

from typing import Any

import pytest

from raito_pipeline.aws.readers.glue_links import Found, GlueDatabase, LinkTarget, LocalCatalog

HERE, REGION = "111122223333", "eu-west-1"


def database(name: str, **answered: Any) -> GlueDatabase:
    return GlueDatabase.of({"Name": name, "CatalogId": HERE, **answered})


def link(to: str, catalog: str = HERE, region: str = "") -> dict[str, Any]:
    return {"TargetDatabase": {"CatalogId": catalog, "DatabaseName": to, "Region": region}}


SALES, LINKED = database("sales"), database("alias", **link("sales"))
AWAY = database("away", **link("theirs", "999988887777"))


def table(of: GlueDatabase, name: str, **answered: Any) -> Found:
    return Found.of(of, {"Name": name, **answered})


def names(found: list[Found], catalog: LocalCatalog) -> list[str]:
    return [f"{one.database}.{one.name}" for one in catalog.once(found)]


@pytest.mark.parametrize(
    ("one", "read"),
    [
        (LINKED, True),
        (database("alias", **link("other")), False),  # a database that is left out here
        (AWAY, False),
        (database("alias", **link("sales", region="us-east-1")), False),
        (database("alias", **link("sales", region=REGION)), True),
        (SALES, False),
    ],
)
def test_a_link_to_a_database_that_is_read_for_itself_is_not_read_again(one: GlueDatabase, read: bool) -> None:
    assert LocalCatalog.of([SALES, LINKED, AWAY], HERE, REGION).holds_target(one) is read


def test_the_catalog_is_known_from_its_own_databases() -> None:
    assert LocalCatalog.of([AWAY, SALES], "", REGION).account_id == HERE
    assert LocalCatalog.of([AWAY], "", REGION).account_id == ""
    assert LocalCatalog.of([SALES, LINKED], HERE, REGION).databases == {"sales"}


def test_a_table_is_that_of_its_database_and_not_again_of_a_link_to_it() -> None:
    catalog = LocalCatalog.of([SALES, LINKED], HERE, REGION)
    through = {"TargetTable": {"CatalogId": HERE, "DatabaseName": "sales", "Name": "orders"}}

    found = [table(LINKED, "orders"), table(SALES, "shortcut", **through), table(SALES, "orders")]

    assert names(found, catalog) == ["sales.orders"]


def test_what_only_links_show_is_given_once_by_the_first_of_them() -> None:
    again = database("again", **link("theirs", "999988887777"))
    catalog = LocalCatalog.of([SALES], HERE, REGION)

    assert names([table(AWAY, "t"), table(again, "t"), table(AWAY, "u")], catalog) == ["again.t", "away.u"]


def test_a_table_that_is_seen_through_a_link_says_so() -> None:
    assert not table(SALES, "orders").table.linked
    assert table(LINKED, "orders").table.linked
    assert table(LINKED, "orders").target == LinkTarget(HERE, "", "sales", "orders")
    assert LinkTarget.of({"CatalogId": HERE}) is None


def test_a_federated_database_is_known() -> None:
    assert database("metastore", FederatedDatabase={"Identifier": "x"}).federated
    assert not SALES.federated
