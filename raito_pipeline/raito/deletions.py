"""The brake on imports: what an import would remove is counted before it is sent.

An import with `deleteUntouched` removes whatever Raito Cloud holds and the file lacks; a filter that empties would
empty Raito Cloud. There is no query for what it holds, so each import leaves a set behind: 8 bytes for each external
id, in a stored table beside that of the import. Two ids that share their 8 bytes are not told apart, which is of no
weight in a count (a million ids: one chance in forty million).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.first_few import first_few
from raito_pipeline.model import ImportElement, ImportResult
from raito_pipeline.model.schema import arrow_schema
from raito_pipeline.model.upload import elements_table
from raito_pipeline.storage import CellInfo, CellMissing, CellUnusable, Store

OPTION = "max-import-deletions"
HANDFUL = 10
"""So many may always go: a share says nothing about a few."""
_OF, _IN_DOUBT, _LOST = "of", "in doubt", "lost"
_SCHEMA = arrow_schema(ImportElement)
_BATCH_ROWS = 65_536
_NAMED = 3
Hashes = npt.NDArray[np.int64]
"""sorted, each once"""
Place = tuple[str, str | None]


@dataclass(frozen=True)
class Elements:
    """A set of elements by kind."""

    by_kind: Mapping[str, Hashes]

    @classmethod
    def of(cls, ids: Mapping[str, Iterable[Sequence[str]]]) -> "Elements":
        """The set of these external ids: kind -> batches of them. Nothing but the hashes is held."""
        return cls({kind: _hashed(batches) for kind, batches in ids.items()})

    def __len__(self) -> int:
        return sum(map(len, self.by_kind.values()))

    def kind(self, kind: str) -> Hashes:
        """The elements of one kind."""
        return self.by_kind.get(kind, np.empty(0, np.int64))

    def has(self, kind: str, name: str) -> bool:
        """Whether an external id of this kind is among them."""
        return not len(Elements.of({kind: [[name]]}).less(self))

    def less(self, others: "Elements") -> "Elements":
        """Those that are not among `others`."""
        return Elements({kind: _less(own, others.kind(kind)) for kind, own in self.by_kind.items()})

    def with_(self, others: "Elements") -> "Elements":
        """Those of both."""
        kinds = dict.fromkeys((*self.by_kind, *others.by_kind))
        return Elements({kind: np.union1d(self.kind(kind), others.kind(kind)) for kind in kinds})


def _hashed(batches: Iterable[Sequence[str]]) -> Hashes:
    hashes = bytearray()
    for names in batches:
        hashes += b"".join(map(_hash, names))
    return _sorted(hashes)


def _sorted(hashes: bytearray) -> Hashes:
    """All of these, each once; sorted where they lie, as a million ids need not be there twice."""
    these = np.frombuffer(hashes, np.dtype("<i8"))
    these.sort()
    again = these[1:] == these[:-1]
    return np.delete(these, np.flatnonzero(again)) if again.any() else these


def _hash(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def _less(own: Hashes, others: Hashes) -> Hashes:
    if not len(others):
        return own
    # `np.setdiff1d` sorts both together: 80 MB for a million of each.
    gone = np.empty(len(own), np.bool_)
    for start in range(0, len(own), _BATCH_ROWS):
        part = own[start : start + _BATCH_ROWS]
        there = np.searchsorted(others, part, side="left") < np.searchsorted(others, part, side="right")
        gone[start : start + _BATCH_ROWS] = there
    return own[~gone]


@dataclass(frozen=True)
class HeldElements:
    """What is known of what Raito Cloud holds by the imports of one table."""

    elements: Elements | None = None
    """None before the first import, and where it is `lost`"""
    in_doubt: bool = False
    """whether it may hold something else: an import failed since, or nobody heard how it ended"""
    lost: str = ""
    """why it may hold more than that: what earlier imports left behind cannot be read any more"""

    def may_not_remove(self, share: float) -> tuple[str, ...]:
        """Why an import may not remove what it lacks, where it is lost what that would be."""
        if not self.lost or share >= 1:
            return ()
        return (
            f"it is not known how much that would be: {self.lost}. If all that is not there any more is meant to go, "
            f"sync once with `raito-pipeline run --{OPTION} 1`",
        )


def held_by_raito_cloud(store: Store, table: str, place: Place, owner: str) -> HeldElements:
    """What the imports of `table` left in the data source or identity store `owner`."""
    lost = why_lost(store, table, place)
    info = store.info(elements_table(table), *place)
    if info is None or lost or info.extra.get(_OF, owner) != owner:
        return HeldElements(lost=lost)
    lost, in_doubt = info.extra.get(_LOST, ""), bool(info.extra.get(_IN_DOUBT))
    if _OF not in info.extra:
        return HeldElements(lost=lost)
    by_kind: dict[str, bytearray] = {}
    try:
        for batch in store.batches(elements_table(table), *place):
            for kind in map(str, pc.unique(batch.column("kind")).to_pylist()):
                of_kind: Any = batch.filter(pc.equal(batch.column("kind"), pa.scalar(kind))).column("hash")
                by_kind.setdefault(kind, bytearray()).extend(of_kind.to_numpy().data)
    except CellMissing:
        return HeldElements(lost=why_lost(store, table, place))
    return HeldElements(Elements({kind: _sorted(hashes) for kind, hashes in by_kind.items()}), in_doubt, lost)


def why_lost(store: Store, table: str, place: Place) -> str:
    """Why what the imports of `table` left behind cannot be read any more; empty where it can, or none was made."""
    notes = elements_table(table)
    unusable = store.unusable(notes, *place)
    if unusable or store.info(notes, *place) is not None:
        return unusable or ""
    try:
        rows = list(store.rows(ImportResult, *place, table=table))
    except CellUnusable as error:
        return f"{notes} is not there, and {table} cannot be used ({error.reason})"
    except CellMissing:
        return ""
    return f"{notes} is not there, although {table} is" if any(row.held is not None for row in rows) else ""


def remember(
    store: Store, table: str, place: Place, owner: str, elements: Elements, *, doubt: bool = False, lost: str = ""
) -> CellInfo:
    """Store what Raito Cloud holds after an import; with `doubt`, what it held before one that may have been made.

    `lost` says why it may hold more than that.
    """
    return _remember(store, table, place, elements, {_OF: owner, _IN_DOUBT: "yes" if doubt else "", _LOST: lost})


def remember_lost(store: Store, table: str, place: Place, lost: str) -> CellInfo:
    """Store that it is not known what Raito Cloud holds, and why."""
    return _remember(store, table, place, Elements({}), {_LOST: lost})


def _remember(store: Store, table: str, place: Place, elements: Elements, said: Mapping[str, str]) -> CellInfo:
    with store.writer(elements_table(table), *place) as writer:
        writer.extra.update({name: text for name, text in said.items() if text})
        for batch in _batches(elements):
            writer.write_batch(batch)
    assert writer.info is not None
    return writer.info


def _batches(elements: Elements) -> Iterator[pa.RecordBatch]:
    for kind, hashes in elements.by_kind.items():
        for start in range(0, len(hashes), _BATCH_ROWS):
            part = hashes[start : start + _BATCH_ROWS]
            kinds = pa.repeat(pa.scalar(kind, pa.string()), len(part))
            yield pa.RecordBatch.from_arrays([kinds, pa.array(part, pa.int64())], schema=_SCHEMA)


def unread(held: Elements, not_read: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Why an import may not remove what it lacks, one reason a kind: some of what is held could not be read."""
    reasons = []
    for kind, names in not_read.items():
        there = [name for name in names if held.has(kind, name)]
        if there:
            reasons.append(
                f"it could not be read whether {len(there):,} {kind}s that Raito Cloud holds are still there: "
                f"{first_few(there, _NAMED)}"
            )
    return tuple(reasons)


