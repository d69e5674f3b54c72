"""A policy, role or permission set that gives more: only those get more of it whom somebody saw have it."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import WhoEntry
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import INSTANCE, CenterAccount, CenterOptions, data, granted
from tests.aws.push.conftest import World, arn
from tests.aws.push.pushing import Account, Options, control, folder


def document_of(world: World, policy: str) -> str:
    version = world.iam.get_policy(PolicyArn=arn(policy))["Policy"]["DefaultVersionId"]
    return str(world.iam.get_policy_version(PolicyArn=arn(policy), VersionId=version)["PolicyVersion"]["Document"])


def granted_of(text: str) -> list[str]:
    """Which of the folders of these tests a document names."""
    return [name for name in ("a", "b", "c") if f"data/{name}/*" in text]


A_TO_C: Any = {"what": (folder("a"), folder("c"))}
"""of a and b, b is taken away and c is added"""


def changed(world: World, *who: str) -> Any:
    """A policy of Raito for ada and bob, who is now to have it, and other data."""
    (made,) = Account(world).push(control("p", "ada", "bob", what=(folder("a"), folder("b")))).controls
    return replace(made, who=WhoEntry(who, (), (), ()), **A_TO_C)


def test_who_got_a_policy_since_the_plan_does_not_get_more_by_it(world: World) -> None:
    account = Account(world)
    planned = account.plan([changed(world, "ada", "bob")])
    world.iam.attach_group_policy(GroupName="staff", PolicyArn=arn("p"))

    pushed = account.apply(*planned)
    narrowed = granted_of(document_of(world, "p"))
    again = account.push(*pushed.controls)

    (error,) = pushed.errors("p")
    assert ("it was changed since the plan" in error, narrowed) == (True, ["a"])
    assert (again.errors("p"), granted_of(document_of(world, "p"))) == ((), ["a", "c"])
    assert account.access() == {"policy:p": ["user:ada", "user:bob"]}


@pytest.mark.parametrize("refused", ["DetachUserPolicy", "ListEntitiesForPolicy"])
def test_what_is_taken_away_of_a_policy_goes_though_nothing_may_be_added(world: World, refused: str) -> None:
    wanted = changed(world, "ada")
    world.aws.faults.add(Fault(kind="deny", operation=refused))

    pushed = Account(world).push(wanted)
    narrowed = granted_of(document_of(world, "p"))
    world.aws.faults.clear()
    again = Account(world).push(*pushed.controls)

    (error,) = pushed.errors("p")
    assert (f"iam:{refused}" in error, narrowed) == (True, ["a"])
    assert (again.errors("p"), granted_of(document_of(world, "p"))) == ((), ["a", "c"])
    assert Account(world).access() == {"policy:p": ["user:ada"]}


def test_whoever_keeps_a_policy_without_being_granted_it_is_said(world: World) -> None:
    options = Options(aws_access_role_excludes=(NamePattern("left-out"),))
    world.tagged_role("left-out", by_raito=False)
    (made,) = Account(world, options).push(control("p", "ada")).controls
    world.iam.attach_role_policy(RoleName="left-out", PolicyArn=arn("p"))

    (wider,) = Account(world, options).push(replace(made, **A_TO_C)).applied.results
    (same,) = Account(world, options).push(replace(made, **A_TO_C)).applied.results

    said = "the policy gives more now, also to those who have it without being in its who: role left-out"
    assert (wider.errors, said in wider.warnings, said in same.warnings) == ((), True, False)
    assert granted_of(document_of(world, "p")) == ["a", "c"]


def test_permission_sets_that_reference_a_policy_by_hand_are_said(world: World) -> None:
    account = CenterAccount(world, CenterOptions())
    by_hand = account.permission_set("ByHand")
    account.assign(by_hand, "USER", account.person("p1"))
    (made,) = account.push(granted("p", "ada", type="aws_policy")).controls
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": by_hand}
    account.sso.attach_customer_managed_policy_reference_to_permission_set(
        **at, CustomerManagedPolicyReference={"Name": "p"}
    )
    account.sso.provision_permission_set(**at, TargetType="ALL_PROVISIONED_ACCOUNTS")

    wider = account.push(replace(made, what=(data(), data(path="new"))))

    assert (wider.errors("p"), "in its who: permission set ByHand" in wider.warnings("p")) == ("", True)


def test_who_loses_a_role_gets_no_more_by_it(world: World) -> None:
    made = control("r", "ada", "bob", type="aws_role", what=(folder("a"), folder("b")))
    (made,) = Account(world).push(made).controls
    world.aws.faults.add(Fault(kind="deny", operation="UpdateAssumeRolePolicy"))

    pushed = Account(world).push(replace(made, who=WhoEntry(("ada",), (), (), ()), **A_TO_C))
    narrowed = world.iam.get_role_policy(RoleName="r", PolicyName="Raito_Inline_r")["PolicyDocument"]
    world.aws.faults.clear()
    again = Account(world).push(*pushed.controls)
    has = world.iam.get_role_policy(RoleName="r", PolicyName="Raito_Inline_r")["PolicyDocument"]

    (error,) = pushed.errors("r")
    assert ("iam:UpdateAssumeRolePolicy" in error, granted_of(str(narrowed))) == (True, ["a"])
    assert (again.errors("r"), granted_of(str(has))) == ((), ["a", "c"])
