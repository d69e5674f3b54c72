"""The catalog of Glue over the wire: each table once, whatever links to it, and databases that do not answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from raito_pipeline.aws.connection.errors import AwsUnreachable
from raito_pipeline.aws.readers.access_points import access_point_buckets
from raito_pipeline.aws.readers.glue import GlueRead, read_catalog
from raito_pipeline.config.groups import GlueOptions
from raito_pipeline.model.glue import GlueTable, from_json, to_json
from raito_pipeline.storage.cells import ReadStatus
from tests.aws.conftest import Reach
from tests.aws.stand_in import Refused, StandIn

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
Names = list[tuple[str, str, bool]]


def table(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "StorageDescriptor": {"Location": f"s3://lake/{name}"}, **more}


def link(name: str, database: str, catalog: str | None = ACCOUNT, **more: Any) -> dict[str, Any]:
    target = {"DatabaseName": database, **({"CatalogId": catalog} if catalog else {}), **more}
    return {"Name": name, "TargetDatabase": target}


def table_link(name: str, database: str, target: str, catalog: str = ACCOUNT, **more: Any) -> dict[str, Any]:
    return table(name, TargetTable={"CatalogId": catalog, "DatabaseName": database, "Name": target, **more})


def catalog(databases: list[dict[str, Any]], tables: Mapping[str, Any]) -> StandIn:
    def get_tables(request: Mapping[str, Any]) -> Any:
        listed = tables[request["DatabaseName"]]
        if isinstance(listed, Exception):
            raise listed
        return {"TableList": listed}

    return StandIn({"glue:GetDatabases": lambda _: {"DatabaseList": databases}, "glue:GetTables": get_tables})


def read(reach: Reach, stand_in: StandIn, *, account_id: str = "", earlier: tuple[GlueTable, ...] = ()) -> GlueRead:
    return read_catalog(reach(stand_in), REGION, GlueOptions(), account_id=account_id, earlier=earlier)


def names(rows: tuple[GlueTable, ...]) -> Names:
    return [(row.database, row.name, row.linked) for row in rows]


SALES = {"Name": "sales"}
OWN = {"Name": "sales", "CatalogId": ACCOUNT}
ORDERS: Names = [("sales", "orders", False)]
LINKS: dict[str, tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]], Names]] = {
    "to a database beside it": ([SALES, link("a_link", "sales")], {"a_link": [table("orders")]}, ORDERS),
    "to a database, without catalog": ([SALES, link("a_link", "sales", None)], {"a_link": [table("orders")]}, ORDERS),
    "to a database, region named": (
        [OWN, link("a_link", "sales", Region=REGION)], {"a_link": [table("orders")]}, ORDERS,
    ),
    "to a database of another account": (
        [OWN, link("a_link", "sales", OTHER)], {"a_link": [table("orders")]}, [("a_link", "orders", True), *ORDERS],
    ),
    "to a database of another region": (
        [OWN, link("a_link", "sales", Region="us-east-1")], {"a_link": [table("orders")]},
        [("a_link", "orders", True), *ORDERS],
    ),
    "two to one database of another account": (
        [OWN, link("b_link", "x", OTHER), link("a_link", "x", OTHER)],
        {"a_link": [table("theirs")], "b_link": [table("theirs"), table("more")]},
        [("a_link", "theirs", True), ("b_link", "more", True), *ORDERS],
    ),
    "to a database that is not listed": ([SALES, link("a_link", "hidden")], {"a_link": [table("secret")]},
                                         [("a_link", "secret", True), *ORDERS]),
    "to a table": ([SALES, {"Name": "a"}], {"a": [table_link("orders_link", "sales", "orders")]}, ORDERS),
    "to a table of the same database": (
        [SALES], {"sales": [table("orders"), table_link("a_link", "sales", "orders")]}, ORDERS,
    ),
    "to a table of another account, twice": (
        [OWN, {"Name": "a"}], {"a": [table_link(name, "sales", "orders", OTHER) for name in ("x", "y")]},
        [("a", "x", True), *ORDERS],
    ),
    "to a table of a linked database": (
        [OWN, link("a_link", "x", OTHER), {"Name": "b"}],
        {"a_link": [table("theirs")], "b": [table_link("mine", "x", "theirs", OTHER)]},
        [("a_link", "theirs", True), *ORDERS],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LINKS)
def test_a_table_is_given_once_whatever_links_to_it(reach: Reach, case: str) -> None:
    databases, tables, expected = LINKS[case]
    listed = {"sales": [table("orders")], **tables}
    found = [read(reach, catalog(order, listed), account_id=ACCOUNT).tables for order in (databases, databases[::-1])]
    assert [names(one.rows) for one in found] == [expected, expected]
    assert {one.status for one in found} == {ReadStatus.COMPLETE}


def test_what_is_listed_without_a_name_is_left_out_and_times_are_read(reach: Reach) -> None:
    made = table("orders", CreateTime=1_700_000_000.5)
    rows = read(reach, catalog([SALES, {"Name": ""}], {"sales": [made, {"Name": None}, table("plain")]})).tables.rows
    assert [(row.name, row.created) for row in rows] == [
        ("orders", int(datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC).timestamp())), ("plain", 0),
    ]  # fmt: skip


FEDERATED = {"Name": "metastore", "FederatedDatabase": {"Identifier": "x", "ConnectionName": "hms"}}
AWAY = {
    "its source does not answer": Refused(400, "FederationSourceException", "Federation source returned an error"),
    "its source is busy": Refused(400, "FederationSourceRetryableException"),
    "its connection may not be used": Refused(400, "AccessDeniedException"),
    "it fails": Refused(500, "InternalServiceException"),
}


@pytest.mark.parametrize("case", AWAY)
def test_a_federated_database_that_does_not_answer_keeps_what_it_had_and_nothing_else(reach: Reach, case: str) -> None:
    whole = read(reach, catalog([SALES, FEDERATED], {"sales": [table("a"), table("b")], "metastore": [table("far")]}))
    assert names(whole.federated) == [("metastore", "far", False)]
    kept = tuple(from_json(to_json(whole.federated)))

    later = catalog([SALES, FEDERATED], {"sales": [table("b")], "metastore": AWAY[case]})
    for _ in range(2):
        again = read(reach, later, earlier=kept)
        assert names(again.tables.rows) == [("metastore", "far", False), ("sales", "b", False)]
        assert (again.tables.status, again.tables.problems, again.federated) == (ReadStatus.COMPLETE, (), kept)
        assert "the federated database metastore keeps the 1 tables that it had" in again.notes[0]
        kept = again.federated


@pytest.mark.parametrize("there", [{"catalog": OTHER}, {"Region": "us-east-1"}], ids=["account", "region"])
def test_a_link_to_another_catalog_that_does_not_answer_keeps_what_it_had(reach: Reach, there: dict[str, str]) -> None:
    """A share that its owner has taken back: https://github.com/ExpediaGroup/waggle-dance/pull/359."""
    linked = link("theirs", "sales", **there)
    whole = read(reach, catalog([OWN, linked], {"sales": [table("a")], "theirs": [table("far")]}))
    away = catalog([OWN, linked], {"sales": [], "theirs": Refused(400, "AccessDeniedException")})

    unknown = read(reach, away)  # a version before noted nothing of links, and its tables are there
    assert (unknown.tables.status, names(unknown.tables.rows)) == (ReadStatus.PARTIAL, [])
    again = read(reach, away, earlier=tuple(from_json(to_json(whole.federated))))
    assert (again.tables.status, again.federated) == (ReadStatus.COMPLETE, whole.federated)
    assert names(again.tables.rows) == [("theirs", "far", True)]
    assert "the linked database theirs keeps the 1 tables that it had" in again.notes[0]


