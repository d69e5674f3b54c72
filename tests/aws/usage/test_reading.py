"""Log files -> tables, again and again: each file once, late and changed ones found, nothing twice, nothing lost."""

import gzip
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from raito_pipeline.aws.usage.earlier import log_files
from raito_pipeline.aws.usage.report import Incomplete
from raito_pipeline.storage import ReadStatus
from tests.aws.usage.logs import ACCOUNT, BUCKET, NOW, REGION, Logs, Usage, event, objects, packed


def status(usage: Usage, table: str) -> tuple[ReadStatus, tuple[str, ...]]:
    info = usage.store.info(table, ACCOUNT, REGION)
    assert info is not None
    return info.status, info.problems


def test_the_first_sync_lists_the_window_and_no_more_than_raito_cloud_lacks(tmp_path: Path) -> None:
    new = Usage(tmp_path / "new")
    new.sync()
    known = Usage(tmp_path / "known", last_used=NOW - timedelta(days=10))
    known.sync()
    old = Usage(tmp_path / "old", last_used=NOW - timedelta(days=400))
    old.sync()
    today = NOW.date()
    assert new.logs.listed == old.logs.listed == [(today - timedelta(days=90), today)]
    assert known.logs.listed == [(today - timedelta(days=12), today)]


def test_usage_of_the_future_hides_none_of_today(tmp_path: Path) -> None:
    usage = Usage(tmp_path, last_used=NOW + timedelta(days=400))
    usage.logs.put("one", event(), day=NOW.date().isoformat())
    assert (usage.sync().new_statements, usage.logs.listed) == (1, [(NOW.date() - timedelta(days=2), NOW.date())])


