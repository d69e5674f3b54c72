"""Reasons: which of them make an access provider incomplete, and how they are grouped."""

import pytest

from raito_pipeline.aws.policy.reasons import Code, Reason, texts


@pytest.mark.parametrize(
    ("code", "incomplete"), [("wider", True), ("narrower", True), ("who", True), ("elsewhere", False)]
)
def test_what_says_nothing_about_s3_makes_nothing_incomplete(code: str, incomplete: bool) -> None:
    assert Code(code).is_incomplete is incomplete


def test_a_reason_names_the_place_where_it_was_found() -> None:
    reason = Reason(Code.WIDER, "a Deny under a condition").at("statement 2").at("policy p")

    assert reason == Reason(Code.WIDER, "policy p: statement 2: a Deny under a condition")


def test_the_texts_of_one_code_are_each_given_once_in_their_order() -> None:
    reasons = [Reason(Code.WHO, "b"), Reason(Code.WIDER, "c"), Reason(Code.WHO, "a"), Reason(Code.WHO, "b")]

    assert texts(reasons, Code.WHO) == ("b", "a")


def test_how_calls_are_made_leaves_nobody_and_nothing_out() -> None:
    assert not Code.NOTE.is_incomplete
