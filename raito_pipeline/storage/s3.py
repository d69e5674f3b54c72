"""The files of a store on S3, with as few calls as there can be: one GET for a cell that is read, one PUT for one that
is written, and nothing that looks first (no HEAD, no list of a folder, no name that is made for a while).

S3 shows an object only when it is whole, so that a cell is sent to its own address. What is small is one object; what
is not goes in parts of eight megabytes that are completed or aborted. A GET asks for the end of an object: there are
the footer of a Parquet file and, of a small one, all of its rows. Longer ones are read in blocks, each of the very
version whose footer was read (`If-Match`).
"""

import contextlib
import copy
import functools
import io
import json
import posixpath
import random
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pyarrow.fs as pafs
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from raito_pipeline.storage.errors import StorageForeign
from raito_pipeline.storage.files import LEFT_AFTER, NOTES, CellFile
from raito_pipeline.storage.memory import LAST_MET, RUN_MEMORIES, Memory, StoredObject
from raito_pipeline.storage.s3_client import client_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PART_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 128 * 1024
_BODIES = 3
"""how often an answer is asked for that breaks off"""
_DELETED = 204
"""what S3 answers to a delete, whether something was there or not: it has no content"""
_CHANGES = 20
"""how often an object is changed that others change at the same time"""
_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "get_object": ("ETag",),
    "put_object": ("ETag",),
    "list_objects_v2": ("Name", "IsTruncated", "KeyCount", "Contents", "CommonPrefixes"),
    "create_multipart_upload": ("UploadId",),
    "upload_part": ("ETag",),
    "complete_multipart_upload": ("ETag", "Location", "Key"),
}
"""what an answer holds one of, whichever server of S3 gave it: a 200 without any of it is of somebody else"""
_PART = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/")
_LOST_RACE = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}


