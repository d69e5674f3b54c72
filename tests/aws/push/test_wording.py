"""A plan in words, whatever the types of its access controls."""

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.wording import ControlPlan, in_words
from raito_pipeline.model import AccessControl, DataObjectReference, IamAttachment, WhatItem
from tests.aws.provider_types.test_declaration import TYPES as WITH_VAULT
from tests.aws.push.conftest import ACCOUNT, arn, trust
from tests.aws.push.exported import control, policy, policy_control, role, state, who
from tests.aws.push.planned import account_plan

BUCKET = WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:data", "bucket"), ("s3:ListBucket", "s3:PutObject"))
THERE = state(
    roles=(role("R", trust("ada", "bob")), role("gone", trust("ada"))),
    policies=(policy("P", {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}),),
    attachments=(
        IamAttachment("user", "bob", "managed", "P", arn("P"), None),
        IamAttachment("user", "cyd", "managed", "P", arn("P"), None),
    ),
)
KEPT = {"external_id": "role:R", "actual_name": "R", "naming_hint": "R"}


def words(*controls: AccessControl) -> tuple[ControlPlan, ...]:
    return in_words(ACCESS_PROVIDER_TYPES.push, account_plan(*controls, there=THERE))


def test_what_is_new_says_who_gets_what() -> None:
    (one,) = words(control("a", name="Sales readers", who=who("ada", "bob", groups=("staff",))))
    assert one.line == "+ role Sales_readers: 2 users and 1 group get s3:GetObject on data/a"
    assert one.details == ("users: ada, bob", "groups: staff")
    assert [diff.title for diff in one.diffs] == [
        "create role Sales_readers",
        "create role-inline-policy Sales_readers/Raito_Inline_Sales_readers",
    ]
    assert all(line[0] in "+@" for diff in one.diffs for line in diff.lines)


def test_what_changes_says_who_loses_and_what_is_given() -> None:
    (one,) = words(control("a", **KEPT, who=who("ada", "cyd"), what=(BUCKET,)))
    assert one.line == (
        "~ role R: takes user bob sts:AssumeRole; gives s3:ListBucket on data; gives s3:PutObject on data/* and 1 more"
    )
    (trusts, *_) = one.diffs
    assert '-          "arn:aws:iam::111122223333:user/bob"' in "\n".join(trusts.lines)


def test_attachments_are_people_who_get_and_lose_it() -> None:
    kept = {"external_id": "policy:P", "actual_name": "P", "naming_hint": "P", "what_locked": True}
    (one,) = words(policy_control("p", **kept, who=who("ada", "bob")))
    assert one.line == "~ managed policy P: user cyd loses it; user ada gets it"


def test_what_is_removed_says_who_loses_what_and_what_goes_with_it() -> None:
    (one,) = words(control("a", external_id="role:gone", actual_name="gone", delete=True))
    assert one.line == "- role gone: 1 user loses s3:GetObject on data/a"
    assert "takes user ada sts:AssumeRole" in one.details
    assert any(line.startswith("delete of role gone: it was removed in Raito Cloud") for line in one.details)
    assert all(line[0] in "-@" for diff in one.diffs for line in diff.lines)


def test_what_is_refused_or_as_granted_says_why() -> None:
    refused, same = words(
        control("a", type="aws_moon"), control("r", **KEPT, who=who("ada", "bob"), what=(), position=1)
    )
    assert refused.line == "! aws_moon a: aws_moon cannot be pushed yet; nothing new is made"
    assert same.line == "= role R: AWS has it as it was granted"
    assert not refused.changes
    assert not same.changes


@pytest.mark.parametrize(("delete", "mark"), [(False, "+"), (True, "-")])
def test_a_type_that_nobody_thought_of_is_told_like_any_other(delete: bool, mark: str) -> None:
    given = control("big", type="aws_vault", delete=delete, external_id="vault:v-big" if delete else None)
    from raito_pipeline.aws.push.plan import plan_push
    from raito_pipeline.config.groups import PushOptions

    made = plan_push([given], THERE, PushOptions(), WITH_VAULT.push)
    plan = account_plan(there=THERE, controls=(given,), targets=made.targets, changes=made.changes)
    (one,) = in_words(WITH_VAULT.push, plan)
    assert one.line.startswith(f"{mark} vault ")
    assert "1 user" in one.sentence
