"""Streams the listings of buckets into a cell of `data_objects`: page of keys -> rows -> record batch -> Parquet."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from raito_pipeline.model import S3Bucket
from raito_pipeline.objects.columns import bucket_row
from raito_pipeline.objects.folders import FolderSettings, FolderShaper
from raito_pipeline.objects.names import bucket_full_name
from raito_pipeline.storage import CellWriter, ReadStatus

Progress = Callable[[str, int, int | None], None]
_BATCH_ROWS = 16_384


class KeyPage(Protocol):
    """One page of a listing, or why there is none (`raito_pipeline.aws.s3.KeyPage`)."""

    @property
    def keys(self) -> Sequence[str]: ...
    @property
    def prefixes(self) -> Sequence[str]: ...
    @property
    def token(self) -> str | None: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def status(self) -> ReadStatus: ...


class KeyLister(Protocol):
    """What lists the keys of a bucket, page by page (`raito_pipeline.aws.s3.S3Keys`)."""

    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        delimiter: str = "",
        limit: int = 0,
    ) -> KeyPage: ...


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """How the buckets of a region are read."""

    folders: FolderSettings = field(default_factory=FolderSettings)
    concurrency: int = 5
    data_object_parent: str | None = None
    """full name of the one object whose subtree is wanted; None = everything"""
    data_object_excludes: tuple[str, ...] = ()
    """full names of objects that are left out, with all that lies below them"""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found, to be shown in the metadata of the cell."""

    buckets: int = 0
    refused: int = 0
    """of `buckets`: those of which not even the first page could be listed"""
    folders: int = 0
    files: int = 0
    keys: int = 0
    pages: int = 0
    dropped: int = 0
    """keys deeper than the depth limit"""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def write_s3_objects(
    writer: CellWriter,
    lister: KeyLister,
    account_id: str,
    region: str,
    buckets: Sequence[S3Bucket],
    settings: ScanSettings,
    progress: Progress = lambda _what, _done, _total: None,
) -> ScanReport:
    """Write the data objects of one account and region: the included buckets of `region`, with all they hold.

    `buckets` are those of the whole account. Parents precede their children. A bucket that cannot be listed is a
    problem of the cell (its own row stays); the others go on. Where all are `refused`, the cell is better not kept.
    Nothing larger than a few pages is held.
    """
    wanted = sorted((b for b in buckets if b.included and b.region == region), key=lambda b: b.name)
    for bucket in buckets:
        if bucket.included and bucket.region is None:
            writer.add_problem(f"the region of bucket {bucket.name} is not known: it was not listed")
    lock = threading.Lock()
    counted = {"refused": 0, "folders": 0, "files": 0, "keys": 0, "pages": 0}

    def scan(bucket: S3Bucket) -> None:
        full_name = bucket_full_name(account_id, region, bucket.name)
        shaper = FolderShaper(full_name, settings.folders)
        for number, page in enumerate(_pages(lister, bucket.name)):
            shaper.feed(page.keys)
            with lock:
                counted["refused"] += number == 0 and page.problem is not None
                counted["keys"] += len(page.keys)
                counted["pages"] += 1
                if page.problem:
                    writer.add_problem(page.problem)
            if len(shaper.columns) >= _BATCH_ROWS:
                shaper.take_out_held()
                _write(shaper)
        shaper.finish()
        _write(shaper)
        progress(bucket.name, 1, None)

    def _write(shaper: FolderShaper) -> None:
        if not len(shaper.columns):
            return
        folders = shaper.columns.types.count("folder")
        with lock:
            counted["folders"] += folders
            counted["files"] += len(shaper.columns) - folders
            writer.write_batch(shaper.columns.take())

    writer.write_rows(
        bucket_row(bucket_full_name(account_id, region, b.name), account_id, b.name, b.tags) for b in wanted
    )
    with ThreadPoolExecutor(max(settings.concurrency, 1), thread_name_prefix="list") as pool:
        for done in [pool.submit(scan, bucket) for bucket in wanted]:
            done.result()
    return ScanReport(
        buckets=len(wanted),
        refused=counted["refused"],
        folders=counted["folders"],
        files=counted["files"],
        keys=counted["keys"],
        pages=counted["pages"],
        problems=tuple(writer.problems),
    )


def _pages(lister: KeyLister, bucket: str) -> Iterator[KeyPage]:
    token = ""
    while True:
        page = lister.page(bucket, token=token)
        yield page
        if page.problem or not page.token:
            return
        token = page.token
