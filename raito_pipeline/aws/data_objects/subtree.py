"""A part of the data objects: what lies below one object, less what is excluded.

Raito Cloud asks for it by full names (`dataObjectParent`, `dataObjectExcludes`), which a run carries as tags.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from raito_pipeline.aws.data_objects.names import DataObjectName, parse_full_name
from raito_pipeline.model.batches import texts

PARENT_TAG = "raito/data-object-parent"
EXCLUDES_TAG = "raito/data-object-excludes"
_BETWEEN = "\n"


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
        return tuple(p.path for p in self._excluded if p.path is not None and p.bucket == self.place.bucket)

    def contains(self, full_name: str) -> bool:
        """Whether a data object is in the subtree."""
        place = parse_full_name(full_name)
        if place is None or not _below(place, self.place):
            return False
        return not any(_below(place, out) or _same(place, out) for out in self._excluded)

    def within(self, batches: Iterable[pa.RecordBatch], *, inside: bool = True) -> Iterator[pa.RecordBatch]:
        """Only the rows of `data_objects` that are in the subtree, or (not `inside`) only the others."""
        for batch in batches:
            kept = batch.filter(pa.array([self.contains(n) is inside for n in texts(batch, "full_name")], pa.bool_()))
            if kept.num_rows:
                yield kept


def _place(full_name: str) -> DataObjectName:
    name = parse_full_name(full_name)
    if name is None or not name.bucket:
        raise NoSubtree(full_name)
    return name


def _same(one: DataObjectName, other: DataObjectName) -> bool:
    return (one.account, one.region, one.bucket, one.path) == (other.account, other.region, other.bucket, other.path)


def _below(one: DataObjectName, other: DataObjectName) -> bool:
    if (one.account, one.region, one.bucket) != (other.account, other.region, other.bucket) or one.path is None:
        return False
    return other.path is None or one.path.startswith(f"{other.path}/")
