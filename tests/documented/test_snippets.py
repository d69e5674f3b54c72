"""The YAML and JSON of the pages is what it says: it can be read, and a `raito.yml` of a page loads."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from raito_pipeline.config import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
BLOCK = re.compile(r"^( *)```(yaml|json)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LOGIN = {"api-user": "sync@example.com", "api-secret": "nothing", "domain": "example"}


def _blocks() -> list[tuple[str, str, str]]:
    return [
        (str(page.relative_to(ROOT)), kind, "\n".join(line.removeprefix(indent) for line in text.splitlines()))
        for page in PAGES
        for indent, kind, text in BLOCK.findall(page.read_text(encoding="utf-8"))
    ]


BLOCKS = _blocks()
CONFIGURATIONS = [(page, text) for page, kind, text in BLOCKS if kind == "yaml" and "\ntargets:" in f"\n{text}"]


@pytest.mark.parametrize(("page", "kind", "text"), BLOCKS)
def test_it_can_be_read(page: str, kind: str, text: str) -> None:
    content: Any = yaml.safe_load(text) if kind == "yaml" else json.loads(text)
    assert isinstance(content, (dict, list)), page


@pytest.mark.parametrize(("page", "text"), CONFIGURATIONS)
def test_a_configuration_loads_without_a_warning(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "raito.yml"
    file.write_text(yaml.safe_dump({**LOGIN, **yaml.safe_load(text)}), encoding="utf-8")

    options = load(file, environ={"RAITO_API_SECRET": "nothing"})

    assert [warning for warning in options.warnings if "api-secret" not in str(warning)] == [], page


def test_there_are_such_configurations() -> None:
    assert {page for page, _ in CONFIGURATIONS} == {"README.md", "docs/how-to/discover-accounts.md"}
