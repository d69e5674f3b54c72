"""Whatever a file holds: options or one clear error, never a crash, and never a secret in a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raito_pipeline.config import ConfigError, load
from raito_pipeline.config.describe import describe

from .conftest import ACCOUNT, ORGANIZATION, SECRET, raito_yml

PASSWORD = "Zk81qPx0WvT2"
KNOWN = sorted({name for option in describe() for name in option.spellings})
EXAMPLES = sorted(
    {option.example for option in describe()} | {"", "x", "<x>", "{{X}}", "{{SECRET}}", "-1", "a{1,2}", "("}
)
VALUES = st.one_of(
    st.sampled_from(EXAMPLES),
    st.text(max_size=8),
    st.none(),
    st.booleans(),
    st.integers(),
    st.lists(st.one_of(st.sampled_from(EXAMPLES), st.none(), st.lists(st.text(max_size=3), max_size=1)), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
SECTIONS = st.dictionaries(st.one_of(st.sampled_from(KNOWN), st.text(max_size=8)), VALUES, max_size=8)
TARGETS = st.builds(
    lambda section, connector: {**section, "connector-name": connector},
    SECTIONS,
    st.sampled_from([ACCOUNT, ORGANIZATION, "other"]),
)
FILES = st.builds(
    lambda top, targets, pipeline: {**top, "api-secret": SECRET, "targets": targets, "pipeline": pipeline},
    SECTIONS,
    st.lists(st.one_of(TARGETS, VALUES), max_size=3),
    st.one_of(SECTIONS, VALUES),
)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def text_of_loading(path: Path) -> str:
    """All problems or warnings of loading the file, however they are printed."""
    try:
        options = load(path, {"HOME": str(path.parent), "X": "value", "SECRET": SECRET})
    except ConfigError as error:
        return f"{error}{error!r}{error.problems!r}"
    return f"{options.warnings}"


@SAME_FOLDER
@given(content=FILES)
def test_any_mapping_loads_or_tells_its_problems(tmp_path: Path, content: dict[str, Any]) -> None:
    path = tmp_path / "raito.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert SECRET not in text_of_loading(path)


@SAME_FOLDER
@given(lines=st.lists(st.one_of(st.text(max_size=12), st.sampled_from(KNOWN).map("{}: ".format)), max_size=6))
def test_any_text_loads_or_tells_its_problems(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "raito.yml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    text_of_loading(path)


@SAME_FOLDER
@given(
    before=st.text("ab :-\t\n'\"[]{}&*!%@`|>,#?", max_size=10),
    after=st.text("ab :-\t\n'\"[]{}&*!%@`|>,#?", max_size=10),
)
def test_a_mangled_line_does_not_show_the_secret(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "raito.yml"
    login = f"domain: acme\nskip-authentication: true\napi-secret:{before}{PASSWORD}{after}\n"
    path.write_text(raito_yml(login=login), encoding="utf-8")
    assert PASSWORD.lower() not in text_of_loading(path).lower()
