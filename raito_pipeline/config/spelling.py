"""How near two names are: what somebody meant who mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def distance(one: str, other: str) -> int:
    """How many slips of typing lie between two names: a letter more, less, another one, or two swapped."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == other[column - 2] and wanted == one[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        before, last = last, now
    return last[-1]


def closest(name: str, known: Iterable[str], most: int) -> str | None:
    """The known name with the fewest slips between it and `name`, or None where each has more than `most`."""
    near = (each for each in known if abs(len(each) - len(name)) <= most)
    closest_so_far = min(((distance(name, each), each) for each in near), default=(most + 1, ""))
    return closest_so_far[1] if closest_so_far[0] <= most else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely stands for, or None where none is near."""
    matches = difflib.get_close_matches(name.replace("_", "-"), list(known), n=1, cutoff=0.8)
    return matches[0] if matches else None
