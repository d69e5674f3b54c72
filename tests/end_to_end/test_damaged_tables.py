"""Every stored table of an account is damaged at once: the next sync reads them anew and ends like the one before."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.conftest import ACCOUNT, World, failures


def _cells(world: World) -> list[Path]:
    return sorted((world.embedded.directory / "data").glob(f"*/account={ACCOUNT}/**/data.parquet"))


def _without_last_column(path: Path) -> None:
    noted = {k: v for k, v in pq.read_metadata(path).metadata.items() if k.startswith(b"raito_pipeline.")}
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.drop_columns([table.column_names[-1]]).replace_schema_metadata(noted), path)


def _flipped(path: Path) -> None:
    footer, content = pq.read_metadata(path), bytearray(path.read_bytes())
    for group in range(footer.num_row_groups):
        for at in range(footer.num_columns):
            column = footer.row_group(group).column(at)
            start = column.dictionary_page_offset or column.data_page_offset
            content[start + column.total_compressed_size - 1] ^= 0x10
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.slow
def test_tables_that_cannot_be_used_are_read_anew_and_stop_no_sync(synced_world: World) -> None:
    world = synced_world
    held = world.counts()
    rows = {path: pq.read_metadata(path).num_rows for path in _cells(world)}
    assert len(rows) > 20
    for number, path in enumerate(rows):
        (_without_last_column, _cut)[number % 2](path)
    assert failures(world.sync(only=[ACCOUNT])) == []
    assert {path: pq.read_metadata(path).num_rows for path in _cells(world)} == rows
    assert world.counts() == held

    for path in rows:
        _flipped(path)
    world.sync(only=[ACCOUNT])  # damaged rows are met by whoever reads them first: that layer may fail
    assert failures(world.sync(only=[ACCOUNT])) == []
    assert {path: pq.read_metadata(path).num_rows for path in _cells(world)} == rows
    assert world.counts() == held
