"""What policies allow, case by case, as AWS documents it."""

from typing import Any

import pytest

from raito_pipeline.sandbox.aws.policy_decisions import CallerPolicies, Question, is_allowed, read_document

ACCOUNT, OTHER = "111111111111", "222222222222"
ANN = f"arn:aws:iam::{ACCOUNT}:user/people/ann"
OBJECT, BUCKET = "arn:aws:s3:::data/sales/1.csv", "arn:aws:s3:::data"


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | more


def deny(**more: Any) -> dict[str, Any]:
    return allow(**more) | {"Effect": "Deny"}


def named(who: Any, **more: Any) -> dict[str, Any]:
    return allow(Principal=who, **more)


def asked(identity: Any, of_resource: Any = None, *, owner: str = ACCOUNT, limits: Any = (), **more: Any) -> bool:
    """Whether ann may (usually) get the object."""
    context = {"aws:username": ("ann",), "s3:prefix": ("sales/",)} | more.pop("context", {})
    question = Question(
        frozenset({ANN}), ACCOUNT, more.get("action", "s3:GetObject"), more.get("resource", OBJECT), context
    )
    policy = None if of_resource is None else {"Statement": of_resource}
    return is_allowed(
        question, CallerPolicies([{"Statement": identity}], [[{"Statement": one}] for one in limits]), policy, owner
    )


IDENTITY = [
    ([allow()], True),
    (allow(), True),
    ([], False),
    ([allow(), deny()], False),
    ([allow(), deny(Resource=BUCKET)], True),
    ([allow(Action="s3:get*")], True),
    ([allow(Action=["s3:PutObject", "s3:Get?bject"])], True),
    ([allow(Action="s3:GetObjectAcl")], False),
    ([allow(Resource="arn:aws:s3:::data/*")], True),
    ([allow(Resource=BUCKET)], False),
    ([allow(Resource="arn:aws:s3:::data/sales/?.csv")], True),
    ([allow(Resource="arn:aws:s3:::data/s${*}")], False),
    ([{"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}], True),
    ([{"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}], False),
    ([{"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET}/*"}], False),
]


@pytest.mark.parametrize(("statements", "expected"), IDENTITY)
def test_identity_policies(statements: Any, expected: bool) -> None:
    assert asked(statements) is expected


CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"StringEquals": {"s3:prefix": "sales/"}}, True),
    ({"StringEquals": {"S3:Prefix": ["a", "sales/"]}}, True),
    ({"StringEquals": {"s3:prefix": "sales/*"}}, False),
    ({"StringLike": {"s3:prefix": "sal*"}}, True),
    ({"StringLike": {"s3:prefix": ["a*", "b*"]}}, False),
    ({"StringNotLike": {"s3:prefix": ["a*", "b*"]}}, True),
    ({"StringNotEquals": {"s3:prefix": ["sales/", "b"]}}, False),
    ({"StringEquals": {"s3:delimiter": "/"}}, False),
    ({"StringNotEquals": {"s3:delimiter": "/"}}, True),
    ({"StringEqualsIfExists": {"s3:delimiter": "/"}}, True),
    ({"StringEquals": {"s3:prefix": "sales/"}, "Bool": {"aws:SecureTransport": "true"}}, False),
    ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
    ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, True),
    ({"Null": {"s3:prefix": True}}, False),
    ({"StringLike": {"aws:username": "${aws:username}"}}, True),
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "creator"]}}, True),
    ({"ForAllValues:StringEquals": {"aws:Nothing": ["team"]}}, True),
    ({"NumericLessThanEquals": {"s3:max-keys": 10}}, True),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
    ({"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}, False),
    ({"Unheard": {"s3:prefix": "sales/"}}, False),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    context = {"aws:tagkeys": ("team", "creator"), "s3:max-keys": ("10",), "aws:sourceip": ("10.1.2.3",)}
    assert asked([allow(Condition=condition)], context=context) is expected


RESOURCE = [
    (named("*"), True, True),
    (named({"AWS": "*"}), True, True),
    (named({"AWS": ANN}), True, True),
    (named({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}), False, False),
    (named({"AWS": ["arn:aws:iam::1:user/x", ANN]}), True, True),
    # The account is allowed, and has to allow its user.
    (named({"AWS": ACCOUNT}), False, True),
    (named({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), False, True),
    (named({"AWS": OTHER}), False, False),
    (named({"Service": "glue.amazonaws.com"}), False, False),
    (named("*", Condition={"StringEquals": {"s3:prefix": "other"}}), False, False),
]


@pytest.mark.parametrize(("statement", "in_one_account", "across_accounts"), RESOURCE)
def test_policies_of_resources(statement: Any, in_one_account: bool, across_accounts: bool) -> None:
    assert asked([], [statement]) is in_one_account
    assert asked([allow()], [statement])
    assert not asked([], [statement], owner=OTHER)
    assert asked([allow()], [statement], owner=OTHER) is across_accounts


def test_a_denial_anywhere_denies() -> None:
    assert not asked([allow()], [named("*"), deny(Principal="*")])
    assert not asked([deny()], [named("*")])
    assert not asked([allow()], [deny(NotPrincipal={"AWS": "arn:aws:iam::1:user/x"})])
    assert asked([allow()], [deny(NotPrincipal={"AWS": ANN})])
    assert not asked([allow()], limits=[[allow(), deny()]])


def test_limits_hold_for_what_identity_policies_allow() -> None:
    assert asked([allow()], limits=[[allow()]])
    assert not asked([allow()], limits=[[allow()], [allow(Action="s3:PutObject")]])
    assert asked([], [named({"AWS": ANN})], limits=[[]])


def test_a_trust_policy_always_has_to_allow() -> None:
    question = Question(frozenset({ANN}), ACCOUNT, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/r", {})
    own = CallerPolicies([{"Statement": [allow(Action="sts:AssumeRole")]}])
    for who, without, with_own in ((ANN, True, True), (ACCOUNT, False, True), (OTHER, False, False)):
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}]}
        assert is_allowed(question, CallerPolicies([]), trust, ACCOUNT, is_trust=True) is without
        assert is_allowed(question, own, trust, ACCOUNT, is_trust=True) is with_own


def test_a_document_that_cannot_be_read_allows_nothing() -> None:
    assert read_document("no json") == {}
    assert read_document("[]") == {}
