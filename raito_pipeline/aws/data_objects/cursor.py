"""Where a listing of a range of keys stands, and what to ask S3 next so that nothing is read for nothing.

Keys are compared as S3 orders them, by their UTF-8 bytes, which is the order of Python's strings.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypedDict

_AFTER_ALL = "\U0010ffff"
"""Behind a folder, this comes after everything in it."""


class ListRequest(TypedDict):
    """What to ask the next page with."""

    prefix: str
    start_after: str
    token: str
    delimiter: str


class Page(Protocol):
    """What a cursor needs of a page of a listing."""

    @property
    def keys(self) -> Sequence[str]: ...
    @property
    def prefixes(self) -> Sequence[str]: ...
    @property
    def token(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The keys of a bucket from `start` (included) to `end` (excluded; empty = to the last), all below `scope`."""

    scope: str = ""
    """a folder (a prefix ending in `/`); empty = the whole bucket"""
    start: str = ""
    end: str = ""
    opened: str = ""
    """folder whose row, with those above it, is written already"""


@dataclass(slots=True)
class Cursor:
    """Goes through a range: `request` says what to ask, `take` gives the keys of the answer.

    `max_depth` is the depth limit of folders, null where keys are not folded. `excludes` are paths that are left out
    with all that lies below them.
    """

    range: KeyRange
    max_depth: int | None = None
    excludes: tuple[str, ...] = ()
    last: str = ""
    """last wanted key that came"""
    end: str = field(init=False)
    done: bool = field(default=False, init=False)
    request: ListRequest = field(init=False)

    def __post_init__(self) -> None:
        self.end = self.range.end
        start = self.range.start
        # `StartAfter` leaves out the key itself, which may exist: begin a little before it.
        self.request = _request(self.range.scope, start_after=start[:-1] if start else "")

    @property
    def by_folders(self) -> bool:
        """True while only the children of one folder are asked for, not all that lies below them."""
        return bool(self.request["delimiter"])

    def take(self, page: Page) -> Sequence[str]:
        """The keys of a page that belong to the range, in order; folders that were not opened are keys ending in `/`.

        Afterwards `request` asks for the next page, or `done` is true.
        """
        keys: Sequence[str] = sorted([*page.keys, *page.prefixes]) if page.prefixes else page.keys
        if self.range.start and keys and keys[0] < self.range.start:
            keys = keys[bisect_left(keys, self.range.start) :]
        if self.end and keys and keys[-1] >= self.end:
            keys = keys[: bisect_left(keys, self.end)]
            self.done = True
        if not self.done:
            self._go_on(page, keys)
        wanted = [key for key in keys if not self._excluded(key)] if self.excludes else keys
        if wanted:
            self.last = wanted[-1]
        return wanted

    def _go_on(self, page: Page, keys: Sequence[str]) -> None:
        if not page.token:
            folder = self.request["prefix"]
            self.done = not self.by_folders or folder == self.range.scope
            if not self.done:
                self.request = _request(self.range.scope, start_after=folder + _AFTER_ALL)
            return
        self.request = {**self.request, "start_after": "", "token": page.token}
        if not keys:
            return
        excluded = self._excluded(keys[-1])
        dropped = "" if self.by_folders else self._dropped(keys)
        if excluded and len(keys[-1]) > len(excluded):
            self._skip(f"{excluded}/")
        elif dropped:
            # A page full of what the depth limit drops: ask for the folders beside this one, and not for their keys.
            above = dropped[: dropped.rfind("/", 0, -1) + 1]
            within = above if above.startswith(self.range.scope) else self.range.scope
            self.request = _request(within, start_after=dropped + _AFTER_ALL, delimiter="/")

    def _skip(self, folder: str) -> None:
        self.request = {**self.request, "start_after": folder + _AFTER_ALL, "token": ""}

    def _dropped(self, keys: Sequence[str]) -> str:
        """The folder at the depth limit that all of these keys lie in; empty where there is none."""
        if self.max_depth is None or keys[-1].count("/") < self.max_depth:
            return ""
        end = -1
        for _ in range(self.max_depth):
            end = keys[0].find("/", end + 1)
            if end < 0:
                return ""
        folder = keys[0][: end + 1]
        return folder if keys[-1].startswith(folder) else ""

    def _excluded(self, key: str) -> str:
        """The excluded path that a key is or lies below; empty where it is wanted."""
        for path in self.excludes:
            if key.startswith(path) and (len(key) == len(path) or key[len(path)] == "/"):
                return path
        return ""


def _request(prefix: str, *, start_after: str = "", delimiter: str = "") -> ListRequest:
    return {"prefix": prefix, "start_after": start_after, "token": "", "delimiter": delimiter}


def ancestors(key: str, scope: str) -> list[str]:
    """The folders that a key lies in, from the scope downwards: `a/b/c` in ``: ``, `a/`, `a/b/`."""
    above = [scope]
    at = len(scope)
    while (at := key.find("/", at) + 1) > 0:
        above.append(key[:at])
    return above


def spread(bounds: Sequence[str], most: int) -> list[str]:
    """At most this many of the bounds, the first one included, at about equal distances."""
    count = min(len(bounds), max(most, 1))
    return [bounds[n * len(bounds) // count] for n in range(count)]
