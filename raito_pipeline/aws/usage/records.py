"""CloudTrail records as far as a usage statement needs them, decoded by msgspec straight into typed fields.

The format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from isal import isal_zlib
from isal.igzip_lib import IsalError


class Issuer(msgspec.Struct, gc=False):
    """`sessionIssuer`: the role behind a session."""

    userName: str | None = None  # noqa: N815
    arn: str | None = None


class SessionContext(msgspec.Struct, gc=False):
    """`sessionContext` of an identity."""

    sessionIssuer: Issuer | None = None  # noqa: N815


class OnBehalfOf(msgspec.Struct, gc=False):
    """`onBehalfOf`: the person of IAM Identity Center that a call was made for."""

    userId: str | None = None  # noqa: N815


class Identity(msgspec.Struct, gc=False):
    """`userIdentity`: who made the call."""

    type: str | None = None
    userName: str | None = None  # noqa: N815
    principalId: str | None = None  # noqa: N815
    arn: str | None = None
    accountId: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815
    sessionContext: SessionContext | None = None  # noqa: N815
    onBehalfOf: OnBehalfOf | None = None  # noqa: N815


class Resource(msgspec.Struct, gc=False):
    """One of `resources`: what the call was made on."""

    type: str | None = None
    ARN: str | None = None


class Transfer(msgspec.Struct, gc=False):
    """`additionalEventData` of S3 data events, as far as used."""

    bytesTransferredIn: Any = None  # noqa: N815
    bytesTransferredOut: Any = None  # noqa: N815


class Parameters(msgspec.Struct, gc=False):
    """`requestParameters` of S3, as far as used. Other services have other things under these names."""

    bucketName: Any = None  # noqa: N815
    key: Any = None
    prefix: Any = None
    versionId: Any = None  # noqa: N815
    copy_source: Any = msgspec.field(name="x-amz-copy-source", default=None)
    rename_source: Any = msgspec.field(name="x-amz-rename-source", default=None)


_ABSENT = msgspec.Raw(b"null")
_Plain = str | int | float | bool | list[Any] | None


class Record(msgspec.Struct, gc=False):
    """One CloudTrail record. Its identity stays raw: many records share one, and who that is is found out once."""

    eventSource: str | None = None  # noqa: N815
    eventCategory: str | None = None  # noqa: N815
    managementEvent: bool | None = None  # noqa: N815
    eventName: str | None = None  # noqa: N815
    eventID: str | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    userIdentity: msgspec.Raw = _ABSENT  # noqa: N815
    requestParameters: Parameters | _Plain = None  # noqa: N815
    additionalEventData: Transfer | _Plain = None  # noqa: N815
    resources: list[Resource] | None = None


class _File(msgspec.Struct, gc=False):
    Records: list[Record]


class _RawFile(msgspec.Struct, gc=False):
    Records: list[msgspec.Raw]


MOST_UNPACKED = 512 * 2**20
"""How many bytes a log file may unpack to: CloudTrail's have at most some tens of millions."""
MOST_ODD = 128 * 2**20
"""How many bytes a log file may have whose texts are odd: a Python object is made of each of its values."""


class FileCorrupt(Exception):
    """A log file that is no whole gzip file with a JSON document of records in it."""


_GZIP = b"\x1f\x8b"
_BETWEEN = " \t\r\n\ufeff"
"""what may stand around a document"""
_file = msgspec.json.Decoder(_File)
_raw_file = msgspec.json.Decoder(_RawFile)
_record = msgspec.json.Decoder(Record)
_identity = msgspec.json.Decoder(Identity | None)
_NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoders raise: of texts that are not UTF-8 an error of Python's own"""


