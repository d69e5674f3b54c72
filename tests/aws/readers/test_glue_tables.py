"""Where the data of a Glue table is, and its columns: what Spark and the table formats make of the catalog."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.readers.glue_tables import location_of, table_of

MADE_UP = "s3://lake/warehouse/sales.db/events-__PLACEHOLDER__"
TRUE = "s3://lake/delta/events"


def answer(
    location: str | None, path: str | None = None, parameters: dict[str, str] | None = None, kind: str = "", **more: Any
) -> dict[str, Any]:
    storage: dict[str, Any] = {"SerdeInfo": {"Parameters": {"serialization.format": "1"}}, **more}
    if location is not None:
        storage["Location"] = location
    if path is not None:
        storage["SerdeInfo"]["Parameters"]["path"] = path
    return {"Name": "events", "TableType": kind, "Parameters": parameters or {}, "StorageDescriptor": storage}


DELTA, HUDI = {"spark.sql.sources.provider": "delta"}, {"spark.sql.sources.provider": "hudi"}
ICEBERG = {"table_type": "ICEBERG", "metadata_location": f"{TRUE}/metadata/00001-ab.metadata.json"}
LOCATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "Delta of Spark": (answer(MADE_UP, TRUE, DELTA), TRUE),
    "with a slash after the placeholder": (answer(f"{MADE_UP}/", TRUE, DELTA), TRUE),
    "a placeholder without provider": (answer(MADE_UP, TRUE), TRUE),
    "a data source in the default folder of its database": (
        answer("s3://lake/warehouse/sales.db/events", TRUE, {"spark.sql.sources.provider": "PARQUET"}), TRUE,
    ),
    "Hudi on a local folder": (answer("file:/tmp/spark-warehouse/events", f"{TRUE}/", HUDI), f"{TRUE}/"),
    "on HDFS by Hive": (answer("hdfs://ip-10-0-0-1:8020/events", "s3a://lake/delta/events"), "s3a://lake/delta/events"),
    "no location": (answer(None, TRUE), TRUE),
    "an empty location": (answer(" ", TRUE), TRUE),
    "the path among the parameters": (answer(MADE_UP, None, {**DELTA, "path": TRUE}), TRUE),
    "Iceberg": (answer(TRUE, None, ICEBERG), TRUE),
    "Iceberg without location": (answer(None, None, ICEBERG), TRUE),
    "Iceberg with a placeholder": (answer(MADE_UP, None, ICEBERG), TRUE),
    # https://github.com/apache/iceberg-rust/pull/1429: not the folder, but the file
    "Iceberg with its metadata as the location": (answer(ICEBERG["metadata_location"], None, ICEBERG), TRUE),
    "Iceberg without scheme": (answer("/events", None, ICEBERG), TRUE),
    "a view of Iceberg": (answer(None, None, ICEBERG, "VIRTUAL_VIEW"), ""),
    # https://github.com/treeverse/lakeFS/issues/1967
    "the path among the parameters of the storage": (
        answer("s3://lake/warehouse", None, DELTA, Parameters={"path": TRUE}), TRUE,
    ),
    "Delta for Athena": (answer(f"{TRUE}/_symlink_format_manifest/"), TRUE),
    "of Hive, with a path that Hive does not use": (answer("s3://lake/sales", TRUE), "s3://lake/sales"),
    "of Hive by Spark": (answer("s3://lake/sales", TRUE, {"spark.sql.sources.provider": "hive"}), "s3://lake/sales"),
    "a path that is another placeholder": (answer("s3://lake/sales", MADE_UP, DELTA), "s3://lake/sales"),
    "a path on the machine": (answer("s3://lake/sales", "file:/tmp/x", DELTA), "s3://lake/sales"),
    "a placeholder and nothing else": (answer(MADE_UP), MADE_UP),
    "JDBC": (answer("sales.public.orders"), "sales.public.orders"),
    "nothing at all": ({"Name": "events"}, ""),
    "nulls": ({"Name": "events", "StorageDescriptor": {"SerdeInfo": None}, "Parameters": None}, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", LOCATIONS)
def test_a_table_is_where_its_data_is(case: str) -> None:
    answered, expected = LOCATIONS[case]
    assert location_of(answered) == table_of("sales", answered).location == expected


HIVE = [{"Name": "col", "Type": "array<string>", "Comment": "from deserializer"}]
FIELDS = [
    {"name": "id", "type": "long", "nullable": True, "metadata": {"comment": "the id"}},
    {"name": "lines", "nullable": True, "metadata": {}, "type": {"type": "array", "elementType": {"type": "struct",
        "fields": [{"name": "sku", "type": "string"}, {"name": "n", "type": "integer"}]}, "containsNull": True}},
    {"name": "day", "type": "date", "nullable": True, "metadata": {}},
]  # fmt: skip


def columns(storage: list[dict[str, str]], parameters: dict[str, str]) -> list[tuple[str, str | None, str]]:
    answered = answer(MADE_UP, TRUE, parameters, Columns=storage)
    answered["PartitionKeys"] = [{"Name": "day", "Type": "date"}]
    return [(one.name, one.data_type, one.comment) for one in table_of("sales", answered).columns]


def nested(levels: int) -> str:
    """A type of Spark in itself, again and again; a struct has two levels of JSON each."""
    return '{"type": "struct", "fields": [{"name": "x", "type": ' * levels + '"long"' + "}]}" * levels


def test_made_up_columns_are_those_of_the_schema_of_spark() -> None:
    text = json.dumps({"type": "struct", "fields": FIELDS})
    schema, half = "spark.sql.sources.schema", len(text) // 2
    parts = {f"{schema}.numParts": "2", f"{schema}.part.0": text[:half], f"{schema}.part.1": text[half:]}
    true = [("id", "bigint", "the id"), ("lines", "array<struct<sku:string,n:int>>", "")]
    assert columns(HIVE, parts) == columns([], {schema: text}) == true
    own = [{"Name": "id", "Type": "bigint"}]
    assert columns(own, parts) == [("id", "bigint", "")]
    for broken in (
        {},
        {schema: "{"},
        {schema: "[]"},
        {**parts, f"{schema}.numParts": "3"},
        {schema: '{"fields": [1]}'},
        {schema: f'{{"fields": [{{"name": "deep", "type": {nested(100_000)}}}]}}'},
        {schema: f'{{"fields": [{{"name": "deep", "type": {nested(600)}}}]}}'},
    ):
        assert columns(HIVE, broken) == [("col", "array<string>", "from deserializer")]


@pytest.mark.parametrize("flag", ["false", "FALSE"])
def test_columns_of_earlier_schemas_of_iceberg_are_none_of_the_table(flag: str) -> None:
    """Iceberg leaves what was dropped or renamed in the catalog, marked: nobody can read or be granted it."""
    current, former = {"iceberg.field.id": "1", "iceberg.field.current": "true"}, {"iceberg.field.current": flag}
    listed = [
        {"Name": "id", "Type": "bigint", "Parameters": current},
        {"Name": "dropped", "Type": "string", "Parameters": former},
        {"Name": "plain", "Type": "string"},
        {"Name": "null", "Type": "string", "Parameters": None},
    ]
    answered = answer(TRUE, None, ICEBERG, Columns=listed)
    answered["PartitionKeys"] = listed[:2]
    table = table_of("sales", answered)
    assert [column.name for column in table.columns] == ["id", "plain", "null"]
    assert [column.name for column in table.partition_keys] == ["id"]
