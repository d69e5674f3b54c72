"""What earlier syncs stored of usage: which files and statements still count, and which are read again."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from raito_pipeline.aws.usage.earlier import (
    FILES,
    FIRST_DAY,
    GENERATION,
    LAYOUTS,
    SEARCHED,
    STATEMENTS,
    Earlier,
    known_layouts,
    log_files,
)
from raito_pipeline.model import CloudTrailFile, UsageStatement
from raito_pipeline.storage import ReadStatus, Store
from tests.model.test_schema import example_row

PLACE = ("111122223333", "eu-west-1")
OLDEST = date(2026, 1, 10)


def second(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def log_file(
    key: str, day: str = "2026-01-20", *, etag: str = "e", statements: int = 1, problem: str | None = None
) -> CloudTrailFile:
    return replace(
        example_row(CloudTrailFile, null=True), key=key, day=day, etag=etag, statements=statements, problem=problem
    )


def statement(event: str, key: str, day: str = "2026-01-20") -> UsageStatement:
    return replace(example_row(UsageStatement, null=True), external_id=event, file_key=key, start_time=second(day))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, "run-1", "s1")


def keep(
    store: Store, files: list[CloudTrailFile], statements: list[UsageStatement], *, of_two_runs: bool = False
) -> None:
    store.write(FILES, files, *PLACE, extra={GENERATION: "1", FIRST_DAY: "2025-12-01", SEARCHED: "2026-01-20"})
    store.write(STATEMENTS, statements, *PLACE, extra={GENERATION: "2" if of_two_runs else "1"})


def earlier(store: Store) -> Earlier:
    return Earlier(store, *PLACE, OLDEST)


def ids(batches: object) -> list[str]:
    return [row["external_id"] for batch in batches for row in batch.to_pylist()]  # type: ignore[attr-defined]


def test_where_nothing_was_stored_nothing_is_known(store: Store) -> None:
    known = earlier(store)

    assert known.first_day(date(2026, 1, 1)) == date(2026, 1, 1)
    assert not known.searched_on(date(2026, 1, 20))
    assert (list(known.statements()), list(known.files()), known.waiting_since()) == ([], [], {})
    assert (known.ids_of(["a"]), known.standing(ReadStatus.COMPLETE)) == ({"a": set()}, None)
    assert (known_layouts(store, *PLACE), list(log_files(store, *PLACE))) == ((), [])


def test_what_the_manifest_noted_is_found_again(store: Store) -> None:
    keep(store, [log_file("a")], [])
    store.write(
        FILES, [log_file("a")], *PLACE, extra={FIRST_DAY: "2025-12-01", SEARCHED: "2026-01-20", LAYOUTS: '["o/"]'}
    )

    assert earlier(store).first_day(date(2026, 1, 1)) == date(2025, 12, 1)
    assert earlier(store).searched_on(date(2026, 1, 20))
    assert not earlier(store).searched_on(date(2026, 1, 21))
    assert known_layouts(store, *PLACE) == ("o/",)


def test_what_is_older_than_the_window_counts_no_more(store: Store) -> None:
    keep(store, [log_file("old", "2026-01-09"), log_file("new", "2026-01-10")],
         [statement("1", "old", "2026-01-09"), statement("2", "new", "2026-01-10")])  # fmt: skip

    assert ids(earlier(store).statements()) == ["2"]
    assert [row["key"] for batch in earlier(store).files() for row in batch.to_pylist()] == ["new"]
    assert earlier(store).standing(ReadStatus.COMPLETE) is None, "its old statements have to go"


def test_statements_stand_where_nothing_of_them_changes(store: Store) -> None:
    keep(store, [log_file("a")], [statement("1", "a")])

    assert earlier(store).standing(ReadStatus.COMPLETE) is not None
    assert earlier(store).standing(ReadStatus.PARTIAL) is None, "the status of the manifest is another one now"


def test_statements_of_another_run_count_only_with_a_file_of_the_manifest(store: Store) -> None:
    """A sync that was killed between the two tables wrote statements whose files nobody noted, or the other way."""
    keep(store, [log_file("a")], [statement("1", "a"), statement("2", "unknown")], of_two_runs=True)

    assert ids(earlier(store).statements()) == ["1"]
    assert list(log_files(store, *PLACE)) == [], "nothing is sent before they are of one run"
    assert earlier(store).standing(ReadStatus.COMPLETE) is None


def test_files_that_are_read_again_take_their_statements_along(store: Store) -> None:
    keep(store, [log_file("a"), log_file("b")], [statement("1", "a"), statement("2", "b")])

    assert ids(earlier(store).statements(without=["a"])) == ["2"]
    assert [row["key"] for batch in earlier(store).files(without=["a"]) for row in batch.to_pylist()] == ["b"]
    assert earlier(store).ids_of(["a", "c"]) == {"a": {"1"}, "c": set()}


def test_files_that_wait_or_failed_are_looked_at_again_on_their_day(store: Store) -> None:
    rows = [
        log_file("read"),
        log_file("waits", "2026-01-15", etag=""),
        log_file("broken", "2026-01-16", etag="", problem="x"),
    ]
    keep(store, rows, [])

    assert earlier(store).days_to_look_at(date(2026, 1, 18)) == [date(2026, 1, 15), date(2026, 1, 16)]
    assert earlier(store).days_to_look_at(date(2026, 1, 16)) == [date(2026, 1, 15)], "a listing from then meets it"
    assert set(earlier(store).waiting_since()) == {"waits"}
    assert set(earlier(store).etags(date(2026, 1, 18), [date(2026, 1, 15)])) == {"read", "waits"}


def test_what_is_sent_are_files_with_statements_that_do_not_wait(store: Store) -> None:
    keep(store, [log_file("a"), log_file("empty", statements=0), log_file("waits", etag="")], [statement("1", "a")])

    assert list(log_files(store, *PLACE)) == [("a", "e")]
