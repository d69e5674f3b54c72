"""Patterns of policies, compared with all texts of a small alphabet."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.aws.policy.wildcards import (
    after,
    beginning,
    covers,
    has_wildcard,
    matches,
    may_match,
    may_match_below,
)

TEXTS = ["".join(letters) for length in range(4) for letters in product("ab/", repeat=length)]
patterns = st.text("ab/*?", max_size=5)
prefixes = st.text("ab/", max_size=3)


@given(patterns)
def test_a_pattern_matches_what_a_shell_would_match(pattern: str) -> None:
    assert [text for text in TEXTS if matches(pattern, text)] == [t for t in TEXTS if fnmatchcase(t, pattern)]
    assert [text for text in TEXTS if may_match(pattern, text)] == [t for t in TEXTS if fnmatchcase(t, pattern)]


@given(patterns, prefixes)
def test_what_is_covered_matches_and_what_cannot_match_does_not(pattern: str, prefix: str) -> None:
    below = [fnmatchcase(text, pattern) for text in TEXTS if text.startswith(prefix)]
    if covers(pattern, prefix):
        assert all(below)
    if not may_match_below(pattern, prefix):
        assert not any(below)
    if any(below):
        assert may_match_below(pattern, prefix)


@pytest.mark.parametrize(
    ("pattern", "text", "sure", "possible"),
    [
        ("home/${aws:username}/*", "home/ann/a", False, True),
        ("home/${aws:username}/*", "home/ann", False, False),
        ("home/${*}/${?}${$}", "home/*/?$", True, True),
        ("home/${*}", "home/a", False, False),
        ("Get*", "getobject", False, False),
        ("a*b", "a\nb", True, True),
    ],
)
def test_a_variable_matches_nothing_for_sure(pattern: str, text: str, sure: bool, possible: bool) -> None:
    assert (matches(pattern, text), may_match(pattern, text)) == (sure, possible)


@pytest.mark.parametrize(
    ("pattern", "text"), [("a/*b", "a/"), ("a?", "a"), ("ab", "ab"), ("*", ""), ("a${*}b*", "a*b"), ("a${aws:x}b", "a")]
)
def test_what_every_match_begins_with(pattern: str, text: str) -> None:
    assert beginning(pattern) == text


@pytest.mark.parametrize(
    ("pattern", "all_keys"),
    [("*", True), ("?*", True), ("*?", True), ("*?*", True), ("?", False), ("??*", False), ("a*", False), ("", False)],
)
def test_what_matches_every_text_that_is_not_empty(pattern: str, all_keys: bool) -> None:
    assert any(rest.any_but_nothing for rest in after(f"data/{pattern}", "data/")) is all_keys


def test_a_dollar_is_a_character_where_the_language_has_no_variables() -> None:
    assert matches("${aws:username}", "${aws:username}", variables=False)
    assert not has_wildcard("${aws:username}", variables=False)
    assert has_wildcard("${aws:username}")
    assert matches("S3:get*", "s3:GetObject", ignore_case=True)


@pytest.mark.parametrize(
    ("pattern", "prefix", "left"),
    [("a/*", "a/", {""}), ("a/b/*", "a/", {"b/"}), ("a/b", "a/", {None}), ("b*", "a", set())],
)
def test_the_rest_of_a_pattern_after_a_prefix(pattern: str, prefix: str, left: set[str | None]) -> None:
    assert {rest.before_anything for rest in after(pattern, prefix)} - ({None} if "*" in pattern else set()) == left


@pytest.mark.parametrize(
    "pattern", ["${aws:username}/*", "${aws:username}*", "*${aws:username}*", "h${aws:username}me/*"]
)
def test_a_variable_that_stands_for_a_part_of_the_prefix_covers_nothing_for_sure(pattern: str) -> None:
    assert not covers(pattern, "home/")
    assert may_match_below(pattern, "home/")
    assert {rest.before_anything for rest in after(pattern, "home/")} == {None}


def test_a_star_before_a_variable_may_have_read_the_prefix_alone() -> None:
    assert not covers("*/${aws:username}", "home/")
    assert covers("home/*", "home/")


@pytest.mark.parametrize("pattern", ["*a" * 40 + "*b", "?*a*" * 20 + "c", "*".join("ab" * 30)])
def test_many_wildcards_take_no_time(pattern: str) -> None:
    text = "a" * 500
    assert not matches(pattern, text)
    assert matches(pattern, f"{text}{'ab' * 30}{text}bc" if pattern.endswith("c") else f"{text}{'ab' * 30}")


@pytest.mark.parametrize("text", ["aXbYc", "aXXbYYc", "abYbc", "abc", "a.*c", "aX\nbc"])
@pytest.mark.parametrize("pattern", ["a*b*c", "a*Y?c", "*X*b*", "a?b*c", "a*?*c", "a**b**c", "a.*c", "a?*c", "a*b?*c"])
def test_wildcards_in_a_row_match_what_a_shell_would_match(pattern: str, text: str) -> None:
    assert matches(pattern, text) is fnmatchcase(text, pattern)
