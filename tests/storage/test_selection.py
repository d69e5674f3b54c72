"""Which rows are wanted, of batches and by what a footer says of row groups."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raito_pipeline.storage.selection import Selection, Wanted

ROWS = [
    {"name": "a", "kind": "bucket", "size": 1},
    {"name": "b", "kind": "file", "size": None},
    {"name": "c", "kind": None, "size": 3},
    {"name": "d", "kind": "folder", "size": 4},
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> pq.ParquetFile:
    """One row group a row."""
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=1)
    return pq.ParquetFile(path)


CASES: list[tuple[list[Wanted], str]] = [
    ([], "abcd"),
    ([{"kind": ["bucket"]}], "a"),
    ([{"kind": ["file", "folder", "nothing"]}], "bd"),
    ([{"kind": []}], ""),
    ([{"kind": ["file"], "name": {"c", "d"}}], ""),
    ([{"kind": ["file"], "name": ("b", "d")}, {"kind": {"folder"}}], "bd"),
    ([{"size": [3, 4]}], "cd"),
]


@pytest.mark.parametrize(("any_of", "names"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_the_rows_that_fit_are_found_and_groups_without_any_are_not_read(
    file: pq.ParquetFile, any_of: list[Wanted], names: str
) -> None:
    selection = Selection(any_of)

    groups = selection.row_groups(file.metadata)
    found = [row["name"] for batch in file.iter_batches() for row in selection.of(batch).to_pylist()]

    assert "".join(found) == names
    assert {ROWS[number]["name"] for number in groups} >= set(names)
    if any_of:
        assert len(groups) < len(ROWS)


def test_a_group_of_which_nothing_is_said_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path, write_statistics=False)

    assert Selection([{"name": ["z"]}]).row_groups(pq.ParquetFile(path).metadata) == [0]
    assert Selection([{"name": [1]}]).row_groups(pq.read_metadata(path)) == [0]
