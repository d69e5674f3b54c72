"""Data object rows as columns, on their way from a listing to Parquet without a Python object for each row."""

import pyarrow as pa

from raito_pipeline.model import DataObject, Tag
from raito_pipeline.model.schema import arrow_schema

_SCHEMA = arrow_schema(DataObject)
_TAGS = _SCHEMA.field("tags").type


class Columns:
    """Rows of `data_objects` that carry no description, data type or tags: folders and files."""

    __slots__ = ("full_names", "names", "parents", "types")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.full_names: list[str] = []
        self.names: list[str] = []
        self.types: list[str] = []
        self.parents: list[str] = []

    def __len__(self) -> int:
        return len(self.full_names)

    def add(self, full_name: str, name: str, kind: str, parent: str) -> None:
        """Append one row."""
        self.full_names.append(full_name)
        self.names.append(name)
        self.types.append(kind)
        self.parents.append(parent)

    def take(self) -> pa.RecordBatch:
        """The rows so far as a record batch of `data_objects`; they are forgotten here."""
        rows = len(self.full_names)
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(self.full_names, pa.string()),
                pa.array(self.names, pa.string()),
                pa.array(self.types, pa.string()),
                pa.array(self.parents, pa.string()),
                pa.repeat(pa.scalar("", pa.string()), rows),
                pa.nulls(rows, pa.string()),
                pa.nulls(rows, _TAGS),
            ],
            schema=_SCHEMA,
        )
        self._clear()
        return batch


def bucket_row(full_name: str, account: str, bucket: str, tags: tuple[Tag, ...] | None) -> DataObject:
    """The row of a bucket."""
    return DataObject(full_name, bucket, "bucket", account, "", None, tags)
