"""The files exchanged with Raito Cloud: removed, kept or copied as the options say; old copies go."""

import logging
from pathlib import Path

import pytest

from raito_pipeline.raito.exchange import ExchangeFolder


def sync(folder: ExchangeFolder, *names: str) -> Path:
    with folder as path:
        for name in names:
            (path / name).write_text(name)
    return path


def test_files_are_gone_afterwards_unless_they_are_to_stay(tmp_path: Path) -> None:
    assert not sync(ExchangeFolder("sales", "usage", parent=tmp_path), "a.json").exists()
    kept = sync(ExchangeFolder("sales", "usage", delete=False, parent=tmp_path), "a.json")
    assert [file.name for file in kept.iterdir()] == ["a.json"]


def test_files_are_gone_after_an_error_too_and_copied_before(tmp_path: Path) -> None:
    backups = tmp_path / "backups"

    with (
        pytest.raises(RuntimeError),
        ExchangeFolder("sales", "usage", backup_location=backups, parent=tmp_path) as path,
    ):
        (path / "a.json").write_text("half")
        raise RuntimeError("broke off")

    assert not path.exists()
    assert [file.read_text() for file in backups.rglob("a.json")] == ["half"]


def test_the_newest_copies_of_each_stage_stay(tmp_path: Path) -> None:
    backups, names = tmp_path / "backups", ("one", "two", "three")
    for name in names:
        for stage in ("usage", "data_usage"):
            sync(ExchangeFolder("my sales/1", stage, backup_location=backups, maximum_backups=2, parent=tmp_path), name)
    (backups / "my_sales_1" / "notes-usage").mkdir()  # of a person

    sync(ExchangeFolder("my sales/1", "usage", backup_location=backups, maximum_backups=2, parent=tmp_path), "four")

    left = {
        stage: [file.name for copy in sorted((backups / "my_sales_1").glob(f"*Z-{stage}")) for file in copy.iterdir()]
        for stage in ("usage", "data_usage")
    }
    assert left == {"usage": ["three", "four"], "data_usage": ["two", "three"]}
    assert (backups / "my_sales_1" / "notes-usage").exists()


def test_without_files_or_a_limit_nothing_is_copied_or_removed(tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    sync(ExchangeFolder("sales", "usage", backup_location=backups, parent=tmp_path))
    assert not backups.exists()
    for _ in range(3):
        sync(ExchangeFolder("sales", "usage", backup_location=backups, parent=tmp_path), "a")
    assert len(list((backups / "sales").iterdir())) == 3


def test_a_copy_that_cannot_be_made_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        path = sync(ExchangeFolder("sales", "usage", backup_location=tmp_path / "file", parent=tmp_path), "a.json")

    assert not path.exists()
    assert "no backup of the files of usage for sales" in caplog.text


def test_files_that_somebody_removed_are_no_failure_of_the_sync(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What tidies the folder of temporary files may be faster."""
    with ExchangeFolder("sales", "usage", backup_location=tmp_path / "backups", parent=tmp_path) as path:
        path.rmdir()
    assert "no backup of the files of usage for sales" in caplog.text
