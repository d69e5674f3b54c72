"""Log files of CloudTrail in memory: events as AWS writes them, and a source that gives them out."""

import gzip
import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from raito_pipeline.aws.readers.cloudtrail import LogBytes, LogFile
from raito_pipeline.aws.usage.known import KnownObjects
from raito_pipeline.aws.usage.reading import read_usage
from raito_pipeline.aws.usage.report import Incomplete, UsageReport
from raito_pipeline.aws.usage.statements import UsagePlace
from raito_pipeline.config.groups import UsageOptions, UsageWindowOptions
from raito_pipeline.model import CloudTrailFile, UsageStatement
from raito_pipeline.storage import Store

ACCOUNT, REGION = "111122223333", "eu-west-1"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BUCKET = f"{ACCOUNT}:{REGION}:data"


def event(key: str | None = "a/b/c.csv", name: str = "GetObject", **changes: Any) -> dict[str, Any]:
    """An S3 data event of the IAM user ada."""
    arn = "arn:aws:s3:::data"
    resources = [{"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}] if key else []
    record = {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid4()),
        "eventTime": "2026-03-19T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "eventCategory": "Data",
        "managementEvent": False,
        "recipientAccountId": ACCOUNT,
        "userIdentity": {"type": "IAMUser", "userName": "ada", "accountId": ACCOUNT},
        "requestParameters": {"bucketName": "data", **({"key": key} if key else {})},
        "resources": [*resources, {"type": "AWS::S3::Bucket", "ARN": arn, "accountId": ACCOUNT}],
        "additionalEventData": {"bytesTransferredIn": 0.0, "bytesTransferredOut": 10.0},
        **changes,
    }
    return {name: value for name, value in record.items() if value is not ...}


def packed(records: list[Any]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)


OPTIONS = UsageOptions(aws_s3_cloudtrail_bucket="trail")


@dataclass
class Logs:
    """Log files by key; `opened` are those that were fetched, `listed` the windows that were asked for."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    listed: list[tuple[date, date]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    archived: dict[str, bool] = field(default_factory=dict)
    """keys in an archive, true where the listing says so"""
    known: tuple[str, ...] = ("AWSLogs/",)
    """folders of logs that a sync knows before it searches"""
    searches: list[bool] = field(default_factory=list)
    """the searches for others, true for those that looked everywhere"""

    def put(
        self, name: str, *records: Any, day: str = "2026-03-19", body: bytes | None = None, layout: str = "AWSLogs/"
    ) -> str:
        """A file of this day; gives its key."""
        key = f"{layout}{ACCOUNT}/CloudTrail/{REGION}/{day.replace('-', '/')}/{name}.json.gz"
        self.bodies[key] = packed(list(records)) if body is None else body
        return key

    def layouts(self) -> tuple[str, ...]:
        return self.known

    def search(self, *, everywhere: bool) -> tuple[str, ...]:
        self.searches.append(everywhere)
        there = dict.fromkeys(key.partition(f"{ACCOUNT}/")[0] for key in sorted(self.bodies))
        new = tuple(layout for layout in there if layout not in self.known)
        self.known += new
        return new

    def missing(self) -> str | None:
        return None if self.known else "nothing lies at the places that were tried"

    def files(self, first: date, last: date, layouts: Sequence[str] | None = None) -> Iterator[LogFile]:
        self.listed.append((first, last))
        for key in sorted(self.bodies):
            day = "-".join(key.split("/")[-4:-1])
            known = key.partition(f"{ACCOUNT}/")[0] in (self.known if layouts is None else layouts)
            if known and first.isoformat() <= day <= last.isoformat():
                yield LogFile(key, self._etag(key), len(self.bodies[key]), day, NOW, self.archived.get(key, False))

    def fetch(self, key: str) -> LogBytes:
        self.opened.append(key)
        if key in self.archived:
            return LogBytes(problem=f"{key} is archived", archived=True)
        if key in self.gone:
            return LogBytes(problem=f"{key} is gone", gone=True)
        return LogBytes(self.bodies[key], self._etag(key))

    def _etag(self, key: str) -> str:
        return hashlib.md5(self.bodies[key]).hexdigest()


def objects(*paths: str, kind: str = "file") -> KnownObjects:
    """The bucket, and what lies at these paths (a folder where one ends in `/`)."""
    known = KnownObjects()
    known.add([BUCKET], ["bucket"])
    names = [f"{BUCKET}/{path.removesuffix('/')}" for path in paths]
    known.add(names, ["folder" if path.endswith("/") else kind for path in paths])
    return known


@dataclass
class Usage:
    """The tables of one account and region, and syncs of them."""

    folder: Path
    logs: Logs = field(default_factory=Logs)
    known: KnownObjects = field(default_factory=lambda: objects("a/", "a/b/", "a/b/c.csv"))
    people: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW
    last_used: datetime | None = None
    incomplete: Incomplete = Incomplete()  # noqa: RUF009

    @property
    def store(self) -> Store:
        return Store.open(self.folder)

    def sync(self, *, days_later: int = 0) -> UsageReport:
        """One sync; the next one knows when this one was."""
        self.now += timedelta(days=days_later)
        place = UsagePlace(ACCOUNT, REGION, self.people, {"data": REGION})
        report = read_usage(
            self.store, self.logs, ACCOUNT, REGION, self.known, place, OPTIONS, UsageWindowOptions(),
            incomplete=self.incomplete, usage_last_used=self.last_used, now=self.now,
        )  # fmt: skip
        self.last_used = self.now
        return report

    @property
    def statements(self) -> list[UsageStatement]:
        return sorted(self.store.rows(UsageStatement, ACCOUNT, REGION), key=lambda row: row.external_id)

    @property
    def manifest(self) -> dict[str, CloudTrailFile]:
        return {row.key: row for row in self.store.rows(CloudTrailFile, ACCOUNT, REGION)}
