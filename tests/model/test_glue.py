"""Tables of the Glue catalog as a text, for when their source does not answer."""

import pytest

from raito_pipeline.model.glue import GlueColumn, GlueTable, from_json, to_json

TABLE = GlueTable(
    "sales",
    "orders",
    "s3://b/orders",
    "EXTERNAL_TABLE",
    "all of them",
    (("k", "v"),),
    (GlueColumn("id", "bigint", "number", (("a", "b"),)), GlueColumn("name")),
    (GlueColumn("day", "date"),),
    1_700_000_000,
    linked=True,
)


def test_tables_are_read_back_as_they_were() -> None:
    assert from_json(to_json([TABLE, GlueTable("d", "t")])) == [TABLE, GlueTable("d", "t")]


@pytest.mark.parametrize("text", ["", "[]", "no JSON", '[{"table": "of an earlier version"}]', "{}"])
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert from_json(text) == []
