"""Writers of one cell do not hurt each other, and a storage that fails leaves the old cell and nothing else."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import moto.backends as moto_backends
import pytest

from raito_pipeline.model import S3Bucket
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import CellMissing, CellWriter, StorageError, Store

from .conftest import BUCKET
from .processes import PROCESSES, rows, write_often

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def _rows(name: str) -> list[S3Bucket]:
    return rows(name, 1)


def _big_rows(name: str) -> Iterator[S3Bucket]:
    """About 20 megabytes that do not compress: three parts of an upload."""
    for number in range(10):
        yield S3Bucket(f"{name}-{number}-{os.urandom(1_000_000).hex()}", "eu-west-1", None, True, None)


def _names(store: Store) -> list[str]:
    return [row.name for row in store.rows(S3Bucket, "1")]


def _begin(store: Store, name: str) -> CellWriter:
    writer = store.writer("s3_buckets", "1")
    writer.__enter__()
    writer.write_rows(_rows(name))
    return writer


def _files(location: str, s3: "S3Client | None") -> list[str]:
    if s3 is None:
        return sorted(str(path.relative_to(location)) for path in Path(location).rglob("*") if path.is_file())
    prefix = location.removeprefix(f"s3://{BUCKET}/") + "/"
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return sorted(each["Key"].removeprefix(prefix) for each in found)


CELL = "s3_buckets/account=1/data.parquet"


def test_two_runs_write_one_cell_and_the_last_one_wins(location: str) -> None:
    """dagster#15488, #33803: a run that was started by hand overlaps the one of the schedule."""
    store = Store.open(location)
    with store.writer("s3_buckets", "1") as one:
        one.write_rows(_rows("one"))
        with store.writer("s3_buckets", "1") as two:
            two.write_rows(_rows("two"))
        assert _names(store) == ["two-0"]
    assert _names(store) == ["one-0"]


def test_four_syncs_that_each_overlap_the_next_all_end_well(location: str) -> None:
    store = Store.open(location)
    before = _begin(store, "0")
    for number in range(1, 5):
        following = _begin(store, str(number))
        before.__exit__(None, None, None)
        assert _names(store) == [f"{number - 1}-0"]
        before = following
    before.__exit__(None, None, None)
    assert _names(store) == ["4-0"]
    if not location.startswith("s3://"):
        assert _files(location, None) == [CELL]


def test_processes_that_write_and_read_one_cell_at_once_always_see_a_whole_one(tmp_path: Path) -> None:
    location = str(tmp_path / "data")
    writers = [PROCESSES.Process(target=write_often, args=(location, f"writer{n}", 15, 500)) for n in range(2)]
    for writer in writers:
        writer.start()
    seen: set[str] = set()
    while any(writer.is_alive() for writer in writers):
        try:
            names = _names(Store.open(location))
        except CellMissing:
            assert not seen
            time.sleep(0.01)  # the writers import what they need
            continue
        assert len(names) == 500
        assert len({name.partition("-")[0] for name in names}) == 1
        seen.add(names[0])
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert _files(location, None) == [CELL]


