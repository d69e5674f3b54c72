"""Real CloudTrail log files: every record is a statement or has a counted reason why not."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from raito_pipeline.aws.readers.cloudtrail import LogBytes, LogFile
from raito_pipeline.aws.usage.known import KnownObjects
from raito_pipeline.aws.usage.reading import read_usage
from raito_pipeline.aws.usage.report import UsageReport
from raito_pipeline.aws.usage.statements import UsagePlace
from raito_pipeline.config.groups import UsageOptions, UsageWindowOptions
from raito_pipeline.model import CloudTrailFile, UsageStatement
from raito_pipeline.storage import Store
from tests.shared_data import LOGS

ACCOUNT, REGION = "218007301253", "us-east-1"
NOW = datetime(2023, 7, 11, tzinfo=UTC)


class Folder:
    """Log files in a local folder, and which of them were opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.opened = folder, list[str]()

    def layouts(self) -> Sequence[str]:
        return ("AWSLogs/",)

    def search(self, *, everywhere: bool) -> tuple[str, ...]:  # noqa: ARG002 - a folder has no other places
        return ()

    def missing(self) -> None:
        return None

    def files(self, _first: date, _last: date, _layouts: Sequence[str] | None = None) -> Iterator[LogFile]:
        for path in sorted(self.folder.glob("*.json.gz")):
            yield LogFile(path.name, "1", path.stat().st_size, "2023-07-10", datetime(2023, 7, 10, 13, tzinfo=UTC))

    def fetch(self, key: str) -> LogBytes:
        self.opened.append(key)
        return LogBytes((self.folder / key).read_bytes(), "1")


def _records() -> list[dict[str, object]]:
    files = sorted(LOGS.glob("*.json.gz"))
    if not files:
        pytest.skip(f"the real log files are not there: {LOGS}")
    return [record for file in files for record in json.loads(gzip.decompress(file.read_bytes()))["Records"]]


def _read(store: Store, folder: Folder, buckets: Sequence[str]) -> UsageReport:
    known = KnownObjects()
    known.add([f"{ACCOUNT}:{REGION}:{name}" for name in buckets], ["bucket"] * len(buckets))
    place, options = UsagePlace(ACCOUNT, REGION), UsageOptions(aws_s3_cloudtrail_bucket="log-bucket")
    return read_usage(store, folder, ACCOUNT, REGION, known, place, options, UsageWindowOptions(), now=NOW)


def test_every_record_is_accounted_for_and_read_once(tmp_path: Path) -> None:
    records = _records()
    data = [r for r in records if r["eventSource"] == "s3.amazonaws.com" and r.get("eventCategory") == "Data"]
    asked = Counter(str((r.get("requestParameters") or {}).get("bucketName")) for r in data)  # type: ignore[attr-defined]
    store, folder = Store.open(tmp_path), Folder(LOGS)

    first = _read(store, folder, [bucket for bucket in asked if bucket != "None"])
    statements = list(store.rows(UsageStatement, ACCOUNT, REGION))

    skipped = dict(first.skipped)
    assert first.records == len(records)
    assert first.new_statements + first.duplicates + first.broken + sum(skipped.values()) == len(records)
    assert skipped["no S3 data event"] == len(records) - len(data)
    assert {s.external_id for s in statements} <= {str(r["eventID"]) for r in data}
    assert len(statements) == first.new_statements == first.statements
    manifest = list(store.rows(CloudTrailFile, ACCOUNT, REGION))
    assert sum(row.records for row in manifest) == len(records)
    assert len(folder.opened) == len(manifest) == len(set(folder.opened))

    second = _read(store, folder, list(asked))

    assert (second.read, second.new_statements, second.statements) == (0, 0, first.statements)
    assert len(folder.opened) == len(manifest)
    assert list(store.rows(UsageStatement, ACCOUNT, REGION)) == statements


def test_a_corrupt_file_loses_nothing_else_and_is_read_again_when_it_changes(tmp_path: Path) -> None:
    _records()
    logs = tmp_path / "logs"
    logs.mkdir()
    files = sorted(LOGS.glob("*.json.gz"))[:4]
    for file in files:
        (logs / file.name).write_bytes(file.read_bytes())
    broken = logs / files[1].name
    broken.write_bytes(broken.read_bytes()[:200])
    store, folder = Store.open(tmp_path / "store"), Folder(logs)

    report = _read(store, folder, [])

    assert report.corrupt == 1
    assert files[1].name in report.problems[0]
    rows = {row.key: row for row in store.rows(CloudTrailFile, ACCOUNT, REGION)}
    assert [bool(rows[file.name].problem) for file in files] == [False, True, False, False]
    assert sum(row.records for row in rows.values()) == report.records > 0
