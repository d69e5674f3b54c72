"""Previews stay small whatever the rows hold, and lose no column of the key."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.recording.previews import COLUMNS, ROWS, WIDTH, preview, small_table
from raito_pipeline.storage import Store
from tests.model.test_schema import example_row

PLACES = {
    "account": ("111122223333", None),
    "account_region": ("111122223333", "eu-west-1"),
    "organization": ("1", "r"),
}


@pytest.mark.parametrize("table", list(TABLES))
@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_preview_of_any_table_is_small_and_has_its_key(tmp_path: Path, table: str, count: int) -> None:
    spec, store = TABLES[table], Store.open(tmp_path)
    rows: list[Any] = [example_row(spec.row_type, null=False)] * count
    info = store.write(table, rows, *PLACES[spec.partitioned_by])

    shown = preview(store, info)

    assert len(shown.records) == min(count, ROWS)
    names = [column.name for column in shown.schema.columns]
    assert len(names) <= COLUMNS
    assert tuple(names[: len(spec.key)]) == spec.key
    assert len(dg.serialize_value(shown)) < 3_500


def test_values_are_cut_and_stay_what_they_are() -> None:
    kinds = {"text": "string", "count": "int64", "flag": "bool", "nothing": "string", "many": "list"}
    record = {"text": "a\n b" + "x" * 100, "count": 3, "flag": False, "nothing": None, "many": ["u"] * 100}

    (shown,) = small_table([record], kinds, 5).records

    assert shown.data["text"] == "a b" + "x" * (WIDTH - 4) + "…"
    assert (shown.data["count"], shown.data["flag"], shown.data["nothing"]) == (3, False, None)
    assert len(str(shown.data["many"])) == WIDTH


def test_no_more_records_are_asked_for_than_are_shown() -> None:
    def records() -> Any:
        yield {"n": 1}
        yield {"n": 2}
        raise AssertionError("asked for a third one")

    assert len(small_table(records(), {"n": "int64"}, 2).records) == 2
