"""Inline policies of users and groups that were taken over: a managed policy takes their place."""

from typing import Any

import pytest

from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import World, text
from tests.aws.push.pushing import Account, control, folder
from tests.aws.push.test_lost_revocations import gets

EC2 = {"Effect": "Allow", "Action": "ec2:StartInstances", "Resource": "*"}


def given_inline(world: World, *more: object) -> None:
    body = {**gets("data/a/*", "data/b/*")}
    world.iam.put_user_policy(UserName="ada", PolicyName="mine", PolicyDocument=text(body))
    for number, statement in enumerate(more):
        body = {"Version": "2012-10-17", "Statement": [*gets("data/a/*")["Statement"], statement]}
        world.iam.put_user_policy(UserName="ada", PolicyName=f"more{number}", PolicyDocument=text(body))


OWN = "user:ada|inline:mine|"


def test_nobody_edited_it_and_it_stays(world: World) -> None:
    given_inline(world)
    pushed = Account(world).push(control("u", "ada", external_id=OWN, what=(folder("a"), folder("b"))))
    assert (pushed.external_id("u"), pushed.errors("u")) == (OWN, ())
    assert Account(world).access() == {"user:ada": ["mine"]}


def test_edited_it_becomes_a_managed_policy(world: World) -> None:
    given_inline(world)
    account = Account(world)
    first = account.push(control("u", "ada", external_id=OWN))
    mark = world.aws.calls.mark
    second = account.push(*first.controls)
    assert (first.external_id("u"), first.errors("u"), second.errors("u")) == ("policy:u", (), ())
    assert account.access() == {"policy:u": ["user:ada"]}
    assert world.writes(mark) == []


def test_it_stays_until_the_managed_one_is_there(world: World) -> None:
    given_inline(world)
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="AttachUserPolicy"))
    pushed = Account(world).push(control("u", "ada", external_id=OWN))
    assert pushed.external_id("u") == OWN
    assert Account(world).access()["user:ada"] == ["mine"]


def test_who_lost_it_loses_it_at_once(world: World) -> None:
    given_inline(world)
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="CreatePolicy"))
    Account(world).push(control("u", "bob", external_id=OWN))
    assert Account(world).access() == {}


BOTH = {"external_id": "user:ada|inline:mine|more0|"}


def inline(world: World, name: str, user: str = "ada") -> list[Any]:
    """The statements of an inline policy."""
    found = world.iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]["Statement"]
    return list(found)


def test_of_one_that_holds_what_nobody_sees_only_that_stays(world: World) -> None:
    given_inline(world, EC2)
    account = Account(world)
    pushed = account.push(control("u", "ada", **BOTH))
    (result,) = pushed.applied.results
    assert (result.errors, account.access()) == ((), {"policy:u": ["user:ada"], "user:ada": ["more0"]})
    assert inline(world, "more0") == [EC2]
    assert any("more0 of user ada stays, with what Raito Cloud does not see" in each for each in result.warnings)
    mark = world.aws.calls.mark
    account.push(*pushed.controls)
    assert world.writes(mark) == []


def test_whoever_lost_it_keeps_of_it_what_nobody_sees(world: World) -> None:
    given_inline(world, EC2)
    assert Account(world).push(control("u", "bob", **BOTH)).errors("u") == ()
    assert (Account(world).access(), inline(world, "more0")) == (
        {"policy:u": ["user:bob"], "user:ada": ["more0"]}, [EC2],
    )  # fmt: skip


@pytest.mark.parametrize(("refused", "begun"), [("CreatePolicy", False), ("AttachUserPolicy", True)])
def test_what_was_taken_away_goes_though_the_managed_policy_cannot_be_made(
    world: World, refused: str, begun: bool
) -> None:
    """Then it says what was granted, and stays; a policy that is there already takes its place the next time."""
    given_inline(world, EC2)
    world.aws.faults.add(Fault(kind="deny", service="iam", operation=refused))
    pushed = Account(world).push(control("u", "ada", what=(folder("b"),), **BOTH))
    left = [inline(world, name) for name in ("mine", "more0")]
    world.aws.faults.clear()
    again = Account(world).push(*pushed.controls)

    assert [text(each).count("data/b/*") for each in left] == [1, 0]
    assert [text(each).count("data/a/*") for each in left] == [0, 0]
    assert EC2 in left[1]
    assert (again.errors("u"), again.external_id("u")) == ((), "policy:u" if begun else BOTH["external_id"])
    replaced = {"policy:u": ["user:ada"], "user:ada": ["more0"]}
    assert Account(world).access() == (replaced if begun else {"user:ada": ["mine", "more0"]})
    assert EC2 in inline(world, "more0")


def test_what_was_taken_away_goes_though_no_managed_policy_is_planned(world: World) -> None:
    """Its name is that of a policy that somebody else made."""
    given_inline(world)
    world.tagged_policy("u", by_raito=False)
    pushed = Account(world).push(control("u", "ada", what=(folder("b"),), external_id=OWN))
    (error,) = pushed.errors("u")
    assert ("was not made by Raito" in error, pushed.external_id("u")) == (True, OWN)
    assert "data/a" not in text(inline(world, "mine"))
    assert "data/b/*" in text(inline(world, "mine"))


def test_where_it_cannot_be_narrowed_it_goes_once_the_managed_policy_is_there(world: World) -> None:
    given_inline(world)
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="PutUserPolicy"))
    (error,) = Account(world).push(control("u", "ada", what=(folder("b"),), external_id=OWN)).errors("u")
    assert ("iam:PutUserPolicy" in error, Account(world).access()) == (True, {"policy:u": ["user:ada"]})


def test_a_deleted_one_goes(world: World) -> None:
    given_inline(world)
    pushed = Account(world).push(control("u", external_id=OWN, delete=True))
    assert (pushed.external_id("u"), pushed.errors("u")) == (None, ())
    assert Account(world).access() == {}
