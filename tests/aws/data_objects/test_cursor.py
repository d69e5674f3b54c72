"""What is asked of S3 next: the range is kept to, and what nobody wants is skipped rather than read."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from raito_pipeline.aws.data_objects.cursor import Cursor, KeyRange, Page, ancestors, spread


@dataclass(frozen=True)
class Answered:
    """A page of a listing."""

    keys: Sequence[str]
    prefixes: Sequence[str] = ()
    token: str | None = None


def listed(keys: Sequence[str], cursor: Cursor, size: int) -> tuple[list[str], int]:
    """Everything that a cursor takes out of a bucket with these keys, pages of `size`; and how many keys were sent."""
    taken: list[str] = []
    sent = 0
    while not cursor.done:
        page = answer(sorted(keys), cursor, size)
        sent += len(page.keys) + len(page.prefixes)
        assert sent < 1_000, "it asks for ever"
        taken += cursor.take(page)
    return taken, sent


def answer(keys: Sequence[str], cursor: Cursor, size: int) -> Page:
    """As S3 answers ListObjectsV2."""
    asked = cursor.request
    after = asked["token"] or asked["start_after"]
    rows: list[str] = []
    for key in keys:
        if not key.startswith(asked["prefix"]) or key <= after:
            continue
        end = key.find(asked["delimiter"], len(asked["prefix"])) if asked["delimiter"] else -1
        row = key[: end + 1] if end >= 0 else key
        if (not rows or rows[-1] != row) and not (asked["delimiter"] and row <= after):
            rows.append(row)
    part = rows[:size]
    token = part[-1] if len(rows) > size else None
    folders = [row for row in part if asked["delimiter"] and row.endswith("/")]
    return Answered([row for row in part if row not in folders], folders, token)


KEYS = ["a", "b", "c/1", "c/2", "d", "e/x/1", "e/x/2", "e/y", "f"]


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(
    ("range_", "wanted"),
    [
        (KeyRange(), KEYS),
        (KeyRange(start="b"), KEYS[1:]),  # the start is in the range
        (KeyRange(end="d"), KEYS[:4]),  # the end is not
        (KeyRange(start="c/2", end="e/y"), ["c/2", "d", "e/x/1", "e/x/2"]),
        (KeyRange(scope="e/"), ["e/x/1", "e/x/2", "e/y"]),
        (KeyRange(start="x"), []),
    ],
)
def test_exactly_the_keys_of_the_range_are_taken(range_: KeyRange, wanted: list[str], size: int) -> None:
    cursor = Cursor(range_)

    taken, _ = listed(KEYS, cursor, size)

    assert taken == wanted
    assert cursor.last == (wanted[-1] if wanted else "")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_is_excluded_is_left_out_with_all_below_it(size: int) -> None:
    taken, _ = listed(KEYS, Cursor(KeyRange(), excludes=("c", "e/x", "d")), size)

    assert taken == ["a", "b", "e/y", "f"]


def test_an_excluded_path_is_no_prefix_of_names() -> None:
    assert listed(["cat", "c", "c/1"], Cursor(KeyRange(), excludes=("c",)), 10)[0] == ["cat"]


def test_a_large_excluded_folder_is_skipped_and_not_read_to_its_end() -> None:
    keys = ["a", *(f"big/{number:03}" for number in range(300)), "z"]

    taken, sent = listed(keys, Cursor(KeyRange(), excludes=("big",)), 10)

    assert taken == ["a", "z"]
    assert sent <= 20


def test_what_lies_below_the_depth_limit_is_skipped_and_its_folder_stays() -> None:
    keys = ["a/1", *(f"b/deep/{number:03}" for number in range(300)), "b/e", "c"]

    taken, sent = listed(keys, Cursor(KeyRange(), max_depth=1), 10)

    # what the depth limit drops only has to name its folder; it stands there before the skip
    assert [key for key in taken if not key.startswith("b/")] == ["a/1", "c"]
    assert any(key.startswith("b/") for key in taken)
    assert sent < 60


def test_the_folders_above_a_key() -> None:
    assert ancestors("a/b/c", "") == ["", "a/", "a/b/"]
    assert ancestors("a/b/c", "a/") == ["a/", "a/b/"]


@pytest.mark.parametrize(
    ("most", "chosen"), [(1, ["a"]), (2, ["a", "c"]), (4, ["a", "b", "c", "d"]), (9, list("abcd"))]
)
def test_bounds_at_about_equal_distances(most: int, chosen: list[str]) -> None:
    assert spread(list("abcd"), most) == chosen
    assert spread([], most) == []
