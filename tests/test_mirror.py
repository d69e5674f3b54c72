"""A module has a test file of its name, and one class name stands for one thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEFINED = (ast.ClassDef, ast.FunctionDef)
SOURCES = {"raito_pipeline": ROOT / "tests", "assets": ROOT / "tests" / "assets"}


def modules() -> Iterator[Path]:
    """The modules of the product, without those that only put others together."""
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            if not path.stem.startswith("__") and "sandbox" not in path.parts[len(ROOT.parts) + 1 :][:1]:
                yield path


def files_of(path: Path) -> list[Path]:
    """The test files of a module: `test_NAME.py`, `test_NAME_*.py` or `test_*_NAME.py` in the mirrored folder."""
    source = path.relative_to(ROOT).parts[0]
    folder = SOURCES[source] / path.relative_to(ROOT / source).parent
    patterns = (f"test_{path.stem}.py", f"test_{path.stem}_*.py", f"test_*_{path.stem}.py")
    return [file for pattern in patterns for file in folder.glob(pattern)]


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node; what they are made of, nine tenths of a tree, imports nothing."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        children = getattr(node, part, None)
        for child in children if isinstance(children, list) else ():
            yield child
            yield from statements(child)


@cache
def definitions(path: Path) -> tuple[ast.AST, ...]:
    """The classes and functions of a module, at any depth."""
    return tuple(node for node in statements(ast.parse(path.read_text())) if isinstance(node, DEFINED))


def test_a_module_has_a_test_file_of_its_name() -> None:
    without = [path.relative_to(ROOT).as_posix() for path in modules() if not files_of(path)]

    assert without == [], "give each a test file of its name"


def test_a_class_name_stands_for_one_thing() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for source in SOURCES:
        for path in (ROOT / source).rglob("*.py"):
            for node in definitions(path):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(path.relative_to(ROOT).as_posix())

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_what_is_called_found_stands_beside_what_was_expected() -> None:
    """Anywhere else the name says nothing: a variable is called after what it holds."""
    vague = []
    for source in SOURCES:
        for path in (ROOT / source).rglob("*.py"):
            for node in definitions(path):
                if isinstance(node, ast.FunctionDef) and "config" not in path.parts and _names(node) & {"found"}:
                    vague += [] if "expected" in _names(node) else [f"{path.relative_to(ROOT)}:{node.lineno}"]

    assert vague == []


def _names(function: ast.FunctionDef) -> set[str]:
    nodes = list(ast.walk(function))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