def too_many(held: Elements, sent: Elements, meant: Elements, share: float) -> tuple[str, ...]:
    """Why an import may not remove what it lacks, one reason a kind: that would be more than `share` of what is held.

    `meant` are elements that are known to be meant to go; they count neither way.
    """
    reasons = []
    for kind, hashes in held.less(meant).by_kind.items():
        removed = len(_less(hashes, sent.kind(kind)))
        if removed > max(HANDFUL, share * len(hashes)):
            reasons.append(
                f"it would remove {removed:,} of the {len(hashes):,} {kind}s that Raito Cloud holds, and "
                f"{OPTION} allows {share:g} of them. If they are meant to go, sync once with "
                f"`raito-pipeline run --{OPTION} 1`, or raise the option"
            )
    return tuple(reasons)


def disagreement(row: ImportResult) -> str | None:
    """What Raito Cloud counted otherwise than expected by what was sent before; None where that is equal or unknown."""
    if row.status != "COMPLETED":
        return None
    differences = [
        f"{done} {count}, expected {expected}"
        for done, count, expected in (
            ("added", row.added, row.expected_added),
            ("removed", row.removed, row.expected_removed),
        )
        if expected is not None and count != expected
    ]
    return f"Raito Cloud counted otherwise: {'; '.join(differences)}" if differences else None
