"""Whether a statement is about one action on one resource."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy.documents import Statement, read_document
from raito_pipeline.aws.policy.facts import Facts, PrincipalFacts
from raito_pipeline.aws.policy.one_request import Sureness, names_action, names_resource

ROLE = "arn:aws:iam::111122223333:role/team/reader"
ANN = Facts(principal=PrincipalFacts("user", "ann", "arn:aws:iam::111122223333:user/ann", tags={}))
NO, MAYBE, YES = Sureness.NO, Sureness.MAYBE, Sureness.YES


def statement(version: str = "2012-10-17", **elements: Any) -> Statement:
    content = {"Effect": "Allow", "Action": "sts:AssumeRole", **elements}
    if "NotAction" in elements:
        del content["Action"]
    return read_document(json.dumps({"Version": version, "Statement": [content]})).statements[0]


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"Action": "sts:AssumeRole"}, True),
        ({"Action": "STS:assumerole"}, True),
        ({"Action": ["s3:*", "sts:Assume*"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "sts:AssumeRoleWithSAML"}, False),
        ({"NotAction": "s3:*"}, True),
        ({"NotAction": ["s3:*", "sts:*"]}, False),
    ],
    ids=str,
)
def test_actions(elements: dict[str, Any], named: bool) -> None:
    assert names_action(statement(**elements), "sts:AssumeRole") is named


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({}, YES),
        ({"Resource": "*"}, YES),
        ({"Resource": ROLE}, YES),
        ({"Resource": "arn:aws:iam::*:role/*reader"}, YES),
        ({"Resource": ["arn:aws:iam::111122223333:role/x", ROLE]}, YES),
        ({"Resource": "arn:aws:iam::111122223333:role/x"}, NO),
        ({"Resource": "arn:aws:iam::111122223333:role/${aws:PrincipalTag/team}/reader"}, MAYBE),
        ({"Resource": "arn:aws:iam::444455556666:role/${aws:PrincipalTag/team}/reader"}, NO),
        ({"NotResource": "arn:aws:iam::111122223333:role/x"}, YES),
        ({"NotResource": "arn:aws:iam::*:role/*"}, NO),
        ({"NotResource": "arn:aws:iam::111122223333:role/${aws:username}/*"}, MAYBE),
    ],
    ids=str,
)
def test_resources(elements: dict[str, Any], named: Sureness) -> None:
    assert names_resource(statement(**elements), ROLE) is named


def test_the_old_version_has_no_variables() -> None:
    old = statement("2008-10-17", Resource="arn:aws:iam::111122223333:role/${aws:username}/reader")
    assert names_resource(old, ROLE) is NO


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"Resource": "arn:aws:iam::*:role/${aws:PrincipalTag/team}/*"}, NO),
        ({"Resource": ["arn:aws:iam::*:role/${aws:PrincipalTag/team}/*", ROLE]}, YES),
        ({"NotResource": "arn:aws:s3:::logs/${aws:PrincipalTag/team}/*"}, NO),
        ({"NotResource": "arn:aws:s3:::logs/${aws:PrincipalTag/team, 'none'}/*"}, YES),
        ({"NotResource": "arn:aws:s3:::logs/${aws:username}/*"}, YES),
    ],
    ids=str,
)
def test_an_allow_gives_nothing_by_a_variable_that_has_no_value(elements: dict[str, Any], named: Sureness) -> None:
    assert names_resource(statement(**elements), ROLE, ANN) is named


def test_a_deny_may_be_about_what_a_variable_without_a_value_stands_for() -> None:
    deny = statement(Effect="Deny", Resource="arn:aws:iam::*:role/${aws:PrincipalTag/team}/*")
    assert names_resource(deny, ROLE, ANN) is MAYBE
