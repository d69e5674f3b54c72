"""`raito-pipeline forget`: shows first, refuses what a sync would store again, and says what stays."""

import json
from pathlib import Path

import pytest

from raito_pipeline.model import S3Bucket
from raito_pipeline.storage import Store
from tests.config.conftest import account, raito_yml

from .conftest import Run

GONE, HERE = "999900001111", "123456789012"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RAITO_CONFIG_FILE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raito.yml").write_text(raito_yml(account()))
    store = Store.open(tmp_path / "data")
    for key in (GONE, HERE):
        store.write("s3_buckets", [S3Bucket("data", "eu-west-1", None, True, None)], key)
    return tmp_path


def left(folder: Path) -> list[str]:
    store = Store.open(folder / "data")
    return [key for key in store.accounts("s3_buckets") if store.info("s3_buckets", key)]


def test_it_shows_first_and_removes_when_told(folder: Path, run: Run) -> None:
    status, out = run("forget", GONE)
    assert (status, left(folder)) == (0, [HERE, GONE])
    assert "s3_buckets 1" in out
    assert "Raito Cloud keeps the data source" in out
    assert f"forget '{GONE}' --yes" in out

    status, out = run("forget", GONE, "--yes")
    assert (status, left(folder)) == (0, [HERE])
    assert f"{GONE} is forgotten (1 files)" in out
    assert "nothing of" in run("forget", GONE, "--yes")[1]


def test_a_target_of_the_file_is_refused_unless_it_is_meant(folder: Path, run: Run) -> None:
    assert run("forget", HERE, "--yes")[0] == 2
    assert left(folder) == [HERE, GONE]

    said = json.loads(run("forget", HERE, "--yes", "--force", "--json")[1])
    assert (said["removed"], left(folder)) == (1, [GONE])
