"""Tables as the version of 26 November 2026 wrote them (two rows of each) are read by this one.

A column that is added without a value for them fails here: each account reads that table anew after an upgrade then,
and pushes nothing before. Where that is meant, the table is named in `READ_ANEW`.
"""

import zipfile
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from raito_pipeline.model import TABLES
from raito_pipeline.storage import Store
from tests.storage.sample_rows import place_of

OLDER = zipfile.ZipFile(Path(__file__).parent / "older_tables.zip")
NAMES = [name.removesuffix(".parquet") for name in OLDER.namelist()]
READ_ANEW: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with all of them, in place of cells of now."""
    folder = tmp_path_factory.mktemp("older")
    store = Store.open(folder)
    for name in NAMES:
        store.write(name, [], *place_of(TABLES[name]))
        (cell,) = (folder / name).rglob("*.parquet")
        cell.write_bytes(OLDER.read(f"{name}.parquet"))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_an_older_version_keeps_its_rows(name: str, folder: Path) -> None:
    spec, stored = TABLES[name], pq.read_metadata(BytesIO(OLDER.read(f"{name}.parquet")))
    store = Store.open(folder)

    info = store.info(name, *place_of(spec))

    assert (info is None) == (name in READ_ANEW)
    if info is not None:
        rows = list(store.rows(spec.row_type, *place_of(spec), table=name))
        assert (len(rows), info.rows) == (stored.num_rows, stored.num_rows)
        assert all(isinstance(row, spec.row_type) for row in rows)


def test_most_of_them_have_rows() -> None:
    counted = [pq.read_metadata(BytesIO(OLDER.read(name))).num_rows for name in OLDER.namelist()]
    assert sum(count > 0 for count in counted) >= 30
