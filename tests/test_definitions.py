"""What Dagster loads of a directory: the component on its `raito.yml`, under no name, or assets without partitions."""

from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.config import ConfigError
from raito_pipeline.definitions import defs, options_of_this_directory
from raito_pipeline.model import TABLES
from tests.test_component import raito_yml


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty directory, and nobody's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RAITO_CONFIG_FILE", raising=False)
    monkeypatch.setenv("RAITO_API_SECRET", "nothing")


def test_without_a_file_there_are_no_accounts_and_nothing_fails() -> None:
    options = options_of_this_directory()
    assert (options.accounts, options.organizations, options.file) == ((), (), "")


def test_a_file_that_is_named_and_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAITO_CONFIG_FILE", "not-there.yml")
    with pytest.raises(ConfigError, match=r"not-there.yml"):
        options_of_this_directory()


def test_a_file_with_a_problem_is_an_error_of_the_location() -> None:
    Path("raito.yml").write_text(raito_yml(1) + "\nfrequency: often\n")
    with pytest.raises(ConfigError, match="frequency"):
        options_of_this_directory()


def test_the_file_of_the_directory_is_everything_under_plain_names_in_one_process_a_run() -> None:
    Path("raito.yml").write_text(raito_yml(1))

    loaded = defs()
    loaded = loaded() if callable(loaded) else loaded

    keys = {spec.key.to_user_string() for spec in loaded.resolve_all_asset_specs()}
    assert set(TABLES) <= keys
    assert loaded.executor is dg.in_process_executor
    assert loaded.resolve_job_def("sync_account").name == "sync_account"


def test_a_process_loads_the_same_file_once_and_a_changed_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dagster job execute` asks for the definitions six times."""
    Path("raito.yml").write_text(raito_yml(1))

    def loaded() -> dg.Definitions:
        found = defs()
        return found() if callable(found) else found

    first = loaded()
    assert loaded() is first
    Path("raito.yml").write_text(raito_yml(2))
    second = loaded()
    assert second is not first
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert loaded() is not second
    monkeypatch.setenv("AWS_CONFIG_FILE", str(Path("config").absolute()))
    third = loaded()
    Path("config").write_text("[default]\nregion = eu-west-1\n")
    assert loaded() is not third
