"""CloudTrail log files in their bucket: where they lie, which there are, and their contents.

Keys: `[prefix/]AWSLogs/[o-ORGID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/*.json.gz`.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from raito_pipeline.aws.bodies import read_object
from raito_pipeline.aws.clients import AwsClients, aws_call
from raito_pipeline.aws.errors import AwsError, AwsGone
from raito_pipeline.aws.s3_listing import Listed, fast_listing, listed_page

_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}/")
_MOST_PREFIX_LEVELS = 4
_MOST_PREFIXES = 100


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file as the listing names it."""

    key: str
    etag: str
    size: int
    """bytes, packed"""
    day: str
    """day of delivery, `YYYY-MM-DD`"""
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class LogBytes:
    """A log file's contents, packed, with the ETag that they came with; or (`problem`) why there are none."""

    packed: bytes = b""
    etag: str = ""
    problem: str | None = None
    gone: bool = False
    """true where the file does not exist any more"""


class CloudTrailLogs:
    """The log files of one account and region in a bucket. `bucket_region` is where the bucket is. Thread-safe.

    `layouts` are the folders (up to and with `AWSLogs/` or the organization below it) that an earlier sync found.
    """

    def __init__(
        self,
        clients: AwsClients,
        bucket: str,
        bucket_region: str,
        account_id: str,
        region: str,
        layouts: Sequence[str] = (),
    ) -> None:
        self.bucket, self.account_id, self.region = bucket, account_id, region
        self._clients, self._bucket_region = clients, bucket_region
        self._layouts = tuple(layouts)
        fast_listing(clients.client("s3", bucket_region))

    def layouts(self) -> tuple[str, ...]:
        """The folders that hold logs of the account, found by a few listings. Raises `AwsError`."""
        if not self._layouts:
            self._layouts = tuple(self._discover())
        return self._layouts

    def files(self, first: date, last: date) -> Iterator[LogFile]:
        """The log files delivered from one day to another, both included, in the order of days and keys.

        Lists the account, region and days asked for, and nothing else. Raises `AwsError`.
        """
        for layout in self.layouts():
            yield from self._range(f"{layout}{self.account_id}/CloudTrail/{self.region}/", first, last)

    def fetch(self, key: str) -> LogBytes:
        """The contents of a log file. Never raises: what cannot be had says why."""
        try:
            return LogBytes(
                *read_object(self._clients, self._bucket_region, self.bucket, key, lambda body: bytes(body.read()))
            )
        except AwsGone as error:
            return LogBytes(problem=str(error), gone=True)
        except AwsError as error:
            return LogBytes(problem=str(error))

    def _range(self, folder: str, first: date, last: date) -> Iterator[LogFile]:
        start, end = folder + first.strftime("%Y/%m/%d/"), folder + last.strftime("%Y/%m/%d/") + "\U0010ffff"
        token: str | None = None
        while True:
            page = self._list(Prefix=folder, **({"ContinuationToken": token} if token else {"StartAfter": start}))
            for key, etag, size, modified in zip(page.keys, page.etags, page.sizes, page.modified, strict=True):
                if key > end:
                    return
                day = key[len(folder) : len(folder) + 11]
                if key.endswith(".json.gz") and len(day) == 11 and day[4] == day[7] == day[10] == "/":
                    yield LogFile(key, etag, size, day[:10].replace("/", "-"), modified)
            token = page.token
            if not token:
                return

    def _discover(self) -> Iterator[str]:
        """Look for `AWSLogs/`, at the top or below a prefix, and for the account in it or in its organization."""
        queue: list[tuple[str, int]] = [("", 0)]
        asked = 0
        while queue and asked < _MOST_PREFIXES:
            prefix, level = queue.pop(0)
            asked += 1
            for found in self._list(Prefix=prefix, Delimiter="/").prefixes:
                if found == f"{prefix}AWSLogs/":
                    yield from self._below_logs(found)
                elif level < _MOST_PREFIX_LEVELS:
                    queue.append((found, level + 1))

    def _below_logs(self, logs: str) -> Iterator[str]:
        for found in self._list(Prefix=logs, Delimiter="/").prefixes:
            if found == f"{logs}{self.account_id}/":
                yield logs
            elif _ORGANIZATION.fullmatch(found, len(logs)):
                page = self._list(Prefix=f"{found}{self.account_id}/CloudTrail/", MaxKeys=1)
                if page.keys:
                    yield found

    def _list(self, **request: Any) -> Listed:
        with aws_call("s3:ListBucket", f"arn:aws:s3:::{self.bucket}"):
            request = {"Bucket": self.bucket, **request}
            return listed_page(self._clients.client("s3", self._bucket_region), request, details=True)