def test_only_what_a_dead_or_forgotten_writer_left_is_removed(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    living = _begin(store, "living")
    folder = tmp_path / "s3_buckets/account=1"
    (mine,) = folder.iterdir()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    parts = mine.name.split("~")
    dead = "~".join([*parts[:2], str(ended.pid), *parts[3:]])
    elsewhere, of_old_version = mine.name.replace(parts[1], "0123456789"), ".data.parquet.0123456789abcdef"
    day_ago = time.time() - 25 * 3600
    for name, age in ((dead, None), (elsewhere, None), (of_old_version, None), (f"{elsewhere}old", day_ago)):
        (folder / name).write_bytes(b"half")
        if age:
            os.utime(folder / name, (age, age))
    store.write("s3_buckets", _rows("next"), "1")
    assert sorted(p.name for p in folder.iterdir()) == sorted([mine.name, elsewhere, of_old_version, "data.parquet"])
    living.__exit__(None, None, None)
    assert _names(store) == ["living-0"]


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_fails_the_cell_by_name_and_leaves_the_old_one(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.write("s3_buckets", _rows("old"), "1")
    for _ in range(2):
        with pytest.raises(StorageError) as failed, _largest_file(3_000_000):
            store.write("s3_buckets", _big_rows("new"), "1")
        words = str(failed.value)
        assert words.startswith("s3_buckets 1 could not be written (")
        assert f"{tmp_path}/{CELL}" in words
        assert "File too large. What to do: raise the largest file size" in words
        assert _files(str(tmp_path), None) == [CELL]
    assert _names(store) == ["old-0"]


def test_a_place_that_is_no_folder_fails_the_cell_by_name(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageError, match=r"org_users 999/eu-central-1 could not be written \(.*/data/org_users/"):
        Store.open(tmp_path / "data").write("org_users", [], "999", "eu-central-1")


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_storage(tmp_path: Path) -> None:
    def rows() -> Iterator[S3Bucket]:
        yield from _rows("some")
        raise OSError(28, "the disk of somebody else is full")

    with pytest.raises(OSError, match="somebody else"):
        Store.open(tmp_path).write("s3_buckets", rows(), "1")
    assert _files(str(tmp_path), None) == []


def test_a_table_on_s3_is_written_in_place_and_read_back(s3: "S3Client", s3_location: str) -> None:
    store = Store.open(s3_location, "run-1", "sync-1")
    for name in ("first", "second"):
        rows = list(_big_rows(name))
        info = store.write("s3_buckets", rows, "1")
        assert info == store.info("s3_buckets", "1")
        assert info.uri == f"{s3_location}/{CELL}"
        assert info.bytes == s3.head_object(Bucket=BUCKET, Key=info.uri.partition(f"{BUCKET}/")[2])["ContentLength"]
        assert list(store.rows(S3Bucket, "1")) == rows
    assert _files(s3_location, s3) == [CELL]
    assert store.confirm("s3_buckets", "1") == Store.open(s3_location).info("s3_buckets", "1")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


FAULTS: dict[str, dict[str, Any]] = {
    "a part is denied": {"kind": "deny", "operation": "UploadPart"},
    "the second part fails": {"kind": "error", "operation": "UploadPart", "skip": 1},
    "the connection is dropped": {"kind": "drop", "operation": "UploadPart"},
    "it cannot be completed": {"kind": "error", "operation": "CompleteMultipartUpload"},
    "it cannot be begun": {"kind": "deny", "operation": "CreateMultipartUpload"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_upload_that_fails_leaves_the_old_table_and_no_open_upload(
    aws: EmulatedAws, s3: "S3Client", s3_location: str, fault: str
) -> None:
    store = Store.open(s3_location)
    store.write("s3_buckets", _rows("old"), "1")
    aws.faults.add(Fault(service="s3", **FAULTS[fault]))
    with pytest.raises(StorageError) as failed:
        store.write("s3_buckets", _big_rows("new"), "1")
    aws.faults.clear()
    words = str(failed.value)
    assert words.startswith(
        f"s3_buckets 1 could not be written ({s3_location}/{CELL}): {FAULTS[fault]['operation']}"
    ) or (fault == "the connection is dropped")
    assert ("s3:PutObject" in words) is (FAULTS[fault]["kind"] == "deny")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert _names(store) == ["old-0"]
    assert _files(s3_location, s3) == [CELL]
    store.write("s3_buckets", _rows("next"), "1")
    assert _names(store) == ["next-0"]


def test_a_reader_that_fails_leaves_no_open_upload(s3: "S3Client", s3_location: str) -> None:
    with pytest.raises(RuntimeError, match="page 2"), Store.open(s3_location).writer("s3_buckets", "1") as writer:
        writer.write_rows(_big_rows("new"))
        raise RuntimeError("page 2")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert _files(s3_location, s3) == []


def test_an_upload_that_a_killed_writer_left_open_is_aborted_after_a_day(s3: "S3Client", s3_location: str) -> None:
    key = f"{s3_location}/{CELL}".partition(f"{BUCKET}/")[2]
    left = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    living = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    uploads = moto_backends.get_backend("s3")["111122223333"]["aws"].list_multipart_uploads(BUCKET)
    uploads[left].initiated = datetime.now(UTC) - timedelta(hours=25)
    Store.open(s3_location).write("s3_buckets", _big_rows("next"), "1")
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [living]
    s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=living)


def test_s3_that_cannot_be_read_is_not_taken_for_a_table_that_is_not_there(aws: EmulatedAws, s3_location: str) -> None:
    store = Store.open(s3_location)
    store.write("s3_buckets", _rows("old"), "1")
    aws.faults.add(Fault(kind="deny", service="s3", operation="GetObject"))
    for reading in (lambda: store.info("s3_buckets", "1"), lambda: _names(store), lambda: store.earlier(S3Bucket, "1")):
        with pytest.raises(StorageError, match=r"s3_buckets 1 could not be read \(s3://"):
            reading()
    aws.faults.clear()
    assert _names(store) == ["old-0"]


def test_nothing_is_contacted_before_the_first_use(tmp_path: Path) -> None:
    Store.open("s3://a-bucket-that-does-not-exist/data", "run-1")
    Store.open(tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_of_many_problems_of_a_kind_ten_are_told_and_how_many_more_there_are(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with store.writer("s3_buckets", "1") as writer:
        writer.add_problem("first")
        for number in range(12):
            writer.add_problem(f"file {number}.", "files")
            writer.add_problem(f"bucket {number}.", "buckets")
        writer.add_problem("last")
    assert writer.info is not None
    assert not writer.info.complete
    nine = [text for number in range(9) for text in (f"file {number}.", f"bucket {number}.")]
    tenth = ["file 9. The same for 2 more files.", "bucket 9. The same for 2 more buckets."]
    assert writer.info.problems == ("first", *nine, *tenth, "last")
