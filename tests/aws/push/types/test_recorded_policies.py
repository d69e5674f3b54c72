"""Recorded pushes of roles and policies, pushed here: feedback, AWS afterwards and calls beside the client's.

What differs is said here, and explained in `docs/push-compared.md`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.model import AccessControl
from tests.aws.push.center_push import CenterAccount, CenterPushed
from tests.aws.push.conftest import World, document, text, trust
from tests.aws.push.recorded import RecordedPush, recorded

STEPS = ("1-create", "2-update", "3-update-again", "4-delete")
READ = text(document("s3:GetObject"))


@pytest.fixture
def account(world: World) -> CenterAccount:
    """The account that the pushes were recorded on."""
    iam, made = world.iam, CenterAccount(world)
    for number in range(1, 10):
        iam.create_user(UserName=f"user{number:04}")
    iam.create_user(UserName="pathuser", Path="/people/")
    for group, members in {"group001": (1, 5, 6), "group002": (7, 8), "emptygroup": ()}.items():
        iam.create_group(GroupName=group)
        for member in members:
            iam.add_user_to_group(GroupName=group, UserName=f"user{member:04}")
    for role in ("role0001", "role0003", "role0004"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=text(trust("user0001")))
        iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=READ)
    for name, versions in (("imported-policy", 4), ("full-versions", 5)):
        policy = iam.create_policy(PolicyName=name, PolicyDocument=_of_a_bucket("s3:GetObject"))["Policy"]["Arn"]
        for _ in range(versions - 1):
            body = _of_a_bucket("s3:ListBucket")
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=body, SetAsDefault=False)
        who = ("user0001",) if name == "imported-policy" else ("user0002",)
        for user in who:
            iam.attach_user_policy(UserName=user, PolicyArn=policy)
        if name == "imported-policy":
            iam.attach_group_policy(GroupName="group002", PolicyArn=policy)
            for role in ("role0003", "role0004"):
                iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    for number in range(10):
        made.person(f"person{number:03}")
    made.assign(made.permission_set("ExistingSet", Description="Set ExistingSet"), "GROUP", made.team("team0"))
    return made


def _of_a_bucket(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": ["arn:aws:s3:::data-00", "arn:aws:s3:::data-00/*"]}
    return text({"Version": "2012-10-17", "Statement": [statement]})


def push(account: CenterAccount, controls: Sequence[AccessControl]) -> CenterPushed:
    reserved = account.role("ExistingSet")
    here = (
        replace(each, who=replace(each.who, inherit_from=tuple(
            f"ssorole:{reserved}" if "ExistingSet" in entry else entry for entry in each.who.inherit_from)))
        for each in controls
    )  # fmt: skip
    return account.push(*here)


def differences(pushed: CenterPushed, recording: RecordedPush) -> dict[str, tuple[Any, ...]]:
    """By access control: name, external id and number of errors here, where they are not the client's."""
    found = {}
    for identifier, theirs in recording.feedback.items():
        ours = pushed.results[identifier]
        here = (ours.actual_name, ours.external_id, len(ours.errors))
        if here != (theirs["actualName"], theirs["externalId"], len(theirs["errors"] or ())):
            found[identifier] = here
    return found


def left(account: CenterAccount) -> dict[str, dict[str, Any]]:
    """The managed policies of the account as a recording has them."""
    details = account.world.iam.get_account_authorization_details(
        Filter=["User", "Group", "Role", "LocalManagedPolicy"]
    )
    found: dict[str, dict[str, Any]] = {
        policy["PolicyName"]: {"users": [], "groups": [], "roles": [], "versions": len(policy["PolicyVersionList"])}
        for policy in details["Policies"]
    }
    for kind in ("User", "Group", "Role"):
        for one in details[f"{kind}DetailList"]:
            for policy in one["AttachedManagedPolicies"]:
                found[policy["PolicyName"]][f"{kind.lower()}s"].append(one[f"{kind}Name"])
    return {name: {key: _sorted(value) for key, value in one.items()} for name, one in found.items()}


