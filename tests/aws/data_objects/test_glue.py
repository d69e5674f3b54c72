"""Tables of Glue -> data objects: every table once, under the name of its location wherever that is free."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.aws.data_objects.glue import GlueReport, access_point_regions, glue_objects, split_location
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.model import DataObject, S3Bucket
from raito_pipeline.model.glue import GlueColumn, GlueTable

ACCOUNT, CATALOG = "111122223333", "eu-west-1"
LAKE = f"{ACCOUNT}:us-east-1:lake"
BUCKETS = (S3Bucket("lake", "us-east-1", None, True, ()),)
POINT = f"arn:aws:s3:{CATALOG}:{ACCOUNT}:accesspoint/lake"
POINTS = {POINT: "lake", "lake-x1-s3alias": "lake"}


def table(name: str, location: str = "", database: str = "db", **more: object) -> GlueTable:
    return GlueTable(database, name, location, **more)  # type: ignore[arg-type]


def shaped(*tables: GlueTable, before: Collection[str] = ()) -> tuple[dict[str, DataObject], GlueReport]:
    rows, report = glue_objects(tables, ACCOUNT, CATALOG, BUCKETS, POINTS, before)
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
        (table("t", "s3://lake/a"), table("u", "s3://lake/a/")), {f"{LAKE}/a", f"{LAKE}:db.u/a"},
    ),
    "of one name in two databases": (
        (table("t", "s3://lake/a"), table("t", "s3://lake/a", "other")), {f"{LAKE}/a", f"{LAKE}:other.t/a"},
    ),
    "above another table": (
        (table("t", "s3://lake/a"), table("u", "s3://lake/a/b")), {f"{LAKE}/a", f"{LAKE}:db.u/a/b"},
    ),
    "far above another table": (
        (table("z", "s3://lake/a"), table("b", "s3://lake/a/b/c")), {f"{LAKE}/a", f"{LAKE}:db.b/a/b/c"},
    ),
    "beside a longer name": (
        (table("t", "s3://lake/a"), table("u", "s3://lake/ab")), {f"{LAKE}/a", f"{LAKE}/ab"},
    ),
    "with slashes at the end": ((table("t", "s3://lake/a//"),), {f"{LAKE}/a"}),
    "with a key of AWS, as Hadoop took it": (
        (table("t", "s3n://AKIA:word@lake/a"), table("u", "s3://AKIA@lake/b")), {f"{LAKE}/a", f"{LAKE}/b"},
    ),
    "with a capital bucket": ((table("t", "S3://LAKE/A"),), {f"{LAKE}/A"}),
    "on a bucket of another account with capitals": ((table("t", "s3://Theirs/a"),), {f"{ACCOUNT}:{CATALOG}:Theirs/a"}),
    "through an access point": ((table("t", f"s3://{POINT}/a/"),), {f"{LAKE}/a"}),
    "at an access point": ((table("t", f"s3://{POINT}"),), {f"{LAKE}:db.t"}),
    "through its alias": ((table("t", "s3a://lake-x1-s3alias/a"),), {f"{LAKE}/a"}),
    "through an access point and without": (
        (table("t", "s3://lake/a"), table("u", f"s3://{POINT}/a")), {f"{LAKE}/a", f"{LAKE}:db.u/a"},
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


def test_tables_at_one_location_whose_names_hold_dots_are_both_there() -> None:
    first, dotted = table("first", "s3://lake/x", created=1), [("a.b", "c"), ("a", "b.c")]
    rows, _ = shaped(first, *(table(name, "s3://lake/x", database, created=2) for database, name in dotted))
    assert tables_in(rows) == {f"{LAKE}/x", f"{LAKE}:a%2Eb.c/x", f"{LAKE}:a.b.c/x"}


SECOND = {
    "at its location, of a database before": table("aa", "s3://lake/sales/orders", "aa", created=9),
    "at its location": table("zz", "s3a://lake/sales/orders/", "zz", created=9),
    "below it": table("year_2026", "s3://lake/sales/orders/year=2026/", created=9),
    "below it, of a name before": table("a", "s3://lake/sales/orders/x/y", "a", created=9),
    "above it": table("a", "s3://lake/sales", "a", created=9),
    "at the root of its bucket": table("a", "s3://lake", "a", created=9),
    "linked, and older": table("a", "s3://lake/sales/orders", "a", created=1, linked=True),
    "beside it": table("a", "s3://lake/sales/orders2", "a", created=9),
}


@pytest.mark.parametrize("case", SECOND)
def test_a_second_table_never_takes_the_name_of_the_first(case: str) -> None:
    first = table("orders", "s3://lake/sales/orders/", "sales", created=5, columns=(GlueColumn("id"),))
    before, _ = shaped(first)
    for tables in ((first, SECOND[case]), (SECOND[case], first)):
        after, report = shaped(*tables)
        assert before.keys() <= after.keys()
        name = f"{LAKE}/sales/orders"
        assert (after[name], after[f"{name}/id"]) == (before[name], before[f"{name}/id"])
        assert report.tables == 2


@pytest.mark.parametrize("case", SECOND)
def test_while_its_database_is_not_read_the_first_table_keeps_its_name(case: str) -> None:
    """What could not be read is as the previous sync stored it: no other table or folder takes its place."""
    first = table("orders", "s3://lake/sales/orders/", "sales", created=5, columns=(GlueColumn("id"),))
    before, _ = shaped(first, SECOND[case])
    names = {name for name, row in before.items() if row.type == "glue-table"}
    now, report = shaped(SECOND[case], before=names)
    assert report.tables == 1
    assert not now.keys() & {f"{LAKE}/sales/orders", f"{LAKE}/sales/orders/id"}
    assert now.keys() <= before.keys()
    assert all(row == before[name] for name, row in now.items())


def test_a_table_that_is_new_takes_no_name_while_a_database_is_not_read() -> None:
    held = {f"{LAKE}/sales", f"{LAKE}:db.old/own", f"{LAKE}/moved"}
    rows, _ = shaped(
        table("below", "s3://lake/sales/x/y"), table("above", "s3://lake"), table("beside", "s3://lake/sales2"),
        table("old", "s3://lake/own"), table("moved", "s3://lake/moved"), before=held,
    )  # fmt: skip
    assert tables_in(rows) == {
        f"{LAKE}:db.below/sales/x/y", f"{LAKE}:db.above", f"{LAKE}/sales2", f"{LAKE}:db.old/own", f"{LAKE}/moved",
    }  # fmt: skip
    assert rows[f"{LAKE}:db.below/sales/x/y"].parent_full_name == LAKE


@pytest.mark.parametrize("path", ["a/b/t", "/a/t", "//t", "///t", "a//t"])
def test_a_folder_lies_in_the_one_of_all_parts_but_its_last(path: str) -> None:
    rows, _ = shaped(table("t", f"s3://lake/{path}"))
    above = {name: row.parent_full_name for name, row in rows.items() if row.type != "bucket"}
    assert above == {name: name.rpartition("/")[0] for name in above}
    assert len(above) == path.count("/") + 1


def test_a_table_below_another_lies_in_the_folder_above_both() -> None:
    rows, _ = shaped(table("t", "s3://lake/x/a", created=1), table("u", "s3://lake/x/a/b/c", created=2))
    assert rows[f"{LAKE}:db.u/x/a/b/c"].parent_full_name == f"{LAKE}/x"
    assert {name for name, row in rows.items() if row.type == "folder"} == {f"{LAKE}/x"}


@pytest.mark.parametrize("location", [
    f"s3://{POINT.replace('lake', 'unknown')}/a", "s3://other-x1-s3alias/a", "s3://point--ol-s3/a",
    "s3://arn:aws:s3::111122223333:accesspoint/m4x9.mrap/a", "s3://arn:aws-cn:s3:cn-north-1:1:accesspoint/p/a",
])  # fmt: skip
def test_an_access_point_that_nobody_knows_is_no_bucket(location: str) -> None:
    rows, report = shaped(table("t", location))
    assert (rows, report.unknown_access_point, report.tables) == ({}, 1, 0)


def test_access_points_are_asked_for_only_where_a_table_names_one() -> None:
    plain = [table("a", "s3://lake/a"), table("b", ""), table("c", f"s3://{POINT.replace(ACCOUNT, '999')}/a")]
    assert access_point_regions(plain, ACCOUNT, CATALOG) == set()
    named = [table("a", f"s3://{POINT.replace(CATALOG, 'us-east-1')}/a"), table("b", "s3://x-s3alias/")]
    assert access_point_regions(named, ACCOUNT, CATALOG) == {"us-east-1", CATALOG}


def test_what_has_no_place_in_s3_is_told_apart() -> None:
    rows, report = shaped(
        table("view", table_type="VIRTUAL_VIEW"), table("nowhere", table_type="EXTERNAL_TABLE"),
        table("db", "jdbc:postgresql://host/db"), table("stream", "kinesis://x"), table("t", "s3://lake/t"),
        table("theirs", "s3://theirs/t"), table("nothing", "s3://"),
    )  # fmt: skip
    assert len(tables_in(rows)) == 2
    assert (report.tables, report.views, report.without_location, report.elsewhere, report.foreign) == (2, 1, 1, 3, 1)


@pytest.mark.parametrize(
    "bucket", ["${bucket}", "{bucket}", "lake\\t", "<bucket>", "two words", "lake,other", "lak\u00e9", "*"]
)
def test_what_cannot_be_the_name_of_a_bucket_makes_none(bucket: str) -> None:
    """Templates that nobody filled in, and slips: Raito Cloud would show a bucket of that name."""
    rows, report = shaped(table("t", f"s3://{bucket}/t"), table("old", "s3://Old_Bucket.x-1/t"))
    assert (len(tables_in(rows)), report.elsewhere, report.foreign) == (1, 1, 1)


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
        GlueTable, st.sampled_from(["d", "e", "d.t"]), st.sampled_from(["t", "u", "a", "t.u"]), LOCATIONS,
        created=st.sampled_from([0, 1, 2]), linked=st.booleans(),
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


@given(TABLES, st.sampled_from(["a", "a/b", "", "b"]))
def test_a_newer_table_renames_none(tables: list[GlueTable], path: str) -> None:
    before, _ = glue_objects(tables, ACCOUNT, CATALOG, BUCKETS)
    newer = GlueTable("aaa", "aaa", f"s3://lake/{path}", created=9, linked=any(one.linked for one in tables))
    after, _ = glue_objects([*tables, newer], ACCOUNT, CATALOG, BUCKETS)
    assert {row.full_name for row in before if row.type == "glue-table"} <= {row.full_name for row in after}
    assert len({row.full_name for row in after}) == len(after)
