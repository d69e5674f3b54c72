"""Which names were seen, at 16 bytes each: two independent 64-bit hashes of every name, and not the names."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

_SALT = "\0"
_MERGE_AT = 100_000


class HashSet:
    """A set of strings that only grows. Those added lately lie in a plain set, the others in two sorted arrays."""

    def __init__(self) -> None:
        self._first: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._second: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._late: set[tuple[int, int]] = set()

    def __len__(self) -> int:
        return len(self._first) + len(self._late)

    def __contains__(self, name: str) -> bool:
        pair = (hash(name), hash(_SALT + name))
        return pair in self._late or self._merged(pair)

    def add(self, name: str) -> bool:
        """Add a name; false where it was in the set already."""
        pair = (hash(name), hash(_SALT + name))
        if pair in self._late or self._merged(pair):
            return False
        self._late.add(pair)
        if len(self._late) >= _MERGE_AT:
            self._merge()
        return True

    def add_all(self, names: Sequence[str]) -> None:
        """Add names that are not in the set yet, and differ."""
        first = np.fromiter(map(hash, names), np.int64, len(names))
        second = np.fromiter(map(hash, map(str.__add__, repeat(_SALT), names)), np.int64, len(names))
        self._join(first, second)

    def _merged(self, pair: tuple[int, int]) -> bool:
        at = int(np.searchsorted(self._first, pair[0]))
        while at < len(self._first) and self._first[at] == pair[0]:
            if self._second[at] == pair[1]:
                return True
            at += 1
        return False

    def _merge(self) -> None:
        pairs = np.array(list(self._late), np.int64).reshape(-1, 2)
        self._late = set()
        self._join(pairs[:, 0], pairs[:, 1])

    def _join(self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> None:
        all_first, all_second = np.concatenate([self._first, first]), np.concatenate([self._second, second])
        order = np.argsort(all_first, kind="stable")
        self._first, self._second = all_first[order], all_second[order]
