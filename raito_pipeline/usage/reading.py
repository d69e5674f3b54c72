"""One sync of usage: list the window, read each new log file once, and rewrite the manifest and the statements.

Two cells are written, first `usage_statements`, then `cloudtrail_files`, both with the same mark of their generation.
Where a run was killed in between, the marks differ: the next run then drops statements of files that the manifest does
not know, and reads those files again. So the tables agree, statement by statement, whatever happens.
"""

import json
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.model import CloudTrailFile
from raito_pipeline.storage import CellWriter, ReadStatus, Store
from raito_pipeline.usage.known import KnownObjects
from raito_pipeline.usage.records import FileCorrupt, decode, unpack
from raito_pipeline.usage.seen import HashSet
from raito_pipeline.usage.statements import Outcome, Statement, StatementColumns, StatementSettings, statement_of

Progress = Callable[[str, int, int | None], None]
FILES = "cloudtrail_files"
STATEMENTS = "usage_statements"
_GENERATION = "generation"
_BATCH_ROWS = 16_384
_MOST_PACKED_BYTES = 32 * 1024 * 1024
_DECODERS = 2


class LogFile(Protocol):
    """A log file as it is listed (`raito_pipeline.aws.cloudtrail.LogFile`)."""

    @property
    def key(self) -> str: ...
    @property
    def etag(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def day(self) -> str: ...
    @property
    def last_modified(self) -> datetime: ...


class LogBytes(Protocol):
    """The contents of a log file, or why there are none (`raito_pipeline.aws.cloudtrail.LogBytes`)."""

    @property
    def packed(self) -> bytes: ...
    @property
    def etag(self) -> str: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def gone(self) -> bool: ...


class LogSource(Protocol):
    """Where log files come from (`raito_pipeline.aws.cloudtrail.CloudTrailLogs`)."""

    def layouts(self) -> Sequence[str]: ...
    def files(self, first: date, last: date) -> Iterator[LogFile]: ...
    def fetch(self, key: str) -> LogBytes: ...


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """What is read and kept."""

    statements: StatementSettings
    window_days: int = 90
    """days of usage that are kept: `pipeline: usage-window-days`"""
    look_back_days: int = 2
    """days before the last sync that are listed again: `pipeline: cloudtrail-look-back-days`"""
    concurrency: int = 5


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What one sync of usage did, to be shown in the metadata of its cells."""

    listed: int = 0
    """log files listed in the window"""
    read: int = 0
    """log files read now"""
    bytes_read: int = 0
    """their size, packed"""
    records: int = 0
    new_statements: int = 0
    statements: int = 0
    """statements in the cell now"""
    duplicates: int = 0
    broken: int = 0
    skipped: tuple[tuple[str, int], ...] = ()
    """records without statement, by reason"""
    corrupt: int = 0
    """log files that were read now and could not be understood"""
    gaps: tuple[str, ...] = ()
    """days of the window without any log file, `YYYY-MM-DD`"""
    first_day: str = ""
    """first day that was listed"""
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Done:
    """A log file after it was read."""

    file: LogFile
    etag: str
    records: int = 0
    statements: list[Statement] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    problem: str | None = None
    corrupt: bool = False


def read_usage(
    store: Store,
    source: LogSource,
    account_id: str,
    region: str,
    known: KnownObjects,
    settings: UsageSettings,
    *,
    usage_last_used: datetime | None = None,
    now: datetime | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> UsageReport:
    """Bring the usage of one account and region up to date, in `cloudtrail_files` and `usage_statements`.

    `usage_last_used` is the time of the last usage that Raito Cloud has; the listing begins `look_back_days` before
    it, or `window_days` ago where that is later. Raises what `source` raises when the window cannot be listed (the
    cells stay as they were).
    """
    reader = _Reader(store, source, account_id, region, known, settings, now or datetime.now(UTC), progress)
    return reader.run(usage_last_used)


class _Reader:
    def __init__(
        self,
        store: Store,
        source: LogSource,
        account_id: str,
        region: str,
        known: KnownObjects,
        settings: UsageSettings,
        now: datetime,
        progress: Progress,
    ) -> None:
        self._store, self._source, self._place = store, source, (account_id, region)
        self._known, self._settings, self._now, self._progress = known, settings, now, progress
        self._today = now.date()
        self._oldest = self._today - timedelta(days=settings.window_days)
        self._decoders = threading.Semaphore(_DECODERS)
        self._counted: Counter[str] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        self._reread: set[str] = set()
        self._ids = HashSet()
        self._files: HashSet | None = None
        self._days: set[str] = set()

    def run(self, usage_last_used: datetime | None) -> UsageReport:
        first = self._oldest
        if usage_last_used is not None:
            first = max(first, usage_last_used.astimezone(UTC).date() - timedelta(days=self._settings.look_back_days))
        etags, first = self._old_files(first)
        self._check_generation()
        for batch in self._old_statements():
            self._ids.add_all(batch.column("external_id").to_pylist())
        generation = uuid.uuid4().hex
        # The inner cell is published first.
        with self._store.writer(FILES, *self._place) as files, self._store.writer(STATEMENTS, *self._place) as rows:
            files.read_at = rows.read_at = self._now
            self._read_new(etags, first, files, rows)
            self._copy_old(files, rows)
            gaps = self._gaps(first)
            for writer in (files, rows):
                writer.extra[_GENERATION] = generation
                writer.extra["first_day"] = min(self._first_known, first).isoformat()
                writer.extra["gaps"] = json.dumps(gaps)
            files.extra["layouts"] = json.dumps(list(self._source.layouts()))
            if rows.status is not files.status:
                rows.status, rows.problems = files.status, list(files.problems)
        return UsageReport(
            listed=self._counted["listed"],
            read=self._counted["read"],
            bytes_read=self._counted["bytes"],
            records=self._counted["records"],
            new_statements=self._counted["statements"],
            statements=rows.rows,
            duplicates=self._counted["duplicates"],
            broken=self._outcomes[Outcome.BROKEN] + self._counted["unreadable"],
            skipped=tuple(sorted((k.value, n) for k, n in self._outcomes.items() if k is not Outcome.BROKEN)),
            corrupt=self._counted["corrupt"],
            gaps=tuple(gaps),
            first_day=first.isoformat(),
            problems=tuple(files.problems),
        )

    def _old_files(self, first: date) -> tuple[dict[str, str], date]:
        """ETags of the files that the listing will meet again; and the first day, or that of files never read."""
        info = self._store.info(FILES, *self._place)
        self._first_known = first
        if info is None:
            return {}, first
        self._first_known = date.fromisoformat(info.extra.get("first_day") or first.isoformat())
        unread = first.isoformat()
        for batch in self._store.batches(FILES, *self._place):
            days = batch.filter(pc.equal(batch.column("etag"), "")).column("day").to_pylist()
            unread = min([unread, *days])
        first = max(date.fromisoformat(unread), self._oldest)
        etags: dict[str, str] = {}
        for batch in self._store.batches(FILES, *self._place):
            met = batch.filter(pc.greater_equal(batch.column("day"), first.isoformat()))
            etags.update(zip(met.column("key").to_pylist(), met.column("etag").to_pylist(), strict=True))
        return etags, first

    def _check_generation(self) -> None:
        """Where the two cells are not of one run, only statements of files in the manifest count."""
        files, rows = self._store.info(FILES, *self._place), self._store.info(STATEMENTS, *self._place)
        if rows is None or (files and files.extra.get(_GENERATION) == rows.extra.get(_GENERATION)):
            return
        self._files = HashSet()
        if files is not None:
            for batch in self._store.batches(FILES, *self._place):
                self._files.add_all(batch.column("key").to_pylist())

    def _old_statements(self) -> Iterator[pa.RecordBatch]:
        if self._store.info(STATEMENTS, *self._place) is None:
            return
        oldest = int(datetime.combine(self._oldest, datetime.min.time(), UTC).timestamp())
        for batch in self._store.batches(STATEMENTS, *self._place):
            kept = batch.filter(pc.greater_equal(batch.column("start_time"), oldest))
            if self._files is not None or self._reread:
                files, gone = self._files, self._reread
                mask = [
                    (files is None or key in files) and key not in gone for key in kept.column("file_key").to_pylist()
                ]
                kept = kept.filter(pa.array(mask, pa.bool_()))
            if kept.num_rows:
                yield kept

    def _read_new(self, etags: dict[str, str], first: date, files: CellWriter, rows: CellWriter) -> None:
        columns = StatementColumns()
        done_rows: list[CloudTrailFile] = []
        for done in self._in_order(self._to_read(etags, first)):
            row = self._account(done, etags, columns)
            done_rows.append(row)
            if done.problem:
                files.add_problem(done.problem)
            if len(columns) >= _BATCH_ROWS:
                rows.write_batch(columns.take())
            if len(done_rows) >= _BATCH_ROWS:
                files.write_rows(done_rows)
                done_rows = []
            self._progress("log files", self._counted["read"], None)
        if len(columns):
            rows.write_batch(columns.take())
        files.write_rows(done_rows)

    def _to_read(self, etags: dict[str, str], first: date) -> Iterator[LogFile]:
        for file in self._source.files(first, self._today):
            self._counted["listed"] += 1
            self._days.add(file.day)
            if etags.get(file.key) != file.etag:
                yield file

    def _in_order(self, files: Iterator[LogFile]) -> Iterator[_Done]:
        """Read files at the same time, a bounded number and size of them, and give them in their order."""
        at_once = max(self._settings.concurrency, 1)
        running: deque[tuple[LogFile, Future[_Done]]] = deque()
        size = 0
        with ThreadPoolExecutor(at_once, thread_name_prefix="cloudtrail") as pool:
            for file in files:
                while running and (len(running) >= 2 * at_once or size + file.size > _MOST_PACKED_BYTES):
                    oldest, future = running.popleft()
                    size -= oldest.size
                    yield future.result()
                running.append((file, pool.submit(self._read, file)))
                size += file.size
            for _, future in running:
                yield future.result()

    def _read(self, file: LogFile) -> _Done:
        got = self._source.fetch(file.key)
        if got.problem:
            return _Done(file, "gone" if got.gone else "", problem=got.problem)
        with self._decoders:
            return self._shape(file, got)

    def _shape(self, file: LogFile, got: LogBytes) -> _Done:
        done = _Done(file, got.etag)
        try:
            records, unreadable = decode(unpack(got.packed))
        except FileCorrupt as error:
            done.problem, done.corrupt = f"log file {file.key}: {error}; it is read again when it changes", True
            return done
        done.records = len(records) + unreadable
        done.outcomes[Outcome.BROKEN] += unreadable
        for record in records:
            made = statement_of(record, self._known, self._settings.statements)
            if isinstance(made, Outcome):
                done.outcomes[made] += 1
            else:
                done.statements.append(made)
        return done

    def _account(self, done: _Done, etags: dict[str, str], columns: StatementColumns) -> CloudTrailFile:
        """Note what came of a file, leave out statements that are known already, and make its row."""
        file = done.file
        before = len(columns)
        own = self._own_ids(file.key) if file.key in etags else frozenset[str]()
        if file.key in etags:
            self._reread.add(file.key)
        taken: set[str] = set()
        for statement in done.statements:
            mine = statement.external_id in own and statement.external_id not in taken
            if mine or self._ids.add(statement.external_id):
                taken.add(statement.external_id)
                columns.add(file.key, statement)
        kept = len(columns) - before
        broken = done.outcomes.pop(Outcome.BROKEN, 0)
        self._outcomes += done.outcomes
        self._counted.update(
            read=1,
            bytes=file.size,
            records=done.records,
            statements=kept,
            duplicates=len(done.statements) - kept,
            unreadable=broken,
            corrupt=int(done.corrupt),
        )
        return CloudTrailFile(
            key=file.key,
            etag=done.etag,
            size=file.size,
            day=file.day,
            last_modified=file.last_modified,
            read_at=self._now,
            records=done.records,
            statements=kept,
            duplicates=len(done.statements) - kept,
            skipped=sum(done.outcomes.values()),
            broken=broken,
            problem=done.problem,
        )

    def _own_ids(self, key: str) -> frozenset[str]:
        """The statements that an earlier version of a file gave."""
        if self._store.info(STATEMENTS, *self._place) is None:
            return frozenset()
        found = self._store.dataset(STATEMENTS, *self._place).to_table(
            columns=["external_id"], filter=pc.field("file_key") == key
        )
        return frozenset(found.column("external_id").to_pylist())

    def _copy_old(self, files: CellWriter, rows: CellWriter) -> None:
        for batch in self._old_statements():
            rows.write_batch(batch)
        if self._store.info(FILES, *self._place) is None:
            return
        for batch in self._store.batches(FILES, *self._place):
            kept = batch.filter(pc.greater_equal(batch.column("day"), self._oldest.isoformat()))
            if self._reread:
                mask = [key not in self._reread for key in kept.column("key").to_pylist()]
                kept = kept.filter(pa.array(mask, pa.bool_()))
            self._days.update(kept.column("day").unique().to_pylist())
            if kept.num_rows:
                files.write_batch(kept)

    def _gaps(self, first: date) -> list[str]:
        """Days without any log file, from the first that was ever listed (inside the window) to yesterday."""
        day = max(min(first, self._first_known), self._oldest)
        gaps = []
        while day < self._today:
            if day.isoformat() not in self._days:
                gaps.append(day.isoformat())
            day += timedelta(days=1)
        return gaps


def known_layouts(store: Store, account_id: str, region: str) -> tuple[str, ...]:
    """The folders that an earlier sync found to hold the logs, so that the next one need not look for them."""
    info = store.info(FILES, account_id, region)
    return tuple(json.loads(info.extra.get("layouts", "[]"))) if info else ()


def unsent_files(store: Store, account_id: str, region: str, sent_until: datetime | None) -> frozenset[str]:
    """Log files with statements that were read after `sent_until`, the `read_at` of the cell that was sent last."""
    if store.info(FILES, account_id, region) is None:
        return frozenset()
    condition = pc.field("statements") > 0
    if sent_until is not None:
        condition = condition & (pc.field("read_at") > pa.scalar(sent_until, pa.timestamp("us", tz="UTC")))
    table = store.dataset(FILES, account_id, region).to_table(columns=["key"], filter=condition)
    return frozenset(table.column("key").to_pylist())


def statements_of_files(store: Store, account_id: str, region: str, files: frozenset[str]) -> Iterator[pa.RecordBatch]:
    """The statements read from some log files, streamed."""
    if not files or store.info(STATEMENTS, account_id, region) is None:
        return
    wanted = pa.array(sorted(files), pa.string())
    for batch in store.batches(STATEMENTS, account_id, region):
        kept = batch.filter(pc.is_in(batch.column("file_key"), value_set=wanted))
        if kept.num_rows:
            yield kept


__all__ = [
    "LogBytes",
    "LogFile",
    "LogSource",
    "ReadStatus",
    "UsageReport",
    "UsageSettings",
    "known_layouts",
    "read_usage",
    "statements_of_files",
    "unsent_files",
]
