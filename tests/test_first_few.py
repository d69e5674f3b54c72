"""Long lists in messages: nothing is said of others where there are none."""

import re
from pathlib import Path

import pytest

from raito_pipeline.first_few import first_few, first_lines

ROOT = Path(__file__).parents[1]
COUNTED = re.compile(r"[^(]and \{[^{}]*\} more[\"']")


@pytest.mark.parametrize(
    ("count", "line", "lines"),
    [
        (0, "", []),
        (1, "0", ["0"]),
        (2, "0, 1", ["0", "1"]),
        (3, "0, 1 and 1 more", ["0", "1", "and 1 more"]),
        (1_502, "0, 1 and 1,500 more", ["0", "1", "and 1,500 more"]),
    ],
)
def test_the_first_are_named_and_the_others_counted(count: int, line: str, lines: list[str]) -> None:
    names = [str(number) for number in range(count)]
    assert (first_few(names, 2), first_lines(names, 2)) == (line, lines)
    assert first_few(names[:3], 2, "; ") == line.replace(", ", "; ") or count > 3


def test_nobody_else_counts_the_others_of_a_list() -> None:
    sources = (path for top in ("raito_pipeline", "assets") for path in (ROOT / top).rglob("*.py"))
    own = [
        path.relative_to(ROOT).as_posix()
        for path in sources
        if "sandbox" not in path.parts and path.name != "first_few.py" and COUNTED.search(path.read_text())
    ]
    assert own == [], "`first_few` does it"
