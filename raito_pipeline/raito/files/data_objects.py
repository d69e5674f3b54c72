"""Data objects: from the stored cells of all regions to one file, column by column, without a loop over the rows.

A million rows pass through here, so each column of a record batch becomes JSON text at once (Arrow), and the text of
the joined column is written as it lies in memory.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.model import DataObject, Tag
from raito_pipeline.model.batches import texts
from raito_pipeline.model.owners import with_owner_tag
from raito_pipeline.model.schema import from_batch, to_batch
from raito_pipeline.raito.files.json_columns import BETWEEN, Strings, escaped, joined, text_of
from raito_pipeline.raito.files.tags import tag_elements
from raito_pipeline.raito.files.writer import ImportFile, JsonArrayWriter
from raito_pipeline.storage import Store

TABLE = "data_objects"
_Flags = Any
"""an array of truth values; the type stubs of pyarrow lack what is done with it here"""
_BUCKET = r"(?s)^([^:]*:[^:]*:[^:/]*).*"
_RANK = {"bucket": 3, "glue-table": 2, "column": 1}


def write_data_objects(
    path: Path,
    store: Store,
    partition: str,
    regions: Sequence[str],
    account_id: str,
    *,
    owner_key: str | None = None,
    table: str = TABLE,
    part: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]] | None = None,
) -> ImportFile:
    """Write the data source and all data objects of the cells `partition`/`regions`; or only those that `part` keeps.

    Parents precede their children, and what several regions name (the bucket and folders of tables in two catalogs)
    is written once. `owner_key` is `tag-overwrite-key-for-data-object-owners`. Raises `CellMissing`.
    """
    with JsonArrayWriter(path) as writer:
        batches = merged_batches(store, partition, regions, table=table)
        if part is None:
            writer.write(data_source_element(account_id))
        for batch in batches if part is None else part(batches):
            text = data_object_elements(batch, owner_key=owner_key)
            writer.write_encoded(text, batch.num_rows)
    return writer.file


def data_source_element(account_id: str) -> dict[str, Any]:
    """The account itself, the root of all data objects."""
    return {
        "externalId": account_id,
        "name": account_id,
        "fullName": account_id,
        "type": "datasource",
        "description": f"DataSource for AWS account {account_id}",
        "parentExternalId": "",
        "tags": None,
    }


def merged_batches(
    store: Store, partition: str, regions: Sequence[str], *, table: str = TABLE
) -> Iterator[pa.RecordBatch]:
    """The rows of all regions, each object once, parents first.

    Only buckets that more than one region names need care; their rows are gathered (there are as many as tables in
    Glue catalogs, never as many as keys in S3), everything else passes through.
    """
    shared = _shared_buckets(store, partition, regions, table)
    if len(shared):
        yield from _gathered(store, partition, regions, table, shared)
    for region in regions:
        for batch in store.batches(table, partition, region):
            keep: _Flags = None if len(shared) == 0 else pc.invert(_in_buckets(batch, shared))
            rest = batch if keep is None else batch.filter(keep)
            if rest.num_rows:
                yield rest


def _shared_buckets(store: Store, partition: str, regions: Sequence[str], table: str) -> Strings:
    seen: set[str] = set()
    shared: set[str] = set()
    for region in regions if len(regions) > 1 else ():
        source = store.dataset(table, partition, region)
        buckets = source.batches(["full_name"], {"type": ["bucket"]})
        here = {name for batch in buckets for name in texts(batch, "full_name")}
        shared |= seen & here
        seen |= here
    return pa.array(sorted(shared), pa.string())


def _in_buckets(batch: pa.RecordBatch, buckets: Strings) -> _Flags:
    # A bucket is what comes before the path, and before the mark of a table that does not have its location's name.
    bucket_of = pc.replace_substring_regex(batch.column("full_name"), pattern=_BUCKET, replacement=r"\1")
    return pc.is_in(bucket_of, value_set=buckets)


def _gathered(
    store: Store, partition: str, regions: Sequence[str], table: str, buckets: Strings
) -> Iterator[pa.RecordBatch]:
    rows: dict[str, DataObject] = {}
    for region in regions:
        for batch in store.batches(table, partition, region):
            for row in from_batch(DataObject, batch.filter(_in_buckets(batch, buckets))):
                held = rows.get(row.full_name)
                if held is None or _weight(row) > _weight(held):
                    rows[row.full_name] = row
    listed = list(rows.values())
    for start in range(0, len(listed), 10_000):
        yield to_batch(DataObject, listed[start : start + 10_000])


def _weight(row: DataObject) -> tuple[int, bool, bool]:
    """What says more wins: a table over the folder of the same name, tags and a description over none."""
    return _RANK.get(row.type, 0), bool(row.tags), bool(row.description)


def data_object_elements(batch: pa.RecordBatch, *, owner_key: str | None = None) -> memoryview:
    """The rows of a batch as JSON objects, `,` and a newline between them (nothing for an empty batch)."""
    full_name = escaped(batch.column("full_name"))
    name = escaped(batch.column("name"))
    kind = escaped(batch.column("type"))
    lines = joined(
        '{"externalId":"',
        full_name,
        '","name":"',
        name,
        '","fullName":"',
        full_name,
        '","type":"',
        kind,
        '","description":"',
        escaped(batch.column("description")),
        '","parentExternalId":"',
        escaped(batch.column("parent_full_name")),
        '","tags":',
        _tags(batch.column("tags"), owner_key),
        _data_types(batch.column("data_type")),
        "}" + BETWEEN,
    )
    return text_of(lines)[: -len(BETWEEN)]


def _tags(column: Any, owner_key: str | None) -> Strings | str:
    if column.null_count == len(column):
        return "null"
    return pa.array([_tag_text(tags, owner_key) for tags in column.to_pylist()], pa.string())


def _tag_text(tags: list[dict[str, str]] | None, owner_key: str | None) -> str:
    if tags is None:
        return "null"
    read = with_owner_tag(tuple(Tag(tag["key"], tag["value"]) for tag in tags), owner_key)
    return json.dumps(tag_elements(read), ensure_ascii=False, separators=(",", ":"))


def _data_types(column: Strings) -> Strings | str:
    if column.null_count == len(column):
        return ""
    text = joined(',"dataType":"', escaped(column), '"')
    return pc.fill_null(text, "")
