"""Columns of record batches as Python values."""

import pyarrow as pa

from raito_pipeline.model.batches import texts


def test_a_column_of_a_batch_or_a_table_in_its_order() -> None:
    batch = pa.RecordBatch.from_pydict({"n": ["b", "a"], "m": ["x", "y"]})

    assert texts(batch, "n") == ["b", "a"]
    assert texts(pa.Table.from_batches([batch, batch]), "m") == ["x", "y", "x", "y"]
