"""Regular expressions with Go's meaning, in time linear in the name, and refused where Go has none."""

import time

import pytest

from raito_pipeline.config.patterns import (
    NamePattern,
    PatternError,
    compile_pattern,
    compile_wildcards,
    literals,
    matches_any,
    with_wildcards,
)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("sales", "sales", True),
        ("sales", "sales-eu", False),  # the whole name
        ("sales.*", "sales-eu", True),
        ("(?i)SALES", "sales", True),
        ("a|b", "ab", False),
        (r"\d+", "٣", False),  # digits of ASCII, as in Go
        (r"\pL+", "Zürich", True),
        (r"\QA+B\E", "A+B", True),
        ("(?s).", "\n", True),
        (".", "\n", False),
        ("a$", "a\n", False),  # Python would take it
        ("", "", True),
    ],
)
def test_a_pattern_matches_whole_names_as_in_go(pattern: str, name: str, matches: bool) -> None:
    assert (compile_pattern(pattern).fullmatch(name) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(?=b)", "cannot look ahead"),
        ("(?<=a)b", "cannot look behind"),
        (r"(a)\1", "no back references"),
        ("(?P=x)", "no back references"),
        ("a*+", "no possessive operators"),
        ("(?>a)", "no possessive operators"),
        (r"a\Z", "in Go"),
        (r"\C", "there is no `\\\\C` in Go"),
        ("(?#x)", "no comments"),
        ("*-logs", "any characters are `.\\*` in a regular expression"),
        ("(", "write a YAML list where an expression itself holds a comma"),
        ("[z-a]", "valid regular expression"),
    ],
)
def test_what_go_does_not_have_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        compile_pattern(pattern)


def test_no_expression_hangs_a_sync() -> None:
    began = time.monotonic()

    assert compile_pattern("(a+)+").fullmatch("a" * 5_000 + "b") is None

    assert time.monotonic() - began < 30  # by going back it takes years


def test_patterns_of_one_text_are_equal_and_any_of_them_counts() -> None:
    assert NamePattern("a") == NamePattern("a")
    assert matches_any([NamePattern("a"), NamePattern("b.*")], "bob")
    assert not matches_any([NamePattern("a")], "bob")
    assert not matches_any([], "bob")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("logs-*", "logs-.*"),
        ("*", ".*"),
        ("*-logs-*", ".*-logs-.*"),
        ("(dev|test)-*", "(dev|test)-.*"),
        ("a|*b", "a|.*b"),
        ("(*b)", "(.*b)"),
        ("^logs*$", "^logs.*$"),
        # what repeats something stays as it is
        ("logs-.*", "logs-.*"),
        ("[a-z]*", "[a-z]*"),
        ("[]*]", "[]*]"),
        (r"\d*", r"\d*"),
        (r"\**", r"\**"),
        (r"\Qa*\E", r"\Qa*\E"),
        ("(ab)*", "(ab)*"),
        ("a{2}*", "a{2}*"),
        ("a?", "a?"),
    ],
)
def test_a_star_behind_a_character_of_a_name_is_a_wildcard(written: str, read: str) -> None:
    assert with_wildcards(written) == read


def test_patterns_of_buckets_have_wildcards_as_in_the_raito_cli() -> None:
    pattern = compile_wildcards("cdk-*")

    assert pattern.fullmatch("cdk-assets-eu-west-1")
    assert not pattern.fullmatch("cdk")
    assert (pattern.written, pattern) == ("cdk-*", compile_pattern("cdk-.*"))
    assert compile_wildcards("cdk-.+").written is None


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a-b", "a-b"),
        (r"a\.b", "a.b"),
        ("a.*b", "ab"),
        ("(?i)a|(?:b)|(?P<name>c)|(?P<n>d)", "abcd"),
        ("a{2,3}b{1}", "ab"),
        ("[/:]x[^,]", "x"),
        (r"\d\s", ""),
        (r"\Qa:b\E/", "a:b/"),
        ("s3:?x", "s3x"),
        ("a:*b", "ab"),
        (r"\/x", "/x"),
    ],
)
def test_the_characters_that_an_expression_asks_for_by_themselves(pattern: str, found: str) -> None:
    assert compile_pattern(pattern) is not None
    assert "".join(literals(pattern)) == found
