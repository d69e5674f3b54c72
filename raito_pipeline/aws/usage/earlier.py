"""What earlier syncs stored of the usage of one account and region: the manifest, and statements that still count."""

import json
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.usage.seen import HashSet
from raito_pipeline.model.batches import texts
from raito_pipeline.storage import CellInfo, ReadStatus, Store

FILES = "cloudtrail_files"
STATEMENTS = "usage_statements"
GENERATION = "generation"
"""Mark in the extra fields of both cells: they are of one run where it is the same."""
FIRST_DAY = "first_day"
LAYOUTS = "layouts"
SEARCHED = "searched"
"""Day on which folders of logs were last looked for everywhere in the bucket."""


class Earlier:
    """The two cells of one account and region, as the last run left them."""

    def __init__(self, store: Store, account_id: str, region: str, oldest: date) -> None:
        self._store, self._place, self._oldest = store, (account_id, region), oldest
        self._oldest_second = int(datetime.combine(oldest, datetime.min.time(), UTC).timestamp())
        self._files = self._files_that_count()

    def first_day(self, otherwise: date) -> date:
        """The first day that was ever listed."""
        info = self._store.info(FILES, *self._place)
        return date.fromisoformat((info.extra.get(FIRST_DAY) if info else None) or otherwise.isoformat())

    def searched_on(self, day: date) -> bool:
        """Whether the bucket was searched for folders of logs on this day already."""
        info = self._store.info(FILES, *self._place)
        return info is not None and info.extra.get(SEARCHED) == day.isoformat()

    def days_to_look_at(self, first: date) -> list[date]:
        """The days before `first` of files that wait to be read, or could not be: listing from `first` misses them."""
        days: set[str] = set()
        for batch in self.files():
            waits = pc.or_(pc.equal(batch.column("etag"), pa.scalar("")), pc.is_valid(batch.column("problem")))
            days.update(texts(batch.filter(waits), "day"))
        return sorted(date.fromisoformat(day) for day in days if day < first.isoformat())

    def waiting_since(self) -> dict[str, datetime]:
        """The files that wait for data objects, with when they were first read."""
        since: dict[str, datetime] = {}
        for batch in self.files():
            waits = batch.filter(_waits(batch))
            times = cast("list[datetime]", waits.column("read_at").to_pylist())
            since.update(zip(texts(waits, "key"), times, strict=True))
        return since

    def etags(self, first: date, days: Collection[date]) -> dict[str, str]:
        """ETags of the files that a listing of these days, and of all from `first`, meets again."""
        others = pa.array([day.isoformat() for day in days], pa.string())
        etags: dict[str, str] = {}
        for batch in self.files():
            day = batch.column("day")
            met = batch.filter(
                pc.or_(pc.greater_equal(day, pa.scalar(first.isoformat())), pc.is_in(day, value_set=others))
            )
            etags.update(zip(texts(met, "key"), texts(met, "etag"), strict=True))
        return etags

    def standing(self, status: ReadStatus) -> CellInfo | None:
        """The cell of statements where it may stay as it is if nothing is added to it and nothing of it is read again.

        Not where there is none, where it is not of the run of the manifest or has another status than the manifest is
        going to have, or where statements in it are older than the window.
        """
        info = self._store.info(STATEMENTS, *self._place)
        if info is None or self._files is not None or info.status is not status or GENERATION not in info.extra:
            return None
        first = self._store.smallest(STATEMENTS, "start_time", *self._place)
        return info if first is None or first >= self._oldest_second else None

    def _files_that_count(self) -> HashSet | None:
        """The files of the manifest where the two cells are not of one run; else None, and all statements count."""
        files, rows = self._store.info(FILES, *self._place), self._store.info(STATEMENTS, *self._place)
        if rows is None or _of_one_run(files, rows):
            return None
        known = HashSet()
        if files is not None:
            for batch in self._store.batches(FILES, *self._place):
                known.add_all(texts(batch, "key"))
        return known

    def statements(self, without: Collection[str] = ()) -> Iterator[pa.RecordBatch]:
        """The statements that still count, less those of the files `without`, streamed."""
        if self._store.info(STATEMENTS, *self._place) is None:
            return
        for batch in self._store.batches(STATEMENTS, *self._place):
            kept = batch.filter(
                pc.greater_equal(batch.column("start_time"), pa.scalar(self._oldest_second, pa.int64()))
            )
            if self._files is not None or without:
                mask = [
                    (self._files is None or key in self._files) and key not in without
                    for key in texts(kept, "file_key")
                ]
                kept = kept.filter(pa.array(mask, pa.bool_()))
            if kept.num_rows:
                yield kept

    def files(self, without: Collection[str] = ()) -> Iterator[pa.RecordBatch]:
        """The manifest, less the days before the window and the files `without`, streamed."""
        if self._store.info(FILES, *self._place) is None:
            return
        for batch in self._store.batches(FILES, *self._place):
            kept = batch.filter(pc.greater_equal(batch.column("day"), pa.scalar(self._oldest.isoformat())))
            if without:
                mask = [key not in without for key in texts(kept, "key")]
                kept = kept.filter(pa.array(mask, pa.bool_()))
            yield kept

    def ids_of(self, keys: Collection[str]) -> dict[str, set[str]]:
        """The event ids that earlier versions of log files gave: key -> ids, for each of `keys`."""
        ids: dict[str, set[str]] = {key: set() for key in keys}
        if self._store.info(STATEMENTS, *self._place) is None:
            return ids
        statements = self._store.dataset(STATEMENTS, *self._place)
        for batch in statements.batches(["file_key", "external_id"], {"file_key": keys}):
            for key, external_id in zip(texts(batch, "file_key"), texts(batch, "external_id"), strict=True):
                ids[key].add(external_id)
        return ids


def _of_one_run(files: CellInfo | None, rows: CellInfo | None) -> bool:
    return files is not None and rows is not None and files.extra.get(GENERATION) == rows.extra.get(GENERATION)


def known_layouts(store: Store, account_id: str, region: str) -> tuple[str, ...]:
    """The folders that earlier syncs found to hold the logs: the next one begins there."""
    info = store.info(FILES, account_id, region)
    return tuple(json.loads(info.extra.get(LAYOUTS, "[]"))) if info else ()


def _waits(batch: pa.RecordBatch) -> Any:
    """Which files of the manifest wait for data objects that were not read; those that could not be read do not."""
    return pc.and_(pc.equal(batch.column("etag"), pa.scalar("")), pc.is_null(batch.column("problem")))


def log_files(store: Store, account_id: str, region: str) -> Iterator[tuple[str, str]]:
    """Key and ETag of the log files that gave the stored statements; none where the two cells are not of one run.

    Files that wait for data objects are not among them: their statements would be sent with what is known now, and
    Raito Cloud keeps the first of two statements on one event.
    """
    files, rows = store.info(FILES, account_id, region), store.info(STATEMENTS, account_id, region)
    if not _of_one_run(files, rows):
        return
    for batch in store.batches(FILES, account_id, region):
        gave = pc.greater(batch.column("statements"), pa.scalar(0, pa.int64()))
        sent = batch.filter(pc.and_not(gave, _waits(batch)))
        yield from zip(texts(sent, "key"), texts(sent, "etag"), strict=True)
