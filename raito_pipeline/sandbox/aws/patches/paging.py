"""Cutting a list into pages, as every AWS list call does."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def page_of(
    items: Sequence[Item], token: str | None, size: int | str | None, usual: int, most: int = 1000
) -> tuple[list[Item], str | None]:
    """One page and the token of the next, None at the end; `usual` is the size if none is asked for."""
    start = int(token) if token else 0
    end = start + min(int(size or usual), most)
    return list(items[start:end]), str(end) if end < len(items) else None
