"""What a process knows of objects on S3, and what that saves: calls are counted where they arrive."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from raito_pipeline.model import S3Bucket
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import ReadStatus, Store
from raito_pipeline.storage.memory import Memory, RunMemories, StoredObject

from .conftest import BUCKET
from .sample_rows import sample_rows

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ROWS = sample_rows(S3Bucket, 20)


class Calls:
    """The calls that come to the storage, by operation."""

    def __init__(self, aws: EmulatedAws) -> None:
        self._aws, self._mark = aws, aws.calls.mark

    def __call__(self) -> dict[str, int]:
        """Those since it was asked last."""
        made = Counter(call.operation for call in self._aws.calls.since(self._mark))
        self._mark = self._aws.calls.mark
        return dict(made)


@pytest.fixture
def calls(aws: EmulatedAws, s3_location: str) -> Calls:
    assert s3_location
    return Calls(aws)


def test_a_run_reads_a_cell_with_one_get_and_writes_it_with_one_put(s3_location: str, calls: Calls) -> None:
    Store.open(s3_location, "run-1", "sync-1").write("s3_buckets", ROWS, "1")
    calls()
    store = Store.open(s3_location, "run-2", "sync-2").for_a_run()

    for _ in range(3):
        assert store.info("s3_buckets", "1") is not None
        assert store.earlier(S3Bucket, "1") == tuple(ROWS)
        assert store.dataset("s3_buckets", "1").head(3).num_rows == 3
        assert store.smallest("s3_buckets", "name", "1") == min(row.name for row in ROWS)
        assert store.info("iam_users", "1") is None
    assert calls() == {"GetObject": 3}  # the cell, that which is not there, and the notes of the account

    written = store.write("s3_buckets", ROWS[:5], "1")
    assert calls() == {"PutObject": 1}
    assert (store.info("s3_buckets", "1"), list(store.rows(S3Bucket, "1"))) == (written, ROWS[:5])
    assert calls() == {}


def test_what_belongs_to_no_run_sees_what_others_wrote_since(s3_location: str, calls: Calls) -> None:
    asking = Store.open(s3_location)
    for number in (3, 5):
        Store.open(s3_location, "run", "sync").write("s3_buckets", ROWS[:number], "1")
        calls()
        assert len(list(asking.rows(S3Bucket, "1"))) == number
        assert calls() == {"GetObject": 2}


def test_a_run_shares_what_it_knows_and_sees_one_version_of_what_others_write(s3_location: str, calls: Calls) -> None:
    one, two = (Store.open(s3_location, f"run-{id(calls)}", "sync").for_a_run() for _ in range(2))
    Store.open(s3_location).write("s3_buckets", ROWS, "1")
    assert list(one.rows(S3Bucket, "1")) == ROWS
    Store.open(s3_location).write("s3_buckets", ROWS[:1], "1")
    calls()
    assert list(two.rows(S3Bucket, "1")) == ROWS
    assert calls() == {}


def test_cells_that_hold_the_same_are_noted_with_one_call_and_count_as_of_this_sync(
    s3_location: str, s3: "S3Client", calls: Calls, tmp_path: Path
) -> None:
    first = Store.open(s3_location, "run-1", "sync-1")
    places = [("s3_buckets", "1", None), ("data_objects", "1", "eu-west-1"), ("data_objects", "1", "us-east-1")]
    for table, account, region in places:
        first.write(table, ROWS if table == "s3_buckets" else [], account, region)
    calls()

    second = Store.open(s3_location, f"run-2{id(calls)}", "sync-2").for_a_run()
    at = datetime(2026, 3, 4, tzinfo=UTC)
    for table, account, region in places:
        info = second.write(table, ROWS if table == "s3_buckets" else [], account, region, read_at=at)
        assert (info.sync, info.read_at) == ("sync-2", at)
    second.flush()

    assert calls()["PutObject"] == 1
    for place in places:
        stored = Store.open(s3_location).info(*place)
        assert stored is not None
        assert (stored.sync, stored.read_at, stored.run_id) == ("sync-2", at, second.run_id)
    key = f"{s3_location}/s3_buckets/account=1/data.parquet".partition(f"{BUCKET}/")[2]
    s3.download_file(BUCKET, key, str(tmp_path / "cell"))
    assert pq.read_table(tmp_path / "cell").num_rows == len(ROWS)


@pytest.mark.parametrize("change", ["rows", "status", "problems", "extra"])
def test_a_cell_of_which_anything_is_new_is_written(s3_location: str, calls: Calls, change: str) -> None:
    store = Store.open(s3_location, "run-1", "sync-1")
    store.write("s3_buckets", ROWS, "1")
    calls()
    info = store.write(
        "s3_buckets",
        ROWS[:-1] if change == "rows" else ROWS,
        "1",
        status=ReadStatus.DENIED if change == "status" else ReadStatus.COMPLETE,
        problems=["tags of data were denied"] if change == "problems" else [],
        extra={"page": "2"} if change == "extra" else {},
    )
    assert calls()["PutObject"] == 1
    assert Store.open(s3_location).info("s3_buckets", "1") == info


def test_notes_of_two_runs_at_once_are_both_there(s3_location: str) -> None:
    base = Store.open(s3_location, "run-0", "sync-0")
    base.write("s3_buckets", ROWS, "1")
    base.write("iam_users", [], "1")
    runs = [Store.open(s3_location, f"run-{table}-{s3_location}", table).for_a_run() for table in ("a", "b")]
    for store, table in zip(runs, ("s3_buckets", "iam_users"), strict=True):
        store.confirm(table, "1")
    for store in runs:
        store.flush()
    told = [Store.open(s3_location).info(table, "1") for table in ("s3_buckets", "iam_users")]
    assert [info.sync for info in told if info is not None] == ["a", "b"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"s3_buckets/account=1": 3}', b"\xff\xfe"])
def test_notes_that_are_damaged_say_nothing_and_are_replaced(s3_location: str, s3: "S3Client", damage: bytes) -> None:
    written = Store.open(s3_location, "run-1", "sync-1").write("s3_buckets", ROWS, "1")
    key = f"{s3_location}/_notes/account=1.json".partition(f"{BUCKET}/")[2]
    s3.put_object(Bucket=BUCKET, Key=key, Body=damage)
    assert Store.open(s3_location).info("s3_buckets", "1") == written
    Store.open(s3_location, "run-2", "sync-2").confirm("s3_buckets", "1")
    again = Store.open(s3_location).info("s3_buckets", "1")
    assert again is not None
    assert again.sync == "sync-2"


def test_the_oldest_objects_go_where_they_are_too_large_together() -> None:
    memory = Memory(trusted=True)
    for number in range(200):
        memory.keep(str(number), StoredObject("e", 2**17, b"x" * 2**17))
    assert not memory.knows("0")
    assert memory.knows("199")
    assert memory.get("199") is not None
    memory.keep("199", None)
    assert memory.knows("199")
    assert memory.get("199") is None


def test_the_memories_of_the_last_runs_are_kept_and_whoever_has_no_run_has_its_own() -> None:
    memories = RunMemories()
    first = memories.of("run-0")
    assert memories.of("run-0") is first
    assert memories.of("") is not memories.of("")
    for number in range(20):
        memories.of(f"run-{number + 1}")
    assert memories.of("run-0") is not first
