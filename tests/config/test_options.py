"""Every option does something, or says that it does not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import raito_pipeline
from raito_pipeline.config.describe import describe
from raito_pipeline.config.discovery import Discovery
from raito_pipeline.config.groups import Locks, OrganizationLink
from raito_pipeline.config.not_read_yet import NOT_READ_YET
from raito_pipeline.config.option import Declared, declared
from raito_pipeline.config.options import AccountTarget, General, OrganizationTarget, Pipeline

from .conftest import Loads, account, raito_yml

ROOT = Path(raito_pipeline.__file__).parent
GROUPS = (General, AccountTarget, OrganizationTarget, Locks, OrganizationLink, Pipeline, Discovery)
DECLARED: dict[str, Declared] = {option.name: option for group in GROUPS for option in declared(group)}


def _sources() -> Iterator[Path]:
    """The product's modules that work with options: neither those that read the file, nor the sandbox."""
    for path in sorted([*ROOT.rglob("*.py"), *(ROOT.parent / "assets").rglob("*.py")]):
        if not path.is_relative_to(ROOT / "sandbox") and not path.is_relative_to(ROOT / "config"):
            yield path
    yield from (ROOT / "config" / name for name in ("groups.py", "options.py", "discovery.py"))


def _attributes(tree: ast.AST) -> Iterator[str]:
    """The attributes that code reads, as regular expressions: `x.name`, `getattr(x, f"lock_{part}")`.

    Where a name is looked up in a table first, `getattr(x, NAMES[part])`, the texts of that module count.
    """
    by_table = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield re.escape(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            name = node.args[1]
            by_table |= isinstance(name, ast.Subscript)
            if isinstance(name, ast.JoinedStr):
                yield "".join(re.escape(p.value) if isinstance(p, ast.Constant) else r"\w+" for p in name.values)
    if by_table:
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        yield from (text for text in texts if isinstance(text, str) and text.isidentifier())


def _while_loading() -> Iterator[str]:
    """The attributes of options that have done their work when the file is read: `values.get("name")`."""
    sources = (ROOT / "config" / name for name in ("targets.py", "load.py"))
    for node in (each for source in sources for each in ast.walk(ast.parse(source.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "text"):
            texts = (each.value for each in node.args if isinstance(each, ast.Constant))
            yield from (re.escape(text.replace("-", "_")) for text in texts if isinstance(text, str))


@pytest.fixture(scope="module")
def read() -> re.Pattern[str]:
    names = {name for path in _sources() for name in _attributes(ast.parse(path.read_text(encoding="utf-8")))}
    return re.compile("|".join(sorted({*names, *_while_loading()})))


def test_an_option_that_nothing_reads_is_marked_so(read: re.Pattern[str]) -> None:
    unread = {name for name, option in DECLARED.items() if not read.fullmatch(option.attribute)}
    assert unread - NOT_READ_YET.keys() == set(), "read them, or mark them in NOT_READ_YET (config/not_read_yet.py)"


def test_an_option_that_is_read_is_not_marked(read: re.Pattern[str]) -> None:
    marked = {name for name in NOT_READ_YET if name in DECLARED and read.fullmatch(DECLARED[name].attribute)}
    assert marked == set(), "take them out of NOT_READ_YET (config/not_read_yet.py)"


def test_what_is_marked_is_an_option() -> None:
    assert NOT_READ_YET.keys() <= DECLARED.keys()


@pytest.mark.parametrize("name", NOT_READ_YET)
def test_whoever_sets_an_option_that_is_not_read_yet_is_warned(loads: Loads, name: str) -> None:
    """By each of its spellings, and once."""
    option = DECLARED[name]
    for spelling in option.names:
        line = f"{spelling}: {option.option.kind.example}"
        general = option.attribute in General.model_fields
        text = raito_yml(top=f"{line}\n") if general else raito_yml(account(line))
        warnings = loads(text).warnings
        assert [(each.option, "not read yet" in each.found) for each in warnings] == [(spelling, True)]
    assert "Not read yet: " in next(each.text for each in describe() if each.name == name)
