"""What a command calls the assets of a configuration: as the Dagster project around it does."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.project import naming_here
from raito_pipeline.config import Options, load
from tests.dagster_project import write_project
from tests.test_component import raito_yml

PREFIXED = "type: raito_pipeline.RaitoAwsComponent\nattributes: {name: eu, translation: {key_prefix: lake}}\n"
OWN = """\
import dagster as dg
from raito_pipeline import RaitoAwsComponent


class Own(RaitoAwsComponent):
    def get_asset_spec(self, asset):
        return super().get_asset_spec(asset).replace_attributes(key=["mine", asset.name])
"""
Write = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a project with these files, importable here; gives the folder of its `defs`."""

    def write(name: str, files: dict[str, str]) -> Path:
        folder = write_project(tmp_path / name, name, {f"{name}/{path}": text for path, text in files.items()})
        monkeypatch.syspath_prepend(str(folder / "src"))
        return folder / "src" / name / "defs"

    return write


def options_of(file: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    monkeypatch.setenv("RAITO_API_SECRET", "nothing")
    return load(file)


def test_outside_of_a_project_names_are_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raito.yml").write_text(raito_yml(1))
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 100\n")

    naming = naming_here(options_of(tmp_path / "raito.yml", monkeypatch))

    assert (naming.component, naming.key("iam_users")) == ("", dg.AssetKey("iam_users"))


def test_the_component_that_is_on_the_file_names_its_assets(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = project(
        "named_by_component",
        {
            "own.py": OWN,
            "defs/eu/defs.yaml": PREFIXED,
            "defs/eu/raito.yml": raito_yml(1),
            "defs/us-1/defs.yaml": "type: named_by_component.own.Own\n",
            "defs/us-1/raito.yml": raito_yml(2),
            "defs/none/raito.yml": raito_yml(3),
        },
    )
    names = [naming_here(options_of(folders / each / "raito.yml", monkeypatch)) for each in ("eu", "us-1", "none")]

    assert [each.component for each in names] == ["eu", "us_1", ""]
    keys = [each.key("iam_users").to_user_string() for each in names]
    assert keys == ["lake/eu/iam_users", "mine/iam_users", "iam_users"]
    assert [each.table(each.key("iam_users")) for each in names] == ["iam_users"] * 3


def test_a_file_at_the_root_of_the_project_is_found_from_its_component(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = PREFIXED.replace("name: eu", "raito_yml: settings/eu.yml, name: eu")
    folders = project("settings_at_root", {"defs/eu/defs.yaml": component})
    file = folders.parents[2] / "settings" / "eu.yml"
    file.parent.mkdir()
    file.write_text(raito_yml(1))

    assert naming_here(options_of(file, monkeypatch)).component == "eu"


def test_two_components_on_one_file_are_not_guessed_between(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    component = PREFIXED.replace("name: eu", "raito_yml: raito.yml, name: {}")
    folders = project("two_on_one", {f"defs/{each}/defs.yaml": component.replace("{}", each) for each in ("a", "b")})
    file = folders.parents[2] / "raito.yml"
    file.write_text(raito_yml(1))

    with pytest.raises(CommandFailed, match=r"2 components of .* are on .*raito.yml"):
        naming_here(options_of(file, monkeypatch))


def test_a_project_that_does_not_load_is_said_with_what_to_do(
    tmp_path: Path, project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = project("broken_project", {"defs/eu/defs.yaml": "type: not.there\n", "defs/eu/raito.yml": raito_yml(1)})
    elsewhere = write_project(tmp_path / "elsewhere", "not_importable_project", {"raito.yml": raito_yml(1)})

    for file in (broken / "eu" / "raito.yml", elsewhere / "src" / "raito.yml"):
        with pytest.raises(CommandFailed, match=r"does not load: .*dg check defs"):
            naming_here(options_of(file, monkeypatch))


def test_a_project_file_that_is_no_toml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raito.yml").write_text(raito_yml(1))
    (tmp_path / "pyproject.toml").write_text("[tool")

    with pytest.raises(CommandFailed, match=r"pyproject.toml cannot be read"):
        naming_here(options_of(tmp_path / "raito.yml", monkeypatch))
