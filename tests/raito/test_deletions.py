"""The brake: what an import would remove is counted by what the imports before it left in Raito Cloud."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from raito_pipeline.model import ImportResult
from raito_pipeline.raito.deletions import (
    Elements,
    HeldElements,
    disagreement,
    held_by_raito_cloud,
    remember,
    remember_lost,
    too_many,
    unread,
)
from raito_pipeline.storage import Store
from tests.model.test_schema import example_row

ACCOUNT, TABLE = "111122223333", "data_source_import"


def numbered(first: int, last: int) -> Elements:
    return Elements.of({"data object": [[f"object-{n}" for n in range(first, last)]]})


NOTHING = Elements.of({})
CASES: dict[str, tuple[Elements, Elements, Elements, float, str | None]] = {
    "nothing goes": (numbered(0, 100), numbered(0, 200), NOTHING, 0.5, None),
    "everything goes": (numbered(0, 1000), NOTHING, NOTHING, 0.5, "1,000 of the 1,000 data objects"),
    "half goes": (numbered(0, 100), numbered(50, 100), NOTHING, 0.5, None),
    "more than half goes": (numbered(0, 100), numbered(51, 100), NOTHING, 0.5, "51 of the 100 data objects"),
    "as many come as go": (numbered(0, 100), numbered(90, 190), NOTHING, 0.5, "90 of the 100 data objects"),
    "a handful goes": (numbered(0, 10), NOTHING, NOTHING, 0.5, None),
    "one more than a handful": (numbered(0, 11), NOTHING, NOTHING, 0.5, "11 of the 11 data objects"),
    "everything may go": (numbered(0, 100), NOTHING, NOTHING, 1.0, None),
    "nothing may go": (numbered(0, 100), numbered(11, 100), NOTHING, 0.0, "11 of the 100 data objects"),
    "a handful always may": (numbered(0, 100), numbered(10, 100), NOTHING, 0.0, None),
    "what is meant to go does not count": (numbered(0, 100), numbered(90, 100), numbered(0, 90), 0.5, None),
    "what is left counts by itself": (numbered(0, 100), numbered(90, 100), numbered(0, 50), 0.5, "40 of the 50"),
    "another kind": (Elements.of({"group": [[str(n) for n in range(20)]]}), numbered(0, 9), NOTHING, 0.5, "20 groups"),
}
"""What Raito Cloud holds, what is sent, what is meant to go, the share, and what is said."""


@pytest.mark.parametrize("case", CASES)
def test_an_import_that_would_remove_too_much_is_said(case: str) -> None:
    held, sent, meant, share, expected = CASES[case]
    reasons = too_many(held, sent, meant, share)
    if expected is None:
        assert reasons == ()
    else:
        (reason,) = reasons
        assert expected in reason
        assert f"allows {share:g}" in reason
        assert "raito-pipeline run --max-import-deletions 1" in reason


def test_many_are_compared_as_sets_are_and_not_copied() -> None:
    twice = [[f"object-{n}" for n in range(first, first + 50_000)] for first in (0, 40_000, 90_000)]
    held, sent = Elements.of({"data object": twice}), numbered(70_000, 200_000)
    assert len(held) == 140_000

    tracemalloc.start()
    gone = held.less(sent)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    expected = numbered(0, 70_000)
    assert gone.kind("data object").tolist() == expected.kind("data object").tolist()
    assert peak < 2 * 8 * len(held)


def test_what_was_sent_is_remembered_for_the_very_data_source(tmp_path: Path) -> None:
    store, place = Store.open(tmp_path), (ACCOUNT, None)
    assert held_by_raito_cloud(store, TABLE, place, "ds-1") == HeldElements()
    elements = Elements.of({"user": [["a", "b"], ["b", "ö"]], "group": [[]]})
    for _ in range(2):
        remember(store, TABLE, place, "ds-1", elements)
    found = held_by_raito_cloud(store, TABLE, place, "ds-1").elements
    assert found is not None
    assert (len(found), len(elements.less(found)), len(found.less(elements))) == (3, 0, 0)
    assert held_by_raito_cloud(store, TABLE, place, "ds-2") == HeldElements()


def imported(store: Store, *, held: int | None = 1000) -> None:
    row = replace(example_row(ImportResult, null=True), held=held)
    store.write(TABLE, [row], ACCOUNT)


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)


LOSSES: dict[str, Callable[[Path], object]] = {
    "damaged rows": flipped,
    "damaged": lambda path: path.write_bytes(b"no table"),
    "of another version": lambda path: pq.write_table(pq.read_table(path).drop_columns(["kind"]), path),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_set_that_is_lost_is_no_first_import(tmp_path: Path, loss: str) -> None:
    store, place = Store.open(tmp_path), (ACCOUNT, None)
    remember(store, TABLE, place, "ds-1", numbered(0, 1000))
    imported(store)
    LOSSES[loss](Path(store.uri(f"{TABLE}_elements", ACCOUNT)))

    for _ in range(2):
        held = held_by_raito_cloud(store, TABLE, place, "ds-1")
        assert held.elements is None
        (reason,) = held.may_not_remove(0.5)
        assert f"{TABLE}_elements" in reason
        assert "raito-pipeline run --max-import-deletions 1" in reason
        assert held.may_not_remove(1) == ()
    # What is imported since is not all that Raito Cloud holds, until something may be removed again.
    remember(store, TABLE, place, "ds-1", numbered(0, 5), lost=held.lost)
    since = held_by_raito_cloud(store, TABLE, place, "ds-1")
    assert since.elements is not None
    assert (len(since.elements), since.lost) == (5, held.lost)
    remember_lost(store, TABLE, place, held.lost)
    assert held_by_raito_cloud(store, TABLE, place, "ds-1") == HeldElements(lost=held.lost)
    remember(store, TABLE, place, "ds-1", numbered(0, 5))
    assert held_by_raito_cloud(store, TABLE, place, "ds-1").may_not_remove(0) == ()


def test_an_import_that_left_no_set_behind_lost_none(tmp_path: Path) -> None:
    store, place = Store.open(tmp_path), (ACCOUNT, None)
    imported(store, held=None)  # skipped, or of a version that did not count
    assert held_by_raito_cloud(store, TABLE, place, "ds-1") == HeldElements()
    Path(store.uri(TABLE, ACCOUNT)).write_bytes(b"")
    assert held_by_raito_cloud(store, TABLE, place, "ds-1").lost


@pytest.mark.parametrize(
    ("expected", "said"),
    [((None, None), None), ((5, 2), None), ((5, None), None), ((4, 2), "added 5, expected 4"),
     ((5, 0), "removed 2, expected 0")],
)  # fmt: skip
def test_counters_that_are_not_as_expected_are_said(expected: tuple[int | None, int | None], said: str | None) -> None:
    now = datetime.now(UTC)
    row = ImportResult("t", "DS", "j", "COMPLETED", True, None, 9, 1, "", 5, 0, 2, 0, (), (), now, 9, *expected)
    found = disagreement(row)
    assert (said is None and found is None) or (said is not None and said in str(found))


def test_what_is_held_and_could_not_be_read_keeps_all_from_being_removed() -> None:
    held = numbered(0, 10)
    assert unread(held, {}) == unread(held, {"data object": ["object-10"], "user": ["object-1"]}) == ()
    (reason,) = unread(held, {"data object": [f"object-{n}" for n in range(5, 15)]})
    assert reason == (
        "it could not be read whether 5 data objects that Raito Cloud holds are still there: object-5, object-6, "
        "object-7 and 2 more"
    )
