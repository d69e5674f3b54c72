"""Where the pages of a long listing ended: noted beside the cell, so that the next one is shared out without asking.

A mark is only a place in the order of keys: whatever has changed since, each key is in exactly one of the ranges
between marks, and a wrong mark costs a call at most.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PAGE_MARKS = "page marks"
"""Key in the extra fields of a cell of `data_objects`."""
LONG = 20
"""Pages from which on a listing is shared out: one page more is then 5 % of it."""
_NOTED, _HELD = 32, 2048
_NEARLY = 0.1
"""Share of the pages by which a listing may differ for its marks to stay as they are."""


@dataclass
class PageMarks:
    """The last keys of pages of one bucket, in any order, and how many pages there were."""

    pages: int = 0
    keys: list[str] = field(default_factory=list)
    _every: int = 1

    def add(self, last: str) -> None:
        """Note a page that ended with a key."""
        self.pages += 1
        if self.pages % self._every == 0:
            self.keys.append(last)
        if len(self.keys) > _HELD:
            self.keys = sorted(self.keys)[1::2]
            self._every *= 2

    @property
    def noted(self) -> "PageMarks":
        """The marks that are kept: some, at about equal distances."""
        keys = sorted(set(self.keys))
        count = min(_NOTED, len(keys))
        return PageMarks(self.pages, [keys[n * len(keys) // count] for n in range(count)])

    def resembles(self, other: "PageMarks") -> bool:
        """Whether the marks of a listing do for another one."""
        return abs(self.pages - other.pages) <= _NEARLY * self.pages


def marks_of(text: str) -> dict[str, PageMarks]:
    """The marks by bucket; none where there is nothing, or nothing that can be read."""
    try:
        said = json.loads(text or "{}")
        return {
            name: PageMarks(int(each["pages"]), sorted(str(key) for key in each["keys"])) for name, each in said.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def text_of(marks: Mapping[str, PageMarks], before: Mapping[str, PageMarks], broken_off: Iterable[str] = ()) -> str:
    """The marks to note: those of `before` where they still do, and of buckets that were not listed to their end."""
    unread = set(broken_off)
    noted: dict[str, PageMarks] = {}
    for name in sorted(marks.keys() | (unread & before.keys())):
        now, earlier = marks.get(name, PageMarks()), before.get(name)
        if earlier is not None and (name in unread or now.resembles(earlier)):
            noted[name] = earlier
        elif now.pages >= LONG and name not in unread:
            noted[name] = now.noted
    return json.dumps({name: {"pages": each.pages, "keys": each.keys} for name, each in noted.items()}) if noted else ""


def bounds_between(marks: Iterable[str], last: str, end: str, folders: Iterable[str]) -> tuple[str, list[str]]:
    """Where the rest of a range can be cut, after the key `last` and before `end` (empty = to the last key).

    Gives one of the `folders` that `last` lies in, and bounds in order, one for each mark that lies further in it: each
    is a child of that folder, so that the row of no folder is wanted on both sides. Of the folders, that with most.
    """
    ahead = [mark for mark in marks if mark > last]
    best: tuple[str, list[str]] = ("", [])
    for folder in folders:
        children = (_child(mark, folder) for mark in ahead if mark.startswith(folder))
        bounds = sorted(child for child in children if child > last and (not end or child < end))
        if len(set(bounds)) > len(set(best[1])):
            best = folder, bounds
    return best


def _child(mark: str, folder: str) -> str:
    """The child folder that a mark lies in; for a file, what comes after it and after a folder of its name."""
    cut = mark.find("/", len(folder)) + 1
    return mark[:cut] if cut else f"{mark}0"


def shared_out(bounds: list[str], most: int) -> list[str]:
    """At most this many of the bounds, so that the parts between them, and before the first, are about equal."""
    picked = (bounds[(n + 1) * len(bounds) // (most + 1)] for n in range(min(most, len(bounds))))
    return list(dict.fromkeys(picked))
