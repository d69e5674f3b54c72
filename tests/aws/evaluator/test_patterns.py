"""Patterns as AWS reads them."""

import pytest

from tests.aws.evaluator.patterns import Unresolved, matches

CONTEXT = {"aws:username": ("carlos*",), "aws:principaltag/team": ("blue",), "aws:tagkeys": ("a", "b")}


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::b?", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::b*", "arn:aws:s3:::b/x", True),
        ("arn:aws:s3:*", "arn:aws:s3:::b/x", True),
        ("home/${aws:username}/*", "home/carlos*/x", True),
        ("home/${aws:username}/*", "home/carlosx/x", False),
        ("${aws:PrincipalTag/team}-*", "blue-1", True),
        ("${aws:PrincipalTag/cost, 'none'}", "none", True),
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("a\nb*", "a\nbc", True),
    ],
)
def test_wildcards_and_variables(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text, CONTEXT, variables=True) is fits


def test_variables_of_the_old_version_are_literal_text() -> None:
    assert matches("home/${aws:username}", "home/${aws:username}", CONTEXT, variables=False)


@pytest.mark.parametrize("pattern", ["${aws:userid}", "${aws:TagKeys}"])
def test_a_variable_without_one_value_is_unresolved(pattern: str) -> None:
    with pytest.raises(Unresolved):
        matches(pattern, "x", CONTEXT, variables=True)
