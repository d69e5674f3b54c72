"""Files of a local folder: whole or not at all, and what killed writers left is removed."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.storage.files import LEFT_AFTER, LocalFiles, put
from raito_pipeline.storage.owner import Owner


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    files, path = LocalFiles(tmp_path), tmp_path / "deep" / "note.json"
    sink = files.sink(str(path))
    sink.stream.write(b"half")
    assert not path.exists()

    sink.commit()

    assert path.read_bytes() == b"half"
    assert names(path.parent) == ["note.json"]


def test_the_last_of_two_writers_wins_and_neither_disturbs_the_other(tmp_path: Path) -> None:
    files, path = LocalFiles(tmp_path), str(tmp_path / "x")
    one, two = files.sink(path), files.sink(path)
    one.stream.write(b"one")
    two.stream.write(b"two")

    two.commit()
    one.commit()

    assert (tmp_path / "x").read_bytes() == b"one"
    assert names(tmp_path) == ["x"]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    put(files, str(tmp_path / "x"), b"old")
    with pytest.raises(TypeError):
        put(files, str(tmp_path / "x"), 7)  # type: ignore[arg-type]

    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_what_a_dead_writer_left_is_removed_and_what_others_write_is_not(tmp_path: Path) -> None:
    dead = replace(Owner.here(), pid=2**22 + 1)
    elsewhere = replace(dead, machine="another")
    left = {owner: tmp_path / f".data.parquet.{owner.name}.abc" for owner in (dead, elsewhere, Owner.here())}
    old = tmp_path / f".data.parquet.{elsewhere.name}.old"
    person = tmp_path / "notes.txt"
    for path in (*left.values(), old, person):
        path.write_bytes(b"x")
    days_ago = time.time() - LEFT_AFTER.total_seconds() - 60
    for path in (old, person):
        os.utime(path, (days_ago, days_ago))

    put(LocalFiles(tmp_path), str(tmp_path / "data.parquet"), b"new")

    kept = {left[elsewhere].name, left[Owner.here()].name, "notes.txt", "data.parquet"}
    assert set(names(tmp_path)) == kept


def test_a_folder_that_is_not_there_has_no_files_and_folders_are_none(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"x")

    assert LocalFiles(tmp_path).listing(str(tmp_path / "nowhere")) == {}
    assert list(LocalFiles(tmp_path).listing(str(tmp_path))) == ["a"]


@pytest.mark.parametrize(
    "ask", [LocalFiles.listing, LocalFiles.folders, LocalFiles.below], ids=lambda ask: ask.__name__
)
def test_what_lies_below_a_file_is_not_known_to_be_nothing(
    tmp_path: Path, ask: Callable[[LocalFiles, str], object]
) -> None:
    (tmp_path / "data").write_text("a mount that failed", encoding="utf-8")

    for place in ("data", "data/iam_users", "data/iam_users/account=1"):
        with pytest.raises(NotADirectoryError):
            ask(LocalFiles(tmp_path), str(tmp_path / place))