def test_a_second_sync_lists_the_look_back_opens_nothing_and_leaves_the_statements_alone(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    for number in range(5):
        usage.logs.put(f"f{number}", event(), event())
    first = usage.sync()
    cell = Path(usage.store.uri("usage_statements", ACCOUNT, REGION))
    before, opened = (cell.stat().st_mtime_ns, cell.read_bytes()), list(usage.logs.opened)

    second = usage.sync(days_later=1)

    today = usage.now.date()
    assert usage.logs.listed[1] == (today - timedelta(days=3), today)
    assert usage.logs.opened == opened
    assert (cell.stat().st_mtime_ns, cell.read_bytes()) == before
    assert (first.new_statements, second.new_statements, second.statements) == (10, 0, 10)
    assert len(usage.manifest) == 5


def test_a_late_file_is_found_within_the_look_back(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("on-time", event(eventID="1"))
    usage.sync()
    late = usage.logs.put("late", event(eventID="2"), day="2026-03-18")
    usage.logs.put("too-late", event(eventID="3"), day="2026-03-10")

    usage.sync(days_later=0)

    assert [row.external_id for row in usage.statements] == ["1", "2"]
    assert usage.logs.opened[-1] == late


def test_a_file_that_was_delivered_again_replaces_its_statements(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("stays", event(eventID="0"))
    key = usage.logs.put("changes", event(eventID="1"), event(eventID="2"))
    usage.sync()
    usage.logs.put("changes", event(eventID="2", errorCode="AccessDenied"), event(eventID="3"))

    report = usage.sync()

    assert [(row.external_id, row.success) for row in usage.statements] == [("0", True), ("2", False), ("3", True)]
    assert (report.read, report.duplicates, usage.manifest[key].statements) == (1, 0, 2)


def test_the_same_event_in_two_files_is_one_statement(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("one", event(eventID="1"), event(eventID="1"))
    usage.logs.put("two", event(eventID="1"), event(eventID="2"))
    report = usage.sync()
    usage.logs.put("three", event(eventID="2"))
    again = usage.sync()
    assert (report.new_statements, report.duplicates, again.new_statements, again.duplicates) == (2, 2, 0, 1)
    assert [row.external_id for row in usage.statements] == ["1", "2"]


CORRUPT = {
    "no gzip": b"certainly not",
    "cut off": packed([event()])[:-20],
    "empty": b"",
    "no JSON": gzip.compress(b'{"Records": [{"eventID": "1"'),
    "no records": gzip.compress(b'{"Something": []}'),
    "nested without end": gzip.compress(b'{"Records": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"),
    "not UTF-8 and cut off": gzip.compress(b'{"Records": [{"eventID": "\xff\xfe"'),
}


@pytest.mark.parametrize("case", CORRUPT)
def test_a_corrupt_file_is_told_and_is_tried_again_when_it_changes(tmp_path: Path, case: str) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("good", event(eventID="1"))
    key = usage.logs.put("bad", body=CORRUPT[case])

    report = usage.sync()
    same = usage.sync(days_later=5)

    assert (report.corrupt, report.new_statements, same.read) == (1, 1, 0)
    assert key in str(usage.manifest[key].problem)
    assert [status(usage, table)[0] for table in ("cloudtrail_files", "usage_statements")] == [ReadStatus.PARTIAL] * 2
    usage.logs.put("bad", event(eventID="2"))
    assert usage.sync().new_statements == 1
    assert [row.external_id for row in usage.statements] == ["1", "2"]
    assert status(usage, "cloudtrail_files") == status(usage, "usage_statements") == (ReadStatus.COMPLETE, ())


def test_a_file_that_went_between_the_listing_and_its_reading_is_told(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("good", event(eventID="1"))
    key = usage.logs.put("gone", event(eventID="2"))
    usage.logs.gone.add(key)
    report = usage.sync()
    assert (report.new_statements, len(report.problems)) == (1, 1)
    assert "gone" in str(usage.manifest[key].problem)

    usage.logs.archived = {key: True}  # it is there again, in an archive
    assert usage.sync().problems == ()
    assert usage.manifest[key].etag == "archived"


@pytest.mark.parametrize("listed", [True, False], ids=["as the listing says", "as S3 says when it is asked for"])
def test_a_file_in_an_archive_is_a_note_and_is_read_when_it_is_back(tmp_path: Path, listed: bool) -> None:
    """https://github.com/logstash-plugins/logstash-input-s3/pull/160: lifecycle rules move old logs to Glacier."""
    usage = Usage(tmp_path)
    usage.logs.put("good", event(eventID="1"))
    archived = usage.logs.put("old", event(eventID="2"))
    usage.logs.archived = {archived: listed}
    for _ in range(2):
        report = usage.sync()
        assert (report.statements, report.problems) == (1, ())
        info = usage.store.info("cloudtrail_files", ACCOUNT, REGION)
        assert info is not None
        assert "1 log files are archived" in info.warnings[0]
    assert (archived in usage.logs.opened) is not listed
    assert usage.manifest[archived].etag == "archived"

    usage.logs.archived = {}
    assert usage.sync().statements == 2
    usage.logs.archived = dict.fromkeys(usage.logs.bodies, True)
    assert usage.sync().statements == 2
    assert {row.statements for row in usage.manifest.values()} == {1}


def test_many_files_that_cannot_be_read_are_a_few_lines(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.gone = {usage.logs.put(f"f{number}", event()) for number in range(40)}
    usage.sync()
    _, problems = status(usage, "cloudtrail_files")
    assert len(problems) == 10
    assert problems[-1].endswith(
        "is gone The same for 30 more log files that could not be read: see the column problem."
    )
    assert all(row.problem for row in usage.manifest.values())


def test_a_day_without_any_file_is_a_gap_and_not_no_usage(tmp_path: Path) -> None:
    usage = Usage(tmp_path, last_used=NOW - timedelta(days=3))
    for day in ("2026-03-15", "2026-03-16", "2026-03-19"):
        usage.logs.put("one", event(), day=day)
    report = usage.sync()
    assert report.gaps == ("2026-03-17", "2026-03-18")
    usage.logs.put("late", event(), day="2026-03-18")
    assert usage.sync(days_later=1).gaps == ("2026-03-17", "2026-03-20")


def test_what_is_older_than_the_window_goes(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("old", event(eventID="1", eventTime="2025-12-25T00:00:00Z"), day="2025-12-25")
    usage.logs.put("new", event(eventID="2"))
    usage.sync()
    assert [row.external_id for row in usage.statements] == ["1", "2"]

    usage.sync(days_later=30)

    assert [row.external_id for row in usage.statements] == ["2"]
    assert [row.day for row in usage.manifest.values()] == ["2026-03-19"]


EVERYTHING = Incomplete(whole=True)
OTHER_BUCKET = event(None, requestParameters={"bucketName": "other", "key": "x"}, resources=[])
WAITS: dict[str, tuple[Incomplete, dict[str, Any], bool]] = {
    "all was read": (Incomplete(), event("a/new.csv"), False),
    "all was read, and the bucket is foreign": (Incomplete(), OTHER_BUCKET, False),
    "a known file": (EVERYTHING, event("a/b/c.csv"), False),
    "a folder, perhaps in place of a file": (EVERYTHING, event("a/new.csv"), True),
    "a bucket, perhaps in place of a file": (EVERYTHING, event("new.csv"), True),
    "a bucket that is not known": (EVERYTHING, OTHER_BUCKET, True),
    "a folder of an unread bucket": (Incomplete(frozenset({BUCKET})), event("a/new.csv"), True),
    "a known file of an unread bucket": (Incomplete(frozenset({BUCKET})), event("a/b/c.csv"), False),
    "a folder, and another bucket is unread": (Incomplete(frozenset({f"{BUCKET}-2"})), event("a/new.csv"), False),
    "an unread bucket, and the bucket is foreign": (Incomplete(frozenset({BUCKET})), OTHER_BUCKET, False),
}
"""What may be missing, an event, and whether its file waits."""


@pytest.mark.parametrize("case", WAITS)
def test_a_file_waits_where_what_it_is_on_may_not_be_known(tmp_path: Path, case: str) -> None:
    incomplete, record, waits = WAITS[case]
    usage = Usage(tmp_path, incomplete=incomplete)
    key = usage.logs.put("one", record)

    report = usage.sync()

    assert (report.waiting, usage.manifest[key].etag == "") == (int(waits), waits)
    assert (status(usage, "cloudtrail_files")[0] is ReadStatus.PARTIAL) == waits
    # Raito Cloud keeps the first statement on an event, so that of a file that waits is not sent.
    sent = dict(log_files(usage.store, ACCOUNT, REGION))
    assert set(sent) == (set() if waits or not usage.statements else {key})


def test_a_file_that_waited_is_read_again_and_then_sent_as_if_it_never_had(tmp_path: Path) -> None:
    usage = Usage(tmp_path / "waited", incomplete=EVERYTHING)
    key = usage.logs.put("one", event("a/new.csv", eventID="1"), event(eventID="2"))
    usage.sync()
    usage.known, usage.incomplete = objects("a/", "a/b/", "a/b/c.csv", "a/new.csv"), Incomplete()

    usage.sync(days_later=20)

    assert usage.logs.opened.count(key) == 2
    clean = Usage(tmp_path / "clean", logs=usage.logs, known=usage.known)
    clean.sync(days_later=20)
    assert usage.statements == clean.statements
    assert [*log_files(usage.store, ACCOUNT, REGION)] == [*log_files(clean.store, ACCOUNT, REGION)]
    assert status(usage, "cloudtrail_files") == status(usage, "usage_statements") == (ReadStatus.COMPLETE, ())


def test_a_file_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A bucket that stays denied keeps its usage back for two days, and then what is known counts."""
    usage = Usage(tmp_path, incomplete=Incomplete(frozenset({BUCKET})))
    key = usage.logs.put("one", event("a/new.csv"))
    assert [usage.sync(days_later=day).waiting for day in (0, 1, 1, 1)] == [1, 1, 0, 0]
    assert usage.logs.opened.count(key) == 3
    assert [file for file, _ in log_files(usage.store, ACCOUNT, REGION)] == [key]


def test_many_files_that_waited_are_read_again_together(tmp_path: Path) -> None:
    """Each gave one statement at once, and gives another when its second data object is known."""
    usage = Usage(tmp_path, known=objects(), incomplete=EVERYTHING)
    other = {"bucketName": "other", "key": "x"}
    for number in range(30):
        hidden = event(None, eventID=f"{number}-b", requestParameters=other, resources=[])
        usage.logs.put(f"{number:02d}", event(eventID=f"{number}-a"), hidden)
    assert (usage.sync().waiting, len(usage.statements)) == (30, 30)
    usage.known.add([BUCKET.replace(":data", ":other")], ["bucket"])
    usage.incomplete = Incomplete()
    report = usage.sync()
    assert (report.read, report.duplicates, len(usage.statements)) == (30, 0, 60)
    assert [row.statements for row in usage.manifest.values()] == [2] * 30
    assert pq.ParquetFile(usage.store.uri("usage_statements", ACCOUNT, REGION)).num_row_groups == 1
    assert (usage.sync().read, len(usage.statements)) == (0, 60)


def test_many_syncs_of_growing_logs_give_what_one_sync_of_all_gives(tmp_path: Path) -> None:
    """Files come late, twice and changed, in any order: the end is the same."""
    chance = random.Random(5)
    usage = Usage(tmp_path / "many", now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    events = [event(eventID=f"{n:03d}", eventTime="2026-03-01T00:00:00Z") for n in range(120)]
    for day in range(1, 13):
        for number in range(3):
            late = chance.choice([0, 0, 1])
            when = datetime(2026, 3, day, tzinfo=UTC) - timedelta(days=late)
            usage.logs.put(f"{number}-{late}", *chance.sample(events, 6), day=when.strftime("%Y-%m-%d"))
        usage.sync(days_later=int(day > 1))
    whole = Usage(tmp_path / "one", logs=usage.logs, now=usage.now)
    whole.sync()
    assert {row.external_id for row in usage.statements} == {row.external_id for row in whole.statements}
    assert usage.manifest.keys() == whole.manifest.keys()
    assert {key: row.etag for key, row in usage.manifest.items()} == {
        key: row.etag for key, row in whole.manifest.items()
    }


@pytest.mark.parametrize("how", ["corrupt", "gone"])
def test_a_known_file_that_cannot_be_read_again_keeps_what_it_gave(tmp_path: Path, how: str) -> None:
    usage = Usage(tmp_path)
    key = usage.logs.put("one", event(eventID="1"), event(eventID="2"))
    usage.sync()
    before = usage.statements
    usage.logs.put("one", body=b"not what it was")
    usage.logs.gone = {key} if how == "gone" else set()

    usage.sync()

    assert usage.statements == before
    assert (usage.manifest[key].statements, bool(usage.manifest[key].problem)) == (2, True)
    usage.logs.gone = set()
    usage.logs.put("one", event(eventID="2", errorCode="AccessDenied"), event(eventID="3"))
    usage.sync(days_later=7)
    assert [(row.external_id, row.success) for row in usage.statements] == [("2", False), ("3", True)]
    assert usage.manifest[key].problem is None


ORGANIZATION = "AWSLogs/o-abcde12345/"


def test_a_trail_that_moved_is_followed_and_its_new_folder_read_from_the_first_day(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("old", event(eventID="1"), day="2026-03-18")
    usage.sync()
    # Written long before it was looked for: the window of the second sync begins two days before the first.
    usage.logs.put("early", event(eventID="2"), day="2026-03-10", layout=ORGANIZATION)
    usage.logs.put("new", event(eventID="1"), event(eventID="3"), day="2026-03-21", layout=ORGANIZATION)

    second = usage.sync(days_later=2)
    third = usage.sync(days_later=1)

    assert (second.new_statements, second.duplicates, third.read) == (2, 1, 0)
    assert [row.external_id for row in usage.statements] == ["1", "2", "3"]
    assert usage.logs.layouts() == ("AWSLogs/", ORGANIZATION)


def test_the_whole_bucket_is_searched_once_a_day_and_near_known_folders_when_they_gave_nothing(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("one", event())
    usage.sync()
    usage.sync()
    usage.logs.put("two", event())
    usage.sync()
    usage.sync(days_later=1)
    assert usage.logs.searches == [True, False, True]


def test_no_folder_at_all_is_one_problem_until_there_is_one(tmp_path: Path) -> None:
    usage = Usage(tmp_path, logs=Logs(known=()))
    first = usage.sync()
    assert (first.gaps, len(first.problems)) == ((), 1)
    assert "places that were tried" in first.problems[0]
    assert [status(usage, table)[0] for table in ("cloudtrail_files", "usage_statements")] == [ReadStatus.PARTIAL] * 2

    usage.logs.put("one", event(eventID="1"), day="2026-01-05")
    second = usage.sync()

    assert (second.new_statements, second.problems) == (1, ())
    assert status(usage, "cloudtrail_files") == status(usage, "usage_statements") == (ReadStatus.COMPLETE, ())


def test_a_region_without_any_file_is_a_note(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    report = usage.sync()
    info = usage.store.info("cloudtrail_files", ACCOUNT, REGION)
    assert info is not None
    assert (report.problems, info.status) == ((), ReadStatus.COMPLETE)
    assert [f"no CloudTrail log file of {ACCOUNT}/{REGION} in AWSLogs/ since 2025-12-20"] == list(info.warnings)
    usage.logs.put("one", event())
    usage.sync()
    info = usage.store.info("cloudtrail_files", ACCOUNT, REGION)
    assert info is not None
    assert info.warnings == ()
