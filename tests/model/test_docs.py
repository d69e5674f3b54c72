"""The page of the tables: what a declaration says of a table stands there, in short types."""

import pyarrow as pa
import pytest

from raito_pipeline.model import TABLES, columns
from raito_pipeline.model.docs import render, type_name


@pytest.mark.parametrize(
    ("arrow_type", "name"),
    [
        (pa.string(), "string"),
        (pa.list_(pa.int64()), "list of int64"),
        (pa.timestamp("us", "UTC"), "timestamp (UTC)"),
        (pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])), "list of record (`key`, `value`)"),
    ],
)
def test_types_in_short(arrow_type: pa.DataType, name: str) -> None:
    assert type_name(arrow_type) == name


@pytest.mark.parametrize("table", TABLES)
def test_each_table_says_where_it_lies_what_it_is_of_and_every_column(table: str) -> None:
    spec, page = TABLES[table], render()
    section = page[page.index(f"\n## {table}\n") :].split("\n## ", 2)[1]

    assert f"/{table}/account=" in section
    assert ("/region=" in section) == (spec.partitioned_by != "account")
    assert f"layer `{spec.layer}`" in section
    assert all(f"`{parent}`" in section for parent in (*spec.parents, *spec.sources, *spec.sinks))
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == [column.name for column in columns(spec.row_type)]
    assert [" | yes | " in line for line in rows] == [column.nullable for column in columns(spec.row_type)]
