"""One sync of usage: list the window, read each new log file once, and rewrite the manifest and the statements.

Two cells are written, first `usage_statements`, then `cloudtrail_files`, both with the same mark of their generation;
where no file is new and no statement too old, the statements stay as they are.
Where a run was killed in between, the marks differ: the next run then drops statements of files that the manifest does
not know, and reads those files again. So the tables agree, statement by statement, whatever happens.
"""

import json
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.readers.cloudtrail import LogBytes, LogFile
from raito_pipeline.aws.usage.earlier import FILES, FIRST_DAY, GENERATION, LAYOUTS, SEARCHED, STATEMENTS, Earlier
from raito_pipeline.aws.usage.known import KnownObjects
from raito_pipeline.aws.usage.records import FileCorrupt, Record, decode, unpack
from raito_pipeline.aws.usage.report import NOTHING_INCOMPLETE, WAIT, Incomplete, UsageReport
from raito_pipeline.aws.usage.rows import Rows, StatementRows
from raito_pipeline.aws.usage.seen import Flags, HashSet
from raito_pipeline.aws.usage.sources import LogSource
from raito_pipeline.aws.usage.statements import SkipReason, StatementMaker, UsagePlace
from raito_pipeline.config.groups import UsageOptions, UsageWindowOptions
from raito_pipeline.model import CloudTrailFile
from raito_pipeline.model.batches import texts
from raito_pipeline.storage import CellWriter, Store

Window = tuple[date, date, Sequence[str]]
"""first and last day, and the folders of logs that are listed"""
Progress = Callable[[str, int, int | None], None]
_GONE, _ARCHIVED = "gone", "archived"
"""in the place of the ETag of a file that was not read, and will not be unless it is there, or elsewhere, again"""
_BATCH_ROWS = 12_288
_BATCH_FILES = 1_024
_MOST_PACKED_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class _Done:
    """A log file after it was read."""

    file: LogFile
    etag: str
    records: int = 0
    outcomes: Counter[SkipReason] = field(default_factory=Counter)
    problem: str | None = None
    corrupt: bool = False


