"""Who may open what is written: its owner alone, or whoever may open the folder that it lies in."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from raito_pipeline.raito.exchange import ExchangeFolder
from raito_pipeline.raito.files.writer import JsonArrayWriter
from raito_pipeline.raito.task_log import write_log
from raito_pipeline.storage import Store
from raito_pipeline.storage.files import put
from raito_pipeline.storage.lease_files import lease_files
from raito_pipeline.storage.private import file_mode, make_private_folder, open_private


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    """A process whose new files everybody may read."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(root: Path) -> set[tuple[str, str]]:
    """Kind and permissions of everything below a folder."""
    return {("folder" if path.is_dir() else "file", oct(stat.S_IMODE(path.stat().st_mode))) for path in root.rglob("*")}


def write_everything(storage: Path) -> None:
    store = Store.open(storage)
    store.write("iam_groups", [], "111122223333")
    put(store.files, f"{store.root}/_notes/one.json", b"{}")
    lease_files(storage)("_leases/one.json").change(lambda _before, _now: b"{}")


def test_the_tables_are_for_their_owner_alone(tmp_path: Path) -> None:
    write_everything(tmp_path / "data")
    write_everything(tmp_path / "data")

    assert modes(tmp_path) == {("folder", "0o700"), ("file", "0o600")}


def test_tables_in_a_folder_that_is_opened_to_its_group_are_as_open_as_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o750)

    write_everything(tmp_path / "data")

    assert modes(tmp_path / "data") == {("folder", "0o750"), ("file", "0o640")}


def test_exchange_files_logs_and_backups_are_for_their_owner_alone(tmp_path: Path) -> None:
    with ExchangeFolder("sales", "access", False, tmp_path / "backups", parent=tmp_path / "kept") as folder:
        with JsonArrayWriter(folder / "access.json") as file:
            file.write({"a": 1})
        write_log(folder / "log.txt", [], ())

    assert {path.name for path in tmp_path.rglob("*.json")} == {"access.json"}
    assert len(list(tmp_path.rglob("access.json"))) == 2
    assert {mode for kind, mode in modes(tmp_path / "backups") if kind == "file"} == {"0o600"}
    assert {mode for kind, mode in modes(tmp_path / "backups") if kind == "folder"} == {"0o700"}
    assert modes(tmp_path / "kept") == {("folder", "0o700"), ("file", "0o600")}


def test_a_file_that_was_open_to_all_is_closed_when_it_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old and longer")
    path.chmod(0o644)

    with open_private(path) as sink:
        sink.write(b"new")

    assert path.read_bytes() == b"new"
    assert modes(tmp_path) == {("file", "0o600")}


def test_folders_that_are_there_keep_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)

    make_private_folder(tmp_path / "a" / "b" / "c")
    make_private_folder(tmp_path / "a" / "b" / "c")

    assert modes(tmp_path) == {("folder", "0o755"), ("folder", "0o700")}


def test_nothing_is_opened_because_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert file_mode(tmp_path / "nowhere") == file_mode(None) == 0o600
