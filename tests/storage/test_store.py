"""The Parquet store: cells are whole or absent, and say how complete their read was."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raito_pipeline.model import DataObject, ImportResult, OrgGroup, OrgUser, S3Bucket, arrow_schema
from raito_pipeline.storage import CellMissing, ReadStatus, Store
from raito_pipeline.storage.errors import UndeclaredRead

from .sample_rows import sample_rows

BUCKET = S3Bucket("data", "eu-west-1", datetime(2026, 1, 1, tzinfo=UTC), True, None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, run_id="run-1")


def test_a_cell_is_written_and_read_back(store: Store) -> None:
    began = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    info = store.write("s3_buckets", [BUCKET], "111122223333", read_at=began, extra={"page": "2"})
    assert list(store.rows(S3Bucket, "111122223333")) == [BUCKET]
    assert (info.rows, info.status, info.read_at, info.run_id) == (1, ReadStatus.COMPLETE, began, "run-1")
    assert info.extra == {"page": "2"}
    assert store.info("s3_buckets", "111122223333") == info


def test_the_layout_is_the_one_that_other_tools_read(store: Store, tmp_path: Path) -> None:
    store.write("data_objects", [], "111122223333", "eu-west-1")
    store.write("s3_buckets", [BUCKET], "111122223333")
    assert (tmp_path / "data_objects/account=111122223333/region=eu-west-1/data.parquet").is_file()
    assert pd.read_parquet(tmp_path / "s3_buckets")["name"].tolist() == ["data"]


def test_a_problem_makes_a_complete_cell_partial_and_keeps_other_states(store: Store) -> None:
    partial = store.write("s3_buckets", [], "1", problems=["tags of data were denied"])
    denied = store.write("s3_buckets", [], "2", status=ReadStatus.DENIED, problems=["denied"])
    assert (partial.status, partial.complete) == (ReadStatus.PARTIAL, False)
    assert (denied.status, denied.complete) == (ReadStatus.DENIED, False)


def test_an_empty_complete_cell_is_not_a_missing_one(store: Store) -> None:
    assert store.info("s3_buckets", "1") is None
    with pytest.raises(CellMissing, match="s3_buckets of 1 is not there"):
        list(store.rows(S3Bucket, "1"))
    assert store.write("s3_buckets", [], "1").complete
    assert list(store.rows(S3Bucket, "1")) == []


def test_an_exception_leaves_the_old_cell_and_nothing_else(store: Store, tmp_path: Path) -> None:
    store.write("s3_buckets", [BUCKET], "1")
    with pytest.raises(RuntimeError, match="page 2"), store.writer("s3_buckets", "1") as writer:
        writer.write_rows([BUCKET, BUCKET])
        raise RuntimeError("page 2")
    assert list(store.rows(S3Bucket, "1")) == [BUCKET]
    assert [p.name for p in (tmp_path / "s3_buckets/account=1").iterdir()] == ["data.parquet"]


def test_a_killed_writer_leaves_the_old_cell_and_the_next_one_cleans_up(store: Store, tmp_path: Path) -> None:
    store.write("s3_buckets", [BUCKET], "1")
    script = textwrap.dedent("""
        import sys, time
        from raito_pipeline.storage import Store
        from raito_pipeline.model import S3Bucket
        with Store.open(sys.argv[1]).writer("s3_buckets", "1") as writer:
            writer.write_rows(S3Bucket(str(i), None, None, True, None) for i in range(50_000))
            print("half", flush=True)
            time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half\n"
        os.kill(child.pid, signal.SIGKILL)
    folder = tmp_path / "s3_buckets/account=1"
    assert len(list(folder.iterdir())) == 2
    assert list(store.rows(S3Bucket, "1")) == [BUCKET]
    assert pd.read_parquet(tmp_path / "s3_buckets")["name"].tolist() == ["data"]
    store.write("s3_buckets", [], "1")
    assert [p.name for p in folder.iterdir()] == ["data.parquet"]


def test_a_table_needs_exactly_the_levels_of_its_partitioning(store: Store) -> None:
    with pytest.raises(ValueError, match="data_objects is partitioned by account_region"):
        store.path("data_objects", "1")
    with pytest.raises(ValueError, match="s3_buckets is partitioned by account"):
        store.path("s3_buckets", "1", "eu-west-1")
    with pytest.raises(KeyError):
        store.path("no_such_table", "1")


