"""Which names were seen, at 16 bytes each: two independent 64-bit hashes of every name, and not the names."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

_SALT = "\0"
_Hashes = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


class HashSet:
    """A set of strings that only grows: sorted runs of hashes, each at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[tuple[_Hashes, _Hashes]] = []

    def __len__(self) -> int:
        return sum(len(first) for first, _ in self._runs)

    def __contains__(self, name: str) -> bool:
        return bool(self._seen(*_hashes([name]))[0])

    def add(self, names: Sequence[str]) -> list[bool]:
        """Add names; true for each that is new, the first of several equal ones included."""
        first, second = _hashes(names)
        fresh = ~self._seen(first, second)
        within: set[str] = set()
        for at, name in enumerate(names):
            if fresh[at]:
                fresh[at] = name not in within
                within.add(name)
        self._append(first[fresh], second[fresh])
        return [bool(each) for each in fresh]

    def add_all(self, names: Sequence[str]) -> None:
        """Add names that are not in the set yet, and differ."""
        self._append(*_hashes(names))

    def _seen(self, first: _Hashes, second: _Hashes) -> _Flags:
        found = np.zeros(len(first), np.bool_)
        for run_first, run_second in self._runs:
            at = np.searchsorted(run_first, first)
            last = len(run_first) - 1
            # Names that share the first hash are neighbours; that there are several is rarer than rare.
            open_ = ~found & (at <= last)
            while open_.any():
                here = np.minimum(at, last)
                same = open_ & (run_first[here] == first)
                found |= same & (run_second[here] == second)
                at = at + 1
                open_ = same & ~found & (at <= last)
        return found

    def _append(self, first: _Hashes, second: _Hashes) -> None:
        if not len(first):
            return
        while self._runs and len(self._runs[-1][0]) < 2 * len(first):
            run_first, run_second = self._runs.pop()
            first, second = np.concatenate([run_first, first]), np.concatenate([run_second, second])
        order = np.argsort(first, kind="stable")
        self._runs.append((first[order], second[order]))


def _hashes(names: Sequence[str]) -> tuple[_Hashes, _Hashes]:
    count = len(names)
    first = np.fromiter(map(hash, names), np.int64, count)
    return first, np.fromiter(map(hash, map(str.__add__, repeat(_SALT), names)), np.int64, count)
