"""What a cell says of itself, and the notes beside it, each of which counts for one file only."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from raito_pipeline.storage.cells import (
    CellInfo,
    CellMissing,
    CellUnusable,
    ReadStatus,
    damage_of,
    from_metadata,
    to_confirmation,
    to_damage_note,
    to_metadata,
    with_confirmation,
)

READ_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = READ_AT + timedelta(days=1)


def metadata(**changes: Any) -> dict[bytes, bytes]:
    values: dict[str, Any] = {
        "run_id": "run-1",
        "sync": "s1",
        "file_id": "f1",
        "rows": 3,
        "schema": "v1",
        "content": "c1",
    }
    values |= changes
    written = to_metadata(ReadStatus.PARTIAL, ("a, b", 'c "d"'), READ_AT, {"warnings": '["w"]'}, **values)
    return {key.encode(): value.encode() for key, value in written.items()} | {b"ARROW:schema": b"x"}


def info(raw: dict[bytes, bytes], rows: int = 3) -> CellInfo:
    return from_metadata(raw, table="t", account="1", region="eu", uri="/x", rows=rows, size=9)


def test_what_was_written_is_read_back() -> None:
    found = info(metadata())

    assert found == CellInfo(
        "t",
        "1",
        "eu",
        "/x",
        ReadStatus.PARTIAL,
        ("a, b", 'c "d"'),
        READ_AT,
        3,
        9,
        "run-1",
        {"warnings": '["w"]'},
        "s1",
        "f1",
        "v1",
        "c1",
    )
    assert (found.label, found.warnings, found.replaces, found.complete) == ("t 1/eu", ("w",), None, False)


def test_times_are_kept_in_utc() -> None:
    east = READ_AT.astimezone(timezone(timedelta(hours=5)))
    written = to_metadata(
        ReadStatus.COMPLETE, (), east, {}, run_id="", sync="", file_id="", rows=0, schema="", content=""
    )

    assert written["raito_pipeline.read_at"] == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("status", "complete"), [(each, each in (ReadStatus.COMPLETE, ReadStatus.OUT_OF_SCOPE)) for each in ReadStatus]
)
def test_only_what_misses_nothing_is_complete(status: ReadStatus, complete: bool) -> None:
    assert replace(info(metadata()), status=status).complete is complete


@pytest.mark.parametrize(
    "key", ["status", "problems", "read_at", "run_id", "sync", "file_id", "rows", "extra", "schema"]
)
def test_a_value_that_is_not_as_it_was_written_is_noticed(key: str) -> None:
    raw = metadata()
    raw[f"raito_pipeline.{key}".encode()] += b" "

    with pytest.raises(ValueError, match="not as it was written"):
        info(raw)


def test_another_number_of_rows_is_noticed_and_a_file_of_somebody_else_is_none() -> None:
    with pytest.raises(ValueError, match="not as it was written"):
        info(metadata(), rows=2)
    with pytest.raises(KeyError):
        info({b"ARROW:schema": b"x"})


def test_a_file_of_a_version_without_ids_and_digest_is_read() -> None:
    raw = {
        key: value
        for key, value in metadata().items()
        if key.rpartition(b".")[2] not in (b"digest", b"sync", b"file_id", b"schema", b"content")
    }

    assert (info(raw).sync, info(raw).file_id, info(raw).run_id) == ("", "", "run-1")
    assert (info(raw).schema, info(raw).content) == ("", "")


def test_a_confirmation_makes_the_file_one_of_the_later_sync() -> None:
    written = info(metadata())
    confirmed = with_confirmation(written, to_confirmation(written, "s2", "run-2", LATER))

    assert confirmed == replace(written, sync="s2", run_id="run-2", read_at=LATER)


@pytest.mark.parametrize(
    "sidecar",
    [
        to_confirmation(replace(info(metadata()), file_id="f0"), "s2", "run-2", LATER),  # of the file before
        b"",
        b"[]",
        b"{",
        json.dumps({"confirms": {"file_id": "f1", "run_id": "run-1", "read_at": READ_AT.isoformat()}}).encode(),
    ],
)
def test_what_confirms_another_file_or_is_damaged_confirms_nothing(sidecar: bytes) -> None:
    written = info(metadata())

    assert with_confirmation(written, sidecar) == written


def test_a_note_of_damage_is_of_one_file() -> None:
    written = info(metadata())
    note = to_damage_note(written, "its rows are damaged")

    assert damage_of(written, note) == "its rows are damaged"
    assert damage_of(replace(written, file_id="f2"), note) is None
    assert damage_of(written, b"no JSON") is None


def test_a_cell_that_cannot_be_used_is_one_that_is_missing_and_says_what_to_do() -> None:
    error = CellUnusable("t", "1", None, "/x", "its footer is damaged")

    assert isinstance(error, CellMissing)
    assert "t of 1 cannot be used (/x): its footer is damaged." in str(error)
    assert "materialize t for this partition first" in str(CellMissing("t", "1", "eu", "/x"))
