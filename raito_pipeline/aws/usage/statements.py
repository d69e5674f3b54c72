"""A CloudTrail record -> its usage statement, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from raito_pipeline.aws.data_objects.names import beside_folder, bucket_full_name
from raito_pipeline.aws.usage.copies import Copy, Place, copy_of
from raito_pipeline.aws.usage.events import COPIES, READ, READ_VERSION, event_permission, global_permissions
from raito_pipeline.aws.usage.identity import who
from raito_pipeline.aws.usage.known import KnownObjects, Target
from raito_pipeline.aws.usage.records import Parameters, Record, Resource, Transfer, identity_of
from raito_pipeline.config.groups import UsageOptions

Key = TypeVar("Key")
Value = TypeVar("Value")
Accessed = tuple[str, str, str, str | None]
"""full name, type, permission, and its global one where that is not the one of the statement"""
Person = tuple[str, str | None]
"""user, role"""

S3: Final = "s3.amazonaws.com"
OBJECT: Final = "AWS::S3::Object"
BUCKET: Final = "AWS::S3::Bucket"
_NOTHING: Final = Parameters()
_MOST_BYTES: Final = 2**61
_MOST_REMEMBERED: Final = 20_000


class SkipReason(StrEnum):
    """Why a record gave no statement."""

    NO_DATA_EVENT = "no S3 data event"
    LOG_BUCKET = "on the CloudTrail bucket"
    UNKNOWN_EVENT = "of no permission that Raito Cloud knows"
    UNKNOWN_OBJECT = "touches no known data object"
    BROKEN = "without event id, time, identity or object"


@dataclass(frozen=True, slots=True)
class UsagePlace:
    """Whose records these are, and what is known there to match them against."""

    account_id: str
    region: str
    people: Mapping[str, str] = field(default_factory=dict)
    """users of IAM Identity Center: user id -> user name"""
    bucket_regions: Mapping[str, str] = field(default_factory=dict)
    """bucket -> the region in its full name; that of the log for all others"""


class UsageEntry(NamedTuple):
    """A usage statement before it is a row of the table."""

    external_id: str
    start_time: int
    person: Person
    status: str | None
    error: str | None
    bytes: float
    global_permission: str
    accessed: tuple[Accessed, ...]


class Folder(NamedTuple):
    """A folder or bucket that a call was made in."""

    full_name: str
    """with a slash at its end"""
    closest: Target
    """the known object at it or above it"""


class StatementMaker:
    """Makes statements of records. What many records share is thought about once."""

    def __init__(self, known: KnownObjects, place: UsagePlace, options: UsageOptions) -> None:
        self._known, self._place, self._log_bucket = known, place, options.aws_s3_cloudtrail_bucket
        self.people: dict[int, Person | None] = {}
        """by the 64-bit hash of the identity: so long a text costs more to keep and compare than all else"""
        self.folders: dict[str, Folder | None] = {}
        self._closest_known: dict[str, Target | None] = {}

    def make(self, record: Record) -> UsageEntry | SkipReason:
        """The statement of a record, or why there is none."""
        if record.eventSource != S3 or not _is_data_event(record):
            return SkipReason.NO_DATA_EVENT
        event_id, name, asked = record.eventID, record.eventName, record.requestParameters
        if type(asked) is not Parameters:
            asked = _NOTHING
        places = _places(record.resources, asked)
        copy = None
        if name in COPIES:
            header = asked.copy_source if asked.copy_source is not None else asked.rename_source
            copy = copy_of(_text(asked.bucketName), _text(asked.key), header, places)
            places = copy.targets
        if any(bucket == self._log_bucket for bucket, _ in places):
            return SkipReason.LOG_BUCKET
        person = self.person(bytes(record.userIdentity))
        start = seconds(record.eventTime)
        if not event_id or not name or person is None or start is None or not places:
            return SkipReason.BROKEN
        needed = event_permission(name, _text(asked.versionId) not in (None, "", "null"))
        if needed is None:
            return SkipReason.UNKNOWN_EVENT
        accessed = self._accessed(places, needed.permission, copy, _text(asked.prefix) or "")
        if not accessed:
            return SkipReason.UNKNOWN_OBJECT
        size = moved(record.additionalEventData)
        code = record.errorCode or None
        message = record.errorMessage if code else None
        return UsageEntry(event_id, start, person, code, message, size, needed.global_permission, accessed)

    def person(self, identity: bytes) -> Person | None:
        """The user and the role; the calls of one session have the same identity to the byte."""
        name = hash(identity)
        try:
            return self.people[name]
        except KeyError:
            caller = identity_of(identity)
            return _remember(self.people, name, who(caller, self._place.people) if caller is not None else None)

    def _accessed(
        self, places: Sequence[Place], permission: str, copy: Copy | None, prefix: str
    ) -> tuple[Accessed, ...]:
        needed: list[tuple[Place, str, str | None]] = [(place, permission, None) for place in places]
        if copy is not None:
            read = READ_VERSION if copy.version else READ
            right = global_permissions()[read]
            needed += [(place, read, right) for place in copy.sources if place[0] != self._log_bucket]
        targets = ((self._closest(*place, prefix), action, right) for place, action, right in needed)
        return tuple(dict.fromkeys((*target, action, right) for target, action, right in targets if target))

    def _closest(self, bucket: str, key: str | None, prefix: str) -> Target | None:
        """Name and type of the known object at a key or above it; None where not even the bucket is known.

        Without a key it is of the folder of the prefix: that is what a listing asks for.
        """
        full_name = self._full_name(bucket)
        name = f"{full_name}/{key}"
        kind = self._known.type_of(name) if key else None
        # A folder does not have the slash of its key in its name; a file that has one is there without folders.
        if kind == "file" or (kind and not name.endswith("/")):
            return self._beside(name) if kind == "folder" else (name, kind)
        folder, slash, _ = (key or prefix).rpartition("/")
        return self._folder(full_name, folder if slash else None)

    def targets(self, arns: Sequence[str], folders: Sequence[Folder]) -> list[Target]:
        """The known objects closest to the ARNs of many keys, of which each lies in its folder."""
        targets = [folder.closest for folder in folders]
        hits = self._known.find(arns, lambda at: folders[at].full_name + arns[at].rpartition("/")[2])
        for at, target in hits.items():
            targets[at] = self._beside(target[0]) if target[1] == "folder" else target
        return targets

    def _beside(self, folder: str) -> Target:
        """What a key names that is the path of this known folder, too: the file beside it, else the folder."""
        bucket, _, key = folder.partition("/")
        name = beside_folder(bucket, key)
        kind = self._known.type_of(name)
        return (name, kind) if kind else (folder, "folder")

    def folder_of(self, arn: str) -> Folder | None:
        """The folder or bucket of an ARN without last slash; None where the bucket is unknown, or that of the logs."""
        try:
            return self.folders[arn]
        except KeyError:
            bucket, slash, path = _place(arn)
            full_name = self._full_name(bucket)
            closest = self._folder(full_name, path if slash else None)
            plain = arn.startswith(self._known.arn_start) and bucket != self._log_bucket
            folder = Folder(f"{full_name}{slash}{path}/", closest) if closest and plain else None
            return _remember(self.folders, arn, folder)

    def _full_name(self, bucket: str) -> str:
        region = self._place.bucket_regions.get(bucket, self._place.region)
        return bucket_full_name(self._place.account_id, region, bucket)

    def _folder(self, bucket: str, path: str | None) -> Target | None:
        """The closest known object at the path of a folder or above it, remembered: there are many keys in each.

        A file of that path is not it: nothing lies in a file.
        """
        name = bucket if path is None else f"{bucket}/{path}"
        try:
            return self._closest_known[name]
        except KeyError:
            above = (target for target in self._known.closest(bucket, path) if target[1] != "file")
            return _remember(self._closest_known, name, next(above, None))


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> Value:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


def _is_data_event(record: Record) -> bool:
    if record.eventCategory is not None:
        return record.eventCategory == "Data"
    return record.managementEvent is not True


def _object(resource: Resource) -> Place | None:
    """Bucket and key of an object; None for a resource of another kind."""
    if resource.type != OBJECT or not resource.ARN:
        return None
    bucket, slash, key = _place(resource.ARN)
    return (bucket, key) if bucket and slash else None


def _place(arn: str) -> tuple[str, str, str]:
    """Bucket, slash and path of `arn:PARTITION:s3:::BUCKET/PATH`, all empty for an ARN of another kind."""
    start, _, rest = arn.partition(":::")
    return rest.partition("/") if start.count(":") == 2 else ("", "", "")


def _places(resources: list[Resource] | None, asked: Parameters) -> list[Place]:
    """Bucket and key of everything that was asked for; no key where it was the bucket, or a listing of it."""
    places: list[Place] = []
    buckets: list[str] = []
    for resource in resources or ():
        place = _object(resource)
        if place is not None:
            places.append(place)
        elif resource.type == BUCKET:
            buckets.append(_place(resource.ARN or "")[0])
    if places:
        return places
    # The request may name an access point where its bucket is listed.
    named = _text(asked.bucketName) or ""
    listed = [bucket for bucket in buckets if bucket]
    bucket = named if named in listed or not listed else listed[0]
    return [(bucket, _text(asked.key) or None)] if bucket else []


def _text(value: object) -> str | None:
    """A parameter of a request, which older records give as a list of one; None where it is no text."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def moved(data: object) -> float:
    """Bytes that a call transferred in both directions, of the two numbers in its `additionalEventData`.

    What is no number of bytes counts as nothing.
    """
    if type(data) is not Transfer:
        return 0.0
    into, out = data.bytesTransferredIn, data.bytesTransferredOut
    if type(into) is float and type(out) is float and 0 <= into < _MOST_BYTES and 0 <= out < _MOST_BYTES:
        return into + out
    return float(sum(each for each in (into, out) if isinstance(each, (int, float)) and 0 <= each < _MOST_BYTES))


@lru_cache(maxsize=100_000)
def seconds(time: str | None) -> int | None:
    """A time of CloudTrail in Unix seconds, in UTC where it names no zone; None for what is none.

    None is what lies before 1970, too: the zero time of a program that had no time.
    """
    try:
        moment = datetime.fromisoformat(time or "")
        stamp = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except ValueError:
        return None
    return stamp if stamp > 0 else None
