"""Long lists in messages: the first of them, and how many more there are."""

from collections.abc import Sequence


def first_lines(lines: Sequence[str], most: int) -> list[str]:
    """The first `most` of some lines; where there are others, one more says how many."""
    others = len(lines) - most
    return [*lines[:most], *([f"and {others:,} more"] if others > 0 else [])]


def first_few(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """The same in one line: `a, b and 3 more`."""
    others = len(names) - most
    return separator.join(names[:most]) + (f" and {others:,} more" if others > 0 else "")
