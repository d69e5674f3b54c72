"""CloudTrail records -> usage statements, as columns on their way to Parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec
import pyarrow as pa

from raito_pipeline.model import UsageStatement
from raito_pipeline.model.schema import arrow_schema
from raito_pipeline.objects.names import beside_folder, bucket_full_name
from raito_pipeline.usage.events import COPIES, event_permission
from raito_pipeline.usage.identity import who
from raito_pipeline.usage.known import KnownObjects
from raito_pipeline.usage.records import Parameters, Record, Resource, Transfer, identity_of, parameters_of

Accessed = tuple[str, str, str]
"""full name, type, permission"""
Place = tuple[str, str | None]
"""bucket and key"""

_SCHEMA: Any = arrow_schema(UsageStatement)
_S3: Final = "s3.amazonaws.com"
_OBJECT: Final = "AWS::S3::Object"
_BUCKET: Final = "AWS::S3::Bucket"
_NOTHING: Final = Parameters()
_VERSION: Final = b'"versionId"'
_NUMBER: Final = (int, float)
_MOST_REMEMBERED: Final = 20_000


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


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A usage statement before it is a row; `accessed` is (full name, type, permission)."""

    external_id: str
    accessed: tuple[Accessed, ...]
    global_permission: str
    user: str
    role: str | None
    status: str | None
    error: str | None
    start_time: int
    bytes: int


class StatementMaker:
    """Makes statements of records. What many records share is thought about once.

    This runs for every record of every log file: it avoids whatever costs a microsecond.
    """

    def __init__(self, known: KnownObjects, settings: StatementSettings) -> None:
        self._known, self._settings, self._log_bucket = known, settings, settings.log_bucket
        self._people: dict[bytes, tuple[str, str | None] | None] = {}
        self._folders: dict[str, tuple[str, str] | None] = {}
        self._buckets: dict[str, str] = {}

    def make(self, record: Record) -> Statement | Outcome:
        """The statement of a record, or why there is none."""
        if record.eventSource != _S3 or not _is_data_event(record):
            return Outcome.NO_DATA_EVENT
        event_id, name, time, resources = record.eventID, record.eventName, record.eventTime, record.resources
        raw = bytes(record.requestParameters)
        place = _single_object(resources) if resources else None
        if place is not None and name not in COPIES and _VERSION not in raw:
            asked = _NOTHING
            places: list[Place] = [place]
        else:
            asked = parameters_of(raw)
            places = _places(resources, asked)
        for bucket, _ in places:
            if bucket == self._log_bucket:
                return Outcome.LOG_BUCKET
        person = self._person(bytes(record.userIdentity))
        start = _seconds(time) if time else None
        if not event_id or not name or person is None or start is None or not places:
            return Outcome.BROKEN
        version = asked.versionId
        needed = event_permission(name, isinstance(version, str) and version != "null")
        if needed is None:
            return Outcome.UNKNOWN_EVENT
        accessed: tuple[Accessed, ...]
        if len(places) == 1 and name not in COPIES:
            target = self._closest(*places[0])
            accessed = ((*target, needed.permission),) if target else ()
        else:
            accessed = self._accessed(name, asked, places, needed.permission)
        if not accessed:
            return Outcome.UNKNOWN_OBJECT
        code = record.errorCode
        return Statement(
            event_id,
            accessed,
            needed.global_permission,
            person[0],
            person[1],
            code,
            record.errorMessage if code else None,
            start,
            _moved(record.additionalEventData),
        )

    def _person(self, raw: bytes) -> tuple[str, str | None] | None:
        """The user and the role; the calls of one session have the same identity to the byte."""
        try:
            return self._people[raw]
        except KeyError:
            identity = identity_of(raw)
            found = who(identity, self._settings.people) if identity is not None else None
            _remember(self._people, raw, found)
            return found

    def _accessed(self, name: str, asked: Parameters, places: list[Place], permission: str) -> tuple[Accessed, ...]:
        targets = dict.fromkeys(self._closest(bucket, key) for bucket, key in places)
        found = [(*target, permission) for target in targets if target]
        copied = _text(asked.copy_source) if name in COPIES else None
        if copied:
            bucket, _, key = unquote_plus(copied).lstrip("/").partition("/")
            source = self._closest(bucket, key.partition("?versionId=")[0])
            if source and source not in targets:
                found.append((*source, "s3:GetObject"))
        return tuple(found)

    def _closest(self, bucket: str, key: str | None) -> tuple[str, str] | None:
        """Name and type of the known object at a key or above it; None where not even the bucket is known."""
        try:
            full_name = self._buckets[bucket]
        except KeyError:
            region = self._settings.bucket_regions.get(bucket, self._settings.region)
            full_name = bucket_full_name(self._settings.account_id, region, bucket)
            _remember(self._buckets, bucket, full_name)
        if not key:
            return self._folder(full_name, None)
        path = key.removesuffix("/")
        name = f"{full_name}/{path}"
        kind = self._known.type_of(name)
        if kind is None:
            cut = path.rfind("/")
            return self._folder(full_name, path[:cut] if cut >= 0 else None)
        if kind == "folder" and path == key:
            beside = beside_folder(full_name, key)
            beside_kind = self._known.type_of(beside)
            if beside_kind:
                return beside, beside_kind
        return name, kind

    def _folder(self, bucket: str, path: str | None) -> tuple[str, str] | None:
        """The same for a folder, remembered: there are many keys in each."""
        name = bucket if path is None else f"{bucket}/{path}"
        try:
            return self._folders[name]
        except KeyError:
            found = next(self._known.closest(bucket, path), None)
            _remember(self._folders, name, found)
            return found


