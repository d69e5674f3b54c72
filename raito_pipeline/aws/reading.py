"""What every reader of AWS gives back: the rows, how complete they are, and since when they hold.

Also the two small things that readers share: how they report progress, and how they ask many things at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from raito_pipeline.model import Tag
from raito_pipeline.storage.cells import ReadStatus

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int | None], None]
"""Called as (what, done, total); the total is null where it is not known yet. It may be called by any thread."""


def no_progress(_what: str, _done: int, _total: int | None) -> None:
    """The progress of those who do not ask."""


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """Rows read from AWS, and what is known about the reading.

    `status` says whether something is missing, `problems` what and why, one line each. `read_at` is when the
    reading began: what changed in AWS after it may be missing. `warnings` tell what could not be read without making
    the read incomplete: the tags of buckets, which only describe them.
    """

    rows: tuple[T, ...]
    status: ReadStatus
    problems: tuple[str, ...]
    read_at: datetime
    warnings: tuple[str, ...] = ()

    @classmethod
    def complete(cls, rows: Iterable[T], read_at: datetime) -> "Read[T]":
        """A read that misses nothing."""
        return cls(tuple(rows), ReadStatus.COMPLETE, (), read_at)

    @classmethod
    def out_of_scope(cls, read_at: datetime) -> "Read[T]":
        """A read that the options make unnecessary; it made no call."""
        return cls((), ReadStatus.OUT_OF_SCOPE, (), read_at)

    def with_problems(self, problems: Iterable[str]) -> "Read[T]":
        """The same rows, partial where there are problems."""
        found = (*self.problems, *problems)
        return replace(self, problems=found, status=ReadStatus.PARTIAL) if found else self


def now() -> datetime:
    """The time at which a read begins, in UTC."""
    return datetime.now(UTC)


class Workers:
    """Threads that ask AWS many things at once; the first error ends the whole read and is raised."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def start(self, work: Callable[[], R]) -> "Future[R]":
        """Begin one piece of work."""
        return self._pool.submit(work)

    def each(
        self, work: Callable[[T], R], items: Iterable[T], what: str = "", progress: Progress = no_progress
    ) -> list[R]:
        """Do `work` for every item; the results come in the order of the items.

        Raises what an item raised as soon as it did, after dropping the work that has not begun.
        """
        futures = [self._pool.submit(work, item) for item in items]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                progress(what, done, len(futures))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]


@contextmanager
def workers(concurrency: int) -> Iterator[Workers]:
    """Up to `concurrency` threads for the time of a read. What has not begun when it fails is not begun any more."""
    pool = ThreadPoolExecutor(max_workers=max(concurrency, 1), thread_name_prefix="aws")
    try:
        yield Workers(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def tags_of(answered: Iterable[Mapping[str, Any]] | None) -> tuple[Tag, ...]:
    """Tags as AWS answers them (`[{"Key": ..., "Value": ...}]`), sorted by key."""
    return tuple(sorted(Tag(tag["Key"], tag.get("Value") or "") for tag in answered or ()))
