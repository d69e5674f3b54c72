"""Each line of docs/access-from-aws.md that names its cases names some that there are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/access-from-aws.md"
_FILE = re.compile(r"`(tests/[^`]+\.py)`: ((?:`[^`]+`(?:, )?)+)")


def _cases() -> Iterator[tuple[str, str]]:
    for line in PAGE.read_text("utf-8").split("## What is tested where")[1].splitlines():
        for file, names in _FILE.findall(line):
            yield from ((file, name) for name in re.findall(r"`([^`]+)`", names))


@pytest.mark.parametrize("file", sorted({file for file, _ in _cases()}))
def test_the_cases_of_a_line_are_there(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")

    assert [
        name for there, name in _cases() if there == file and not (f"def {name}(" in text or f'"{name}"' in text)
    ] == []


def test_each_line_has_a_case() -> None:
    lines = [
        line for line in PAGE.read_text("utf-8").split("## What is tested where")[1].splitlines() if line[:2] == "| "
    ]

    assert all(_FILE.search(line) for line in lines[2:])
