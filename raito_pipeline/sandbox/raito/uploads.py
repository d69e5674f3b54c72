"""Files that travel beside GraphQL: signed addresses, uploads checked as an object store does it, and downloads."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from raito_pipeline.sandbox.raito.database import Database, now, settings, uploads

UPLOAD_SECONDS = 900
DOWNLOAD_SECONDS = 3600
CHECKSUM_HEADER = "X-Amz-Checksum-Sha256"
_FORBIDDEN_HEADERS = ("Authorization", "Raito-Domain")
_PIECE = 1 << 20


class UploadRefused(Exception):
    """A request for a file that is turned down, as an object store does it: an HTTP status, a code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class SignedUpload:
    """Where to PUT a file, under which key it is known then, and the headers that the signature covers."""

    url: str
    key: str
    signed_headers: dict[str, list[str]]


class UploadedFiles:
    """Uploaded and exported files below one folder; what is known of them lies in the database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._secret = _secret(database)

    def path(self, key: str) -> Path:
        """Where the file of that key lies. Keys come from this class only, but never lead out of the folder."""
        path = (self._folder / key).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise UploadRefused(403, "AccessDenied", f"{key!r} is not a key")
        return path

    def arrived(self, key: str) -> Path | None:
        """The file of an upload that is complete, else None."""
        with self._database.read() as connection:
            row = connection.execute(select(uploads.c.arrived).where(uploads.c.key == key)).first()
        return self.path(key) if row is not None and row.arrived else None

    def sign_upload(self, base: str, kind: str, sha256: str, length: str) -> SignedUpload:
        """An address for one PUT. `sha256` is base64, `length` decimal. Raises UploadRefused for anything else."""
        # A "+" that a client left bare in the query has become a space.
        sha256 = sha256.replace(" ", "+")
        _check_digest(sha256)
        if not length.isdecimal():
            raise UploadRefused(400, "InvalidRequest", "contentLength is not a number of bytes")
        key = f"{kind}/{uuid.uuid4()}"
        with self._database.write() as connection:
            connection.execute(
                insert(uploads).values(key=key, sha256=sha256, length=int(length), created_at=now(), arrived=False)
            )
        host = base.split("://", 1)[1].split("/", 1)[0]
        headers = {"Content-Length": [length], "Host": [host], CHECKSUM_HEADER: [sha256]}
        return SignedUpload(self._address(base, "PUT", key, UPLOAD_SECONDS, sha256, length), key, headers)

    def download_address(self, base: str, key: str) -> str:
        """An address that gives the file to anybody who has it, for an hour."""
        return self._address(base, "GET", key, DOWNLOAD_SECONDS)

    def receive(self, key: str, query: Mapping[str, str], headers: Mapping[str, str], body: BinaryIO) -> None:
        """Takes in one PUT. Raises UploadRefused unless signature, headers, length and checksum are all right."""
        for name in _FORBIDDEN_HEADERS:
            if headers.get(name):
                raise UploadRefused(400, "InvalidArgument", f"the header {name} must not be sent to a signed address")
        with self._database.read() as connection:
            row = connection.execute(select(uploads).where(uploads.c.key == key)).first()
        if row is None:
            raise UploadRefused(403, "SignatureDoesNotMatch", "the address was not signed here")
        self._check_signature("PUT", key, query, row.sha256, str(row.length))
        length = headers.get("Content-Length", "")
        if not length:
            raise UploadRefused(411, "MissingContentLength", "you must provide the Content-Length HTTP header")
        if headers.get(CHECKSUM_HEADER) != row.sha256:
            raise UploadRefused(
                403, "SignatureDoesNotMatch", f"the signed header {CHECKSUM_HEADER} is missing or differs"
            )
        if length != str(row.length):
            raise UploadRefused(403, "SignatureDoesNotMatch", f"{row.length} bytes were signed for, not {length}")
        self._store(key, row.length, row.sha256, body)
        with self._database.write() as connection:
            connection.execute(update(uploads).where(uploads.c.key == key).values(arrived=True))

    def open_download(self, key: str, query: Mapping[str, str]) -> Path:
        """The file behind a signed address for downloads; raises UploadRefused if it is not one, or is too old."""
        self._check_signature("GET", key, query)
        path = self.path(key)
        if not path.is_file():
            raise UploadRefused(404, "NoSuchKey", "the specified key does not exist")
        return path

    def write_export(self, content: bytes) -> str:
        """Keeps an exported file; gives its key."""
        key = f"exports/{uuid.uuid4()}.yaml"
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return key

    def _store(self, key: str, length: int, sha256: str, body: BinaryIO) -> None:
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        digest = hashlib.sha256()
        received = 0
        try:
            with partial.open("wb") as stream:
                while received < length and (piece := body.read(min(_PIECE, length - received))):
                    received += len(piece)
                    digest.update(piece)
                    stream.write(piece)
            if received != length:
                raise UploadRefused(400, "IncompleteBody", f"{length} bytes were announced, {received} came")
            if base64.b64encode(digest.digest()).decode() != sha256:
                raise UploadRefused(400, "BadDigest", "the SHA-256 you specified did not match the calculated checksum")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _address(self, base: str, method: str, key: str, seconds: int, *signed: str) -> str:
        expires = str(int(time.time()) + seconds)
        query = urlencode({"Expires": expires, "Signature": self._signature(method, key, expires, *signed)})
        return f"{base.rstrip('/')}/storage/{quote(key)}?{query}"

    def _check_signature(self, method: str, key: str, query: Mapping[str, str], *signed: str) -> None:
        expires = query.get("Expires", "")
        expected = self._signature(method, key, expires, *signed)
        if not hmac.compare_digest(expected.encode(), query.get("Signature", "").encode()):
            raise UploadRefused(403, "SignatureDoesNotMatch", "the signature does not match the request")
        if float(expires) < time.time():
            raise UploadRefused(403, "AccessDenied", "request has expired")

    def _signature(self, *parts: str) -> str:
        return hmac.new(self._secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def _check_digest(sha256: str) -> None:
    try:
        right = len(base64.b64decode(sha256, validate=True)) == hashlib.sha256().digest_size
    except (binascii.Error, ValueError):
        right = False
    if not right:
        raise UploadRefused(400, "InvalidRequest", "sha256 is not the base64 of a SHA-256")


def _secret(database: Database) -> bytes:
    """The key of the signatures, made once and kept, so that addresses stay valid over a restart."""
    with database.write() as connection:
        connection.execute(
            sqlite_insert(settings).values(key="signing-secret", value=secrets.token_hex(32)).on_conflict_do_nothing()
        )
        value = connection.execute(select(settings.c.value).where(settings.c.key == "signing-secret")).scalar_one()
    return bytes.fromhex(value)
