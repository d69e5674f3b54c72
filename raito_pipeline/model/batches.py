"""Columns of record batches as Python values, and rows that differ in one column only."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
import pyarrow as pa

from raito_pipeline.model.schema import arrow_schema, to_batch

_BATCH_ROWS = 65_536


def texts(batch: pa.RecordBatch | pa.Table, column: str) -> list[str]:
    """A column of texts without nulls."""
    return cast("list[str]", batch.column(column).to_pylist())


def one_row_each(
    row_type: type, column: str, rows: Iterable[tuple[Any, Sequence[str]]], size: int = _BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Batches of `row_type` with each row once for each of the texts beside it, which is its value of `column`.

    What the row itself has in that column does not count. A batch has about `size` rows.
    """
    waiting: list[tuple[Any, Sequence[str]]] = []
    count = 0
    for row, values in rows:
        waiting.append((row, values))
        count += len(values)
        if count >= size:
            yield _repeated(row_type, column, waiting)
            waiting, count = [], 0
    if waiting:
        yield _repeated(row_type, column, waiting)


def _repeated(row_type: type, column: str, rows: Sequence[tuple[Any, Sequence[str]]]) -> pa.RecordBatch:
    counts = [len(values) for _, values in rows]
    once = to_batch(row_type, (row for row, _ in rows))
    batch = once.take(np.repeat(np.arange(len(rows)), counts))
    at = batch.schema.get_field_index(column)
    arrays = list(batch.columns)
    arrays[at] = pa.array(chain.from_iterable(values for _, values in rows), pa.string())
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(row_type))
