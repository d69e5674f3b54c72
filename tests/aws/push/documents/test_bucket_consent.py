"""Whether a bucket leaves it to its access points, and the statement with which it does."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.push.documents.bucket_consent import (
    SID,
    ConsentProblem,
    delegates,
    delegates_to_all,
    delegation,
    with_delegation,
)

ACCOUNT = "111122223333"
POINT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
OWN = delegation("data", ACCOUNT, "aws")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"Principal": "*", "Action": ["s3:*"], "Resource": "*"}, True),
        ({"Resource": "arn:aws:s3:::data*"}, True),
        ({"Condition": {}}, True),
        ({"Condition": {"StringLike": {"s3:DataAccessPointAccount": [ACCOUNT, "x"]}}}, True),
        ({"Condition": {"ArnLike": {"s3:DataAccessPointArn": f"arn:aws:s3:*:{ACCOUNT}:accesspoint/*"}}}, True),
        ({"Condition": {"StringEquals": {"s3:DataAccessPointArn": POINT}}}, True),
        ({"Condition": {"StringEquals": {"s3:AccessPointNetworkOrigin": "Internet"}}}, True),
        ({"Condition": {"StringEquals": {"s3:AccessPointNetworkOrigin": "VPC"}}}, False),
        ({"Condition": {"StringEquals": {"s3:DataAccessPointArn": f"{POINT}-2"}}}, False),
        ({"Condition": {"StringEquals": {"s3:DataAccessPointAccount": "999999999999"}}}, False),
        ({"Condition": {"StringNotEquals": {"s3:DataAccessPointAccount": ACCOUNT}}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Effect": "Deny"}, False),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, False),
        ({"Action": "s3:GetObject"}, False),
        ({"Resource": "arn:aws:s3:::data"}, False),
        ({"Resource": ["arn:aws:s3:::other", "arn:aws:s3:::other/*"]}, False),
    ],
)
def test_a_bucket_delegates_for_sure_or_it_does_not(changed: dict[str, Any], expected: bool) -> None:
    assert delegates(policy({**OWN, **changed}), "data", POINT, "aws") is expected


def test_no_policy_and_one_that_cannot_be_read_delegate_nothing() -> None:
    assert not any(delegates(text, "data", POINT, "aws") for text in (None, "", "{", "[]", '{"Statement": 1}'))


def test_one_access_point_is_not_all_of_them() -> None:
    one = policy({**OWN, "Condition": {"StringEquals": {"s3:DataAccessPointArn": POINT}}})
    assert not delegates_to_all(one, "data", ACCOUNT, "aws")
    assert delegates_to_all(policy(OWN), "data", ACCOUNT, "aws")


def test_the_statement_is_added_and_everything_else_stays() -> None:
    others = [
        {"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/x"},
        {"Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]  # fmt: skip
    text = with_delegation(policy(*others), "data", ACCOUNT, "aws")
    assert json.loads(text)["Statement"] == [*others, OWN]
    assert with_delegation(text, "data", ACCOUNT, "aws") == text
    assert json.loads(with_delegation(None, "data", ACCOUNT, "aws"))["Statement"] == [OWN]


@pytest.mark.parametrize(
    "deny",
    [
        {"Principal": "*", "Condition": {"StringNotEquals": {"s3:DataAccessPointAccount": "999999999999"}}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:user/x"},
         "Condition": {"StringLike": {"s3:DataAccessPointArn": "*"}}},
        {"Principal": "*"},
        {"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
    ],
)  # fmt: skip
def test_where_a_deny_is_about_it_nothing_is_added(deny: dict[str, Any]) -> None:
    statement = {"Sid": "NoPoints", "Effect": "Deny", "Action": "*", "Resource": "*", **deny}
    with pytest.raises(ConsentProblem, match="has a Deny that is about it: NoPoints"):
        with_delegation(policy(statement), "data", ACCOUNT, "aws")


def test_a_policy_that_is_full_or_cannot_be_read_is_left_alone() -> None:
    full = {**OWN, "Sid": "x" * 20_300}
    with pytest.raises(ConsentProblem, match="more than 20480 bytes"):
        with_delegation(policy(full), "data", ACCOUNT, "aws")
    with pytest.raises(ConsentProblem, match="cannot be read"):
        with_delegation("{", "data", ACCOUNT, "aws")
    assert OWN["Sid"] == SID
