"""Cutting a list into pages, as every AWS list call does."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")
LONGEST = 1000
"""Items a page that AWS gives at the most, whatever is asked for."""
_longest = LONGEST


def set_longest_page(items: int) -> None:
    """Let every list call give so few items a page, so that a small account has many pages."""
    global _longest
    _longest = items


def longest_page() -> int:
    """Items a page at the most."""
    return _longest


def page_of(
    items: Sequence[Item], token: str | None, size: int | str | None, usual: int, most: int = LONGEST
) -> tuple[list[Item], str | None]:
    """One page and the token of the next, None at the end; `usual` is the size if none is asked for."""
    start = int(token) if token else 0
    end = start + min(int(size or usual), most, _longest)
    return list(items[start:end]), str(end) if end < len(items) else None