def test_tables_that_share_a_row_type_are_told_apart_by_name(store: Store) -> None:
    (made,) = sample_rows(ImportResult, 1)
    store.write("data_source_import", [made], "1")
    assert list(store.rows(ImportResult, "1", table="data_source_import")) == [made]
    with pytest.raises(KeyError, match="name the table"):
        list(store.rows(ImportResult, "1"))


def test_rows_are_streamed_in_the_order_they_were_written(store: Store) -> None:
    count = 40_000
    objects = (DataObject(f"1:r:b/{i}", str(i), "file", "1:r:b", "", None, None) for i in range(count))
    assert store.write("data_objects", objects, "1", "r").rows == count
    sizes = [batch.num_rows for batch in store.batches("data_objects", "1", "r")]
    assert max(sizes) < count
    assert [row.name for row in store.rows(DataObject, "1", "r")] == [str(i) for i in range(count)]


def test_few_rows_are_there_as_objects_at_a_time(store: Store) -> None:
    objects = (DataObject(f"1:r:b/{i}", str(i), "file", "1:r:b", "", None, None) for i in range(8_000))
    store.write("data_objects", objects, "1", "r")
    read, before = store.rows(DataObject, "1", "r"), _data_objects()

    next(read)

    assert _data_objects() - before <= 1_024


def _data_objects() -> int:
    gc.collect()
    return sum(type(each) is DataObject for each in gc.get_objects())


def test_organization_cells_have_their_region(store: Store) -> None:
    group = OrgGroup("d-1", "g-1", "team", "")
    info = store.write("org_groups", [group], "999", "eu-central-1")
    assert info.label == "org_groups 999/eu-central-1"
    assert list(store.rows(OrgGroup, "999", "eu-central-1")) == [group]


def test_small_batches_become_one_row_group_in_their_order(store: Store) -> None:
    rows = [replace(BUCKET, name=f"bucket-{number:05d}") for number in range(20_000)]
    with store.writer("s3_buckets", "111122223333") as writer:
        for at in range(0, len(rows), 100):
            writer.write_rows(rows[at : at + 100])
        assert writer.rows == len(rows)
    assert list(store.rows(S3Bucket, "111122223333")) == rows
    groups = pq.ParquetFile(store.uri("s3_buckets", "111122223333")).metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [8_200, 8_200, 3_600]


def test_a_cell_names_the_sync_that_wrote_it(tmp_path: Path) -> None:
    written = Store.open(tmp_path, run_id="run-1", sync="sync-1").write("s3_buckets", [BUCKET], "1")
    assert (written.sync, written.run_id) == ("sync-1", "run-1")
    assert Store.open(tmp_path).info("s3_buckets", "1") == written


def test_a_confirmed_cell_is_of_the_sync_that_confirmed_it_and_keeps_its_rows(tmp_path: Path) -> None:
    began = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    written = Store.open(tmp_path, "run-1", "sync-1").write("s3_buckets", [BUCKET], "1", read_at=began)
    second = Store.open(tmp_path, "run-2", "sync-2")
    for later in (began + timedelta(hours=1), began + timedelta(hours=2)):
        confirmed = second.confirm("s3_buckets", "1", read_at=later)
        assert confirmed == replace(written, sync="sync-2", run_id="run-2", read_at=later)
        assert Store.open(tmp_path).info("s3_buckets", "1") == confirmed
    assert list(second.rows(S3Bucket, "1")) == [BUCKET]
    assert pd.read_parquet(tmp_path / "s3_buckets")["name"].tolist() == ["data"]
    assert sorted(p.name for p in Path(written.uri).parent.iterdir()) == ["_confirmed.json", "data.parquet"]


def test_a_confirmation_counts_only_for_the_file_that_it_was_written_for(tmp_path: Path) -> None:
    began = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    Store.open(tmp_path, "run-1", "sync-1").write("s3_buckets", [BUCKET], "1", read_at=began)
    Store.open(tmp_path, "run-2", "sync-2").confirm("s3_buckets", "1")
    again = Store.open(tmp_path, "run-1", "sync-1").write("s3_buckets", [], "1", read_at=began)
    assert Store.open(tmp_path).info("s3_buckets", "1") == again
    assert (again.sync, again.read_at, again.rows) == ("sync-1", began, 0)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"sync": "sync-3"}', b"\xff\xfe"])
