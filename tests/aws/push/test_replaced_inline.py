"""Inline policies of users and groups that were taken over: a managed policy takes their place."""

import pytest

from raito_pipeline.aws.push.replaced_inline import InlineSource, inline_source
from raito_pipeline.sandbox.aws.faults import Fault

from .conftest import World, text
from .pushing import Account, control, folder
from .test_lost_revocations import gets

EC2 = {"Effect": "Allow", "Action": "ec2:StartInstances", "Resource": "*"}


@pytest.mark.parametrize(
    ("external_id", "source"),
    [
        ("user:ada|inline:one|two|", InlineSource(("user", "ada"), ("one", "two"))),
        ("group:staff|inline:one|", InlineSource(("group", "staff"), ("one",))),
        ("policy:p", None),
        (None, None),
    ],
)
def test_what_an_external_id_names(external_id: str | None, source: InlineSource | None) -> None:
    assert inline_source(external_id) == source


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


def test_one_that_holds_what_nobody_sees_stays(world: World) -> None:
    given_inline(world, EC2)
    (error,) = Account(world).push(control("u", "ada", external_id="user:ada|inline:mine|more0|")).errors("u")
    assert "inline policy more0 of user ada stays" in error
    assert Account(world).access() == {"policy:u": ["user:ada"], "user:ada": ["more0"]}


def test_a_deleted_one_goes(world: World) -> None:
    given_inline(world)
    pushed = Account(world).push(control("u", external_id=OWN, delete=True))
    assert (pushed.external_id("u"), pushed.errors("u")) == (None, ())
    assert Account(world).access() == {}
