"""How near two names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.config.spelling import closest, distance, nearest

WORDS = st.text(st.sampled_from("abc-"), max_size=6)


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("mode", "mode", 0),
        ("mode", "moed", 1),
        ("mode", "mod", 1),
        ("mode", "modee", 1),
        ("mode", "node", 1),
        ("eu-wset-1", "eu-west-1", 1),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_slips_of_typing(one: str, other: str, slips: int) -> None:
    assert distance(one, other) == distance(other, one) == slips


@given(WORDS, WORDS)
def test_a_distance_is_one_both_ways_and_zero_only_for_the_same(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


@given(WORDS, st.integers(0, 5), st.sampled_from("abc-"))
def test_one_letter_more_is_one_slip(word: str, place: int, letter: str) -> None:
    assert distance(word, word[:place] + letter + word[place:]) == 1


@given(WORDS, st.lists(WORDS, max_size=5), st.integers(0, 3))
def test_the_closest_is_the_closest_that_is_near_enough(name: str, known: list[str], most: int) -> None:
    best = min((distance(name, each) for each in known), default=None)
    found = closest(name, known, most)
    assert (found is None) == (best is None or best > most)
    assert found is None or distance(name, found) == best


def test_the_nearest_may_lack_a_word() -> None:
    assert nearest("skip_data_usage", ["skip-data-usage-sync", "cron"]) == "skip-data-usage-sync"
    assert nearest("colour", ["skip-data-usage-sync", "cron"]) is None