class S3Files:
    """Files in one bucket. Nothing is called before the first use.

    `address` is `s3://BUCKET/PREFIX`; it may end in `?profile=NAME&region=REGION` (the options `storage-profile` and
    `storage-region`) and, for a store of another kind, in `&endpoint_override=HOST:PORT&scheme=http`. Without these,
    S3 is reached as boto3 reaches it: the default chain, with the address that a profile may name.
    """

    scheme = "s3://"
    costly = True

    def __init__(self, address: str, memory: Memory = LAST_MET) -> None:
        parts = urlsplit(address)
        self.bucket = parts.netloc
        self.root = posixpath.join(parts.netloc, parts.path.strip("/")).rstrip("/")
        self.memory = memory
        self._options = dict(parse_qsl(parts.query))

    def remembering(self, run_id: str) -> "S3Files":
        """The same files as a run sees them (`memory.py`)."""
        same = copy.copy(self)
        same.memory = RUN_MEMORIES.of(run_id)
        return same

    @property
    def client(self) -> "S3Client":
        """The client of boto3."""
        return client_of(self._options)

    def ask(self, operation: str, **wanted: Any) -> Any:
        """The answer of S3 to an operation on the bucket, by the name that boto3 has for it.

        Raises `StorageForeign` for what is none, besides what boto3 raises: an empty page is not an empty folder.
        """
        try:
            answer = getattr(self.client, operation)(Bucket=self.bucket, **wanted)
        except ResponseParserError:
            raise _foreign(operation) from None
        if not any(name in answer for name in _ONE_OF[operation]):
            raise _foreign(operation)
        return answer

    def key(self, path: str) -> str:
        """The key of a path (which begins with the bucket)."""
        return path.removeprefix(f"{self.bucket}/")

    # -- reading -----------------------------------------------------------------------------------------------------

    def look(self, path: str) -> StoredObject | None:
        """An object with its last bytes; None where it is not there."""
        address = self._address(path)
        if self.memory.trusted and self.memory.knows(address):
            return self.memory.get(address)
        stored = self._get_tail(path, LAST_MET.get(address))
        for memory in {id(each): each for each in (self.memory, LAST_MET)}.values():
            memory.keep(address, stored)
        return stored

    def cell(self, path: str) -> "S3CellFile | None":
        """The file of a cell; None where it is not there."""
        stored = self.look(path)
        return None if stored is None else S3CellFile(self, path, stored)

    def read(self, path: str) -> bytes | None:
        """A file whole; None where it is not there."""
        stored = self.look(path)
        if stored is None:
            return None
        return stored.tail if stored.whole else self.get_range(path, stored, 0, stored.size)

    def get_range(self, path: str, known: StoredObject, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end` of the version that is known."""
        wanted: dict[str, Any] = {"Range": f"bytes={start}-{end - 1}", "IfMatch": known.etag}
        answer, content = self._get(path, wanted)
        if "ContentRange" not in answer:  # a server that knows no ranges
            content = content[start:end]
        if len(content) != end - start:
            raise _foreign("get_object")
        return content

    def _get_tail(self, path: str, known: StoredObject | None) -> StoredObject | None:
        wanted: dict[str, Any] = {"Range": f"bytes=-{_TAIL_BYTES}"}
        if known is not None:
            wanted["IfNoneMatch"] = known.etag
        try:
            answer, tail = self._get(path, wanted)
        except ClientError as error:
            code = code_of(error)
            if code == "NoSuchKey":
                return None
            if code in ("304", "NotModified"):
                return known
            if code in ("416", "InvalidRange"):
                return StoredObject("", 0, b"")  # an empty object has no last bytes
            raise
        size = int(answer["ContentRange"].rpartition("/")[2]) if "ContentRange" in answer else len(tail)
        return StoredObject(answer["ETag"], size, tail)

    def _get(self, path: str, wanted: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
        for left in reversed(range(_BODIES)):
            answer = self.ask("get_object", Key=self.key(path), **wanted)
            try:
                return answer, _all_of(answer)
            except BotoCoreError:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def listing(self, folder: str) -> dict[str, pafs.FileInfo]:
        """The files of a folder by name; empty where it is not there."""
        infos = (self._info(each) for page in self._pages(folder) for each in page.get("Contents", ()))
        return {info.base_name: info for info in infos}

    def below(self, folder: str) -> list[pafs.FileInfo]:
        """All files below a folder, at any depth; none where it is not there."""
        return [self._info(each) for page in self._pages(folder, between="") for each in page.get("Contents", ())]

    def _info(self, listed: Mapping[str, Any]) -> pafs.FileInfo:
        path, changed = f"{self.bucket}/{listed['Key']}", listed["LastModified"]
        return pafs.FileInfo(path, pafs.FileType.File, mtime=changed, size=listed["Size"])

    def folders(self, folder: str) -> tuple[str, ...]:
        """The names of the folders in a folder; none where it is not there."""
        address = self._address(folder)
        known = self.memory.folders(address)
        if known is None:
            prefixes = (each["Prefix"] for page in self._pages(folder) for each in page.get("CommonPrefixes", ()))
            known = tuple(posixpath.basename(prefix.rstrip("/")) for prefix in prefixes)
            self.memory.keep_folders(address, known)
        return known

    def _pages(self, folder: str, between: str = "/") -> Iterator[Mapping[str, Any]]:
        wanted: dict[str, Any] = {"Prefix": f"{self.key(folder)}/", "Delimiter": between}
        while True:
            page = self.ask("list_objects_v2", **wanted)
            yield page
            if not page.get("IsTruncated"):
                return
            after = page.get("NextContinuationToken")
            if not after or after == wanted.get("ContinuationToken"):  # to end here would pass a part for the whole
                raise _foreign("list_objects_v2")
            wanted["ContinuationToken"] = after

    # -- writing -----------------------------------------------------------------------------------------------------

    def sink(self, path: str) -> "_S3Sink":
        """Begin to write a file; where it is long, uploads of it that were begun a day ago are aborted."""
        return _S3Sink(self, path)

    def put(self, path: str, content: bytes, **conditions: Any) -> None:
        """Write a small file with one call, under conditions (`IfMatch`, `IfNoneMatch`) where there are some."""
        answer = self.ask("put_object", Key=self.key(path), Body=content, **conditions)
        tail = content[-_TAIL_BYTES:]
        self.memory.keep(self._address(path), StoredObject(answer["ETag"], len(content), tail))

    def keeps_to_conditions(self, path: str) -> bool:
        """Whether a file that is there is not written under the condition that it is not.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            self.put(path, b"", IfNoneMatch="*")
        except ClientError as error:
            if not is_lost_race(error):
                raise
            return True
        return False

    def delete(self, path: str) -> None:
        """Delete a file that is there."""
        answer = self.client.delete_object(Bucket=self.bucket, Key=self.key(path))
        if answer["ResponseMetadata"]["HTTPStatusCode"] != _DELETED:  # nothing else tells it from a page of a proxy
            raise _foreign("delete_object")
        self.memory.keep(self._address(path), None)
        self.memory.forget_folders()

    def forget(self, path: str) -> None:
        """Ask again for a file when it is wanted next."""
        self.memory.forget(self._address(path))

    # -- notes beside cells: one object an account, as each object that is looked for costs a call -------------------

    def notes(self, path: str) -> Mapping[str, str]:
        """What is noted of a cell, by name."""
        place, cell = self._note_place(path)
        waiting = self.memory.pending.get(self._address(place), {}).get(cell, {})
        return {**_notes(self.read(place)).get(cell, {}), **waiting}

    def add_note(self, path: str, name: str, content: bytes) -> None:
        """Note something of a cell. A run that remembers writes all its notes of an account at once (`flush`)."""
        place, cell = self._note_place(path)
        with self.memory.lock:
            self.memory.pending.setdefault(self._address(place), {}).setdefault(cell, {})[name] = content.decode()
        if not self.memory.trusted:
            self.flush()

    def flush(self) -> None:
        """Write what was noted and is not written yet."""
        with self.memory.lock:
            for address in list(self.memory.pending):
                self._write_notes(address.partition("|")[0], self.memory.pending[address])
                del self.memory.pending[address]

    def _write_notes(self, place: str, more: Mapping[str, Mapping[str, str]]) -> None:
        """Add notes to those of an account, as if no other process did so meanwhile."""
        for _ in range(_CHANGES):
            notes = _notes(self.read(place))
            for cell, said in more.items():
                notes.setdefault(cell, {}).update(said)
            there = self.look(place)
            condition = {"IfNoneMatch": "*"} if there is None else {"IfMatch": there.etag}
            try:
                self.put(place, json.dumps(notes, indent=1).encode(), **condition)
            except ClientError as error:
                if not is_lost_race(error):
                    raise
                self.forget(place)
                time.sleep(random.uniform(0.02, 0.2))
            else:
                return
        raise OSError(f"other processes changed the notes {_CHANGES} times while this one tried")

    def _note_place(self, path: str) -> tuple[str, str]:
        """Where the notes of a cell are, and the name of the cell there."""
        cell = posixpath.dirname(path).removeprefix(f"{self.root}/")
        owner = next((part for part in cell.split("/") if part.startswith("account=")), "others")
        return posixpath.join(self.root, NOTES, f"{owner}.json"), cell

    def _address(self, path: str) -> str:
        """What tells an object from those of other stores that this process uses; begins with the path."""
        where = [self._options[name] for name in ("endpoint_override", "profile") if name in self._options]
        return "|".join((path, *where))


class S3CellFile(CellFile):
    """An object that is the file of a cell."""

    def __init__(self, files: S3Files, path: str, stored: StoredObject) -> None:
        self._files, self._path, self._found = files, path, stored
        self.size = stored.size
        self.version = stored.etag or None

    def open(self) -> pa.NativeFile:
        """Its bytes, to read in any order."""
        if self._found.whole:
            return pa.BufferReader(self._found.tail)
        return pa.PythonFile(_Blocks(self._files, self._path, self._found), mode="r")

    def note(self, name: str) -> bytes:
        """See `CellFile`."""
        return str(self._notes.get(name, "")).encode()

    @functools.cached_property
    def _notes(self) -> Mapping[str, str]:
        return self._files.notes(self._path)


class _Blocks(io.RawIOBase):
    """An object that is read in blocks of a part's size, of which the last two are kept: rows are read in order."""

    def __init__(self, files: S3Files, path: str, stored: StoredObject) -> None:
        self._files, self._path, self._found = files, path, stored
        self._at = 0
        self._kept: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + {0: 0, 1: self._at, 2: self._found.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._found.size if size < 0 else min(self._at + size, self._found.size)
        pieces: list[bytes] = []
        while self._at < end:
            piece = self._piece(self._at, end)
            pieces.append(piece)
            self._at += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, or to the end of the block if that is nearer."""
        first = self._found.size - len(self._found.tail)
        if start >= first:
            return self._found.tail[start - first : end - first]
        number = start // _PART_BYTES
        if number not in self._kept:
            for old in list(self._kept)[:-1]:
                del self._kept[old]
            stop = min((number + 1) * _PART_BYTES, self._found.size)
            self._kept[number] = self._files.get_range(self._path, self._found, number * _PART_BYTES, stop)
        block = self._kept[number]
        return block[start - number * _PART_BYTES : end - number * _PART_BYTES]


def _all_of(answer: Mapping[str, Any]) -> bytes:
    """The body of an answer, which is as long as the part of the object that it says it is."""
    content: bytes = answer["Body"].read()
    part = _PART.match(answer.get("ContentRange", ""))
    if part is not None and len(content) != int(part["last"]) - int(part["first"]) + 1:
        raise _foreign("get_object")
    return content


def _foreign(operation: str) -> StorageForeign:
    return StorageForeign(operation="".join(map(str.title, operation.split("_"))))


def date_of(answer: Mapping[str, Any]) -> datetime:
    """When S3 gave an answer, by its own clock (the header `Date`); by ours where the header is missing."""
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(said).astimezone(UTC) if said else datetime.now(UTC)


def is_lost_race(error: ClientError) -> bool:
    """Whether S3 refused to write because the object is not as it was any more."""
    return code_of(error) in _LOST_RACE


def code_of(error: ClientError) -> str:
    """The code of an error of S3: `NoSuchKey`, say."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _notes(content: bytes | None) -> dict[str, dict[str, str]]:
    """Notes by cell and name; none where they are not there or were damaged: a cell then is as its file says."""
    try:
        said = json.loads(content or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) and all(isinstance(each, dict) for each in said.values()) else {}


class _S3Sink:
    def __init__(self, files: S3Files, path: str) -> None:
        self._parts = _Parts(files, path)
        self.stream: Any = pa.PythonFile(self._parts, mode="w")

    @property
    def unsent(self) -> bytes | None:
        """All that was written, as long as nothing of it was sent."""
        return self._parts.unsent

    def commit(self) -> None:
        """Complete the object, which replaces what was there."""
        self._parts.complete()

    def discard(self) -> None:
        """Abort the upload: no part of it stays."""
        with contextlib.suppress(ClientError, BotoCoreError, ResponseParserError):
            self._parts.abort()


class _Parts(io.RawIOBase):
    """Takes bytes and sends them in parts; what fits one part is sent as a plain object."""

    def __init__(self, files: S3Files, path: str) -> None:
        self._files, self._path = files, path
        self._key = files.key(path)
        self._waiting = bytearray()
        self._upload: str | None = None
        self._etags: list[str] = []
        self._sent = 0

    @property
    def unsent(self) -> bytes | None:
        return bytes(self._waiting) if self._upload is None else None

    def tell(self) -> int:
        return self._sent + len(self._waiting)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        while len(self._waiting) >= _PART_BYTES:
            part = bytes(self._waiting[:_PART_BYTES])
            del self._waiting[:_PART_BYTES]
            self._send(part)
        return len(data)

    def complete(self) -> None:
        if self._upload is None:
            self._files.put(self._path, bytes(self._waiting))
            return
        if self._waiting:
            part = bytes(self._waiting)
            self._waiting.clear()
            self._send(part)
        parts: Any = [{"ETag": etag, "PartNumber": number} for number, etag in enumerate(self._etags, start=1)]
        self._files.forget(self._path)
        self._files.ask(
            "complete_multipart_upload", Key=self._key, UploadId=self._upload, MultipartUpload={"Parts": parts}
        )
        self._upload = None

    def abort(self) -> None:
        self._waiting.clear()
        if self._upload is not None:
            client, bucket = self._files.client, self._files.bucket
            client.abort_multipart_upload(Bucket=bucket, Key=self._key, UploadId=self._upload)
            self._upload = None

    def _send(self, part: bytes) -> None:
        if self._upload is None:
            # Only tidying: the write will say what is wrong.
            with contextlib.suppress(ClientError, BotoCoreError, ResponseParserError):
                self._abort_left()
            self._upload = self._files.ask("create_multipart_upload", Key=self._key)["UploadId"]
        number = len(self._etags) + 1
        answer = self._files.ask("upload_part", Key=self._key, UploadId=self._upload, PartNumber=number, Body=part)
        self._etags.append(answer["ETag"])
        self._sent += len(part)

    def _abort_left(self) -> None:
        client, bucket, key = self._files.client, self._files.bucket, self._key
        answer = client.list_multipart_uploads(Bucket=bucket, Prefix=key)
        oldest = date_of(answer) - LEFT_AFTER
        for upload in answer.get("Uploads", []):
            if upload["Key"] == key and upload["Initiated"] < oldest:
                client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"])
