"""Which data objects are known, at 20 bytes each, however long their names are.

A data object is kept as its type and two independent 64-bit hashes: of its ARN, by which it is looked for, and of its
full name. Two objects that share both are not expected in the lifetime of this program (a million names against a
million questions: one chance in 10^26), so that a statement never points at an object that is not there.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress
from typing import Any

import numpy as np
import numpy.typing as npt

from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.model.batches import texts
from raito_pipeline.storage import Store

TYPES = ("bucket", "folder", "file", "glue-table", "column", "datasource")
_CODES = {name: code for code, name in enumerate(TYPES)}
_RANGES_AT_ONCE = 65_536
Target = tuple[str, str]
"""full name, type"""


class KnownObjects:
    """Answers of which type a full name is. Fill it with `add`, then ask, from as many threads as you like.

    Asking after each `add` is slow. `partition` is that of the ARNs that are asked for: `aws`, `aws-cn`, ...
    """

    def __init__(self, partition: str = "aws") -> None:
        self.arn_start = f"arn:{partition}:s3:::"
        self._parts: list[list[npt.NDArray[Any]]] = [[np.empty(0, kind)] for kind in (np.int64, np.int64, np.uint8)]
        """the hashes of ARNs, those of full names, and the codes of types, each in parts"""
        self._count = 0
        self._sorted = True
        self._lock = threading.Lock()
        self._index()

    def __len__(self) -> int:
        return self._count

    @classmethod
    def load(cls, store: Store, account_id: str, regions: Iterable[str], partition: str = "aws") -> "KnownObjects":
        """The data objects of an account, streamed from the cells of its regions; missing cells hold none."""
        known = cls(partition)
        for region in regions:
            if store.info("data_objects", account_id, region) is None:
                continue
            for batch in store.dataset("data_objects", account_id, region).batches(["full_name", "type"]):
                known.add(texts(batch, "full_name"), texts(batch, "type"))
        return known

    def add(self, full_names: Sequence[str], types: Sequence[str]) -> None:
        """Learn data objects. Columns are left out: no event touches one."""
        count = len(full_names)
        first = np.fromiter((hash(self._arn(name)) for name in full_names), np.int64, count)
        second = np.fromiter(map(hash, full_names), np.int64, count)
        codes = np.fromiter((_CODES[kind] for kind in types), np.uint8, count)
        keep = codes != _CODES["column"]
        self._keep(first[keep], second[keep], codes[keep])
        self._count += int(keep.sum())
        self._sorted = False

    def _keep(self, *columns: npt.NDArray[Any]) -> None:
        for parts, column in zip(self._parts, columns, strict=True):
            parts.append(column)

    def type_of(self, full_name: str) -> str | None:
        """The type of a data object; None where it is not known. Of two types, it is the table: see `find`."""
        self._ready()
        first = hash(self._arn(full_name))
        slot = (first >> self._shift) + self._half
        code = -1
        for at in range(self._starts[slot], self._starts[slot + 1]):
            if self._first[at] == first and self._second[at] == hash(full_name):
                code = max(code, self._types[at])
        return TYPES[code] if code >= 0 else None

    def find(self, arns: Sequence[str], full_name: Callable[[int], str]) -> dict[int, Target]:
        """Which of many ARNs (of this partition) are of known data objects: position -> full name and type.

        `full_name` gives the full name at a position; it is asked only where the ARN is known. What one region has as
        a folder and another one as a table (their catalogs name one bucket) is the table, as it is sent to Raito Cloud.
        """
        self._ready()
        first = np.fromiter(map(hash, arns), np.int64, len(arns))
        slot = (first >> self._shift) + self._half
        starts, all_first, all_second, types = map(np.asarray, (self._starts, self._first, self._second, self._types))
        at, end = starts[slot], starts[slot + 1]
        targets: dict[int, Target] = {}
        open_ = np.flatnonzero(at < end)
        while len(open_):
            alike = open_[all_first[at[open_]] == first[open_]]
            names = [full_name(here) for here in alike.tolist()]
            same = all_second[at[alike]] == np.fromiter(map(hash, names), np.int64, len(names))
            kinds = map(TYPES.__getitem__, types[at[alike]].tolist())
            for here, target in compress(zip(alike.tolist(), zip(names, kinds, strict=True), strict=True), same):
                if here not in targets or _CODES[target[1]] > _CODES[targets[here][1]]:
                    targets[here] = target
            at[open_] += 1
            open_ = open_[at[open_] < end[open_]]
        return targets

    def closest(self, bucket: str, path: str | None) -> Iterator[Target]:
        """The known objects at a path and above it, from the closest to the bucket, as (full name, type)."""
        while path is not None:
            full_name = f"{bucket}/{path}"
            kind = self.type_of(full_name)
            if kind:
                yield full_name, kind
            cut = path.rfind("/")
            path = path[:cut] if cut >= 0 else None
        kind = self.type_of(bucket)
        if kind:
            yield bucket, kind

    def _arn(self, full_name: str) -> str:
        """The ARN of a data object. Should two share it, the hashes of their full names tell them apart."""
        return self.arn_start + full_name.split(":", 2)[-1]

    def _ready(self) -> None:
        if not self._sorted:
            with self._lock:  # several threads ask first; two that sort at once would mix their columns
                if not self._sorted:
                    self._index()

    def _index(self) -> None:
        """Sort by the first hash, and note where each range of its top bits begins, one range for about an object.

        What is not needed any more goes before more is made: of a million objects, 29 MB are there at once, not 66.
        """
        first, second, types = map(_joined, self._parts)
        order = np.argsort(first, kind="stable").astype(np.int32)
        first.sort()
        second = second[order]
        types = types[order]
        del order
        bits = max(1, min(28, int(self._count).bit_length()))
        self._shift, self._half = 64 - bits, 1 << (bits - 1)
        self._keep(first, second, types)
        self._first, self._second = memoryview(first.data), memoryview(second.data)
        self._types, self._starts = memoryview(types.data), memoryview(self._starts_in(first).data)
        self._sorted = True

    def _starts_in(self, first: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        starts = np.full(2 * self._half + 1, len(first), np.int32)
        for begin in range(-self._half, self._half, _RANGES_AT_ONCE):
            slots = np.arange(begin, min(begin + _RANGES_AT_ONCE, self._half))
            starts[slots + self._half] = np.searchsorted(first, slots << self._shift, side="left")
        return starts


def regions_of_buckets(store: Store, account_id: str, regions: Iterable[str]) -> dict[str, str]:
    """The region in the full names of the buckets that the catalogs of these regions name; the first one has it."""
    regions_by_bucket: dict[str, str] = {}
    for region in regions:
        if store.info("data_objects", account_id, region) is not None:
            buckets = store.dataset("data_objects", account_id, region).batches(["full_name"], {"type": ["bucket"]})
            for place in map(parse_full_name, chain.from_iterable(texts(batch, "full_name") for batch in buckets)):
                if place is not None:
                    regions_by_bucket.setdefault(place.bucket, place.region)
    return regions_by_bucket


def _joined(parts: list[Any]) -> Any:
    """One array of several, which are forgotten."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole
