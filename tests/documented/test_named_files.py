"""A file of the project that a page, docstring or comment names by its folder is there: a move breaks no name."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`([\w./-]+/[\w-]+\.py)`")
_PLACEHOLDER = re.compile(r"[A-Z]{2}")
_BELOW = ("", "raito_pipeline", "raito_pipeline/aws", "tests", "tests/aws/push")
"""folders that names are told from, beside that of the text"""


def texts() -> Iterator[Path]:
    """The pages and the code; what the changelog names may be gone."""
    yield from (page for page in ROOT.glob("*.md") if page.name != "CHANGELOG.md")
    yield from (ROOT / "docs").rglob("*.md")
    for code in ("raito_pipeline", "assets", "tests"):
        yield from (ROOT / code).rglob("*.py")


def is_there(text: Path, name: str) -> bool:
    places = (*(ROOT / below for below in _BELOW), text.parent, *text.parent.parents[:2])
    return any((place / name).is_file() for place in places)


def test_files_that_are_named_by_their_folder_are_there() -> None:
    named = [(text, name) for text in texts() for name in _NAMED.findall(text.read_text("utf-8"))]

    assert len(named) > 50
    gone = [(text.name, name) for text, name in named if not _PLACEHOLDER.search(name) and not is_there(text, name)]
    assert gone == []