@pytest.mark.parametrize("code", ["InternalServiceException", "FederationSourceException", "AccessDeniedException"])
def test_an_ordinary_database_that_fails_makes_the_read_partial(reach: Reach, code: str) -> None:
    found = read(reach, catalog([SALES, {"Name": "hr"}], {"sales": [table("a")], "hr": Refused(400, code)}))
    assert (found.tables.status, names(found.tables.rows)) == (ReadStatus.PARTIAL, [("sales", "a", False)])
    assert "database hr" in found.tables.problems[0]
    assert found.notes == found.federated == ()


def test_a_list_of_databases_that_fails_leaves_the_reader(reach: Reach) -> None:
    stand_in = catalog([SALES], {})
    stand_in.faults["glue:GetDatabases", 0] = Refused(500, "InternalServiceException")
    with pytest.raises(AwsUnreachable):
        read(reach, stand_in)
    stand_in.faults["glue:GetDatabases", 0] = Refused(400, "OptInRequired")
    assert read(reach, stand_in).tables.status is ReadStatus.OPTED_OUT


def test_a_text_of_another_version_holds_no_tables() -> None:
    assert [from_json(text) for text in ("", "{", '[{"tables": 1}]', "null")] == [[], [], [], []]


def test_the_buckets_behind_access_points(reach: Reach) -> None:
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/"
    points = [{"Name": "lake", "Bucket": "lake", "AccessPointArn": f"{arn}lake", "Alias": "lake-x1-s3alias"},
              {"Name": "old", "Bucket": "archive", "AccessPointArn": f"{arn}old"}]  # fmt: skip
    stand_in = StandIn({"s3:ListAccessPoints": lambda _: {"AccessPointList": [dict(one) for one in points]}})
    clients = reach(stand_in)
    assert access_point_buckets(clients, ACCOUNT, [REGION]) == {
        f"{arn}lake": "lake", "lake-x1-s3alias": "lake", f"{arn}old": "archive",
    }  # fmt: skip
    before = len(stand_in.log)
    assert access_point_buckets(clients, ACCOUNT, []) == {}
    assert len(stand_in.log) == before