def test_a_confirmation_that_cannot_be_read_confirms_nothing(tmp_path: Path, damage: bytes) -> None:
    written = Store.open(tmp_path, "run-1", "sync-1").write("s3_buckets", [BUCKET], "1")
    Store.open(tmp_path, "run-2", "sync-2").confirm("s3_buckets", "1")
    (Path(written.uri).parent / "_confirmed.json").write_bytes(damage)
    assert Store.open(tmp_path).info("s3_buckets", "1") == written


def test_only_a_cell_that_is_there_can_be_confirmed(store: Store) -> None:
    with pytest.raises(CellMissing, match="s3_buckets of 1 is not there"):
        store.confirm("s3_buckets", "1")


def test_a_file_of_a_version_that_noted_no_sync_is_of_none_and_can_be_confirmed(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "run-2", "sync-2")
    path = Path(store.write("s3_buckets", [BUCKET], "1").uri)
    table = pq.read_table(path)
    noted = pq.read_metadata(path).metadata
    newer = {f"raito_pipeline.{name}".encode() for name in ("sync", "file_id", "rows", "digest")}
    older = {name: value for name, value in noted.items() if name not in newer}
    pq.write_table(table.replace_schema_metadata(older), path)
    info = store.info("s3_buckets", "1")
    assert info is not None
    assert (info.sync, info.rows) == ("", 1)
    confirmed = store.confirm("s3_buckets", "1")
    assert confirmed.sync == "sync-2"
    assert store.info("s3_buckets", "1") == confirmed


def test_rows_of_a_table_that_is_not_declared_are_not_read(store: Store) -> None:
    bound = replace(store, readable=frozenset({"org_users"}))
    place = ("111122223333", "eu-west-1")
    for table, row_type in (("org_users", OrgUser), ("org_groups", OrgGroup)):
        store.write(table, sample_rows(row_type, 3), *place)

    assert list(bound.rows(OrgUser, *place)) == list(store.rows(OrgUser, *place))
    reads: list[Callable[[], object]] = [
        lambda: list(bound.rows(OrgGroup, *place)),
        lambda: bound.earlier(OrgGroup, *place),
        lambda: list(bound.batches("org_groups", *place)),
        lambda: bound.dataset("org_groups", *place),
        lambda: bound.smallest("org_groups", "group_id", *place),
    ]
    for read in reads:
        with pytest.raises(UndeclaredRead, match="rows of org_groups were read, and only those of org_users are"):
            read()
    assert bound.info("org_groups", *place) is not None, "whether it is there may be asked"


def test_which_accounts_and_regions_have_tables_and_one_that_is_removed_has_none(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert (store.accounts("s3_buckets"), store.regions("data_objects", "1")) == ([], [])
    store.write("s3_buckets", (), "1")
    for region in ("us-east-1", "eu-west-1"):
        store.write("data_objects", (), "1", region)
    assert (store.accounts("s3_buckets"), store.regions("data_objects", "1")) == (["1"], ["eu-west-1", "us-east-1"])
    for _ in range(2):
        store.remove("data_objects", "1", "us-east-1")
        assert store.info("data_objects", "1", "us-east-1") is None
    assert store.info("data_objects", "1", "eu-west-1") is not None


def test_chosen_columns_of_the_rows_that_fit_are_read_as_the_table_has_them(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    rows = sample_rows(DataObject, 8_200)
    store.write("data_objects", rows, "1", "eu-west-1")
    wanted = {rows[3].full_name, rows[8_199].full_name, "nothing"}
    dataset = store.dataset("data_objects", "1", "eu-west-1")

    chosen = dataset.to_table(["tags", "full_name"], {"full_name": wanted})

    whole = dataset.to_table()
    assert chosen.num_rows == 2
    assert chosen.schema == pa.schema([arrow_schema(DataObject).field(name) for name in ("tags", "full_name")])
    assert chosen.to_pylist() == [
        {"tags": row["tags"], "full_name": row["full_name"]} for row in whole.to_pylist() if row["full_name"] in wanted
    ]
    assert (whole.schema, whole.num_rows) == (arrow_schema(DataObject), len(rows))
    assert list(dataset.batches(["full_name"], {"full_name": ["nothing"]})) == []
    assert dataset.head(3).to_pylist() == whole.slice(0, 3).to_pylist()
    assert dataset.to_table(["type"], {"type": []}).num_rows == 0
