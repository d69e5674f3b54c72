"""Texts of people in the characters that AWS takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.aws.push.documents.texts import description, tag_value

AWS_TAKES = re.compile("[\t\n\r\u0020-\u007e\u00a1-\u00ff]*")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain, with (signs) & \u00e4\u00f6\u00fc\u00a1", "plain, with (signs) & \u00e4\u00f6\u00fc\u00a1"),
        ("\u201cquoted\u201d \u2013 it\u2019s\u2026", '"quoted" - it\'s...'),
        ("a\u00a0b", "a b"),
        ("Stra\u00dfe \u0141\u00f3d\u017a", "Stra\u00dfe ?\u00f3dz"),
        ("\u62a5\u544a", "??"),
        ("two\nlines\x00", "two\nlines?"),
    ],
)
def test_what_aws_refuses_is_replaced_by_what_is_alike(text: str, cleaned: str) -> None:
    found, warnings = description(text, 700)
    assert (found, bool(warnings)) == (cleaned, text != cleaned)


def test_what_is_too_long_is_cut_with_a_warning() -> None:
    found, warnings = description("x" * 701, 700)
    assert (found, len(warnings)) == ("x" * 700, 1)
    assert "701" in warnings[0]


@given(st.text(max_size=80))
def test_aws_takes_whatever_comes_out_and_it_stays_as_it_is(text: str) -> None:
    found, _ = description(text, 60)
    assert AWS_TAKES.fullmatch(found)
    assert description(found, 60) == (found, ())


def test_values_of_tags_keep_letters_of_every_script() -> None:
    assert tag_value("a@b.c/\u62a5 (x);y") == "a@b.c/\u62a5 -x--y"
