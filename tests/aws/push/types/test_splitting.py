"""A what that is too long for one document: further policies with the same people, and none that is left over."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.config.groups import AccessOptions, PushOptions
from raito_pipeline.model import AccessControl, DataObjectReference, WhatItem
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.exported import control, state, who
from tests.aws.push.pushing import Account

TYPES = ACCESS_PROVIDER_TYPES.push
BOUNDS = Bounds(data_source="ds", imported={}, whole_export=True)


def what(count: int, first: int = 0) -> tuple[WhatItem, ...]:
    """Folders of long names: some forty fill a policy."""
    names = (f"{ACCOUNT}:eu-west-1:data/{number:04}-{'x' * 100}" for number in range(first, first + count))
    return tuple(WhatItem(DataObjectReference(name, "folder"), ("s3:GetObject",)) for name in names)


def resources(world: World) -> dict[str, int]:
    """Policies and inline policies of roles, with how many resources each gives."""
    assert all(len(text) <= 10_240 for text in documents(world).values())
    return {name: text.count("arn:aws:s3:::") for name, text in sorted(documents(world).items())}


def documents(world: World) -> dict[str, str]:
    """Managed policies of the account and inline policies of roles, by name."""
    rows = read_account(world.clients, AccessOptions())
    found = {row.policy_name: row.document for row in rows.policies.rows}
    return found | {row.policy_name: row.document for row in rows.attachments.rows if row.document}


@pytest.fixture
def push(world: World) -> Any:
    """Plans and applies an access control on what AWS has, and gives the plan; it keeps its name."""
    known: dict[str, Any] = {"external_id": None, "actual_name": None}

    def once(given: AccessControl) -> Plan:
        rows = read_account(world.clients, AccessOptions())
        parts = (rows.users, rows.groups, rows.roles, rows.policies, rows.attachments)
        there = PushState.of(ACCOUNT, *(part.rows for part in parts))
        named = replace(given, **known)
        made = plan_push([named], there, PushOptions(), TYPES, BOUNDS)
        (result,) = apply_plan(world.clients, ACCOUNT, TYPES, made.changes, made.targets, [named]).results
        assert result.errors == ()
        known.update(external_id=result.external_id, actual_name=result.actual_name or None)
        assert made.orphans == ()
        return made

    return once


def _refuses(plan: Plan) -> bool:
    """True where it changes nothing, and says so."""
    return [row.operation for row in plan.changes] == ["refuse"]


def _idle(made: Plan) -> bool:
    return {change.operation for change in made.changes} == {"none"}


def test_a_policy_grows_shrinks_and_goes_with_its_further_policies(world: World, push: Any) -> None:
    policy = control("big", type="aws_policy", what=what(100), who=who("ada", groups=("staff",)))

    push(policy)

    assert list(resources(world)) == ["big", "big_2", "big_3"]
    assert sum(resources(world).values()) == 100
    assert world.attached("user", "ada") == world.attached("group", "staff") == {"big", "big_2", "big_3"}
    assert _idle(push(policy))

    push(replace(policy, who=who("bob")))
    assert (world.attached("user", "ada"), world.attached("user", "bob")) == (set(), {"big", "big_2", "big_3"})

    push(replace(policy, what=what(30)))
    assert resources(world) == {"big": 30}
    push(replace(policy, what=what(60)))
    assert list(resources(world)) == ["big", "big_2"]

    push(replace(policy, delete=True))
    assert resources(world) == {}
    assert _idle(push(replace(policy, delete=True)))


def test_what_moves_into_another_policy_stays_until_it_is_there_and_what_was_taken_away_does_not(world: World) -> None:
    account, items = Account(world), what(60)
    taken, moved, gone = ("0000-", "0058-", "0059-")
    (made,) = account.push(control("big", type="aws_policy", what=items, who=who("ada"))).controls
    world.aws.faults.add(Fault(kind="deny", operation="CreatePolicyVersion", resource="policy/big&"))

    failed = account.push(replace(made, what=items[30:-1]))
    has, having = documents(world), account.access()
    world.aws.faults.clear()
    again = account.push(*failed.controls)

    assert failed.errors("big") != ()
    assert (taken in has["big"], moved in has["big_2"], gone in has["big_2"]) == (True, True, False)
    assert having == {"policy:big": ["user:ada"], "policy:big_2": ["user:ada"]}
    assert (again.errors("big"), list(documents(world))) == ((), ["big"])
    assert [each in documents(world)["big"] for each in (taken, moved, gone)] == [False, True, False]


def test_a_role_keeps_what_it_has_room_for_and_gets_the_rest_by_policies(world: World, push: Any) -> None:
    role = control("big", what=what(120), who=who("ada"))

    push(role)

    inline = "Raito_Inline_big"
    assert list(resources(world)) == [inline, f"{inline}_2"]
    assert sum(resources(world).values()) == 120
    assert world.attached("role", "big") == {f"{inline}_2"}
    assert _idle(push(role))

    push(replace(role, what=what(20)))
    assert resources(world) == {inline: 20}
    push(role)
    push(replace(role, delete=True))
    assert (resources(world), world.roles()) == ({}, set())


def test_more_than_anybody_can_have_is_refused_with_what_to_do() -> None:
    made = plan_push([control("big", type="aws_policy", what=what(600))], state(), PushOptions(), TYPES, BOUNDS)
    (target,) = made.targets
    assert "AWS attaches 10" in target.errors[0]
    assert target.refused


@pytest.mark.parametrize("kind", ["aws_policy", "aws_role"])
def test_past_what_anybody_can_have_what_was_taken_away_goes_from_every_policy(world: World, kind: str) -> None:
    account, lost = Account(world), (what(1), what(1, first=119))
    first = account.push(control("big", type=kind, what=what(120), who=who("ada", "bob")))
    assert first.errors("big") == ()

    (known,) = first.controls
    wanted = tuple(item for item in what(600) if (item,) not in lost)
    second = account.push(replace(known, what=wanted, who=who("ada")))

    assert "AWS attaches 10" in second.errors("big")[0]
    assert sum(resources(world).values()) == 118
    assert not any(f"/{number:04}-" in text for text in documents(world).values() for number in (0, 119))
    assert second.plan.orphans == ()
    assert world.attached("user", "bob") == set()
    assert _idle(account.plan(second.controls)[0])


@pytest.mark.parametrize("kind", ["aws_policy", "aws_role"])
def test_what_is_no_grant_any_more_gives_nothing_by_any_policy(world: World, kind: str) -> None:
    account = Account(world)
    (known,) = account.push(control("big", type=kind, what=what(120), who=who("ada", "bob"))).controls

    # What cannot be read of it keeps nobody in whom it does not name.
    lacking = replace(known, who=who("ada"), what=(), what_locked=True, unreadable=("what: no list",))
    first = account.push(lacking)
    assert world.attached("user", "bob") == set()
    assert sum(resources(world).values()) == 120
    assert first.errors("big") == ("it cannot be read: what: no list",)
    assert _refuses(account.plan([lacking])[0])

    denied = account.push(replace(known, action="deny"))
    assert denied.plan.orphans == ()
    assert "only 'grant'" in denied.errors("big")[0]
    assert not any("data" in text for text in documents(world).values())
    assert world.attached("user", "ada") == set()
    assert _refuses(account.plan(denied.controls)[0])
    assert account.push(known).errors("big") == ()
    assert sum(resources(world).values()) == 120


@pytest.mark.parametrize("wrong", [{"unreadable": ("who: no mapping",)}, {"type": "aws_bucket"}])
def test_further_policies_of_one_that_is_refused_are_named_by_it(world: World, wrong: dict[str, Any]) -> None:
    account = Account(world)
    (known,) = account.push(control("big", type="aws_policy", what=what(120), who=who("ada"))).controls
    made, _ = account.plan([replace(known, **wrong)])
    assert made.targets[0].refused
    assert made.orphans == ()


@pytest.mark.parametrize(("before", "after"), [("aws_policy", "aws_role"), ("aws_role", "aws_policy")])
@pytest.mark.parametrize("count", [3, 120])
def test_further_policies_go_with_the_type_that_had_them(world: World, before: str, after: str, count: int) -> None:
    account = Account(world)
    (known,) = account.push(control("big", type=before, what=what(120), who=who("ada"))).controls

    second = account.push(replace(known, type=after, what=what(count), who=who("bob")))

    assert second.errors("big") == ()
    assert sum(resources(world).values()) == count
    assert world.attached("user", "ada") == set()
    assert _idle(account.plan(second.controls)[0])
    assert account.plan(second.controls)[0].orphans == ()


def test_a_name_that_another_access_control_has_is_an_error_of_the_long_one() -> None:
    pair = [control("big", type="aws_policy", what=what(60)), control("big_2", type="aws_policy", position=1)]
    made = plan_push(pair, state(), PushOptions(), TYPES, BOUNDS)
    assert "another access control" in made.targets[0].errors[0]
    assert made.targets[1].errors == ()


def test_in_any_order_the_parts_are_the_same() -> None:
    def after(items: tuple[WhatItem, ...]) -> list[str | None]:
        made = plan_push([control("big", type="aws_policy", what=items)], state(), PushOptions(), TYPES, BOUNDS)
        return [change.after for change in made.changes]

    assert after(what(100)) == after(tuple(reversed(what(100))))
