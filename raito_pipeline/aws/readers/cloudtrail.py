"""CloudTrail log files in their bucket: where they lie, which there are, and their contents.

Keys: `[prefix/]AWSLogs/[o-ORGID/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/*.json.gz`; where the account's folder is, is
found by `raito_pipeline.aws.readers.trail_folders`.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache, partial
from itertools import repeat
from typing import Any

from raito_pipeline.aws.connection.bodies import read_object
from raito_pipeline.aws.connection.clients import AwsClients, bucket_call
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.readers.reading import workers
from raito_pipeline.aws.readers.s3_listing import Listed, fast_listing, listed_page
from raito_pipeline.aws.readers.trail_folders import TrailSearch


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
    archived: bool = False
    """true where it lies in a storage class that nothing is read from"""


@dataclass(frozen=True, slots=True)
class LogBytes:
    """A log file's contents, packed, with the ETag that they came with; or (`problem`) why there are none."""

    packed: bytes = b""
    etag: str = ""
    problem: str | None = None
    gone: bool = False
    """true where the file does not exist any more"""
    archived: bool = False
    """true where it lies in an archive, which nothing is read from"""


_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_ARCHIVED = "InvalidObjectState"
"""Code of what is in an archive, also one that the storage class does not show (that of Intelligent-Tiering)"""
_NAMES = (".json.gz", ".json")

Searched = tuple[TrailSearch, tuple[str, ...]]
"""A search that ended, and the folders that it found."""


@dataclass(frozen=True)
class FolderSearches:
    """Searches for folders of logs that the regions of an account share while one step reads them all.

    What is found is the same for each region, and in a crowded bucket it takes thousands of listings. A search that
    fails is not kept.
    """

    _ended: dict[tuple[object, ...], Searched] = field(default_factory=dict)

    def once(self, question: tuple[object, ...], search: Callable[[], Searched]) -> Searched:
        """What `search` gives, made once for equal questions. Raises what it raises."""
        if question not in self._ended:
            self._ended[question] = search()
        return self._ended[question]


class CloudTrailLogs:
    """The log files of one account and region in a bucket. `bucket_region` is where the bucket is. Thread-safe.

    `layouts` are the folders (up to and with `AWSLogs/` or the organization below it) that an earlier sync found,
    `searches` those of the other regions that are read with this one (None: each search is made).
    """

    def __init__(
        self,
        clients: AwsClients,
        bucket: str,
        bucket_region: str,
        account_id: str,
        region: str,
        layouts: Sequence[str] = (),
        searches: FolderSearches | None = None,
    ) -> None:
        self.bucket, self.account_id, self.region = bucket, account_id, region
        self._clients, self._bucket_region = clients, bucket_region
        self._layouts = tuple(layouts)
        self._searches = searches
        self._searched: TrailSearch | None = None
        fast_listing(clients.client("s3", bucket_region))

    def layouts(self) -> tuple[str, ...]:
        """The folders that are known to hold logs of the account: of earlier syncs, and what `search` found."""
        return self._layouts

    def search(self, *, everywhere: bool) -> tuple[str, ...]:
        """Look for folders that are not known yet; gives them, and `layouts` has them from now on.

        A few listings look at the top of the bucket and beside what is known; `everywhere` also looks below other
        prefixes, which in a crowded bucket takes up to some thousand. Raises `AwsError`.
        """
        search = partial(self._search, everywhere=everywhere)
        question = (self._clients, self.bucket, self.account_id, self._layouts, everywhere)
        self._searched, layouts = search() if self._searches is None else self._searches.once(question, search)
        new = tuple(layout for layout in dict.fromkeys(layouts) if layout not in self._layouts)
        self._layouts += new
        return new

    def _search(self, *, everywhere: bool) -> Searched:
        with workers(self._clients.concurrency) as pool:
            search = TrailSearch(self._list, self.account_id, pool)
            return search, tuple(search.everywhere(self._layouts) if everywhere else search.near(self._layouts))

    def missing(self) -> str | None:
        """Why there is nothing to list, where a search found no folder at all; null where a folder is known."""
        return None if self._layouts or self._searched is None else self._searched.missing(self.bucket)

    def files(self, first: date, last: date, layouts: Sequence[str] | None = None) -> Iterator[LogFile]:
        """The log files delivered from one day to another, both included, in the order of days and keys.

        Lists the account, region and days asked for, in the folders `layouts`, and nothing else. By default these
        are all that are known; they are searched for where none is. Raises `AwsError`.
        """
        if layouts is None and not self._layouts:
            self.search(everywhere=True)
        for layout in self._layouts if layouts is None else layouts:
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
            return LogBytes(problem=str(error), archived=error.code == _ARCHIVED)

    def _range(self, folder: str, first: date, last: date) -> Iterator[LogFile]:
        start, end = folder + first.strftime("%Y/%m/%d/"), folder + last.strftime("%Y/%m/%d/") + "\U0010ffff"
        token: str | None = None
        while True:
            page = self._list(Prefix=folder, **({"ContinuationToken": token} if token else {"StartAfter": start}))
            classes = page.classes or repeat("", len(page.keys))
            columns = (page.keys, page.etags, page.sizes, page.modified, classes)
            for key, etag, size, modified, storage in zip(*columns, strict=True):
                if key > end:
                    return
                day = _day(key[len(folder) : len(folder) + 11])
                if day and key.endswith(_NAMES):
                    yield LogFile(key, etag, size, day, modified, storage in _ARCHIVES)
            token = page.token
            if not token:
                return

    def _list(self, **request: Any) -> Listed:
        with bucket_call(self._clients, "s3:ListBucket", self.bucket, self._bucket_region) as s3:
            return listed_page(s3, {"Bucket": self.bucket, **request}, details=True)


@lru_cache(maxsize=1024)
def _day(folder: str) -> str | None:
    """The day of a folder `YYYY/MM/DD/`; null for one of no day: `2026/02/30/`."""
    try:
        return datetime.strptime(folder, "%Y/%m/%d/").date().isoformat()
    except ValueError:
        return None
