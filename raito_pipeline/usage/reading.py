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

from raito_pipeline.model import CloudTrailFile
from raito_pipeline.model.batches import texts
from raito_pipeline.storage import CellWriter, Store
from raito_pipeline.usage.earlier import FILES, FIRST_DAY, GENERATION, LAYOUTS, STATEMENTS, Earlier
from raito_pipeline.usage.known import KnownObjects
from raito_pipeline.usage.records import FileCorrupt, decode, unpack
from raito_pipeline.usage.report import UsageReport, UsageSettings
from raito_pipeline.usage.seen import HashSet
from raito_pipeline.usage.sources import LogBytes, LogFile, LogSource
from raito_pipeline.usage.statements import Outcome, Statement, StatementColumns, StatementMaker

Window = tuple[date, date]
Progress = Callable[[str, int, int | None], None]
_BATCH_ROWS = 16_384
_MOST_PACKED_BYTES = 32 * 1024 * 1024


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
        self._settings, self._now, self._progress = settings, now, progress
        self._maker = StatementMaker(known, settings.statements)
        self._today = now.date()
        self._oldest = self._today - timedelta(days=settings.window_days)
        self._counted: Counter[str] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        self._reread: set[str] = set()
        self._replaced: set[str] = set()
        self._earlier = Earlier(store, account_id, region, self._oldest)
        self._days: set[str] = set()

    def run(self, usage_last_used: datetime | None) -> UsageReport:
        first = self._oldest
        if usage_last_used is not None:
            first = max(first, usage_last_used.astimezone(UTC).date() - timedelta(days=self._settings.look_back_days))
        self._first_known = self._earlier.first_day(first)
        days = self._earlier.days_to_look_at(first)
        etags = self._earlier.etags(first, days)
        # The inner cell is published first.
        with self._store.writer(FILES, *self._place) as files, ExitStack() as inner:
            rows = _Rows(self._store, self._place, inner)
            files.read_at = self._now
            self._read_new(etags, [*((day, day) for day in days), (first, self._today)], files, rows)
            self._copy_manifest(files)
            if self._counted["waiting"]:
                files.add_problem(
                    f"{self._counted['waiting']} log files name data objects that are not known, and the data objects "
                    "of this region were not read whole: these files are read again by the next sync"
                )
            gaps = self._gaps(first)
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
            broken=self._outcomes[Outcome.BROKEN] + self._counted["unreadable"],
            skipped=tuple(sorted((k.value, n) for k, n in self._outcomes.items() if k is not Outcome.BROKEN)),
            corrupt=self._counted["corrupt"],
            waiting=self._counted["waiting"],
            gaps=tuple(gaps),
            first_day=first.isoformat(),
            problems=tuple(files.problems),
        )

    def _read_new(self, etags: dict[str, str], windows: Sequence[Window], files: CellWriter, rows: _Rows) -> None:
        columns = StatementColumns()
        done_rows: list[CloudTrailFile] = []
        for done in self._in_order(self._to_read(etags, windows)):
            row = self._account(done, etags, columns)
            done_rows.append(row)
            if done.problem:
                files.add_problem(done.problem)
            if len(columns) >= _BATCH_ROWS:
                rows.writer.write_batch(columns.take())
            if len(done_rows) >= _BATCH_ROWS:
                files.write_rows(done_rows)
                done_rows = []
            self._progress("log files", self._counted["read"], None)
        if len(columns):
            rows.writer.write_batch(columns.take())
        files.write_rows(done_rows)

    def _to_read(self, etags: dict[str, str], windows: Sequence[Window]) -> Iterator[LogFile]:
        for file in (file for window in windows for file in self._source.files(*window)):
            self._counted["listed"] += 1
            self._days.add(file.day)
            if etags.get(file.key) != file.etag:
                yield file

    def _in_order(self, files: Iterator[LogFile]) -> Iterator[_Done]:
        """Fetch files at the same time, a bounded number and size of them, and give them in their order.

        Only fetching is shared by threads: the rest holds the interpreter's lock, and threads that wait for it cost.
        """
        at_once = max(self._settings.concurrency, 1)
        running: deque[tuple[LogFile, Future[LogBytes]]] = deque()
        size = 0
        with ThreadPoolExecutor(at_once, thread_name_prefix="cloudtrail") as pool:
            for file in files:
                while running and (len(running) >= 2 * at_once or size + file.size > _MOST_PACKED_BYTES):
                    oldest, future = running.popleft()
                    size -= oldest.size
                    yield self._shape(oldest, future.result())
                running.append((file, pool.submit(self._source.fetch, file.key)))
                size += file.size
            for oldest, future in running:
                yield self._shape(oldest, future.result())

    def _shape(self, file: LogFile, got: LogBytes) -> _Done:
        if got.problem:
            return _Done(file, "gone" if got.gone else "", problem=got.problem)
        done = _Done(file, got.etag)
        try:
            records, unreadable = decode(unpack(got.packed))
        except FileCorrupt as error:
            done.problem, done.corrupt = f"log file {file.key}: {error}; it is read again when it changes", True
            return done
        done.records = len(records) + unreadable
        done.outcomes[Outcome.BROKEN] += unreadable
        made = list(map(self._maker.make, records))
        done.statements = [each for each in made if type(each) is Statement]
        if len(done.statements) < len(made):
            done.outcomes.update(each for each in made if type(each) is Outcome)
        return done

    @cached_property
    def _ids(self) -> HashSet:
        """The event ids of all statements; those of earlier syncs are not read before there is a new file."""
        known = HashSet()
        for batch in self._earlier.statements():
            known.add_all(texts(batch, "external_id"))
        return known

    def _account(self, done: _Done, etags: dict[str, str], columns: StatementColumns) -> CloudTrailFile:
        """Note what came of a file, leave out statements that are known already, and make its row."""
        file = done.file
        kept = self._new_of(done, etags)
        columns.add(file.key, kept)
        # What a version that could be read gave stays true when the next one cannot be read.
        stays = len(self._earlier.ids_of(file.key)) if done.problem and file.key in etags else 0
        waits = self._settings.objects_missing and done.outcomes[Outcome.UNKNOWN_OBJECT] > 0
        broken = done.outcomes.pop(Outcome.BROKEN, 0)
        self._outcomes += done.outcomes
        self._counted.update(
            read=1,
            bytes=file.size,
            records=done.records,
            statements=len(kept),
            duplicates=len(done.statements) - len(kept),
            unreadable=broken,
            corrupt=int(done.corrupt),
            waiting=int(waits),
        )
        return CloudTrailFile(
            key=file.key,
            etag="" if waits else done.etag,
            size=file.size,
            day=file.day,
            last_modified=file.last_modified,
            read_at=self._now,
            records=done.records,
            statements=len(kept) + stays,
            duplicates=len(done.statements) - len(kept),
            skipped=sum(done.outcomes.values()),
            broken=broken,
            problem=done.problem,
        )

    def _new_of(self, done: _Done, etags: dict[str, str]) -> list[Statement]:
        """The statements of a file less those that another file, or the file itself, gave already."""
        key, statements = done.file.key, done.statements
        if key not in etags:
            fresh = self._ids.add([statement.external_id for statement in statements])
            return list(compress(statements, fresh))
        self._reread.add(key)
        if done.problem:
            return []
        # What an earlier version of the file gave is known, and is still to be written.
        self._replaced.add(key)
        own = self._earlier.ids_of(key)
        once = {statement.external_id: statement for statement in reversed(statements)}
        others = [external_id for external_id in once if external_id not in own]
        fresh_ids = set(compress(others, self._ids.add(others)))
        return [
            s for s in statements if (s.external_id in own or s.external_id in fresh_ids) and once[s.external_id] is s
        ]

    def _copy_manifest(self, files: CellWriter) -> None:
        unread = 0
        for batch in self._earlier.files(without=self._reread):
            self._days.update(texts(batch, "day"))
            unread += batch.num_rows - batch.column("problem").null_count
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

    def _gaps(self, first: date) -> list[str]:
        """Days without any log file, from the first that was ever listed (inside the window) to yesterday."""
        day = max(min(first, self._first_known), self._oldest)
        gaps = []
        while day < self._today:
            if day.isoformat() not in self._days:
                gaps.append(day.isoformat())
            day += timedelta(days=1)
        return gaps
