"""Conditions as AWS documents them."""

from typing import Any

import pytest

from tests.aws.evaluator.conditions import UnknownOperator, hold

CONTEXT = {
    "aws:securetransport": ("true",),
    "aws:sourceip": ("203.0.113.7",),
    "s3:tlsversion": ("1.3",),
    "aws:username": ("carlos",),
    "aws:principalarn": ("arn:aws:iam::111122223333:role/team/blue",),
    "aws:currenttime": ("2024-05-01T00:00:00Z",),
    "aws:tagkeys": ("environment", "cost-center"),
    "s3:prefix": ("home/carlos/x",),
}
MANY = {"aws:TagKeys": ["environment", "webserver"]}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Bool": {"AWS:securetransport": "False"}}, False),
        # a key that the request does not have
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"BoolIfExists": {"aws:SecureTransport": "false"}}, False),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, True),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, False),
        ({"Null": {"aws:SourceVpc": "true"}}, True),
        ({"Null": {"aws:SourceVpc": "false"}}, False),
        ({"Null": {"aws:username": "false"}}, True),
        # every operator and key has to hold, one of the values is enough
        ({"StringEquals": {"aws:username": ["alice", "carlos"]}}, True),
        ({"StringEquals": {"aws:username": "carlos", "aws:SourceVpc": "v"}}, False),
        ({"StringNotEquals": {"aws:username": ["alice", "carlos"]}}, False),
        ({"StringEquals": {"aws:username": "Carlos"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:username": "Carlos"}}, True),
        ({"StringEquals": {"aws:username": "car*"}}, False),
        ({"StringLike": {"aws:username": "car*"}}, True),
        ({"StringNotLike": {"aws:username": "car*"}}, False),
        ({"StringLike": {"s3:prefix": ["", "home/${aws:username}/*"]}}, True),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "192.0.2.0/24"]}}, False),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, False),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2024-04-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2024-04-01"}}, False),
        # a * in an ARN condition does not reach over a colon
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*"}}, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/team/blue"}}, False),
        # keys of several values
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center", "x"]}}, True),
        ({"ForAllValues:StringEquals": MANY}, False),
        ({"ForAnyValue:StringEquals": MANY}, True),
        ({"ForAllValues:StringEquals": {"aws:RequestTag/x": "y"}}, True),
        ({"ForAnyValue:StringEquals": {"aws:RequestTag/x": "y"}}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": "environment"}}, True),
        ({"ForAllValues:StringNotEquals": {"aws:TagKeys": "environment"}}, False),
    ],
)
def test_operators(conditions: dict[str, Any], holds: bool) -> None:
    assert hold(conditions, CONTEXT, variables=True) is holds


def test_an_operator_that_aws_does_not_have_is_no_guess() -> None:
    with pytest.raises(UnknownOperator):
        hold({"StringSounds": {"aws:username": "x"}}, CONTEXT, variables=True)
