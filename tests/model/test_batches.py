"""Columns of record batches as Python values, and rows that differ in one column only."""

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa

from raito_pipeline.model.batches import one_row_each, texts
from raito_pipeline.model.schema import arrow_schema, from_batch


def test_a_column_of_a_batch_or_a_table_in_its_order() -> None:
    batch = pa.RecordBatch.from_pydict({"n": ["b", "a"], "m": ["x", "y"]})

    assert texts(batch, "n") == ["b", "a"]
    assert texts(pa.Table.from_batches([batch, batch]), "m") == ["x", "y", "x", "y"]


@dataclass(frozen=True)
class Line:
    """A row of these tests."""

    name: Annotated[str, "a name"]
    value: Annotated[str, "a value"]
    more: Annotated[tuple[str, ...], "some texts"]


def test_rows_are_repeated_for_each_of_their_values_in_batches_of_about_a_size() -> None:
    rows = [(Line("a", "", ("x",)), ["1", "2", "3"]), (Line("b", "", ()), []), (Line("c", "", ("y", "z")), ["1"])]

    batches = list(one_row_each(Line, "value", rows, size=2))

    assert [batch.num_rows for batch in batches] == [3, 1]
    assert [line for batch in batches for line in from_batch(Line, batch)] == [
        Line("a", "1", ("x",)),
        Line("a", "2", ("x",)),
        Line("a", "3", ("x",)),
        Line("c", "1", ("y", "z")),
    ]
    assert batches[0].schema == arrow_schema(Line)


def test_no_rows_are_no_batches() -> None:
    assert list(one_row_each(Line, "value", [])) == []
