"""What a wheel puts into an environment that others share."""

import runpy
from pathlib import Path
from typing import Any

import pytest

setuptools = pytest.importorskip("setuptools")
ROOT = Path(__file__).parents[1]


def test_a_wheel_has_one_top_level_and_every_package_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", given.update)
    monkeypatch.chdir(ROOT)

    runpy.run_path("setup.py")

    packages = set(given["packages"])
    assert {package.partition(".")[0] for package in packages} == {"raito_pipeline"}
    folders = {
        file.parent.relative_to(ROOT)
        for top in ("raito_pipeline", "assets")
        for file in (ROOT / top).rglob("__init__.py")
    }
    named = {".".join(folder.parts) for folder in folders}
    assert packages == {f"raito_pipeline.{name}" if name.partition(".")[0] == "assets" else name for name in named}
    assert given["package_dir"] == {"raito_pipeline.assets": "assets"}


def test_nothing_of_ours_imports_itself_by_the_name_of_a_top_level_that_a_wheel_lacks() -> None:
    for file in (*(ROOT / "assets").rglob("*.py"), *(ROOT / "raito_pipeline").rglob("*.py")):
        lines = file.read_text(encoding="utf-8").splitlines()
        found = [line for line in lines if line.startswith(("from assets", "import assets"))]
        assert found == [], file
