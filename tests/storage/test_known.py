"""What a footer said is kept only for the very file that said it."""

import os
import time
from pathlib import Path

from raito_pipeline.model import S3Bucket
from raito_pipeline.storage import Store

from .sample_rows import sample_rows


def _age(path: Path, seconds: float) -> None:
    at = time.time_ns() - int(seconds * 1e9) - 123
    os.utime(path, ns=(at, at))


def test_a_cell_that_is_written_again_or_damaged_is_read_anew(tmp_path: Path) -> None:
    rows = sample_rows(S3Bucket, 20)
    first = Store.open(tmp_path, "run-1", "sync-1").write("s3_buckets", rows, "1")
    path, asking = Path(first.uri), Store.open(tmp_path)
    _age(path, 60)
    assert [asking.info("s3_buckets", "1") for _ in range(3)] == [first] * 3
    again = Store.open(tmp_path, "run-2", "sync-2").write("s3_buckets", rows, "1")
    assert asking.info("s3_buckets", "1") == again
    _age(path, 30)
    assert asking.info("s3_buckets", "1") == again
    confirmed = Store.open(tmp_path, "run-3", "sync-3").confirm("s3_buckets", "1")
    assert asking.info("s3_buckets", "1") == confirmed
    path.write_bytes(b"PAR1" + b"x" * (path.stat().st_size - 8) + b"PAR1")
    assert asking.info("s3_buckets", "1") is None


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    """Two files of one size within a tick of the file system's clock look the same."""
    store = Store.open(tmp_path)
    path = Path(store.write("s3_buckets", sample_rows(S3Bucket, 20), "1").uri)
    assert store.info("s3_buckets", "1") is not None
    at = path.stat().st_mtime_ns
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, ns=(at, at))
    assert store.info("s3_buckets", "1") is None
