"""A part of the data objects: what lies below one object, less what is excluded.

Raito Cloud asks for it by full names (`dataObjectParent`, `dataObjectExcludes`), which a run carries as tags.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from raito_pipeline.aws.data_objects.names import FILE_MARK, DataObjectName, parse_full_name
from raito_pipeline.model import DataObject
from raito_pipeline.model.batches import texts

PARENT_TAG = "raito/data-object-parent"
EXCLUDES_TAG = "raito/data-object-excludes"
_BETWEEN = "\n"
_COLUMN = "column"


class NoSubtree(ValueError):
    """A full name that no data object with something below it can have."""

    def __init__(self, full_name: str) -> None:
        super().__init__(
            f"{full_name!r} is not the full name of a bucket, a folder or a table: give it as Raito Cloud shows it, "
            "ACCOUNT:REGION:BUCKET or ACCOUNT:REGION:BUCKET/PATH"
        )


@dataclass(frozen=True)
class Subtree:
    """What lies below `parent` (not itself), less `excludes` with all that lies below these. Full names."""

    parent: str
    excludes: tuple[str, ...] = ()

    @classmethod
    def of(cls, parent: str, excludes: Iterable[str] = ()) -> "Subtree":
        """Checked. Raises `NoSubtree`."""
        subtree = cls(parent, tuple(name.strip() for name in excludes if name.strip()))
        for name in (parent, *subtree.excludes):
            _place(name)
        return subtree

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> "Subtree | None":
        """What the tags of a run ask for; None = everything. Raises `NoSubtree`."""
        parent = tags.get(PARENT_TAG)
        return cls.of(parent, tags.get(EXCLUDES_TAG, "").split(_BETWEEN)) if parent else None

    def tags(self) -> dict[str, str]:
        """The tags of a run for this subtree."""
        return {PARENT_TAG: self.parent, EXCLUDES_TAG: _BETWEEN.join(self.excludes)}

    @cached_property
    def place(self) -> DataObjectName:
        """Where the parent is."""
        return _place(self.parent)

    @cached_property
    def _excluded(self) -> tuple[DataObjectName, ...]:
        return tuple(map(_place, self.excludes))

    @property
    def excluded_paths(self) -> tuple[str, ...]:
        """The paths that are left out of the bucket of the parent."""
        return tuple(
            place.path
            for place in self._excluded
            if place.path is not None and place.bucket == self.place.bucket and not _is_marked_table(place)
        )

    def contains(self, full_name: str, table: str | None = None) -> bool:
        """Whether a data object is in the subtree. `table` is the full name of the table that a column is of."""
        place = parse_full_name(full_name)
        of_table = parse_full_name(table) if table else None
        if place is None or not _below(place, self.place, of_table):
            return False
        return not any(_below(place, out, of_table) or _same(place, out) for out in self._excluded)

    def holds(self, row: DataObject) -> bool:
        """Whether the data object of a row is in the subtree."""
        return self.contains(row.full_name, row.parent_full_name if row.type == _COLUMN else None)

    def lies_in(self, full_name: str) -> bool:
        """Whether a data object is the parent of the subtree, or what that lies in."""
        place = parse_full_name(full_name)
        return place is not None and (_same(self.place, place) or _below(self.place, place, None))

    def within(self, batches: Iterable[pa.RecordBatch], *, inside: bool = True) -> Iterator[pa.RecordBatch]:
        """Only the rows of `data_objects` that are in the subtree, or (not `inside`) only the others."""
        for batch in batches:
            columns = (texts(batch, name) for name in ("full_name", "type", "parent_full_name"))
            held = (
                self.contains(name, parent if kind == _COLUMN else None)
                for name, kind, parent in zip(*columns, strict=True)
            )
            kept = batch.filter(pa.array([each is inside for each in held], pa.bool_()))
            if kept.num_rows:
                yield kept


def _place(full_name: str) -> DataObjectName:
    name = parse_full_name(full_name)
    if name is None or not name.bucket:
        raise NoSubtree(full_name)
    return name


def _is_marked_table(place: DataObjectName) -> bool:
    """Whether a full name is of a table that does not have that of its location, or of a column of it."""
    return place.mark not in ("", FILE_MARK)


def _bucket_of(place: DataObjectName) -> tuple[str, str, str]:
    return (place.account, place.region, place.bucket)


def _same(one: DataObjectName, other: DataObjectName) -> bool:
    tables = _is_marked_table(one) or _is_marked_table(other)
    return (_bucket_of(one), one.path) == (_bucket_of(other), other.path) and (not tables or one.mark == other.mark)


def _below(one: DataObjectName, other: DataObjectName, table: DataObjectName | None) -> bool:
    """Whether an object lies below another one; `table` is that of a column.

    A table that does not have the name of its location lies, with its columns, in the folder at the location.
    """
    if _bucket_of(one) != _bucket_of(other):
        return False
    if _is_marked_table(other):
        return table == other
    located = table or one
    if _is_marked_table(located):
        return other.path is None or (located.path is not None and f"{located.path}/".startswith(f"{other.path}/"))
    return one.path is not None and (other.path is None or one.path.startswith(f"{other.path}/"))
