"""A stored table that cannot be used counts as not there, whichever table it is and whatever is wrong with it."""

import json
import logging
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raito_pipeline.model import TABLES, OrgUser, S3Bucket
from raito_pipeline.storage import CellMissing, CellUnusable, Store

from .sample_rows import all_tables, place_of, sample_rows

Damage = Callable[[Path], None]


def _rewritten(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """The file as a version with other columns would have written it."""
    noted = pq.read_metadata(path).metadata
    kept = {key: value for key, value in noted.items() if key.startswith(b"raito_pipeline.")}
    pq.write_table(change(pq.read_table(path)).replace_schema_metadata(kept), path)


def _cut(share: float) -> Damage:
    return lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def _other_type(path: Path) -> None:
    def change(table: pa.Table) -> pa.Table:
        first = table.column_names[0]
        return table.set_column(0, first, pa.array([b"x"] * len(table), pa.binary()))

    _rewritten(path, change)


DAMAGES: dict[str, Damage] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut after a tenth": _cut(0.1),
    "cut in the middle": _cut(0.5),
    "cut before the last byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "cut and ended like a Parquet file": lambda path: path.write_bytes(
        path.read_bytes()[:200] + b"\xff\xff\xff\x7fPAR1"
    ),
    "not Parquet": lambda path: path.write_bytes(b"<html>" * 1000),
    "zeros": lambda path: path.write_bytes(b"\0" * path.stat().st_size),
    "without our metadata": lambda path: pq.write_table(pq.read_table(path).replace_schema_metadata(None), path),
    "a column fewer": lambda path: _rewritten(path, lambda t: t.drop_columns([t.column_names[-1]])),
    "the first column fewer": lambda path: _rewritten(path, lambda t: t.drop_columns([t.column_names[0]])),
    "a column of another type": _other_type,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("table", all_tables())
def test_what_cannot_be_used_counts_as_not_there_and_is_healed_by_the_next_write(
    table: str, damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, spec = Store.open(tmp_path), TABLES[table]
    place, rows = place_of(spec), sample_rows(spec.row_type, 20)
    path = Path(store.write(table, rows, *place).uri)
    DAMAGES[damage](path)

    with caplog.at_level(logging.WARNING):
        assert store.info(table, *place) is None
        for reading in (
            lambda: store.require(table, *place),
            lambda: store.dataset(table, *place),
            lambda: list(store.batches(table, *place)),
            lambda: list(store.rows(spec.row_type, *place, table=table)),
            lambda: store.smallest(table, spec.key[0], *place),
            lambda: store.confirm(table, *place),
        ):
            with pytest.raises(CellUnusable, match=f"{table} of {'/'.join(filter(None, place))} cannot be used"):
                reading()
        assert store.earlier(spec.row_type, *place, table=table) == ()
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]

    store.write(table, rows, *place)
    assert list(store.rows(spec.row_type, *place, table=table)) == rows


@pytest.mark.parametrize("table", all_tables())
def test_a_flipped_byte_in_the_rows_is_noticed_by_who_reads_them_and_known_from_then_on(
    table: str, tmp_path: Path
) -> None:
    store, spec = Store.open(tmp_path), TABLES[table]
    place, rows = place_of(spec), sample_rows(spec.row_type, 20)
    path = Path(store.write(table, rows, *place).uri)
    chunk = pq.read_metadata(path).row_group(0).column(0)
    damaged = bytearray(path.read_bytes())
    end = (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size - 1
    damaged[end] ^= 0x10
    path.write_bytes(damaged)

    assert store.info(table, *place) is not None
    with pytest.raises(CellUnusable, match="its rows are damaged"):
        list(store.rows(spec.row_type, *place, table=table))
    later = Store.open(tmp_path)
    assert later.info(table, *place) is None
    assert later.earlier(spec.row_type, *place, table=table) == ()
    later.write(table, rows, *place)
    assert list(later.rows(spec.row_type, *place, table=table)) == rows
    assert later.info(table, *place) is not None


def test_a_dataset_over_damaged_rows_says_so_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    path = Path(store.write("s3_buckets", sample_rows(S3Bucket, 20), "1").uri)
    damaged = bytearray(path.read_bytes())
    damaged[40:60] = b"\xaa" * 20
    path.write_bytes(damaged)
    with pytest.raises(CellUnusable, match="its rows are damaged"):
        store.dataset("s3_buckets", "1").to_table()
    assert store.info("s3_buckets", "1") is None


def test_earlier_rows_are_none_where_they_are_damaged_without_an_error(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    rows = sample_rows(OrgUser, 20)
    path = Path(store.write("org_users", rows, "999", "eu-central-1").uri)
    assert store.earlier(OrgUser, "999", "eu-central-1") == tuple(rows)
    damaged = bytearray(path.read_bytes())
    damaged[40:60] = b"\xaa" * 20
    path.write_bytes(damaged)
    assert store.earlier(OrgUser, "999", "eu-central-1") == ()


def test_a_note_of_damage_counts_only_for_the_file_that_it_was_written_for(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    rows = sample_rows(S3Bucket, 20)
    path = Path(store.write("s3_buckets", rows, "1").uri)
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + b"\xaa" * 20 + whole[60:])
    with pytest.raises(CellUnusable):
        list(store.rows(S3Bucket, "1"))
    note = json.loads((path.parent / "_damaged.json").read_text())
    assert "damaged" in note["reason"]
    store.write("s3_buckets", rows, "1")
    assert list(store.rows(S3Bucket, "1")) == rows


@pytest.mark.parametrize("loosened", [True, False])
def test_null_is_accepted_only_where_this_version_allows_it(tmp_path: Path, loosened: bool) -> None:
    """A column that was never null and may be now still fits; one that was null and must not be does not."""
    store = Store.open(tmp_path)
    path = Path(store.write("s3_buckets", sample_rows(S3Bucket, 4), "1").uri)

    def change(table: pa.Table) -> pa.Table:
        name = "region" if loosened else "name"
        at = table.schema.get_field_index(name)
        values = table.column(name).fill_null("eu-west-1")
        return table.set_column(at, pa.field(name, pa.string(), nullable=not loosened), values)

    _rewritten(path, change)
    assert (store.info("s3_buckets", "1") is not None) is loosened


def test_a_missing_cell_is_missing_without_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store.open(tmp_path)
    with pytest.raises(CellMissing) as missing:
        store.require("s3_buckets", "1")
    assert not isinstance(missing.value, CellUnusable)
    assert not caplog.records


def _read_with_flips(path: Path, positions: range) -> None:
    store, good = Store.open(path.parents[2]), path.read_bytes()
    for at in positions:
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        (path.parent / "_damaged.json").unlink(missing_ok=True)
        store.earlier(S3Bucket, "1")


def test_no_flipped_byte_ends_the_process_or_escapes_as_another_error(tmp_path: Path) -> None:
    path = Path(Store.open(tmp_path).write("s3_buckets", sample_rows(S3Bucket, 40), "1").uri)
    logging.getLogger("raito_pipeline.storage.store").setLevel(logging.ERROR)
    child = multiprocessing.get_context("spawn").Process(
        target=_read_with_flips, args=(path, range(0, path.stat().st_size, 11))
    )
    child.start()
    child.join(60)
    assert child.exitcode == 0
