"""CloudTrail records -> usage statements, as columns on their way to Parquet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import unquote_plus

import pyarrow as pa

from raito_pipeline.model import UsageStatement
from raito_pipeline.model.schema import arrow_schema
from raito_pipeline.objects.names import beside_folder, bucket_full_name
from raito_pipeline.usage.events import COPIES, EventPermission, event_permission
from raito_pipeline.usage.identity import who
from raito_pipeline.usage.known import KnownObjects
from raito_pipeline.usage.records import Parameters, Record, Transfer, decode_or, parameters, transfer

_SCHEMA = arrow_schema(UsageStatement)
_STRENGTH = {"read": 0, "write": 1, "admin": 2}
_S3 = "s3.amazonaws.com"


class Outcome(StrEnum):
    """Why a record gave no statement."""

    NO_DATA_EVENT = "no S3 data event"
    LOG_BUCKET = "on the CloudTrail bucket"
    UNKNOWN_EVENT = "of no permission that Raito Cloud knows"
    UNKNOWN_OBJECT = "touches no known data object"
    BROKEN = "without event id, time, identity or object"


@dataclass(frozen=True, slots=True)
class StatementSettings:
    """What records are held against."""

    account_id: str
    region: str
    log_bucket: str
    people: Mapping[str, str] = field(default_factory=dict)
    """users of IAM Identity Center: user id -> user name"""
    bucket_regions: Mapping[str, str] = field(default_factory=dict)
    """bucket -> its own region; the region of the log for all others"""


@dataclass(frozen=True, slots=True)
class Statement:
    """A usage statement before it is a row; `accessed` is (full name, type, permission)."""

    external_id: str
    accessed: tuple[tuple[str, str, str], ...]
    global_permission: str
    user: str
    role: str | None
    status: str | None
    error: str | None
    start_time: int
    bytes: int


def statement_of(record: Record, known: KnownObjects, settings: StatementSettings) -> Statement | Outcome:
    """The statement of a record, or why there is none."""
    if record.eventSource != _S3 or not _is_data_event(record):
        return Outcome.NO_DATA_EVENT
    asked: Parameters = decode_or(parameters, record.requestParameters, Parameters())
    places = list(_places(record, asked))
    if any(bucket == settings.log_bucket for bucket, _ in places):
        return Outcome.LOG_BUCKET
    person = who(record.userIdentity, settings.people)
    time = _seconds(record.eventTime)
    if not record.eventID or not record.eventName or person is None or time is None or not places:
        return Outcome.BROKEN
    needed = event_permission(record.eventName, with_version=bool(asked.versionId and asked.versionId != "null"))
    if needed is None:
        return Outcome.UNKNOWN_EVENT
    accessed = tuple(_accessed(record, asked, places, needed, known, settings))
    if not accessed:
        return Outcome.UNKNOWN_OBJECT
    moved: Transfer = decode_or(transfer, record.additionalEventData, Transfer())
    return Statement(
        external_id=record.eventID,
        accessed=accessed,
        global_permission=needed.global_permission,
        user=person[0],
        role=person[1],
        status=record.errorCode,
        error=record.errorMessage if record.errorCode else None,
        start_time=time,
        bytes=int(moved.bytesTransferredIn + moved.bytesTransferredOut),
    )


def _is_data_event(record: Record) -> bool:
    if record.eventCategory is not None:
        return record.eventCategory == "Data"
    return record.managementEvent is not True


def _places(record: Record, asked: Parameters) -> Iterator[tuple[str, str | None]]:
    """Bucket and key of everything that was asked for; a listing is of the folder of its prefix, or of the bucket."""
    found = False
    for resource in record.resources or ():
        if resource.type == "AWS::S3::Object" and resource.ARN:
            bucket, slash, key = resource.ARN.partition(":::")[2].partition("/")
            if bucket and slash:
                found = True
                yield bucket, key
    if found:
        return
    bucket = asked.bucketName or _bucket_of(record)
    if bucket:
        folder = (asked.prefix or "").rpartition("/")[0]
        yield bucket, asked.key or folder or None


def _bucket_of(record: Record) -> str:
    for resource in record.resources or ():
        if resource.type == "AWS::S3::Bucket" and resource.ARN:
            return resource.ARN.partition(":::")[2]
    return ""


def _accessed(
    record: Record,
    asked: Parameters,
    places: list[tuple[str, str | None]],
    needed: EventPermission,
    known: KnownObjects,
    settings: StatementSettings,
) -> Iterator[tuple[str, str, str]]:
    seen: set[str] = set()
    for bucket, key in places:
        target = _closest(bucket, key, known, settings)
        if target and target[0] not in seen:
            seen.add(target[0])
            yield *target, needed.permission
    if record.eventName in COPIES and asked.copy_source:
        bucket, _, key = unquote_plus(asked.copy_source).lstrip("/").partition("/")
        source = _closest(bucket, key.partition("?versionId=")[0], known, settings)
        if source and source[0] not in seen:
            yield *source, "s3:GetObject"


def _closest(bucket: str, key: str | None, known: KnownObjects, settings: StatementSettings) -> tuple[str, str] | None:
    region = settings.bucket_regions.get(bucket, settings.region)
    full_name = bucket_full_name(settings.account_id, region, bucket)
    path = key.removesuffix("/") if key else None
    for name, kind in known.closest(full_name, path):
        if kind == "folder" and key and path == key and name == f"{full_name}/{key}":
            beside = beside_folder(full_name, key)
            beside_kind = known.type_of(beside)
            if beside_kind:
                return beside, beside_kind
        return name, kind
    return None


def _seconds(time: str | None) -> int | None:
    if not time:
        return None
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except ValueError:
        return None


class StatementColumns:
    """Statements as columns."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Statement]] = []

    def __len__(self) -> int:
        return len(self.statements)

    def add(self, file_key: str, statement: Statement) -> None:
        """Append one row."""
        self.statements.append((file_key, statement))

    def take(self) -> pa.RecordBatch:
        """The rows so far as a record batch of `usage_statements`; they are forgotten here."""
        rows = [
            {
                "external_id": s.external_id,
                "file_key": key,
                "accessed": [
                    {"data_object": {"full_name": name, "type": kind}, "permissions": [permission]}
                    for name, kind, permission in s.accessed
                ],
                "global_permission": s.global_permission,
                "user": s.user,
                "role": s.role,
                "success": s.status is None,
                "status": s.status,
                "error": s.error,
                "start_time": s.start_time,
                "bytes": s.bytes,
            }
            for key, s in self.statements
        ]
        self.statements = []
        return pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)
