"""A Dagster project of somebody, in a folder as `create-dagster project` makes it."""

import sys
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest

PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "{name}"
"""
DEFINITIONS = """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


def write_project(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """A project called `name` (of which a process can load one) in `folder`, with `files` below its `src`."""
    base = {f"{name}/__init__.py": "", f"{name}/defs/__init__.py": "", f"{name}/definitions.py": DEFINITIONS}
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name), encoding="utf-8")
    for path, text in {**base, **files}.items():
        file = folder / "src" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def load_project(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """What Dagster loads of the project, in this process: its `src` is importable as long as `monkeypatch` lasts."""
    monkeypatch.syspath_prepend(str(folder / "src"))
    own = {path.name for path in (folder / "src").iterdir()}  # also a package that other tests know by this name
    for loaded in [module for module in sys.modules if module.partition(".")[0] in own]:
        monkeypatch.delitem(sys.modules, loaded)
    return dg.load_from_defs_folder(path_within_project=folder / "src" / name)


def job_of_project(folder: str, name: str, job: str) -> dg.JobDefinition:
    """A job of the project, loaded by a process of its own (such a one has imported nothing of it yet)."""
    source = Path(folder) / "src"
    if str(source) not in sys.path:
        sys.path.insert(0, str(source))
    return dg.load_from_defs_folder(path_within_project=source / name).resolve_job_def(job)
