"""Users and roles that were deleted, in documents that are written anew."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy.principals import is_gone
from raito_pipeline.aws.push.documents.bucket_consent import delegation, with_delegation
from raito_pipeline.aws.push.documents.gone_principals import without_gone
from raito_pipeline.aws.push.types.access_point_statements import read_current
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.pushing import Account, control

GONE, ADA = "AIDAQ3EGVQXAEXAMPLE12", f"arn:aws:iam::{ACCOUNT}:user/ada"


def to(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*", **more}


@pytest.mark.parametrize(
    ("principal", "left"),
    [
        ({"AWS": [ADA, GONE]}, {"AWS": [ADA]}),
        ({"AWS": [GONE, "AROAQ3EGVQXAEXAMPLE12"]}, None),
        ({"AWS": GONE, "Service": "s3.amazonaws.com"}, {"Service": "s3.amazonaws.com"}),
        ({"AWS": ACCOUNT}, {"AWS": ACCOUNT}),
        ({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, "as it is"),
        ("*", "*"),
    ],
    ids=str,
)
def test_who_is_gone_is_left_out_and_nobody_else(principal: Any, left: Any) -> None:
    kept = principal if left == "as it is" else left
    assert without_gone([to(principal)]) == ([] if left is None else [to(kept)])


def test_all_but_somebody_stays_as_it_is() -> None:
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": [GONE]}, "Action": "*", "Resource": "*"}
    assert without_gone([statement]) == [statement]
    assert [is_gone(each) for each in (GONE, ADA, ACCOUNT, "*", None)] == [True, False, False, False, False]


def test_what_an_access_point_keeps_names_nobody_who_is_gone() -> None:
    office = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    text = json.dumps({"Statement": [to({"AWS": [ADA, GONE]}, Condition=office), to({"AWS": GONE}, Condition=office)]})
    assert read_current(text, {ADA}, ACCOUNT).others == [to({"AWS": [ADA]}, Condition=office)]


def test_the_policy_of_a_bucket_can_be_written_although_somebody_in_it_is_gone() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [to({"AWS": [GONE]}), to({"AWS": [ADA]})]})
    after = json.loads(with_delegation(text, "data", ACCOUNT, "aws"))
    assert after["Statement"] == [to({"AWS": [ADA]}), delegation("data", ACCOUNT, "aws")]


def test_who_lost_an_imported_role_does_not_keep_it_because_somebody_else_was_deleted(world: World) -> None:
    users = [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("ada", "bob", "cyd")]
    world.iam.create_user(UserName="cyd")
    trust = {"Effect": "Allow", "Principal": {"AWS": users}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    world.iam.create_role(RoleName="old", AssumeRolePolicyDocument=text)
    inline = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/a/*"}]})  # fmt: skip
    world.iam.put_role_policy(RoleName="old", PolicyName="own", PolicyDocument=inline)
    world.iam.delete_user(UserName="cyd")

    pushed = Account(world).push(control("a", "ada", type="aws_role", external_id="role:old", naming_hint="old"))

    (statement,) = world.iam.get_role(RoleName="old")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert (pushed.errors("a"), statement["Principal"]["AWS"]) == ((), users[:1])
