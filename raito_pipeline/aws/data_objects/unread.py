"""What could not be read of the data objects, and the rows of the previous sync that stand in for it.

Keys come in the order of S3, so a listing that breaks off leaves one range of keys unread: those after the last key
that came, up to the end of the range that was being listed. What the previous sync stored of such ranges is copied
into the new cell, streamed: nothing but the ranges is held. Rows of keys that were listed are never copied.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.data_objects.columns import Columns
from raito_pipeline.aws.data_objects.cursor import KeyRange
from raito_pipeline.aws.data_objects.folders import Row
from raito_pipeline.aws.data_objects.names import beside_folder, parse_full_name
from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.model.batches import texts

UNREAD_BUCKETS = "unread buckets"
"""Key in the extra fields of a cell: the full names of the buckets whose keys were not all listed, as a JSON list."""
ALL_KEYS = KeyRange()
NO_KEYS = KeyRange(end="\0")
_BUCKET = r"(?s)^([^:]*:[^:]*:[^:/]*).*"


class BatchWriter(Protocol):
    """What takes record batches of `data_objects` (`raito_pipeline.storage.CellWriter`)."""

    def write_batch(self, batch: pa.RecordBatch) -> None: ...


@dataclass(frozen=True, slots=True)
class UnreadKeys:
    """The keys of one bucket that were not listed."""

    bucket: str
    """full name"""
    keys: KeyRange = ALL_KEYS
    last: str = ""
    """the last key of the range that was listed; empty = none of it was"""
    with_bucket: bool = False
    """true where the row of the bucket itself is missing, too"""
    undecided: tuple[Row, ...] = ()
    """listed files that may have a folder of their path among what was not listed: whether they do is not known, so
    they have the name that the previous sync gave them"""

    @property
    def whole(self) -> bool:
        """True where no key of the bucket was listed, and its own row is there."""
        return self.keys == ALL_KEYS and not self.last and not self.with_bucket

    def holds(self, kind: str, path: str | None) -> bool:
        """Whether a row of the previous sync (its type and path) is of a key that was not listed."""
        if path is None:
            return self.with_bucket and kind == "bucket"
        if kind not in ("folder", "file"):
            return False
        key = f"{path}/" if kind == "folder" else path
        keys = self.keys
        if not key.startswith(keys.scope) or key == keys.opened:
            return False
        return key > self.last and key >= keys.start and (not keys.end or key < keys.end)


def keep_unread(
    writer: BatchWriter,
    previous: Iterable[pa.RecordBatch],
    unread: Sequence[UnreadKeys],
    subtree: Subtree | None = None,
) -> int:
    """Write the rows of the previous sync that stand in for what was not listed; gives how many.

    `previous` are the batches of the old cell of `data_objects`. With a subtree, only rows in it are copied. The
    undecided files of `unread` are written, too.
    """
    by_bucket: defaultdict[str, list[UnreadKeys]] = defaultdict(list)
    for each in unread:
        by_bucket[each.bucket].append(each)
    undecided = {row[0]: row for each in unread for row in each.undecided}
    beside: set[str] = set()
    kept = 0
    whole: Any = pa.array([each.bucket for each in unread if each.whole and subtree is None], pa.string())
    rest: Any = pa.array(sorted(by_bucket.keys() - set(whole.to_pylist())), pa.string())
    for batch in previous:
        bucket: Any = pc.replace_substring_regex(batch.column("full_name"), pattern=_BUCKET, replacement=r"\1")
        parts = [_of_keys(batch.filter(pc.is_in(bucket, value_set=whole)))]
        part = batch.filter(pc.is_in(bucket, value_set=rest))
        flags = []
        for name, kind in zip(texts(part, "full_name"), texts(part, "type"), strict=True):
            if kind == "folder" and name in undecided:
                beside.add(name)
            flags.append(_stays(by_bucket, name, kind) and (subtree is None or subtree.contains(name)))
        parts.append(part.filter(pa.array(flags, pa.bool_())))
        for rows in (rows for rows in parts if rows.num_rows):
            kept += rows.num_rows
            writer.write_batch(rows)
    _write_undecided(writer, undecided, beside)
    return kept


def _of_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that are made of keys: a million of them pass here where a large bucket is denied."""
    return batch.filter(pc.is_in(batch.column("type"), value_set=pa.array(["folder", "file"])))


def _stays(by_bucket: dict[str, list[UnreadKeys]], full_name: str, kind: str) -> bool:
    place = parse_full_name(full_name)
    if place is None:
        return False
    bucket = f"{place.account}:{place.region}:{place.bucket}"
    return any(each.holds(kind, place.path) for each in by_bucket[bucket])


def _write_undecided(writer: BatchWriter, undecided: dict[str, Row], beside: set[str]) -> None:
    columns = Columns()
    for full_name, (_, name, kind, parent) in undecided.items():
        bucket, _, key = full_name.partition("/")
        columns.add(beside_folder(bucket, key) if full_name in beside else full_name, name, kind, parent)
    if len(columns):
        writer.write_batch(columns.take())


def tables_of(previous: Iterable[pa.RecordBatch]) -> set[str]:
    """The full names of the Glue tables of the previous sync."""
    names: set[str] = set()
    for batch in previous:
        of_tables: Any = pc.equal(batch.column("type"), pa.scalar("glue-table"))
        names.update(texts(batch.filter(of_tables), "full_name"))
    return names


def keep_others_of_catalog(
    writer: BatchWriter, previous: Iterable[pa.RecordBatch], given: Iterable[str], subtree: Subtree | None = None
) -> int:
    """Write the rows of the previous sync that a catalog which was read in part did not give again; gives how many.

    `given` are the full names that were written already. A column stays only below a table that is there: where a
    table became a folder by a new one below it, its columns have another name now.
    """
    written = set(given)
    tables: set[str] = set()
    kept = 0
    for batch in previous:
        flags = []
        columns = (texts(batch, name) for name in ("full_name", "type", "parent_full_name"))
        for name, kind, parent in zip(*columns, strict=True):
            stays = name not in written and (kind != "column" or parent in tables)
            table = parent if kind == "column" else None
            stays = stays and (subtree is None or subtree.contains(name, table))
            if stays and kind == "glue-table":
                tables.add(name)
            flags.append(stays)
        rows = batch.filter(pa.array(flags, pa.bool_()))
        kept += rows.num_rows
        if rows.num_rows:
            writer.write_batch(rows)
    return kept
