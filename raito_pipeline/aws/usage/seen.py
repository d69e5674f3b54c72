"""Which names were seen, at 16 bytes each: two independent 64-bit hashes of every name, and not the names."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

_SALT = "\0"
_Hashes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class HashSet:
    """A set of strings that only grows: sorted runs of hashes, each at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[tuple[_Hashes, _Hashes]] = []

    def __len__(self) -> int:
        return sum(len(first) for first, _ in self._runs)

    def __contains__(self, name: str) -> bool:
        return bool(self._seen(*_hashes([name]))[0])

    def add(self, names: Sequence[str]) -> Flags:
        """Add names; true for each that is new, the first of several equal ones included."""
        order, first, second = _sorted(*_hashes(names))
        new = ~self._seen(first, second)
        new[1:] &= (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        self._append(first[new], second[new])
        fresh = np.empty(len(new), np.bool_)
        fresh[order] = new
        return fresh

    def add_all(self, names: Sequence[str]) -> None:
        """Add names that are not in the set yet, and differ."""
        _, first, second = _sorted(*_hashes(names))
        self._append(first, second)

    def _seen(self, first: _Hashes, second: _Hashes) -> Flags:
        hits = np.zeros(len(first), np.bool_)
        for run_first, run_second in self._runs:
            last = len(run_first) - 1
            at = np.minimum(np.searchsorted(run_first, first), last)
            # Names that share the first hash are neighbours; that there are several is rarer than rare.
            open_ = np.flatnonzero(run_first[at] == first)
            while len(open_):
                here = at[open_]
                hits[open_] |= run_second[here] == second[open_]
                at[open_] = np.minimum(here + 1, last)
                goes_on = (here < last) & ~hits[open_]
                open_ = open_[goes_on & (run_first[at[open_]] == first[open_])]
        return hits

    def _append(self, first: _Hashes, second: _Hashes) -> None:
        """Add a sorted run."""
        if not len(first):
            return
        while self._runs and len(self._runs[-1][0]) < 2 * len(first):
            run_first, run_second = self._runs.pop()
            both = np.concatenate([run_first, first]), np.concatenate([run_second, second])
            _, first, second = _sorted(*both)
        self._runs.append((first, second))


def _sorted(first: _Hashes, second: _Hashes) -> tuple[npt.NDArray[np.intp], _Hashes, _Hashes]:
    """The order that sorts the hashes, equal ones as they came, and the sorted hashes."""
    order = np.argsort(first, kind="stable")
    by_first = first[order]
    if (by_first[1:] == by_first[:-1]).any():
        order = np.lexsort((second, first))
    return order, first[order], second[order]


def _hashes(names: Sequence[str]) -> tuple[_Hashes, _Hashes]:
    count = len(names)
    first = np.fromiter(map(hash, names), np.int64, count)
    return first, np.fromiter(map(hash, map(str.__add__, repeat(_SALT), names)), np.int64, count)
