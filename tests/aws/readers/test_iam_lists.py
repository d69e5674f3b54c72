"""IAM by single lists: what is asked of whom, and what becomes of one principal that cannot be read."""

from collections import Counter

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied, AwsError
from raito_pipeline.aws.readers.iam_earlier import EarlierIam
from raito_pipeline.aws.readers.iam_lists import read_lists
from raito_pipeline.config.groups import IamOptions
from tests.aws.conftest import Reach
from tests.aws.iam_account import IamAccount, account, managed, principal, s3
from tests.aws.stand_in import ACCOUNT, Refused, StandIn

OWN = f"arn:aws:iam::{ACCOUNT}:policy/own"


def served() -> StandIn:
    stand_in = StandIn()
    made = account(
        principal("User", "ann", groups=("team",), inline={"mine": s3()}, attached=(OWN,), tags={"team": "a"}),
        principal("User", "bob"),
        principal("Group", "team", inline={"ours": s3()}),
        principal("Role", "etl", inline={"its": s3()}, attached=(OWN,)),
        policies=(managed("own", s3("s3:PutObject")),),
    )
    IamAccount(made, stand_in)
    return stand_in


def test_each_principal_is_asked_for_once_and_members_by_their_group(reach: Reach) -> None:
    stand_in = served()

    rows = read_lists(reach(stand_in), IamOptions(), EarlierIam())

    assert [user.user_name for user in rows.users] == ["ann", "bob"]
    assert {user.user_name: user.group_names for user in rows.users} == {"ann": ("team",), "bob": ()}
    assert {(row.principal_name, row.policy_name) for row in rows.attachments} == {
        ("ann", "mine"),
        ("ann", "own"),
        ("team", "ours"),
        ("etl", "its"),
        ("etl", "own"),
    }
    calls = stand_in.calls()
    assert (calls["iam:GetUser"], calls["iam:GetRole"], calls["iam:GetGroup"]) == (2, 1, 1)
    assert Counter(dict(calls))["iam:ListGroupsForUser"] == 0
    assert calls["iam:GetPolicyVersion"] == 1


@pytest.mark.parametrize("action", ["iam:ListUsers", "iam:ListRoles", "iam:ListPolicies", "iam:ListGroups"])
def test_a_list_that_fails_leaves_the_reader_whatever_is_known(reach: Reach, action: str) -> None:
    known = read_lists(reach(served()), IamOptions(), EarlierIam())
    stand_in = served()
    stand_in.allowed = lambda asked, _: asked != action
    earlier = EarlierIam(
        users=known.users,
        groups=known.groups,
        roles=known.roles,
        policies=known.policies,
        attachments=known.attachments,
    )

    with pytest.raises(AwsDenied) as error:
        read_lists(reach(stand_in), IamOptions(), earlier)
    assert error.value.action == action


def test_one_that_cannot_be_read_is_as_the_previous_sync_has_it(reach: Reach) -> None:
    known = read_lists(reach(served()), IamOptions(), EarlierIam())
    stand_in = served()
    stand_in.faults = {("iam:GetUserPolicy", 0): Refused(500, "ServiceFailure")}
    earlier = EarlierIam(
        users=known.users,
        groups=known.groups,
        roles=known.roles,
        policies=known.policies,
        attachments=known.attachments,
    )

    rows = read_lists(reach(stand_in), IamOptions(), earlier)

    assert {row.policy_name for row in rows.attachments if row.principal_name == "ann"} == {"mine", "own"}
    with pytest.raises(AwsError):
        read_lists(reach(stand_in), IamOptions(), EarlierIam())
