"""IAM by single lists: what is asked of whom, and what becomes of one principal that cannot be read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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
    return served_with()[0]


def served_with() -> tuple[StandIn, IamAccount]:
    stand_in = StandIn()
    made = account(
        principal("User", "ann", groups=("team",), inline={"mine": s3()}, attached=(OWN,), tags={"team": "a"}),
        principal("User", "bob"),
        principal("Group", "team", inline={"ours": s3()}),
        principal("Role", "etl", inline={"its": s3()}, attached=(OWN,)),
        policies=(managed("own", s3("s3:PutObject")),),
    )
    return stand_in, IamAccount(made, stand_in)


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


def replaced(stand_in: StandIn, made: IamAccount, versions: int) -> None:
    """Whenever a version of the policy is asked for, it has another one by then, and has lost that one."""
    plain = stand_in.handlers["iam:GetPolicyVersion"]

    def answer(request: Mapping[str, Any]) -> Any:
        (policy,) = made.made["Policies"]
        number = int(policy["DefaultVersionId"].removeprefix("v")) + 1
        if number <= versions:
            policy["PolicyVersionList"] = [policy["PolicyVersionList"][0] | {"VersionId": f"v{number}"}]
            policy["DefaultVersionId"] = f"v{number}"
        return plain(request)

    stand_in.handlers["iam:GetPolicyVersion"] = answer


@pytest.mark.parametrize("versions", [3, 5])
def test_a_policy_that_gets_another_version_while_it_is_read_is_not_taken_for_deleted(
    reach: Reach, versions: int
) -> None:
    stand_in = StandIn()
    made = IamAccount(account(policies=(managed("own", s3()),)), stand_in)
    replaced(stand_in, made, versions)

    rows = read_lists(reach(stand_in), IamOptions(), EarlierIam())

    assert [(row.arn, row.default_version_id) for row in rows.policies] == [(OWN, f"v{versions}")]
    assert "s3:GetObject" in rows.policies[0].document


def test_a_policy_whose_version_in_force_is_not_there_is_not_read(reach: Reach) -> None:
    stand_in = StandIn()
    IamAccount(account(policies=(managed("own", s3()),)), stand_in)
    known = read_lists(reach(stand_in), IamOptions(), EarlierIam()).policies
    stand_in.faults = {("iam:GetPolicyVersion", 0): Refused(404, "NoSuchEntity")}
    before = [replace(policy, default_version_id="v0") for policy in known]

    rows = read_lists(reach(stand_in), IamOptions(), EarlierIam(policies=before))

    assert rows.policies == before
    assert [unread.element for unread in rows.policies_unread] == [OWN]
    with pytest.raises(AwsError):
        read_lists(reach(stand_in), IamOptions(), EarlierIam())


def renaming(stand_in: StandIn, made: IamAccount, action: str, key: str, before: str) -> None:
    """A user or group gets another name just before the first call of an action; its id stays."""
    plain, kind = stand_in.handlers[action], key.removesuffix("DetailList")

    def answer(request: Mapping[str, Any]) -> Any:
        for one in made.made[key]:
            if one[f"{kind}Name"] == before:
                one[f"{kind}Name"] = "renamed"
        for user in made.made["UserDetailList"]:
            user["GroupList"] = ["renamed" if kind == "Group" and one == before else one for one in user["GroupList"]]
        return plain(request)

    stand_in.handlers[action] = answer


@pytest.mark.parametrize(
    ("action", "key", "name"),
    [
        ("iam:GetUser", "UserDetailList", "ann"),
        ("iam:ListUserPolicies", "UserDetailList", "ann"),
        ("iam:GetUserPolicy", "UserDetailList", "ann"),
        ("iam:ListEntitiesForPolicy", "UserDetailList", "ann"),
        ("iam:ListAttachedUserPolicies", "UserDetailList", "ann"),
        ("iam:GetGroup", "UserDetailList", "ann"),
        ("iam:GetGroup", "GroupDetailList", "team"),
        ("iam:ListGroupPolicies", "GroupDetailList", "team"),
    ],
)
def test_what_is_renamed_while_it_is_read_does_not_count_as_deleted(
    reach: Reach, action: str, key: str, name: str
) -> None:
    stand_in, made = served_with()
    if "Attached" in action:
        stand_in.allowed = lambda asked, _: asked != "iam:ListEntitiesForPolicy"
    renaming(stand_in, made, action, key, name)

    with pytest.raises(AwsError, match=f"{name}: it was renamed to renamed while IAM was read") as error:
        read_lists(reach(stand_in), IamOptions(), EarlierIam())
    assert error.value.retryable


def test_what_was_deleted_and_made_anew_by_its_name_is_no_other_name(reach: Reach) -> None:
    stand_in = served()
    stand_in.faults = {("iam:GetUser", 1): Refused(404, "NoSuchEntity")}

    rows = read_lists(reach(stand_in), IamOptions(aws_concurrency=1), EarlierIam())

    assert [user.user_name for user in rows.users] == ["bob"]
    assert stand_in.calls()["iam:ListUsers"] == 2
