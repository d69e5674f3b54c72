"""What every reader of AWS gives back: the rows, how complete they are, and since when they hold.

Also the two small things that readers share: how they report progress, and how they ask many things at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsError, AwsOptedOut, grouped
from raito_pipeline.model import Tag
from raito_pipeline.storage.cells import ReadStatus

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int | None], None]
"""Called as (what, done, total); the total is null where it is not known yet. It may be called by any thread."""


def no_progress(_what: str, _done: int, _total: int | None) -> None:
    """The progress of those who do not ask."""


@dataclass(frozen=True, slots=True)
class UnreadElement:
    """One element of a listing of which something could not be read: the tags of a bucket, the policy of a role.

    `what` is of all such elements, in the plural (`tags of buckets`), `element` names this one, `error` says why, and
    `kept` whether the read gives what the previous sync stored of it. A listing itself is no element: where it fails,
    its `AwsError` leaves the reader.
    """

    what: str
    element: str
    error: AwsError
    kept: bool = False


_GIVEN = (
    ReadStatus.COMPLETE,
    ReadStatus.PARTIAL,
    ReadStatus.OUT_OF_SCOPE,
    ReadStatus.OPTED_OUT,
    ReadStatus.DENIED,
)
_WITHOUT_ROWS = (ReadStatus.OUT_OF_SCOPE, ReadStatus.OPTED_OUT, ReadStatus.DENIED)


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """Rows read from AWS, and what is known about the reading.

    `status` says whether something is missing, `problems` what and why, one line each; `missing` counts the elements
    that the problems are about. `read_at` is when the reading began: what changed in AWS after it may be missing.

    A read cannot say "nothing" for "not known": without rows it is complete, or out of scope, or of a region that is
    not enabled, or refused (optional tables alone: `CellLog.store_read` sees to it), or names the elements that are
    missing. Raises `ValueError` for anything else.
    """

    rows: tuple[T, ...]
    status: ReadStatus
    problems: tuple[str, ...]
    read_at: datetime
    missing: int = 0

    def __post_init__(self) -> None:
        if self.status not in _GIVEN:
            raise ValueError(f"a read that is {self.status.value} gives no rows: let the error leave the reader")
        says_why = self.status in (ReadStatus.PARTIAL, ReadStatus.DENIED)
        if says_why != bool(self.problems) and self.status is not ReadStatus.OPTED_OUT:
            raise ValueError(f"a read that is {self.status.value} has {len(self.problems)} problems")
        if self.rows and self.status in _WITHOUT_ROWS:
            raise ValueError(f"a read that is {self.status.value} has rows")
        if self.status is ReadStatus.PARTIAL and not self.rows and not self.missing:
            raise ValueError("a partial read without rows: let the error of the listing leave the reader")

    @classmethod
    def complete(cls, rows: Iterable[T], read_at: datetime) -> "Read[T]":
        """A read that misses nothing."""
        return cls(tuple(rows), ReadStatus.COMPLETE, (), read_at)

    @classmethod
    def out_of_scope(cls, read_at: datetime) -> "Read[T]":
        """A read that the options make unnecessary; it made no call."""
        return cls((), ReadStatus.OUT_OF_SCOPE, (), read_at)

    @classmethod
    def opted_out(cls, error: AwsOptedOut, read_at: datetime) -> "Read[T]":
        """A read of a region that the account has not enabled."""
        return cls((), ReadStatus.OPTED_OUT, (str(error),), read_at)

    @classmethod
    def denied(cls, reason: str, read_at: datetime) -> "Read[T]":
        """A read of an optional table that AWS refused, and which the previous sync knew nothing of either."""
        return cls((), ReadStatus.DENIED, (reason,), read_at)

    def without(self, unread: Iterable[UnreadElement], unusable: Iterable[str] = ()) -> "Read[T]":
        """The same rows, partial where elements were not read.

        `unusable` are elements that were read and that nothing can be made of (a user without a name), a line each.
        """
        elements, lines = tuple(unread), tuple(unusable)
        if not elements and not lines:
            return self
        problems = (*self.problems, *_lines(elements), *lines)
        missing = self.missing + len(elements) + len(lines)
        return replace(self, status=ReadStatus.PARTIAL, problems=problems, missing=missing)


def _lines(unread: Iterable[UnreadElement]) -> tuple[str, ...]:
    """One line for each kind of failure, however many elements share it."""
    kinds: dict[tuple[str, bool], list[AwsError]] = {}
    for one in unread:
        kinds.setdefault((one.what, one.kept), []).append(one.error)
    return tuple(
        f"{what} were not read{', so they are as the previous sync stored them' if kept else ''}: {line}"
        for (what, kept), errors in kinds.items()
        for line in grouped(errors)
    )


def once_each(rows: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """The rows in order; what two pages both gave, because AWS changed between them, once, as the later one has it."""
    return sorted({key(row): row for row in rows}.values(), key=key)


def element_error(error: AwsError) -> AwsError:
    """An error that leaves one element unread. Raises it where it would meet every other element, too.

    Credentials that have ended, and a region that is not enabled, are no matter of one element.
    """
    if isinstance(error, (AwsCredentialsInvalid, AwsOptedOut)):
        raise error
    return error


def bucket_error(error: AwsError) -> AwsError:
    """The same for an error about one bucket of all regions: that its own is not enabled is no matter of the others."""
    if isinstance(error, AwsCredentialsInvalid):
        raise error
    return error


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
    """Tags as AWS answers them (`[{"Key": ..., "Value": ...}]`), sorted by key, each once."""
    return tuple(sorted({Tag(tag["Key"], tag.get("Value") or "") for tag in answered or () if tag}))
