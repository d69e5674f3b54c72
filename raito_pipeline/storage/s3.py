"""The files of a store on S3: read by pyarrow, written by boto3.

pyarrow's output stream cannot give up: closing it completes the object, and a part that fails leaves the multipart
upload open (and paid for). So a file is sent here in parts of eight megabytes that are completed or aborted, at its
own address: S3 shows an object only when it is whole, so that no temporary object and no copy is needed.
"""

import contextlib
import functools
import io
import posixpath
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pyarrow as pa
import pyarrow.fs as pafs
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from raito_pipeline.storage.files import LEFT_AFTER

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PART_BYTES = 8 * 1024 * 1024
_ATTEMPTS = 5


class S3Files:
    """Files in one bucket. Nothing is called before the first use.

    `address` is `s3://BUCKET/PREFIX`; as with pyarrow it may end in
    `?endpoint_override=HOST:PORT&scheme=http&region=REGION`. Without that, S3 is reached as boto3 reaches it: the
    default chain, with the address that a profile may name.
    """

    scheme = "s3://"

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.bucket = parts.netloc
        self.root = posixpath.join(parts.netloc, parts.path.strip("/")).rstrip("/")
        self._options = dict(parse_qsl(parts.query))

    @functools.cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(region_name=self._options.get("region"))

    @functools.cached_property
    def client(self) -> "S3Client":
        """The client of boto3."""
        return self._make_client()

    @functools.cached_property
    def filesystem(self) -> pafs.FileSystem:
        """The file system of pyarrow, which reaches the same place as the client."""
        here = self.client.meta.endpoint_url
        own_address = here != self._make_client(ignore_configured_endpoint_urls=True).meta.endpoint_url
        if not own_address and not self._endpoint:
            region = self._options.get("region") or pafs.resolve_s3_region(self.bucket)
            return pafs.S3FileSystem(region=region)
        parts = urlsplit(here)
        return pafs.S3FileSystem(
            region=self._options.get("region") or self.client.meta.region_name,
            endpoint_override=parts.netloc,
            scheme="http" if parts.scheme == "http" else "https",
        )

    def key(self, path: str) -> str:
        """The key of a path (which begins with the bucket)."""
        return path.removeprefix(f"{self.bucket}/")

    def sink(self, path: str) -> "_S3Sink":
        """Begin to write a file; uploads of it that were begun a day ago and never ended are aborted."""
        with contextlib.suppress(ClientError, BotoCoreError):  # only tidying: the write itself will say what is wrong
            self._abort_left(self.key(path))
        return _S3Sink(self.client, self.bucket, self.key(path))

    def listing(self, folder: str) -> dict[str, pafs.FileInfo]:
        """The files of a folder by name; empty where it is not there."""
        found = self.filesystem.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
        return {info.base_name: info for info in found if info.type == pafs.FileType.File}

    def delete(self, path: str) -> None:
        """Delete a file that is there."""
        self.client.delete_object(Bucket=self.bucket, Key=self.key(path))

    def _abort_left(self, key: str) -> None:
        answer = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=key)
        oldest = date_of(answer) - LEFT_AFTER
        for upload in answer.get("Uploads", []):
            if upload["Key"] == key and upload["Initiated"] < oldest:
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload["UploadId"])

    @property
    def _endpoint(self) -> str | None:
        host = self._options.get("endpoint_override")
        return f"{self._options.get('scheme', 'https')}://{host}" if host else None

    def _make_client(self, **more: Any) -> "S3Client":
        config = Config(
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            connect_timeout=10,
            read_timeout=60,
            user_agent_extra="raito-pipeline",
            **more,
        )
        region = self._session.region_name or "us-east-1"
        endpoint = None if more else self._endpoint
        return self._session.client("s3", region_name=region, endpoint_url=endpoint, config=config)


def date_of(answer: Mapping[str, Any]) -> datetime:
    """When S3 gave an answer, by its own clock (the header `Date`); by ours where the header is missing."""
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(said).astimezone(UTC) if said else datetime.now(UTC)


class _S3Sink:
    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._parts = _Parts(client, bucket, key)
        self.stream: Any = pa.PythonFile(self._parts, mode="w")

    def commit(self) -> None:
        """Complete the object, which replaces what was there."""
        self._parts.complete()

    def discard(self) -> None:
        """Abort the upload: no part of it stays."""
        with contextlib.suppress(ClientError, BotoCoreError):
            self._parts.abort()


class _Parts(io.RawIOBase):
    """Takes bytes and sends them in parts; what fits one part is sent as a plain object."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self._waiting = bytearray()
        self._upload: str | None = None
        self._etags: list[str] = []
        self._sent = 0

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
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=bytes(self._waiting))
            return
        if self._waiting:
            part = bytes(self._waiting)
            self._waiting.clear()
            self._send(part)
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload,
            MultipartUpload={
                "Parts": [{"ETag": etag, "PartNumber": number} for number, etag in enumerate(self._etags, start=1)]
            },
        )
        self._upload = None

    def abort(self) -> None:
        self._waiting.clear()
        if self._upload is not None:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload)
            self._upload = None

    def _send(self, part: bytes) -> None:
        if self._upload is None:
            begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=self._key)
            self._upload = begun["UploadId"]
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload,
            PartNumber=len(self._etags) + 1,
            Body=part,
        )
        self._etags.append(answer["ETag"])
        self._sent += len(part)