def unpack(packed: bytes, most: int = MOST_UNPACKED) -> bytes:
    """The JSON text of a log file of at most `most` bytes. Raises `FileCorrupt`.

    Log files have `Content-Encoding: gzip`: what copies them to another bucket may unpack them and keep their names.
    """
    if packed[:2] != _GZIP and packed.removeprefix(BOM_UTF8).lstrip()[:1] == b"{" and len(packed) <= most:
        return packed
    try:
        engine = isal_zlib.decompressobj(wbits=31)
        text: bytes = engine.decompress(packed, most + 1)
        parts, size = [text], len(text)
        # Zeros that something filled up a block with are no member.
        while engine.eof and (rest := engine.unused_data.lstrip(b"\0")) and size <= most:
            if rest[:2] != _GZIP[: len(rest)]:
                raise FileCorrupt("something that is no gzip data was appended to it")
            engine = isal_zlib.decompressobj(wbits=31)
            parts.append(engine.decompress(rest, most + 1 - size))
            size += len(parts[-1])
    except (IsalError, zlib.error, EOFError) as error:  # type: ignore[misc]  # isal has no types for its error
        raise FileCorrupt(f"not a gzip file: {error}") from error
    if size > most:
        raise FileCorrupt(f"it unpacks to more than {most / 2**20:,.0f} MiB, which no log file of CloudTrail does")
    if not engine.eof:
        raise FileCorrupt("the gzip data ends too early")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def decode(text: bytes, most_odd: int = MOST_ODD) -> tuple[list[Record], int]:
    """The records of a log file, and how many more there are that have no readable form. Raises `FileCorrupt`."""
    text = text.removeprefix(BOM_UTF8)
    try:
        return _file.decode(text).Records, 0
    except _NOT_READ as error:
        # Of more texts than a record has, most are not needed; one that is odd loses at most its record.
        raws = _raw_records(text) if isinstance(error, msgspec.ValidationError) else None
        if raws is None:
            raws = _odd_records(text, most_odd)
    records: list[Record] = []
    for raw in raws:
        try:
            records.append(_record.decode(raw))
        except _NOT_READ:
            continue
    return records, len(raws) - len(records)


def _raw_records(text: bytes) -> Sequence[bytes | msgspec.Raw] | None:
    """The records of a document as they stand; None where the document is odd. Raises `FileCorrupt`."""
    try:
        return _raw_file.decode(text).Records
    except msgspec.ValidationError as error:
        raise FileCorrupt(f"not a document of CloudTrail records: {error}") from error
    except _NOT_READ:
        return None


def _odd_records(text: bytes, most: int) -> Sequence[bytes | msgspec.Raw]:
    """The same of a document with texts that JSON does not have: half a character, as where a text was cut off, control
    characters, other bytes than UTF-8. These stay bytes that are no text, so that only who needs them cannot read them.
    """
    if len(text) > most:
        raise FileCorrupt(f"not a JSON document, and larger than {most / 2**20:,.0f} MiB")
    try:
        records = _records_of(text.decode("utf-8", "surrogateescape"))
        return [json.dumps(each, ensure_ascii=False).encode("utf-8", "surrogatepass") for each in records]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileCorrupt(f"not a JSON document: {error}") from error


def _records_of(text: str) -> Iterator[Any]:
    """The records of a document, or of several: what puts log files together, as S3DistCp does, writes them in a row.

    Raises what a text that is none raises.
    """
    decoder, at, text = json.JSONDecoder(strict=False), 0, text.strip(_BETWEEN)
    while at < len(text) or not at:
        said, at = decoder.raw_decode(text, at)
        listed = said["Records"]
        if not isinstance(listed, list):
            raise TypeError(f"Records is {type(listed).__name__}")
        yield from listed
        while text[at : at + 1] in _BETWEEN and at < len(text):
            at += 1


def identity_of(raw: bytes) -> Identity | None:
    """The `userIdentity` of a record; None where there is none, or none that can be read."""
    try:
        identity = _identity.decode(raw)
    except _NOT_READ:
        return None
    return identity if isinstance(identity, Identity) else None
