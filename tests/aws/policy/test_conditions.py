"""What conditions come to: one named case a rule, and the evaluator of the tests for all of them together."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.facts import Facts
from tests.aws.evaluator.conditions import UnknownOperator, hold
from tests.aws.evaluator.patterns import Context, Unresolved
from tests.aws.policy.test_facts import ACCOUNT, ALICE, OF_ALICE, OF_READER, READER

OTHER = "999988887777"
ALWAYS, NEVER, USUALLY, RARELY, UNDECIDED = Bearing
STRANGERS = Facts(ACCOUNT, "o-1", identity=False, strangers=True)


def statement(condition: dict[str, Any], version: str = "2012-10-17") -> Statement:
    content = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    (read,) = read_document(json.dumps({"Version": version, "Statement": content})).statements
    return read


@pytest.mark.parametrize(
    ("condition", "bearing"),
    [
        ({}, ALWAYS),
        ({"StringEquals": {"aws:ResourceAccount": ACCOUNT}}, ALWAYS),
        ({"StringEquals": {"AWS:resourceaccount": ACCOUNT}}, ALWAYS),
        ({"stringequals": {"s3:ResourceAccount": [OTHER, ACCOUNT]}}, ALWAYS),
        ({"StringEquals": {"aws:ResourceAccount": OTHER}}, NEVER),
        ({"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}, NEVER),
        ({"StringNotEquals": {"aws:ResourceAccount": [OTHER, "1"]}}, ALWAYS),
        ({"StringLike": {"aws:PrincipalAccount": "1111*"}}, ALWAYS),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, ALWAYS),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-2"}}, NEVER),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, UNDECIDED),
        ({"StringEquals": {"aws:username": "alice"}}, ALWAYS),
        ({"StringEqualsIgnoreCase": {"aws:username": "ALICE"}}, ALWAYS),
        ({"StringNotLike": {"aws:username": "al*"}}, NEVER),
        ({"ForAllValues:StringEquals": {"aws:username": ["alice", "bob"]}}, ALWAYS),
        ({"ForAnyValue:StringNotEquals": {"aws:username": ["alice", "bob"]}}, NEVER),
        ({"StringEquals": {"aws:PrincipalTag/site": "here"}}, NEVER),
        ({"StringNotEquals": {"aws:PrincipalTag/site": "here"}}, ALWAYS),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/site": "here"}}, ALWAYS),
        ({"ForAllValues:StringEquals": {"aws:PrincipalTag/site": "here"}}, ALWAYS),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalTag/site": "here"}}, NEVER),
        ({"ForAnyValue:StringEqualsIfExists": {"aws:PrincipalTag/site": "here"}}, UNDECIDED),
        ({"ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalTag/site": "here"}}, UNDECIDED),
        ({"ForAllValues:StringEqualsIfExists": {"aws:PrincipalTag/site": "here"}}, ALWAYS),
        ({"ForAnyValue:StringLikeIfExists": {"aws:CalledVia": "athena.amazonaws.com"}}, UNDECIDED),
        ({"Null": {"aws:PrincipalTag/site": "true"}}, ALWAYS),
        ({"Null": {"aws:username": True}}, NEVER),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/team/*"}}, ALWAYS),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam:*:user/team/alice"}}, NEVER),
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, UNDECIDED),
        ({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*", ALICE.arn]}}, ALWAYS),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}, UNDECIDED),
        ({"ArnNotEquals": {"aws:PrincipalArn": ["*", ALICE.arn]}}, NEVER),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*"}}, NEVER),
        ({"ArnNotLike": {"aws:PrincipalArn": [ALICE.arn, READER.arn]}}, NEVER),
        ({"StringEquals": {"aws:PrincipalArn": "${aws:PrincipalArn}"}}, ALWAYS),
        ({"StringEquals": {"aws:username": "${aws:SourceIdentity}"}}, UNDECIDED),
        ({"Bool": {"aws:IsMcpServiceAction": "true"}}, NEVER),
        ({"BoolIfExists": {"aws:IsMcpServiceAction": "false"}}, ALWAYS),
        ({"Bool": {"aws:IsMcpServiceAction": "false"}}, UNDECIDED),
        ({"Null": {"aws:IsMcpServiceAction": "true"}}, UNDECIDED),
        ({"StringEquals": {"aws:PrincipalTag/team": "red${*}"}}, ALWAYS),
        ({"StringEquals": {"aws:PrincipalTag/team": "red?"}}, NEVER),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, ALWAYS),
        ({"Bool": {"aws:PrincipalIsAWSService": False}}, ALWAYS),
        ({"Bool": {"aws:SecureTransport": "true"}}, USUALLY),
        ({"Bool": {"aws:SecureTransport": False}}, RARELY),
        ({"Null": {"aws:SecureTransport": "false"}}, USUALLY),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}}, USUALLY),
        ({"NumericLessThan": {"s3:TlsVersion": ["1.2"]}}, RARELY),
        ({"StringNotEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}, RARELY),
        ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, RARELY),
        ({"BoolIfExists": {"aws:ViaAWSService": "false"}}, USUALLY),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}, RARELY),
        ({"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}, RARELY),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, UNDECIDED),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, UNDECIDED),
        ({"StringSounds": {"aws:username": "alice"}}, UNDECIDED),
        ({"StringEquals": {"aws:username": []}}, UNDECIDED),
        ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:ResourceAccount": OTHER}}, NEVER),
        ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceVpc": "v"}}, UNDECIDED),
        ({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "v"}}, RARELY),
    ],
)
def test_what_a_condition_on_a_user_comes_to(condition: dict[str, Any], bearing: Bearing) -> None:
    assert judge(statement(condition), OF_ALICE).bearing is bearing


@pytest.mark.parametrize(
    ("condition", "bearing"),
    [
        ({"StringLike": {"aws:userid": "AROAREADER:*"}}, ALWAYS),
        ({"StringLike": {"aws:userid": ["AIDA*", "AROAREADER:me"]}}, UNDECIDED),
        ({"StringNotLike": {"aws:userid": ["AROAREADER:*", ACCOUNT]}}, NEVER),
        ({"StringNotEquals": {"aws:userid": "AROAREADER:me"}}, UNDECIDED),
        ({"StringEquals": {"aws:userid": "AROAOTHER:me"}}, NEVER),
        ({"StringEquals": {"aws:username": "reader"}}, NEVER),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, UNDECIDED),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/read*"}}, ALWAYS),
    ],
)
def test_what_a_condition_on_a_role_comes_to(condition: dict[str, Any], bearing: Bearing) -> None:
    assert judge(statement(condition), OF_READER).bearing is bearing


@pytest.mark.parametrize(
    ("condition", "bearing"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, NEVER),
        ({"StringLike": {"aws:PrincipalAccount": [ACCOUNT, OTHER]}}, UNDECIDED),
        ({"StringEqualsIfExists": {"aws:PrincipalAccount": ACCOUNT}}, UNDECIDED),
        ({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, ALWAYS),
        ({"StringNotEquals": {"aws:PrincipalAccount": [ACCOUNT, OTHER]}}, UNDECIDED),
        ({"NumericEquals": {"aws:PrincipalAccount": OTHER}}, UNDECIDED),
        ({"Null": {"aws:PrincipalAccount": "true"}}, UNDECIDED),
        ({"ArnEquals": {"aws:PrincipalArn": ALICE.arn}}, NEVER),
        ({"ForAnyValue:ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}}, NEVER),
        ({"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, NEVER),
        ({"StringEqualsIgnoreCase": {"aws:PrincipalArn": ALICE.arn.upper()}}, NEVER),
        ({"ArnNotLike": {"aws:PrincipalArn": [ALICE.arn, READER.arn]}}, ALWAYS),
        ({"StringLike": {"aws:PrincipalArn": f"arn:*:{ACCOUNT}:user/*"}}, UNDECIDED),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}, UNDECIDED),
        ({"StringEquals": {"aws:PrincipalArn": "${aws:PrincipalArn}"}}, UNDECIDED),
        ({"StringEquals": {"aws:username": "alice"}}, UNDECIDED),
    ],
)
def test_what_a_condition_on_whoever_is_not_of_the_account_comes_to(
    condition: dict[str, Any], bearing: Bearing
) -> None:
    assert judge(statement(condition), STRANGERS).bearing is bearing


def test_strangers_are_those_of_other_accounts_in_every_partition() -> None:
    theirs = statement({"ArnLike": {"aws:PrincipalArn": f"arn:aws-cn:iam::{ACCOUNT}:role/*"}})

    assert judge(theirs, replace(STRANGERS, partition="aws-cn")).bearing is NEVER
    assert judge(theirs, replace(STRANGERS, account_id=None)).bearing is UNDECIDED


def test_reasons_name_the_conditions_that_decide_and_no_values_but_of_how_a_call_is_made() -> None:
    both = {"StringEquals": {"aws:ResourceAccount": ACCOUNT, "sts:ExternalId": "secret"}}
    judged = judge(statement(both), OF_ALICE)
    how = judge(statement({"NumericGreaterThan": {"s3:TlsVersion": ["1.1"]}}), OF_ALICE)

    assert judged.labels == "StringEquals sts:ExternalId"
    assert how.texts == "NumericGreaterThan s3:TlsVersion 1.1"


def test_variables_are_plain_text_in_the_older_language() -> None:
    condition = {"StringEquals": {"aws:username": "${aws:username}"}}

    assert judge(statement(condition, "2008-10-17"), OF_ALICE).bearing is NEVER


_keys = st.sampled_from(
    [
        "aws:username",
        "aws:PrincipalArn",
        "aws:ResourceAccount",
        "aws:PrincipalTag/team",
        "aws:PrincipalTag/no",
        "aws:userid",
        "aws:PrincipalOrgID",
        "aws:SecureTransport",
        "s3:TlsVersion",
        "aws:SourceVpc",
        "aws:CalledVia",
    ]
)
_values = st.sampled_from(
    [
        "alice",
        "al*",
        "?lice",
        "*",
        "true",
        "false",
        "1.2",
        "1.3",
        "red",
        ACCOUNT,
        OTHER,
        "o-1",
        "vpc-1",
        ALICE.arn,
        "arn:aws:iam::*:user/*",
        "${aws:username}",
        "AROAREADER:*",
        "AROAREADER:me",
        "AIDAALICE",
        READER.arn,
    ]
)
_names = st.sampled_from(
    [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "ArnLike",
        "ArnNotEquals",
        "Bool",
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "NumericNotEquals",
        "Null",
    ]
)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 3))):
        name = draw(_names)
        if name != "Null":
            name = f"{draw(st.sampled_from(['', '', 'ForAllValues:', 'ForAnyValue:']))}{name}"
            name += draw(st.sampled_from(["", "", "IfExists"]))
        found.setdefault(name, {})[draw(_keys)] = draw(st.lists(_values, min_size=1, max_size=3))
    return found


def _contexts(facts: Facts, ordinary: bool) -> list[Context]:
    """Calls of a principal that differ in what is not known of them, and in how they are made where that is unusual."""
    assert facts.principal is not None
    user = facts.principal.kind == "user"
    base = {
        "aws:principalarn": (facts.principal.arn,),
        "aws:resourceaccount": (ACCOUNT,),
        "aws:principalorgid": ("o-1",),
        **(
            {"aws:username": ("alice",), "aws:userid": ("AIDAALICE",), "aws:principaltag/team": ("red*",)}
            if user
            else {}
        ),
    }
    ids = [{}] if user else [{"aws:userid": (f"AROAREADER:{name}",)} for name in ("me", "you")]
    tags = [{}] if user else [{}, {"aws:principaltag/team": ("red",)}]
    networks: list[Context] = [{}, {"aws:sourcevpc": ("vpc-1",)}, {"aws:sourcevpc": ("vpc-2",)}]
    ways: list[Context] = [{"aws:securetransport": ("true",), "s3:tlsversion": ("1.3",)}]
    if not ordinary:
        ways += [{"aws:securetransport": ("false",)}, {**ways[0], "s3:tlsversion": ("1.2",)}]
        ways += [{**ways[0], "aws:calledvia": ("athena.amazonaws.com",)}]
    return [{**base, **a, **b, **c, **d} for a in ids for b in tags for c in networks for d in ways]


@settings(max_examples=600, deadline=None)
@given(conditions(), st.sampled_from([OF_ALICE, OF_READER]))
def test_a_bearing_is_what_the_evaluator_says_of_every_call(condition: dict[str, Any], facts: Facts) -> None:
    bearing = judge(statement(condition), facts).bearing

    def holds(call: Context) -> bool | None:
        try:
            return hold(condition, call, variables=True)
        except (Unresolved, UnknownOperator):
            return None

    every, ordinary = ({holds(call) for call in _contexts(facts, only)} for only in (False, True))
    if bearing in (ALWAYS, NEVER):
        assert every <= {bearing is ALWAYS, None}, condition
    if bearing in (USUALLY, RARELY):
        assert ordinary <= {bearing is USUALLY, None}, condition
