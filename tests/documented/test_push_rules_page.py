"""docs/push-rules.md names tests that there are, and leaves out none of those that only hold rules of a push."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/push-rules.md"
_TEST = re.compile(r"`(?P<file>[\w/]+\.py)::(?P<name>test_\w+)`")


def named() -> list[tuple[Path, str]]:
    tests, usual = ROOT / "tests", ROOT / "tests/aws/push"
    found = _TEST.finditer(PAGE.read_text())
    return [
        (tests / one["file"] if "/" in one["file"] else _anywhere_in(usual, one["file"]), one["name"]) for one in found
    ]


def _anywhere_in(folder: Path, name: str) -> Path:
    return next(folder.rglob(name), folder / name)


def test_each_rule_names_tests_that_there_are() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    rules = [line for line in rows if not line.startswith(("| rule ", "| --- "))]
    assert [line for line in rules if _TEST.search(line) is None] == []
    texts = {file: file.read_text() if file.is_file() else "" for file, _ in named()}
    assert [name for file, name in named() if f"def {name}(" not in texts[file]] == []


def test_no_test_of_a_rule_is_left_out() -> None:
    rules = ROOT / "tests/aws/push/test_push_rules.py"
    made = set(re.findall(r"^def (test_\w+)\(", rules.read_text(), re.MULTILINE))
    assert made - {name for file, name in named() if file == rules} == set()
