"""docs/push-rules.md names tests that there are, and leaves out none of those that only hold rules of a push."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/push-rules.md"
_TEST = re.compile(r"`(?P<file>[\w/]+\.py)::(?P<name>test_\w+)`")


def named() -> list[tuple[Path, str]]:
    return [(_file(one["file"]), one["name"]) for one in _TEST.finditer(PAGE.read_text())]


def _file(name: str) -> Path:
    """A test file as the page names it: from `tests/`, or by its name alone where it is one of a push."""
    if "/" in name:
        return ROOT / "tests" / name
    of_a_push = ROOT / "tests/aws/push"
    return next(of_a_push.rglob(name), of_a_push / name)


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
