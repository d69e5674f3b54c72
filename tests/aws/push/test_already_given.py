"""What was given on a bucket that is not synced any more stays as it is: nothing new, and nothing less."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.push.bounds import Bounds
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.model import AccessControl, WhatItem

from .pushing import TYPES, Options
from .situations import (
    HERE,
    THERE,
    Part,
    a_point,
    a_policy,
    a_role,
    a_set,
    allowed,
    aws,
    gives,
    granted,
    on,
    point_arn,
    reserved,
    who,
)
from .test_taken_away import steps

OLD, NEW, A = on("far/a", region=THERE), on("far/b", region=THERE), on("data/a")
GIVES = gives("data/a/*", "far/a/*")
POINT = f"accesspoint:{point_arn('x')}"
OF_EACH_TYPE: dict[str, tuple[Part, ...]] = {
    "role:x": a_role("x", "ada", inline=GIVES),
    "policy:x": a_policy("x", "user:ada", text=GIVES),
    "ssorole:x": (*a_set("x", "USER u-ann", inline=GIVES), *reserved("x")),
}


def plan(external_id: str, there: tuple[Part, ...], *what: WhatItem, **changes: Any) -> Plan:
    """The plan where only the bucket data is synced, and far is there."""
    people = who("ann") if external_id.startswith("ssorole") else who("ada")
    control: AccessControl = granted("x", None, people, external_id=external_id, what=what)
    control = replace(control, **changes)
    return plan_push([control], aws(there), Options(), TYPES, Bounds(buckets={"data": HERE}))


@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_what_is_given_on_it_stays_and_nothing_more_is_given(external_id: str) -> None:
    there = OF_EACH_TYPE[external_id]

    same = plan(external_id, there, A, OLD)
    more = plan(external_id, there, A, OLD, NEW, on("far/a", "s3:PutObject", region=THERE))
    less = plan(external_id, there, A)

    assert [step for step in steps(same) if step[0] != "provision"] == []
    assert (same.targets[0].errors, len(same.targets[0].warnings)) == ((), 1)
    assert "its bucket is not synced, and what is given on it stays" in same.targets[0].warnings[0]
    assert [step for step in steps(more) if step[0] != "provision"] == []
    assert ["is not among the buckets of the account that are synced" in each for each in more.targets[0].errors] == (
        [True, True]
    )
    assert any("far/a" in (row.before or "") and "far/a" not in (row.after or "") for row in less.changes)


def test_what_is_given_through_an_access_point_stays() -> None:
    there = a_point("x", "ada", "bob", bucket="data")
    control = granted("x", None, who("ada"), external_id=POINT, what=(A, on("data/b")))

    made = plan_push([control], aws(there), Options(), TYPES, Bounds(buckets={}))

    (row,) = [row for row in made.changes if row.kind == "access-point-policy"]
    assert ("object/a/*" in (row.after or ""), "bob" in (row.after or ""), "object/b" in (row.after or "")) == (
        True, False, False,
    )  # fmt: skip
    assert ["data/b" in each for each in made.targets[0].errors] == [True]


@pytest.mark.parametrize("change", [{"naming_hint": "y"}, {"type": "aws_role"}], ids=str)
def test_it_goes_along_into_what_takes_the_place_of_its_object(change: dict[str, Any]) -> None:
    made = plan("policy:x", OF_EACH_TYPE["policy:x"], A, OLD, NEW, **change)

    assert {name.split()[1] for name in allowed(made) if name.startswith("s3:GetObject")} == {"data/a/*", "far/a/*"}
    assert len(made.targets[0].errors) == 1


def test_nothing_stays_by_a_name_of_others() -> None:
    """Of what Raito did not make, of a bucket that is gone, and of one that lies elsewhere."""
    of_others = plan("role:x", a_role("x", "ada", inline=GIVES, tags=()), A, OLD)
    gone = plan("role:x", a_role("x", "ada", inline=gives("gone/*")), on("gone", kind="bucket"))
    elsewhere = plan("role:x", a_role("x", "ada", inline=GIVES), on("far/a", region=HERE))

    for made in (of_others, gone, elsewhere):
        assert "not among the buckets" in " ".join(made.targets[0].errors)