def _sorted(value: Any) -> Any:
    """Names in order, less those of roles of permission sets: these are another one's to compare."""
    return sorted(each for each in value if not each.startswith("AWSReserved")) if isinstance(value, list) else value


def not_the_same(account: CenterAccount, recording: RecordedPush) -> dict[str, Any]:
    """What is in AWS otherwise than the client left it: policies by what they have here, and names of roles."""
    ours = left(account)
    theirs = {
        name: {key: _sorted(value) for key, value in one.items() if key != "tags"}
        for name, one in recording.policies.items()
    }
    found: dict[str, Any] = {name: ours.get(name) for name in ours | theirs if ours.get(name) != theirs.get(name)}
    roles = {name for name in account.world.roles() if not name.startswith("AWSReserved")}
    return found | ({"roles": roles ^ recording.roles} if roles != recording.roles else {})


def test_4_roles_and_policies(account: CenterAccount, tmp_path: Path) -> None:
    first, second, third, last = (recorded(f"4-roles-and-policies.{step}", tmp_path) for step in STEPS)
    # Nobody is a state: a role whose trust denies, a policy that allows nothing. And users below a path have ARNs.
    empty = {f"Role_{name}" for name in ("without_users", "with_an_empty_group", "of_a_user_below_a_path")}
    without_what = {"users": ["user0002"], "groups": [], "roles": [], "versions": 1}
    # The document of the imported policy says what is granted already.
    imported = {"users": ["user0003"], "groups": ["group002"], "roles": ["role0004"], "versions": 4}
    beside = {"imported-policy": imported, "Policy_without_what": without_what, "roles": empty}

    pushed = push(account, first.controls)

    assert differences(pushed, first) == {
        "r-empty": ("Role_without_users", "role:Role_without_users", 0),
        "r-emptygroup": ("Role_with_an_empty_group", "role:Role_with_an_empty_group", 0),
        "r-path": ("Role_of_a_user_below_a_path", "role:Role_of_a_user_below_a_path", 0),
        # The client ignores what a role cannot hold, without a word.
        "r-inherit": ("Role_with_inheritance", "role:Role_with_inheritance", 1),
        "p-nowhat": ("Policy_without_what", "policy:Policy_without_what", 0),
        "p-never": ("", None, 0),
    }
    assert account.references("Set_for_polic") == {"/Policy_with_all_kinds"}
    assert not_the_same(account, first) == beside
    assert Counter(pushed.writes) - Counter(first.operations) == Counter(PutRolePolicy=3, CreateRole=2, CreatePolicy=1)
    left_out = {"DeleteInlinePolicyFromPermissionSet": 1, "AttachGroupPolicy": 1, "CreatePolicyVersion": 1}
    # The first assignment brings the permission set with its policy.
    left_out["ProvisionPermissionSet"] = 1
    assert Counter(first.operations) - Counter(pushed.writes) == Counter(left_out)

    pushed = push(account, second.controls)

    assert differences(pushed, second) == {}
    assert not_the_same(account, second) == beside
    assert account.references("Set_for_polic") == set()
    # Who lost the role is taken out of its trust first; the client writes it, and the permission set, in any case.
    assert Counter(pushed.writes) - Counter(second.operations) == Counter(UpdateAssumeRolePolicy=1)
    assert len(pushed.writes) == len(second.writes) - 3

    pushed = push(account, third.controls)

    # The export of before the feedback: the client fails at the policy that it has renamed, and at the reference.
    assert differences(pushed, third) == {
        "p-all": ("Policy_with_all_kinds", "policy:Policy_with_all_kinds", 0),
        "p-same1": ("Renamed_policy", "policy:Renamed_policy", 0),
    }
    assert (pushed.writes, len(third.writes)) == ([], 9)

    pushed = push(account, last.controls)

    assert differences(pushed, last) == {"p-gone": ("", None, 0)}, "what is gone is deleted"
    assert not_the_same(account, last) == beside
    assert Counter(pushed.writes) == Counter(last.operations)
