"""Columns of record batches as Python values."""

from typing import cast

import pyarrow as pa


def texts(batch: pa.RecordBatch | pa.Table, column: str) -> list[str]:
    """A column of texts without nulls."""
    return cast("list[str]", batch.column(column).to_pylist())
