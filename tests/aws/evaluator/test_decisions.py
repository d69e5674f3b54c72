"""Requests whose answer AWS's documentation gives."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.aws.evaluator import (
    Caller,
    Limits,
    Owner,
    Point,
    Policy,
    Request,
    Verdict,
    can_assume,
    decide,
    decide_through,
    parse,
)

HERE, THERE = "111122223333", "444455556666"
USER = Caller(HERE, f"arn:aws:iam::{HERE}:user/carlos", "AIDAEXAMPLE")
SESSION = f"arn:aws:sts::{HERE}:assumed-role/reader/s"
ROLE = Caller(HERE, f"arn:aws:iam::{HERE}:role/reader", "AROAEXAMPLE", SESSION)
ROOT = f"arn:aws:iam::{HERE}:root"
GET = Request("s3:GetObject", "arn:aws:s3:::b/k")


def policy(*statements: dict[str, Any]) -> Policy:
    read = parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    assert len(read.rules) == len(statements)
    return read


def allow(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def gives(principal: str, **more: Any) -> Policy:
    return policy(allow(Principal={"AWS": principal}, **more))


S3, EC2 = policy(allow()), policy(allow("ec2:*"))
MINE = Owner(HERE)
NONE = Limits()


def test_without_a_policy_nothing_is_allowed_and_an_explicit_deny_wins() -> None:
    assert decide(USER, Limits(), MINE, GET) is Verdict.IDENTITY
    assert decide(USER, Limits((S3,)), MINE, GET) is Verdict.ALLOWED
    assert decide(USER, Limits((S3, policy(deny("s3:Get*")))), MINE, GET) is Verdict.DENIED


def test_in_one_account_identity_or_resource_is_enough() -> None:
    # Policy evaluation for requests within a single account: Carlos and his logs.
    assert decide(USER, Limits(), Owner(HERE, gives(USER.arn)), GET) is Verdict.ALLOWED
    assert (
        decide(USER, Limits((S3,)), Owner(HERE, gives("arn:aws:iam::111122223333:user/other")), GET) is Verdict.ALLOWED
    )
    denies = policy(deny(Principal={"AWS": USER.arn}))
    assert decide(USER, Limits((S3,)), Owner(HERE, denies), GET) is Verdict.DENIED


def test_a_resource_that_names_the_account_leaves_it_to_the_account() -> None:
    assert decide(USER, Limits(), Owner(HERE, gives(ROOT)), GET) is Verdict.IDENTITY
    assert decide(USER, Limits(), Owner(HERE, gives(HERE)), GET) is Verdict.IDENTITY


def test_across_accounts_both_have_to_allow() -> None:
    for named in (USER.arn, ROOT, HERE, "*"):
        there = Owner(THERE, gives(named))
        assert decide(USER, Limits((S3,)), there, GET) is Verdict.ALLOWED
        assert decide(USER, Limits(), there, GET) is Verdict.IDENTITY
    assert decide(USER, Limits((S3,)), Owner(THERE), GET) is Verdict.RESOURCE
    assert decide(USER, Limits((S3,), boundary=EC2), Owner(THERE, gives(USER.arn)), GET) is Verdict.BOUNDARY


def test_a_boundary_intersects_and_gives_nothing() -> None:
    # Permissions boundaries for IAM entities: ShirleyRodriguez.
    assert decide(USER, Limits((S3,), boundary=S3), MINE, GET) is Verdict.ALLOWED
    assert decide(USER, Limits((S3,), boundary=EC2), MINE, GET) is Verdict.BOUNDARY
    assert decide(USER, Limits((), boundary=S3), MINE, GET) is Verdict.IDENTITY
    assert decide(USER, Limits((S3,), boundary=policy(allow("*"), deny())), MINE, GET) is Verdict.DENIED


@pytest.mark.parametrize(
    ("caller", "named", "verdict"),
    [
        (USER, USER.arn, Verdict.ALLOWED),
        (ROLE, ROLE.arn, Verdict.BOUNDARY),
        (ROLE, SESSION, Verdict.ALLOWED),
        (ROLE, "*", Verdict.BOUNDARY),
        (USER, "*", Verdict.BOUNDARY),
    ],
)
def test_what_a_resource_gives_reaches_beyond_a_boundary_for_users_and_sessions_only(
    caller: Caller, named: str, verdict: Verdict
) -> None:
    assert decide(caller, Limits(boundary=EC2), Owner(HERE, gives(named)), GET) is verdict


def test_a_session_policy_intersects() -> None:
    assert decide(ROLE, Limits((S3,), session_policies=(EC2,)), MINE, GET) is Verdict.SESSION
    assert decide(ROLE, Limits((S3,), session_policies=(S3,)), MINE, GET) is Verdict.ALLOWED
    by_role = Owner(HERE, gives(ROLE.arn))
    assert decide(ROLE, Limits(session_policies=(EC2,)), by_role, GET) is Verdict.SESSION


def test_every_level_of_the_organization_has_to_allow() -> None:
    full, no_s3 = policy(allow("*")), policy(allow("*"), deny())
    assert decide(USER, Limits((S3,), service_control=((full,), (full,))), MINE, GET) is Verdict.ALLOWED
    assert decide(USER, Limits((S3,), service_control=((full,), (EC2,))), MINE, GET) is Verdict.CONTROL
    assert decide(USER, Limits((S3,), service_control=((full,), (EC2, full))), MINE, GET) is Verdict.ALLOWED
    assert decide(USER, Limits((S3,), service_control=((no_s3,), (full,))), MINE, GET) is Verdict.DENIED
    # also what the bucket gives directly
    by_bucket = Owner(HERE, gives(USER.arn))
    assert decide(USER, Limits(service_control=((EC2,),)), by_bucket, GET) is Verdict.CONTROL
    assert decide(USER, Limits((S3,)), Owner(HERE, None, ((full,), (full, policy(deny())))), GET) is Verdict.DENIED


def test_deny_with_not_principal_spares_whom_it_names_with_the_account() -> None:
    def but(*names: str) -> Owner:
        return Owner(HERE, policy({**deny(), "NotPrincipal": {"AWS": list(names)}}))

    assert decide(USER, Limits((S3,)), but(USER.arn, ROOT), GET) is Verdict.ALLOWED
    assert decide(USER, Limits((S3,)), but(USER.arn), GET) is Verdict.DENIED
    assert decide(USER, Limits((S3,)), but(ROOT), GET) is Verdict.DENIED
    assert decide(USER, Limits((S3,), boundary=S3), but(USER.arn, ROOT), GET) is Verdict.DENIED
    assert decide(ROLE, Limits((S3,)), but(ROLE.arn, SESSION, HERE), GET) is Verdict.ALLOWED
    # what the documentation leaves open
    for owner in (but(ROLE.arn), but(ROLE.arn, ROOT)):
        assert decide(ROLE, Limits((S3,)), owner, GET) is Verdict.DENIED
        assert decide(ROLE, Limits((S3,)), owner, GET, for_sure=False) is Verdict.ALLOWED
    assert decide(ROLE, Limits((S3,)), but(ROOT), GET, for_sure=False) is Verdict.DENIED


def test_a_role_is_assumed_by_whom_its_trust_names() -> None:
    def assumes(named: str, limits: Limits = NONE, caller: Caller = USER) -> Verdict:
        trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": named}})
        return can_assume(caller, limits, ROLE.arn, trust, HERE, {})

    may = Limits((policy(allow("sts:AssumeRole", ROLE.arn)),))
    assert assumes(USER.arn) is Verdict.ALLOWED
    assert assumes(ROOT) is Verdict.IDENTITY
    assert assumes(ROOT, may) is Verdict.ALLOWED
    assert assumes(f"arn:aws:iam::{HERE}:user/other", may) is Verdict.RESOURCE
    assert assumes("*") is Verdict.ALLOWED
    assert assumes(USER.arn, Limits((policy(deny("sts:*")),))) is Verdict.DENIED
    # Role trust policy update: a role does not trust itself by itself
    assert assumes(USER.arn, may, ROLE) is Verdict.RESOURCE
    there = replace(USER, account=THERE, arn=f"arn:aws:iam::{THERE}:user/x")
    assert assumes(there.arn, NONE, there) is Verdict.IDENTITY
    assert assumes(there.arn, may, there) is Verdict.ALLOWED


def test_an_access_point_and_its_bucket_both_have_to_allow() -> None:
    arn = f"arn:aws:s3:eu-west-1:{HERE}:accesspoint/p"
    through = Request("s3:GetObject", f"{arn}/object/k")
    point = Point(arn, gives(USER.arn), HERE)
    own = {"StringEquals": {"s3:DataAccessPointAccount": HERE}}
    delegates = Owner(HERE, policy(allow(Principal="*", Condition=own)))
    assert decide_through(USER, Limits(), point, MINE, through, GET.resource) is Verdict.IDENTITY
    assert decide_through(USER, Limits(), point, delegates, through, GET.resource) is Verdict.ALLOWED
    assert decide_through(USER, Limits((S3,)), Point(arn, None, HERE), MINE, through, GET.resource) is Verdict.ALLOWED
    assert decide(USER, Limits(), delegates, GET) is Verdict.IDENTITY
    vpc = replace(point, network="VPC")
    assert decide_through(USER, Limits(), vpc, delegates, through, GET.resource) is Verdict.RESOURCE
