"""A file that cannot be used is warned of once, and the cell that takes its place says why."""

from pathlib import Path

from raito_pipeline.model import IamUser
from raito_pipeline.storage import Store
from raito_pipeline.storage.unusable import UnusableFiles

from .sample_rows import sample_rows


def test_each_version_of_a_file_is_noted_once() -> None:
    files = UnusableFiles()

    assert files.note("/a", 1, 1, "cut")
    assert not files.note("/a", 1, 1, "cut")
    assert files.note("/a", 1, 2, "empty")
    assert files.note("/b", 1, 1, "zeros")
    assert files.replaced("/a") == "empty"
    assert files.replaced("/a") is None
    assert files.replaced("/b") == "zeros"


def test_the_cell_that_takes_its_place_says_why_and_the_next_one_does_not(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    rows = sample_rows(IamUser, 3)
    first = store.write("iam_users", rows, "210000000012")
    assert first.replaces is None
    Path(first.uri).write_bytes(b"")
    assert store.info("iam_users", "210000000012") is None

    store.write("iam_users", rows, "210000000034")
    anew = store.write("iam_users", rows, "210000000012")

    assert anew.replaces is not None
    assert "Parquet" in anew.replaces
    stored = store.info("iam_users", "210000000012")
    assert stored is not None
    assert stored.replaces == anew.replaces
    assert store.write("iam_users", rows, "210000000012").replaces is None
