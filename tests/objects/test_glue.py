"""Tables of Glue -> data objects: every table once, under the name of its location wherever that is free."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.model import DataObject, S3Bucket
from raito_pipeline.model.glue import GlueColumn, GlueTable
from raito_pipeline.objects.glue import GlueReport, glue_objects, split_location
from raito_pipeline.objects.names import parse_full_name

ACCOUNT, CATALOG = "111122223333", "eu-west-1"
LAKE = f"{ACCOUNT}:us-east-1:lake"
BUCKETS = (S3Bucket("lake", "us-east-1", None, True, ()),)


def table(name: str, location: str = "", database: str = "db", **more: object) -> GlueTable:
    return GlueTable(database, name, location, **more)  # type: ignore[arg-type]


def shaped(*tables: GlueTable) -> tuple[dict[str, DataObject], GlueReport]:
    rows, report = glue_objects(tables, ACCOUNT, CATALOG, BUCKETS)
    assert len({row.full_name for row in rows}) == len(rows), "two objects of one name"
    seen = {ACCOUNT}
    for row in rows:
        assert row.parent_full_name in seen, f"{row.full_name} before its parent"
        seen.add(row.full_name)
    return {row.full_name: row for row in rows}, report


def tables_in(rows: dict[str, DataObject]) -> set[str]:
    return {name for name, row in rows.items() if row.type == "glue-table"}


PLACES: dict[str, tuple[tuple[GlueTable, ...], set[str]]] = {
    "in a folder": ((table("t", "s3://lake/sales/orders/"),), {f"{LAKE}/sales/orders"}),
    "other schemes": ((table("t", "s3a://lake/a"), table("u", "S3N://lake/b")), {f"{LAKE}/a", f"{LAKE}/b"}),
    "at the root of a bucket": ((table("t", "s3://lake/"),), {f"{LAKE}:db.t"}),
    "two at one location": (
        (table("t", "s3://lake/a"), table("u", "s3://lake/a/")), {f"{LAKE}:db.t/a", f"{LAKE}:db.u/a"},
    ),
    "of one name in two databases": (
        (table("t", "s3://lake/a"), table("t", "s3://lake/a", "other")), {f"{LAKE}:db.t/a", f"{LAKE}:other.t/a"},
    ),
    "above another table": (
        (table("t", "s3://lake/a"), table("u", "s3://lake/a/b")), {f"{LAKE}:db.t/a", f"{LAKE}/a/b"},
    ),
    "on a bucket of another account": ((table("t", "s3://theirs/a"),), {f"{ACCOUNT}:{CATALOG}:theirs/a"}),
    "with an odd name": ((table("a.b/c:d", "s3://lake/"),), {f"{LAKE}:db.a.b%2Fc%3Ad"}),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_a_table_is_named_by_its_location(case: str) -> None:
    tables, names = PLACES[case]
    rows, report = shaped(*tables)
    assert tables_in(rows) == names
    assert report.tables == len(tables)


def test_what_has_no_place_in_s3_is_told_apart() -> None:
    rows, report = shaped(
        table("view", table_type="VIRTUAL_VIEW"), table("nowhere", table_type="EXTERNAL_TABLE"),
        table("db", "jdbc:postgresql://host/db"), table("stream", "kinesis://x"), table("t", "s3://lake/t"),
        table("theirs", "s3://theirs/t"), table("nothing", "s3://"),
    )  # fmt: skip
    assert len(tables_in(rows)) == 2
    assert (report.tables, report.views, report.without_location, report.elsewhere, report.foreign) == (2, 1, 1, 3, 1)


def test_columns_and_partition_keys_are_columns() -> None:
    columns = (GlueColumn("id", "bigint", "the id", (("pii", "no"),)), GlueColumn("day", "string"))
    rows, report = shaped(
        table(
            "t", "s3://lake/t", columns=columns, partition_keys=(GlueColumn("day", "date"), GlueColumn("hour", "int"))
        ),
    )
    found = {row.name: row for row in rows.values() if row.type == "column"}
    assert {name: row.data_type for name, row in found.items()} == {"id": "bigint", "day": "string", "hour": "int"}
    assert (found["id"].full_name, found["id"].description) == (f"{LAKE}/t/id", "the id")
    assert [(tag.key, tag.value) for tag in found["id"].tags or ()] == [("pii", "no")]
    assert report.columns == 3


def test_a_table_carries_its_description_and_parameters() -> None:
    rows, _ = shaped(
        table("t", "s3://lake/t", description="orders", parameters=(("owner", "ada"), ("classification", "csv")))
    )
    row = rows[f"{LAKE}/t"]
    assert row.description == "orders"
    assert [(tag.key, tag.value) for tag in row.tags or ()] == [("classification", "csv"), ("owner", "ada")]


LOCATIONS = st.builds(
    lambda scheme, bucket, path: f"{scheme}://{bucket}/{path}",
    st.sampled_from(["s3", "s3a", "s3n", "hdfs"]),
    st.sampled_from(["lake", "theirs"]),
    st.text("ab/", max_size=6),
) | st.just("")
TABLES = st.lists(
    st.builds(
        GlueTable, st.sampled_from(["d", "e"]), st.sampled_from(["t", "u", "a"]), LOCATIONS,
        columns=st.lists(st.builds(GlueColumn, st.sampled_from(["a", "b", "c"])), max_size=3).map(tuple),
    ),
    max_size=8, unique_by=lambda one: (one.database, one.name),
)  # fmt: skip


@given(TABLES)
def test_every_table_is_there_once_or_counted(tables: list[GlueTable]) -> None:
    rows, report = shaped(*tables)
    located = [one for one in tables if split_location(one.location)]
    assert len(tables_in(rows)) == report.tables == len(located)
    assert report.tables + report.views + report.without_location + report.elsewhere == len(tables)
    for name in tables_in(rows):
        place = parse_full_name(name)
        assert place is not None
        assert (place.bucket, place.path or "") in {split_location(one.location) for one in located}


@given(TABLES, st.randoms())
def test_the_order_of_the_catalog_does_not_matter(tables: list[GlueTable], chance: object) -> None:
    once = glue_objects(tables, ACCOUNT, CATALOG, BUCKETS)
    chance.shuffle(tables)  # type: ignore[attr-defined]
    assert glue_objects(tables, ACCOUNT, CATALOG, BUCKETS) == once
