"""What tells one import from another, and when the last one stands for the next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.upload.unchanged import SENT, fingerprint, last_alike, not_sent_again
from raito_pipeline.raito.files.writer import ImportFile, write_json_array
from raito_pipeline.storage import Store
from tests.model.test_schema import example_row

TABLE, PLACE, NOW = "data_source_import", ("111122223333", None), datetime(2026, 5, 1, 12, tzinfo=UTC)
ROW: ImportResult = replace(
    example_row(ImportResult, null=False), status="COMPLETED", failed=0, finished_at=NOW - timedelta(hours=3)
)


def file(folder: Path, *elements: str) -> ImportFile:
    return write_json_array(folder / "elements.json", ({"name": element} for element in elements))


def test_the_same_elements_in_another_order_are_the_same_import(tmp_path: Path) -> None:
    one = fingerprint([file(tmp_path, "a", "b", "c")], ["source", True])
    assert fingerprint([file(tmp_path, "c", "a", "b")], ["source", True]) == one


@pytest.mark.parametrize("elements", [(), ("a",), ("a", "b", "b"), ("a", "b", "c"), ("a", "ab")])
def test_other_elements_are_another_import(tmp_path: Path, elements: tuple[str, ...]) -> None:
    one = fingerprint([file(tmp_path, "a", "b")], ["source", True])
    assert fingerprint([file(tmp_path, *elements)], ["source", True]) != one


def test_other_settings_and_elements_in_another_file_are_another_import(tmp_path: Path) -> None:
    users, groups = file(tmp_path, "a"), write_json_array(tmp_path / "other.json", [])
    one = fingerprint([users, groups], ["store", True])
    assert fingerprint([users, groups], ["store", False]) != one
    assert fingerprint([users, groups], ["another", True]) != one
    assert fingerprint([groups, users], ["store", True]) != one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "data"))


def alike(store: Store, row: ImportResult, sent: str = "f", hours: int = 4) -> ImportResult | None:
    store.write(TABLE, [row], *PLACE, extra={SENT: sent})
    return last_alike(store, TABLE, PLACE, "f", hours, NOW)


def test_the_last_import_stands_for_the_next_while_it_is_young_enough(store: Store) -> None:
    assert last_alike(store, TABLE, PLACE, "f", 4, NOW) is None
    assert alike(store, ROW) == ROW
    assert alike(store, ROW, hours=3) is None
    assert alike(store, ROW, hours=0) is None


@pytest.mark.parametrize("change", [{"status": "FAILED"}, {"status": "SKIPPED"}, {"failed": 1}])
def test_what_was_not_taken_over_whole_is_sent_again(store: Store, change: dict[str, Any]) -> None:
    assert alike(store, replace(ROW, **change)) is None


def test_what_was_sent_otherwise_is_sent_again(store: Store) -> None:
    assert alike(store, ROW, sent="g") is None
    assert alike(store, ROW, sent="") is None


def test_what_is_not_sent_keeps_the_time_of_what_was(store: Store) -> None:
    row = not_sent_again(ROW, "job-2")
    assert (row.job_id, row.bytes, row.added, row.removed, row.finished_at) == ("job-2", 0, 0, 0, ROW.finished_at)
    assert "2026-05-01 09:00 UTC" in (row.reason or "")
    assert alike(store, row) == row
