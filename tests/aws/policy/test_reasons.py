"""Reasons: which of them make an access provider incomplete, and how they are grouped."""

import pytest

from raito_pipeline.aws.policy.reasons import Code, Reason, element, texts


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


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("policy p, statement 1: NotResource: what is left of the account has no name", "NotResource"),
        ("policy p, statement 2 (Sid): Condition (Bool x): it gives access to some calls only", "Condition (Bool x)"),
        (
            "inline policy a, statement 1: Deny under a condition (Bool x): some of it",
            "Deny under a condition (Bool x)",
        ),
        ("policy p, statement 1: Deny: what it may touch is not claimed", "Deny"),
        (
            "policy p, statement 1: resource arn:aws:s3:::b/*.csv is some objects of bucket b, not a whole folder",
            "resource: some objects",
        ),
        (
            "policy p, statement 1: resource arn:aws:s3:::b matches no bucket of the account",
            "resource: matches no bucket",
        ),
        ("policy p, statement 1: action s3:X is not known", "action: not known"),
        (
            "policy p, statement 1: resources arn:aws:s3:::a/x*, arn:aws:s3:::b/x* are some objects, not whole folders",
            "resource: some objects",
        ),
        (
            "policy p, statement 1: actions ec2:*, kms:Decrypt are of services whose access is not shown",
            "action: of another service",
        ),
        ("principals have different access; not all of it is claimed: a, b", "principals have different access"),
        ("trust policy, statement 1: principal 444455556666 is of another account", "principal: of another account"),
        (
            "trust policy, statement 1: principal Service x.amazonaws.com is no user, group or role of the account",
            "principal: no user, group or role",
        ),
        ("trust policy, statement 1: wildcard principal *", "wildcard principal"),
        ("trust policy: roles a, b may assume it, which the who of a role cannot hold", "trust policy: roles"),
        ("user ada is left out: another policy has a Deny", "user is left out"),
        (
            "group g has members who have or may have less of it (ada, bob): another policy has a Deny",
            "members of a group: another policy has a Deny",
        ),
        ("policy p was not read: it may deny something", "policy: was not read: it may deny something"),
        ("something else", "something else"),
    ],
)
def test_reasons_that_say_the_same_of_different_things_are_about_one_element(text: str, about: str) -> None:
    assert element(text) == about
