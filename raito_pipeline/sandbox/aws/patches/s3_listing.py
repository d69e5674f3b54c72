"""Listing the keys of a bucket in pages without looking at all of its keys each time.

The names of a bucket's keys are kept sorted beside its keys; a page starts with a search in them.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import base64
import binascii
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.s3.exceptions import InvalidContinuationToken
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey
from moto.s3.utils import _VersionedKeyStore

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

LONGEST_PAGE = 1000
_LAST_CHARACTER = chr(0x10FFFF)


@dataclass
class ListedPage:
    """One page: keys and common prefixes in the order of their names, and the name that the next page starts after."""

    keys: list[FakeKey] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""
    is_truncated: bool = False


def list_page(bucket: FakeBucket, prefix: str, delimiter: str, after: str, after_prefix: bool, size: int) -> ListedPage:
    """The page of keys under `prefix` whose names come after `after`.

    With `after_prefix`, `after` is a common prefix that was listed, and nothing under it comes again.
    """
    page = ListedPage()
    for item in _items(bucket, prefix, delimiter, after, after_prefix):
        if len(page.keys) + len(page.prefixes) >= size:
            page.is_truncated = size > 0
            break
        if isinstance(item, str):
            page.prefixes.append(item)
            page.last = item
        else:
            page.keys.append(item)
            page.last = item.name
    return page


def token_of(page: ListedPage) -> str | None:
    """The continuation token of the page after this one."""
    if not page.is_truncated:
        return None
    kind = "p" if page.prefixes and page.prefixes[-1] == page.last else "k"
    return base64.urlsafe_b64encode(f"{kind}{page.last}".encode()).decode()


def read_token(token: str) -> tuple[str, bool]:
    """The name that a continuation token stands for, and whether it is a common prefix. InvalidContinuationToken."""
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidContinuationToken from error
    if text[:1] not in ("p", "k"):
        raise InvalidContinuationToken
    return text[1:], text[0] == "p"


def _items(bucket: FakeBucket, prefix: str, delimiter: str, after: str, after_prefix: bool) -> Iterator[FakeKey | str]:
    names = sorted_names(bucket.keys)
    place = bisect_left(names, prefix)
    if after:
        place = max(place, bisect_right(names, after + _LAST_CHARACTER if after_prefix else after))
    while place < len(names) and names[place].startswith(prefix):
        key = bucket.keys[names[place]]
        if isinstance(key, FakeDeleteMarker):
            place += 1
            continue
        folder, separator, _ = names[place][len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if not separator:
            yield key
            place += 1
        else:
            common = prefix + folder + delimiter
            yield common
            place = bisect_right(names, common + _LAST_CHARACTER)


def sorted_names(keys: _VersionedKeyStore) -> list[str]:
    """The sorted names of all keys, kept until they change."""
    names: list[str] | None = getattr(keys, "sorted_names", None)
    # The length tells of keys that were put in or taken out without the methods below.
    if names is None or len(names) != len(keys):
        names = sorted(dict.keys(keys))
        vars(keys)["sorted_names"] = names
    return names


def patch_key_store() -> None:
    """Keep the sorted names true while keys come and go."""

    @replace(_VersionedKeyStore, "__setitem__")
    def setitem(before: Method, self: _VersionedKeyStore, key: str, value: Any) -> None:
        _added(self, key)
        before(self, key, value)

    @replace(_VersionedKeyStore, "setlist")
    def setlist(before: Method, self: _VersionedKeyStore, key: str, list_: Any) -> None:
        _added(self, key)
        before(self, key, list_)

    @replace(_VersionedKeyStore, "pop")
    def pop(before: Method, self: _VersionedKeyStore, key: str) -> None:
        before(self, key)
        names: list[str] | None = getattr(self, "sorted_names", None)
        if names is not None:
            place = bisect_left(names, key)
            if place < len(names) and names[place] == key:
                del names[place]


def _added(keys: _VersionedKeyStore, key: str) -> None:
    names: list[str] | None = getattr(keys, "sorted_names", None)
    if names is not None and not dict.__contains__(keys, key):
        insort(names, key)
