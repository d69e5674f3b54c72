"""Whether the storage can be written is known before anything is read."""

from pathlib import Path

import pytest

from raito_pipeline.storage import Store
from raito_pipeline.storage.probe import StorageUnusable, require_writable


def test_a_storage_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        require_writable(Store.open(tmp_path / "data"))
    assert list((tmp_path / "data").iterdir()) == []


def test_a_place_that_cannot_be_written_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder is needed")
    with pytest.raises(StorageUnusable, match=r"data cannot be written: .*Check its rights and free space"):
        require_writable(Store.open(tmp_path / "data"))
