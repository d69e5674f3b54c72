"""Texts of others in Markdown of Dagster's UI: names and messages stay text there, whatever stands in them."""

import re
from collections.abc import Sequence

_MEANS_SOMETHING = re.compile(r"([\\`*_{}\[\]<>|~#!])")
_TICKS = re.compile(r"`+")


def plain(text: str) -> str:
    """`text` in one line, with what Markdown and HTML would make something of as the characters that they are."""
    return _MEANS_SOMETHING.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """`text` as code within a line."""
    ticks = "`" * (_longest(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{' '.join(text.split())}{space}{ticks}"


def diff_block(lines: Sequence[str]) -> list[str]:
    """The lines of a diff as a block of code, as lines."""
    fence = "`" * max(3, max(map(_longest, lines), default=0) + 1)
    return [f"{fence}diff", *lines, fence]


def _longest(text: str) -> int:
    """How many backticks follow each other at most."""
    return max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