def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value


def _is_data_event(record: Record) -> bool:
    if record.eventCategory is not None:
        return record.eventCategory == "Data"
    return record.managementEvent is not True


def _object(resource: Resource) -> Place | None:
    """Bucket and key of an object; None for a resource of another kind."""
    if resource.type != _OBJECT or not resource.ARN:
        return None
    bucket, slash, key = resource.ARN.partition(":::")[2].partition("/")
    return (bucket, key) if bucket and slash else None


def _single_object(resources: list[Resource]) -> Place | None:
    """Bucket and key where the call was made on one object, as nearly all are: the object, then its bucket."""
    if len(resources) > 2 or (len(resources) == 2 and resources[1].type != _BUCKET):
        return None
    return _object(resources[0])


def _places(resources: list[Resource] | None, asked: Parameters) -> list[Place]:
    """Bucket and key of everything that was asked for; a listing is of the folder of its prefix, or of the bucket."""
    found: list[Place] = []
    whole = ""
    for resource in resources or ():
        place = _object(resource)
        if place is not None:
            found.append(place)
        elif resource.type == _BUCKET and not whole:
            whole = resource.ARN or ""
    if found:
        return found
    bucket = _text(asked.bucketName) or whole.partition(":::")[2]
    folder = (_text(asked.prefix) or "").rpartition("/")[0]
    return [(bucket, _text(asked.key) or folder or None)] if bucket else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _moved(data: object) -> int:
    if type(data) is not Transfer:
        return 0
    into, out = data.bytesTransferredIn, data.bytesTransferredOut
    return (int(into) if isinstance(into, _NUMBER) else 0) + (int(out) if isinstance(out, _NUMBER) else 0)


@lru_cache(maxsize=100_000)
def _seconds(time: str) -> int | None:
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except ValueError:
        return None


class StatementColumns:
    """Statements on their way to a record batch."""

    def __init__(self) -> None:
        self._statements: list[Statement] = []
        self._files: list[str] = []

    def __len__(self) -> int:
        return len(self._statements)

    def add(self, file_key: str, statements: Sequence[Statement]) -> None:
        """Append the rows of a file."""
        self._statements += statements
        self._files += [file_key] * len(statements)

    def take(self) -> pa.RecordBatch:
        """The rows so far as a record batch of `usage_statements`; they are forgotten here."""
        rows, files = self._statements, self._files
        self._statements, self._files = [], []
        columns: dict[str, list[Any] | pa.Array[Any]] = {
            "external_id": [row.external_id for row in rows],
            "file_key": files,
            "accessed": _accessed_column([row.accessed for row in rows]),
            "global_permission": [row.global_permission for row in rows],
            "user": [row.user for row in rows],
            "role": [row.role for row in rows],
            "success": [row.status is None for row in rows],
            "status": [row.status for row in rows],
            "error": [row.error for row in rows],
            "start_time": [row.start_time for row in rows],
            "bytes": [row.bytes for row in rows],
        }
        arrays = [pa.array(columns[field.name], field.type) for field in _SCHEMA]
        return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _accessed_column(rows: list[tuple[Accessed, ...]]) -> "pa.Array[Any]":
    """The nested column, put together of its flat ones: a Python object for each value would take most of the time."""
    item = _SCHEMA.field("accessed").type.value_type
    flat = [each for row in rows for each in row]
    name_type = item.field("data_object").type
    names = pa.StructArray.from_arrays(
        [pa.array([each[0] for each in flat], pa.string()), pa.array([each[1] for each in flat], pa.string())],
        fields=[name_type.field("full_name"), name_type.field("type")],
    )
    permissions = pa.ListArray.from_arrays(
        pa.array(range(len(flat) + 1), pa.int32()), pa.array([each[2] for each in flat], pa.string())
    )
    values = pa.StructArray.from_arrays(
        [names, permissions.cast(item.field("permissions").type)],
        fields=[item.field("data_object"), item.field("permissions")],
    )
    ends = pa.array([0, *accumulate(map(len, rows))], pa.int32())
    return pa.ListArray.from_arrays(ends, values).cast(_SCHEMA.field("accessed").type)