def read_usage(
    store: Store,
    source: LogSource,
    account_id: str,
    region: str,
    known: KnownObjects,
    place: UsagePlace,
    options: UsageOptions,
    window: UsageWindowOptions,
    *,
    incomplete: Incomplete = NOTHING_INCOMPLETE,
    usage_last_used: datetime | None = None,
    now: datetime | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> UsageReport:
    """Bring the usage of one account and region up to date, in `cloudtrail_files` and `usage_statements`.

    `usage_last_used` is the time of the last usage that Raito Cloud has; the listing begins `cloudtrail-look-back-days`
    before it, or `usage-window-days` ago where that is later. `incomplete`: what may be missing among the `known` data
    objects. Raises what `source` raises when the window cannot be listed (the cells stay as they were).
    """
    maker = StatementMaker(known, place, options)
    began = now or datetime.now(UTC)
    reader = _UsageReader(store, source, (account_id, region), maker, options, window, incomplete, began, progress)
    return reader.run(usage_last_used)


class _Rows:
    """The cell of statements, begun when there is something to write to it, and ended with `inner`."""

    def __init__(self, store: Store, place: tuple[str, str], inner: ExitStack) -> None:
        self._store, self._place, self._inner = store, place, inner
        self._writer: CellWriter | None = None

    @property
    def begun(self) -> bool:
        return self._writer is not None

    @property
    def writer(self) -> CellWriter:
        if self._writer is None:
            self._writer = self._inner.enter_context(self._store.writer(STATEMENTS, *self._place))
        return self._writer


def doubtful_files(made: Rows, incomplete: Incomplete) -> set[int]:
    """Which of the files have statements on a bucket or folder that may only stand for an object that was not read."""
    if not incomplete or not made.batch.num_rows:
        return set()
    accessed: Any = made.batch.column("accessed")
    objects = pc.list_flatten(accessed).field("data_object")
    doubt: Any = pc.is_in(objects.field("type"), value_set=pa.array(["bucket", "folder"]))
    if not incomplete.whole:
        bucket: Any = pc.replace_substring_regex(objects.field("full_name"), pattern="(?s)/.*", replacement="")
        doubt = pc.and_(doubt, pc.is_in(bucket, value_set=pa.array(sorted(incomplete.buckets), pa.string())))
    rows = np.asarray(pc.list_parent_indices(accessed))[np.asarray(doubt)]
    return set(made.of_file[rows].tolist())


class _UsageReader:
    def __init__(
        self,
        store: Store,
        source: LogSource,
        cell: tuple[str, str],
        maker: StatementMaker,
        options: UsageOptions,
        window: UsageWindowOptions,
        incomplete: Incomplete,
        now: datetime,
        progress: Progress,
    ) -> None:
        self._store, self._source, self._place = store, source, cell
        self._options, self._window, self._incomplete = options, window, incomplete
        self._now, self._progress = now, progress
        self._made = StatementRows(maker)
        self._today = now.date()
        self._oldest = self._today - timedelta(days=window.usage_window_days)
        self._counted: Counter[str] = Counter()
        self._outcomes: Counter[SkipReason] = Counter()
        self._reread: set[str] = set()
        self._replaced: set[str] = set()
        self._earlier = Earlier(store, *cell, self._oldest)
        self._days: set[str] = set()
        self._own: dict[str, set[str]] = {}
        self._notes: list[str] = []

    def run(self, usage_last_used: datetime | None) -> UsageReport:
        first = self._oldest
        if usage_last_used is not None:
            # What was used in the future, by a clock that was wrong, hides nothing of today.
            last = min(usage_last_used, self._now).astimezone(UTC).date()
            first = max(first, last - timedelta(days=self._window.cloudtrail_look_back_days))
        self._first_known = self._earlier.first_day(first)
        days = self._earlier.days_to_look_at(first)
        self._etags = self._earlier.etags(first, days)
        self._waiting_since = self._earlier.waiting_since()
        # The inner cell is published first.
        with self._store.writer(FILES, *self._place) as files, ExitStack() as inner:
            rows = _Rows(self._store, self._place, inner)
            files.read_at = self._now
            known = self._source.layouts()
            windows = [*((day, day, known) for day in days), (first, self._today, known)] if known else []
            self._read_new(windows, files, rows)
            self._read_other_folders(first, files, rows)
            self._copy_manifest(files)
            if self._counted["waiting"]:
                files.add_problem(
                    f"{self._counted['waiting']} log files may be on data objects that are not known, since not all of "
                    "them were read whole: these files are read again by the next sync, and sent then"
                )
            gaps = self._without_files(first, files)
            if self._counted["archived"]:
                self._notes.append(
                    f"{self._counted['archived']} log files are archived (S3 Glacier), and their usage is not known: a "
                    "file is read when it is copied back to another storage class"
                )
            if self._notes:
                files.extra["warnings"] = json.dumps(self._notes)
            files.extra[FIRST_DAY] = min(self._first_known, first).isoformat()
            files.extra["gaps"] = json.dumps(gaps)
            files.extra[LAYOUTS] = json.dumps(list(self._source.layouts()))
            standing = None if rows.begun or self._replaced else self._earlier.standing(files.status)
            if standing is not None:
                files.extra[GENERATION] = standing.extra[GENERATION]
            else:
                self._rewrite(files, rows.writer)
        statements = standing.rows if standing is not None else rows.writer.rows
        return UsageReport(
            listed=self._counted["listed"],
            read=self._counted["read"],
            bytes_read=self._counted["bytes"],
            records=self._counted["records"],
            new_statements=self._counted["statements"],
            statements=statements,
            duplicates=self._counted["duplicates"],
            broken=self._outcomes[SkipReason.BROKEN] + self._counted["unreadable"],
            skipped=tuple(sorted((k.value, n) for k, n in self._outcomes.items() if k is not SkipReason.BROKEN)),
            corrupt=self._counted["corrupt"],
            waiting=self._counted["waiting"],
            gaps=tuple(gaps),
            first_day=first.isoformat(),
            problems=tuple(files.problems),
        )

    def _read_new(self, windows: Sequence[Window], files: CellWriter, rows: _Rows) -> None:
        waiting: list[_Done] = []
        for file, got in self._in_order(self._to_read(windows)):
            # A file that was read before is looked at alone: its own statements are known already.
            again = file.key in self._etags
            if again:
                self._write(waiting, files, rows)
                waiting = []
            done = self._shape(file, got)
            waiting.append(done)
            if again or len(self._made) >= _BATCH_ROWS or len(waiting) >= _BATCH_FILES:
                self._write(waiting, files, rows, again=again)
                waiting = []
            if done.etag != _ARCHIVED:
                self._counted.update(read=1, bytes=file.size)
            self._progress("log files", self._counted["read"], None)
        self._write(waiting, files, rows)

    def _read_other_folders(self, first: date, files: CellWriter, rows: _Rows) -> None:
        """Look for folders of logs that are not known yet, and read them from the first day that counts.

        Everywhere in the bucket on the first sync of a day and while none is known. Else only where the known ones gave
        nothing new, and only near them: so a trail that moved is noticed by the next sync, for little in quiet regions.
        """
        searched, extra = self._earlier.searched_on(self._today), files.extra
        everywhere = not searched or not self._source.layouts()
        extra[SEARCHED] = self._today.isoformat()
        if everywhere or not self._counted["read"]:
            folders = self._source.search(everywhere=everywhere)
            if folders:
                self._read_new([(max(min(first, self._first_known), self._oldest), self._today, folders)], files, rows)

    def _write(self, waiting: list[_Done], files: CellWriter, rows: _Rows, *, again: bool = False) -> None:
        """Write the rows of files that were shaped, less the statements that are known already."""
        if not waiting:
            return
        made = self._made.take([done.file.key for done in waiting])
        fresh = self._fresh_again(waiting[0], made.ids) if again else self._ids.add(made.ids)
        if fresh.any():
            rows.writer.write_batch(made.batch if fresh.all() else made.batch.filter(pa.array(fresh)))
        counts = np.bincount(made.of_file, minlength=len(waiting)).tolist()
        kept = np.bincount(made.of_file[fresh], minlength=len(waiting)).tolist()
        doubtful = doubtful_files(made, self._incomplete)
        files.write_rows(
            [
                self._account(*each, again=again, doubtful=at in doubtful)
                for at, each in enumerate(zip(waiting, counts, kept, strict=True))
            ]
        )
        for done in waiting:
            if done.problem:
                files.add_problem(done.problem, "log files that could not be read: see the column problem")

    def _to_read(self, windows: Sequence[Window]) -> Iterator[LogFile]:
        for file in (file for window in windows for file in self._source.files(*window)):
            self._counted["listed"] += 1
            self._days.add(file.day)
            known = self._etags.get(file.key)
            # What was read before it went to an archive is known; what waits to be read again is not.
            if known != file.etag and not (file.archived and known not in (None, "", _GONE)):
                yield file

    def _fetch(self, file: LogFile) -> LogBytes:
        return LogBytes(archived=True) if file.archived else self._source.fetch(file.key)

    def _in_order(self, files: Iterator[LogFile]) -> Iterator[tuple[LogFile, LogBytes]]:
        """Fetch files at the same time, a bounded number and size of them, and give them in their order.

        Only fetching is shared by threads: the rest holds the interpreter's lock, and threads that wait for it cost.
        """
        at_once = max(self._options.aws_concurrency, 1)
        running: deque[tuple[LogFile, Future[LogBytes]]] = deque()
        size = 0
        with ThreadPoolExecutor(at_once, thread_name_prefix="cloudtrail") as pool:
            for file in files:
                while running and (len(running) >= 2 * at_once or size + file.size > _MOST_PACKED_BYTES):
                    oldest, future = running.popleft()
                    size -= oldest.size
                    yield oldest, future.result()
                running.append((file, pool.submit(self._fetch, file)))
                size += file.size
            for oldest, future in running:
                yield oldest, future.result()

    def _shape(self, file: LogFile, got: LogBytes) -> _Done:
        """Unpack and read a file, and keep its statements in `self._made`."""
        done = _Done(file, got.etag)
        records: list[Record] = []
        unreadable = 0
        if got.archived:
            done.etag = _ARCHIVED
        elif got.problem:
            done.etag, done.problem = _GONE if got.gone else "", got.problem
        else:
            try:
                records, unreadable = decode(unpack(got.packed))
            except FileCorrupt as error:
                done.problem, done.corrupt = f"log file {file.key}: {error}; it is read again when it changes", True
        done.records = len(records) + unreadable
        done.outcomes = self._made.add(records)
        done.outcomes[SkipReason.BROKEN] += unreadable
        return done

    @cached_property
    def _ids(self) -> HashSet:
        """The event ids of all statements; those of earlier syncs are not read before there is a new file."""
        known = HashSet()
        for batch in self._earlier.statements():
            known.add_all(texts(batch, "external_id"))
        return known

    def _account(self, done: _Done, made: int, kept: int, *, again: bool, doubtful: bool) -> CloudTrailFile:
        """Note what came of a file that made these statements, of which some are kept, and make its row."""
        file = done.file
        # What a version that could be read gave stays true when the next one cannot be read.
        stays = len(self._own_ids(file.key)) if done.problem and again else 0
        since = self._waiting_since.get(file.key, self._now)
        unknown = self._incomplete.whole and done.outcomes[SkipReason.UNKNOWN_OBJECT] > 0
        waits = (doubtful or unknown) and self._now - since < WAIT
        broken = done.outcomes.pop(SkipReason.BROKEN, 0)
        self._outcomes += done.outcomes
        self._counted.update(
            records=done.records,
            statements=kept,
            duplicates=made - kept,
            unreadable=broken,
            corrupt=int(done.corrupt),
            waiting=int(waits),
        )
        self._counted["archived"] += done.etag == _ARCHIVED
        return CloudTrailFile(
            key=file.key,
            etag="" if waits else done.etag,
            size=file.size,
            day=file.day,
            last_modified=file.last_modified,
            read_at=since if waits else self._now,
            records=done.records,
            statements=kept + stays,
            duplicates=made - kept,
            skipped=sum(done.outcomes.values()),
            broken=broken,
            problem=done.problem,
        )

    def _fresh_again(self, done: _Done, ids: Sequence[str]) -> Flags:
        """Which statements of a file that was read before are kept: all but those that another file gave already."""
        key = done.file.key
        self._reread.add(key)
        if not done.problem:
            self._replaced.add(key)
        # What an earlier version of the file gave is known, and is still to be written.
        own = self._own_ids(key)
        first = {external_id: at for at, external_id in reversed(list(enumerate(ids)))}
        others = [external_id for external_id in first if external_id not in own]
        kept = {*own, *compress(others, self._ids.add(others))}
        return np.array([i in kept and first[i] == at for at, i in enumerate(ids)], np.bool_)

    def _own_ids(self, key: str) -> set[str]:
        """The event ids that an earlier version of a file gave; files that waited for data objects are many at once."""
        if key not in self._own:
            waited = [other for other, etag in self._etags.items() if not etag] if not self._etags[key] else [key]
            self._own.update(self._earlier.ids_of(waited))
        return self._own[key]

    def _copy_manifest(self, files: CellWriter) -> None:
        unread = 0
        for batch in self._earlier.files(without=self._reread):
            self._days.update(texts(batch, "day"))
            unread += batch.num_rows - batch.column("problem").null_count
            self._counted["archived"] += texts(batch, "etag").count(_ARCHIVED)
            if batch.num_rows:
                files.write_batch(batch)
        if unread:
            files.add_problem(f"{unread} log files could not be read by an earlier sync: see the column problem")

    def _rewrite(self, files: CellWriter, rows: CellWriter) -> None:
        """The statements that still count go to the new cell, and both cells get the mark of a new generation."""
        for batch in self._earlier.statements(without=self._replaced):
            rows.write_batch(batch)
        rows.read_at, rows.status, rows.problems = files.read_at, files.status, list(files.problems)
        files.extra[GENERATION] = uuid.uuid4().hex
        rows.extra.update(files.extra)

    def _without_files(self, first: date, files: CellWriter) -> list[str]:
        """The days without any log file. Where there is none at all, one sentence says so in place of every day.

        No folder of the account is a problem: the bucket or the trail is another. A folder without files of this region
        is a note: nothing may have happened there.
        """
        missing = self._source.missing()
        if missing:
            files.add_problem(missing)
            return []
        gaps = self._gaps(first)
        if not self._days:
            folders = ", ".join(self._source.layouts())
            self._notes.append(
                f"no CloudTrail log file of {'/'.join(self._place)} in {folders} since {first.isoformat()}"
            )
        return gaps

    def _gaps(self, first: date) -> list[str]:
        """Days without any log file, from the first that was ever listed (inside the window) to yesterday."""
        day = max(min(first, self._first_known), self._oldest)
        gaps = []
        while day < self._today:
            if day.isoformat() not in self._days:
                gaps.append(day.isoformat())
            day += timedelta(days=1)
        return gaps
