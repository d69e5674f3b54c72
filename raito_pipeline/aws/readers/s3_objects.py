"""Streams the listings of buckets into a cell of `data_objects`: page of keys -> rows -> record batch -> Parquet.

What could not be listed is taken from the cell of the previous sync (`data_objects.unread`). A big bucket is split
while it is listed: where a worker is idle, the rest is cut where the previous sync noted its pages
(`data_objects.marks`); without that, one call asks which folders are still to come. As each range may end in the middle
of a page, and each question is a call, there are no more of both than a twentieth of the pages, or five.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa

from raito_pipeline.aws.data_objects.columns import bucket_row
from raito_pipeline.aws.data_objects.cursor import Cursor, KeyRange, ancestors, spread
from raito_pipeline.aws.data_objects.folders import FolderShaper, Row
from raito_pipeline.aws.data_objects.marks import (
    LONG,
    PAGE_MARKS,
    PageMarks,
    bounds_between,
    marks_of,
    shared_out,
    text_of,
)
from raito_pipeline.aws.data_objects.names import bucket_full_name
from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.data_objects.unread import NO_KEYS, UnreadKeys, keep_unread
from raito_pipeline.aws.readers.s3 import KeyPage
from raito_pipeline.config.groups import S3Options
from raito_pipeline.model import S3Bucket
from raito_pipeline.storage import CellWriter

Progress = Callable[[str, int, int | None], None]
_BATCH_ROWS = 4_096
_PAGES_BEFORE_SPLIT = 16
_PAGES_BETWEEN_SPLITS = 16
_QUESTIONS = 2
_NOTED_A_CALL = 25
"""Pages that a listing had before, for each call that the next one may cost beside its own."""
_EXTRA_CALLS = 5
"""What a listing of which nothing is known may cost beside its pages; a longer one, a twentieth of them."""


class KeyLister(Protocol):
    """What lists the keys of a bucket, page by page (`raito_pipeline.aws.readers.s3.S3Keys`)."""

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


Inventory = Callable[[], Iterator[KeyPage]]


@dataclass(slots=True)
class ScanReport:
    """What a scan found, to be shown in the metadata of the cell."""

    buckets: int = 0
    refused: int = 0
    """of `buckets`: those of which not even the first page could be listed"""
    folders: int = 0
    files: int = 0
    keys: int = 0
    """keys, and folders that were not opened, in the answers"""
    pages: int = 0
    """LIST calls that gave keys"""
    splits: int = 0
    """LIST calls that asked which folders are still to come"""
    kept: int = 0
    """data objects of the previous sync that stand in for what could not be listed now"""
    unread: tuple[str, ...] = ()
    """full names of the buckets that were not listed to their end"""


def write_s3_objects(
    writer: CellWriter,
    lister: KeyLister,
    account_id: str,
    region: str,
    buckets: Sequence[S3Bucket],
    options: S3Options,
    subtree: Subtree | None = None,
    progress: Progress = lambda _what, _done, _total: None,
    inventories: Mapping[str, Inventory] | None = None,
    previous: Iterable[pa.RecordBatch] = (),
    marks: str = "",
) -> ScanReport:
    """Write the data objects of one account and region: the included buckets of `region`, with all they hold.

    `buckets` are those of the whole account. Parents precede their children. A bucket that cannot be listed (to its
    end) is a problem of the cell; the others go on, and what `previous` (the batches of the old cell, looked at only
    then) has of the rest of its keys stays. Where all are `refused`, the cell is better not kept. Nothing larger than
    a few pages is held. With a subtree, only what lies below it is written. `inventories` give the pages of all keys
    of a bucket, in order, so that it need not be listed. `marks` is what the previous sync noted under `PAGE_MARKS`.
    """
    scan = _Scan(writer, lister, (account_id, region), options, subtree, progress, inventories or {}, marks_of(marks))
    asked = [b for b in buckets if b.included and (subtree is None or b.name == subtree.place.bucket)]
    report = scan.run(sorted((b for b in asked if b.region == region), key=lambda b: b.name))
    nowhere = [b.name for b in asked if b.region is None]
    for bucket in nowhere:
        writer.add_problem(f"the region of bucket {bucket} is not known: it was not listed", "buckets")
    names = (bucket_full_name(account_id, region, bucket) for bucket in nowhere)
    unread = [*scan.unread, *(UnreadKeys(name, with_bucket=subtree is None) for name in names)]
    if unread:
        report.unread = tuple(sorted({each.bucket for each in unread}))
        report.kept = keep_unread(writer, previous, unread, subtree)
    noted = text_of(scan.pages, scan.marks, (b.name for b in asked if scan.full_name(b.name) in report.unread))
    if noted and subtree is None:
        writer.extra[PAGE_MARKS] = noted
    return report


class _Scan:
    def __init__(
        self,
        writer: CellWriter,
        lister: KeyLister,
        place: tuple[str, str],
        options: S3Options,
        subtree: Subtree | None,
        progress: Progress,
        inventories: Mapping[str, Inventory],
        marks: Mapping[str, PageMarks],
    ) -> None:
        self._writer, self._lister, self._place = writer, lister, place
        self._inventories = inventories
        self._options, self.subtree, self._progress = options, subtree, progress
        self._workers = max(options.aws_concurrency, 1)
        self._report = ScanReport()
        self._lock = threading.Lock()
        self._ranges: list[Future[None]] = []
        self._open = 0
        self._spent = 0
        self.marks, self.pages = marks, dict[str, PageMarks]()
        self.unread: list[UnreadKeys] = []

    def run(self, buckets: Sequence[S3Bucket]) -> ScanReport:
        self._report.buckets = len(buckets)
        subtree = self.subtree
        path = subtree.place.path if subtree else None
        scope = "" if path is None else f"{path}/"
        if subtree is None:
            account = self._place[0]
            self._writer.write_rows(bucket_row(self.full_name(b.name), account, b.name, b.tags) for b in buckets)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="list") as pool:
            self._pool = pool
            for bucket in buckets:
                self._submit(bucket.name, KeyRange(scope, opened=scope))
            done = 0
            while done < len(self._ranges):  # ranges add ranges
                self._ranges[done].result()
                done += 1
        return self._report

    def full_name(self, bucket: str) -> str:
        return bucket_full_name(*self._place, bucket)

    def _submit(self, bucket: str, keys: KeyRange) -> None:
        with self._lock:
            self._open += 1
            self._ranges.append(self._pool.submit(self._list, bucket, keys))

    def _list(self, bucket: str, keys: KeyRange) -> None:
        try:
            if bucket in self._inventories:
                self._read_inventory(bucket, keys)
            else:
                _RangeListing(self, bucket, keys).run()
        finally:
            with self._lock:
                self._open -= 1

    def _read_inventory(self, bucket: str, keys: KeyRange) -> None:
        subtree = self.subtree
        cursor = Cursor(keys, excludes=subtree.excluded_paths if subtree else ())
        shaper = self.shaper(bucket, keys.opened)
        for number, page in enumerate(self._inventories[bucket]()):
            unusable = number == 0 and page.problem is not None
            self.count(page, refused=unusable)
            if unusable:  # a problem after the keys is one of the inventory as a whole: its age
                self.left_unread(bucket, keys)
            shaper.feed([key for key in cursor.take(page) if key.startswith(keys.scope)])
            if len(shaper.columns) >= _BATCH_ROWS:
                self.flush(shaper)
        shaper.finish()
        self.write(shaper)

    # -- what the listings of ranges share -----------------------------------------------------------------------------

    @property
    def depth(self) -> int | None:
        """How many parts of a key become folders and files; None where keys are not taken apart."""
        options = self._options
        return options.aws_s3_max_folder_depth if options.aws_s3_emulate_folder_structure else None

    @property
    def lister(self) -> KeyLister:
        return self._lister

    def shaper(self, bucket: str, opened: str) -> FolderShaper:
        return FolderShaper(self.full_name(bucket), self._options, opened)

    def idle(self) -> int:
        """How many workers have nothing to do."""
        with self._lock:
            return max(self._workers - self._open, 0)

    def reserve(self, bucket: str, most: int) -> int:
        """Set aside calls beside those for full pages, at most so many; gives how many there are to spend."""
        known = self.marks.get(bucket)
        with self._lock:
            # Each range that was given away may have ended with a page that is no full one.
            pages = max(self.pages.get(bucket, PageMarks()).pages - self._spent, 0)
            # There may be fewer pages by now than are noted.
            allowed = known.pages // _NOTED_A_CALL if known else _EXTRA_CALLS
            granted = max(min(most, max(allowed, pages // LONG) - self._spent), 0)
            self._spent += granted
            return granted

    def give_back(self, calls: int) -> None:
        """Calls that were set aside and not spent."""
        with self._lock:
            self._spent -= calls

    def add(self, bucket: str, ranges: Sequence[KeyRange]) -> None:
        for each in ranges:
            self._submit(bucket, each)

    def count(self, page: KeyPage, *, refused: bool) -> None:
        with self._lock:
            self._report.pages += 1
            self._report.keys += len(page.keys) + len(page.prefixes)
            self._report.refused += refused
            if page.problem:
                self._writer.add_problem(page.problem, "parts of buckets that could not be listed")
            keys = self._report.keys
        self._progress(f"keys of {self._place[1]}", keys, None)

    def note_page(self, bucket: str, last: str) -> None:
        """Note with which key a page ended."""
        with self._lock:
            self.pages.setdefault(bucket, PageMarks()).add(last)

    def left_unread(self, bucket: str, keys: KeyRange, last: str = "", undecided: tuple[Row, ...] = ()) -> None:
        """Note that a range was not listed after the key `last`."""
        with self._lock:
            self.unread.append(UnreadKeys(self.full_name(bucket), keys, last, undecided=undecided))

    def count_split(self) -> None:
        with self._lock:
            self._report.splits += 1

    def flush(self, shaper: FolderShaper) -> None:
        """Write all rows but those of files that are not decided about."""
        shaper.take_out_held()
        self.write(shaper)

    def write(self, shaper: FolderShaper) -> None:
        """Write the rows that a shaper has ready."""
        if not len(shaper.columns):
            return
        folders = shaper.columns.types.count("folder")
        rows = len(shaper.columns)
        batch = shaper.columns.take()
        with self._lock:
            self._report.folders += folders
            self._report.files += rows - folders
            self._writer.write_batch(batch)


class _RangeListing:
    """Lists one range of a bucket to its end, and gives parts of it away to idle workers."""

    def __init__(self, scan: _Scan, bucket: str, keys: KeyRange) -> None:
        self._scan, self._bucket, self._keys = scan, bucket, keys
        subtree = scan.subtree
        self._cursor = Cursor(keys, scan.depth, subtree.excluded_paths if subtree else ())
        self._shaper = scan.shaper(bucket, keys.opened)
        self._least_level = len(keys.opened or keys.scope)
        self._marks = scan.marks.get(bucket, PageMarks()).keys
        self._next_split = 1 if self._marks else _PAGES_BEFORE_SPLIT

    def run(self) -> None:
        pages, broken_off = 0, False
        while not self._cursor.done:
            page = self._scan.lister.page(self._bucket, **self._cursor.request)
            first = pages == 0 and not self._keys.start
            self._scan.count(page, refused=first and page.problem is not None)
            if page.problem:
                broken_off = True
                break
            pages += 1
            self._shaper.feed(self._cursor.take(page))
            if page.keys and not page.prefixes:
                self._scan.note_page(self._bucket, self._cursor.last)
            if len(self._shaper.columns) >= _BATCH_ROWS:
                self._scan.flush(self._shaper)
            if pages >= self._next_split and not self._cursor.done and not self._cursor.by_folders:
                self._next_split = pages + (1 if self._give_away() else _PAGES_BETWEEN_SPLITS)
        undecided = self._shaper.finish(self._asks_for_folder(broken_off))
        self._scan.write(self._shaper)
        if broken_off:
            unread = replace(self._keys, end=self._cursor.end)
            self._scan.left_unread(self._bucket, unread, self._cursor.last, undecided)
        elif undecided:
            self._scan.left_unread(self._bucket, NO_KEYS, "", undecided)

    def _give_away(self) -> bool:
        """Split the rest of the range; false where nobody is idle, or there is nothing to split it at."""
        idle = self._scan.idle()
        if not idle or not self._cursor.last:
            return not idle  # look again at the next page
        questions = 0 if self._marks else _QUESTIONS
        calls = self._scan.reserve(self._bucket, idle + questions)
        spent = 0
        try:
            folder, bounds, spent = self._bounds(idle, calls)
            spent += len(bounds)
        finally:
            self._scan.give_back(calls - spent)
        return self._split(folder, bounds)

    def _bounds(self, idle: int, calls: int) -> tuple[str, list[str], int]:
        """Where to split the rest, at children of which folder, and how many questions that took, of so many calls."""
        cursor, asked = self._cursor, 0
        folders = ancestors(cursor.last, self._keys.scope)
        if self._marks:
            folder, bounds = bounds_between(self._marks, cursor.last, cursor.end, folders)
            return folder, shared_out(bounds, min(idle, calls)), asked
        # Further down than two levels, what is won is not worth the calls.
        for folder in [f for f in folders if len(f) >= self._least_level][:_QUESTIONS]:
            if calls - asked < 2:
                break
            page = self._scan.lister.page(self._bucket, prefix=folder, start_after=cursor.last, delimiter="/")
            self._scan.count_split()
            asked += 1
            bounds = [p for p in page.prefixes if p > cursor.last and (not cursor.end or p < cursor.end)]
            if bounds:
                return folder, spread(bounds, min(idle, calls - asked)), asked
            self._least_level = len(folder) + 1
        return "", [], asked

    def _split(self, folder: str, bounds: Sequence[str]) -> bool:
        """Give the ranges from each of the bounds, children of `folder`, to others; false where there is none."""
        if not bounds:
            return False
        ends = [*bounds[1:], self._cursor.end]
        scope = self._keys.scope
        # The rows of the folders that the new ranges lie in come before theirs.
        self._scan.flush(self._shaper)
        self._cursor.end = bounds[0]
        self._scan.add(
            self._bucket,
            [KeyRange(scope, start, end, folder) for start, end in zip(bounds, ends, strict=True)],
        )
        return True

    def _asks_for_folder(self, broken_off: bool) -> Callable[[str], bool | None] | None:
        """What answers whether a folder follows a file at the end of this range, which may lie in the next one."""
        end = self._cursor.end
        if not end and not broken_off:
            return None

        def answer(key: str) -> bool | None:
            folder = f"{key}/"
            if end and (folder >= end or end.startswith(folder)):
                return self._has_folder(key)
            return None if broken_off else False  # all of it would have been listed before the end

        return answer

    def _has_folder(self, key: str) -> bool | None:
        """Whether a file at the end of this range has a folder of its own path behind it; None = not known."""
        page = self._scan.lister.page(self._bucket, prefix=f"{key}/", limit=1)
        self._scan.count(page, refused=False)
        return None if page.problem else bool(page.keys)
