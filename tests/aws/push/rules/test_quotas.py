"""Quotas of IAM are said in the plan, with what to do, and only where they are passed."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.rules.quotas import characters
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, IamAttachment, IamUser
from tests.aws.push.conftest import ACCOUNT, arn, trust
from tests.aws.push.exported import control, policy_control, role, state, who

NAMES = tuple(f"user-{number:03}" for number in range(60))


def crowd() -> PushState:
    """An account of sixty users; the first has ten policies already."""
    users = {
        name: IamUser(
            name, name, f"arn:aws:iam::{ACCOUNT}:user/{name}", "/", datetime(2024, 1, 1, tzinfo=UTC), (), None, ()
        )
        for name in NAMES
    }
    attachments = [
        IamAttachment("user", NAMES[0], "managed", f"p{number}", arn(f"p{number}"), None) for number in range(10)
    ]
    return replace(state((role("full", trust(NAMES[0])),), (), tuple(attachments)), users=users)


def warnings(given: AccessControl) -> str:
    made = plan_push([given], crowd(), PushOptions(), ACCESS_PROVIDER_TYPES.push)
    assert made.targets[0].errors == ()
    return " ".join(made.targets[0].warnings)


@pytest.mark.parametrize(("count", "warned"), [(20, False), (55, True)])
def test_a_trust_policy_beyond_what_aws_takes_at_first(count: int, warned: bool) -> None:
    assert ("AWS takes 2048 unless the quota was raised" in warnings(control("a", who=who(*NAMES[:count])))) is warned


@pytest.mark.parametrize(("user", "warned"), [(NAMES[0], True), (NAMES[1], False)])
def test_an_eleventh_policy_of_a_user(user: str, warned: bool) -> None:
    assert (f"user:{user} comes to have 11 managed policies" in warnings(policy_control("a", who=who(user)))) is warned


def test_inline_policies_of_a_role_are_counted_together() -> None:
    given = control("a", external_id="role:full", who=who(NAMES[0]))
    there = crowd()
    unseen = json.dumps({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "x" * 10_200}})
    inline = {**there.inline, ("role", "full"): {"old": unseen}}
    made = plan_push([given], replace(there, inline=inline), PushOptions(), ACCESS_PROVIDER_TYPES.push)
    assert "make managed policies of old" in " ".join(made.targets[0].warnings)


def test_white_space_does_not_count() -> None:
    assert characters('{ "a" :\n\t1 }') == characters('{"a":1}') == 7
