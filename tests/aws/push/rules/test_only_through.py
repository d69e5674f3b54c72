"""What an import shows of policies on the ARNs of access points: a push never makes it access to the bucket itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.model import WhatItem, WhoEntry
from tests.aws.access.conftest import ACCOUNT, Told, allow, document
from tests.aws.push.pushing import folder
from tests.aws.push.test_nothing_edited import changed, imported_of, plan_of, pushed_back

DOOR = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door"
TEAM, OTHER = f"{DOOR}/object/team/*", "arn:aws:s3:::other/*"
ON_DOOR = document(allow(["s3:GetObject", "s3:PutObject"], TEAM), allow("s3:GetObject", OTHER))
BOTH, READS = folder("team", "s3:GetObject", "s3:PutObject"), folder("team")
BESIDE = folder("", bucket="other")
KINDS = {"user:ada|inline:i0|": "user:ada", "role:r": "role:r"}


def told(text: str = ON_DOOR, whom: str = "") -> Told:
    account = Told().user("ada").user("bob").role("r").point("door").delegates()
    account.buckets = []
    return account.inline(whom, "i0", text) if whom else account.policy("p", text, "user:ada")


def edited(whom: str = "", text: str = ON_DOOR, **changes: Any) -> Plan:
    """The plan where the access control of a policy on an access point is edited."""
    inputs = told(text, whom).inputs()
    state, controls = imported_of(inputs)
    (control,) = [each for each in controls if each.external_id in ("policy:p", *KINDS)]
    return plan_of(inputs, state, [replace(control, **changes)])


def documents(plan: Plan) -> list[Any]:
    """The statements that it writes."""
    written = [
        json.loads(row.after) for row in plan.changes if row.operation not in IDLE and (row.after or "")[:1] == "{"
    ]
    return [one for each in written for one in each.get("PolicyDocument", each).get("Statement", ())]


OF_OTHER = f"{ACCOUNT}:us-east-1:other"


def items(*more: WhatItem) -> tuple[WhatItem, ...]:
    beside = replace(BESIDE, data_object=replace(BESIDE.data_object, full_name=OF_OTHER))
    return (*more, beside)


@pytest.mark.parametrize("whom", ["", *KINDS.values()])
def test_what_nobody_edited_is_pushed_back_without_a_change(whom: str) -> None:
    inputs = told(whom=whom).inputs()
    _, controls = imported_of(inputs)

    assert any("team" in item.data_object.full_name for control in controls for item in control.what)
    assert changed(pushed_back(inputs)) == []


@pytest.mark.parametrize("whom", ["", "role:r"])
def test_another_grant_leaves_it_to_the_access_point(whom: str) -> None:
    plan = edited(whom, what=items(BOTH, folder("more")))

    assert not plan.targets[0].errors
    assert "data/team" not in str(documents(plan))
    assert "data/more" in str(documents(plan))


@pytest.mark.parametrize("whom", ["", "role:r"])
def test_what_is_taken_away_goes_from_the_access_point(whom: str) -> None:
    plan = edited(whom, what=items())

    assert not plan.targets[0].errors
    assert TEAM not in str(documents(plan))
    assert "data" not in str(documents(plan)).replace("other", "")


def test_one_permission_is_taken_away_and_the_other_one_stays_where_it_was() -> None:
    plan = edited(what=items(READS))

    assert [one for one in documents(plan) if one["Resource"] == [TEAM]] == [allow(["s3:GetObject"], [TEAM])]
    assert "data/team" not in str(documents(plan))
    assert not plan.targets[0].errors


def test_a_permission_of_a_wildcard_cannot_be_taken_away_alone() -> None:
    text = document(allow("s3:*Object", TEAM))
    shown = imported_of(told(text).inputs())[1][0].what[0].permissions
    assert len(shown) > 1

    plan = edited(text=text, what=(folder("team", *shown[1:]),))

    assert documents(plan) == []
    assert "split it in AWS first" in str(plan.targets[0].errors)


def test_a_policy_that_takes_the_place_of_inline_ones_does_not_open_the_bucket() -> None:
    plan = edited("user:ada", who=WhoEntry(("ada", "bob"), (), (), ()))

    assert "data/team" not in str(documents(plan))
    assert "through an access point alone" in str(plan.targets[0].errors)
    granted, kept = documents(plan)
    assert granted["Resource"] == [OTHER]
    assert kept == allow(["s3:GetObject", "s3:PutObject"], TEAM)


def test_what_is_taken_away_goes_from_an_inline_policy_that_is_replaced() -> None:
    whole, part = edited("user:ada", what=items()), edited("user:ada", what=items(READS))

    assert "team" not in str(documents(whole))
    assert not whole.targets[0].errors
    assert {str(one["Action"]) for one in documents(part) if "door" in str(one)} == {"['s3:GetObject']"}


def test_a_grant_on_the_bucket_of_what_the_access_point_does_not_give_is_made() -> None:
    """The bucket leaves nothing to its access points: what the policy says of one gives nothing, and is not shown."""
    account = told()
    account.bucket_policies = []
    inputs = account.inputs()
    state, controls = imported_of(inputs)
    control = next(each for each in controls if each.external_id == "policy:p")
    assert "team" not in str(control.what)

    plan = plan_of(inputs, state, [replace(control, what=items(BOTH))])

    assert "data/team" in str(documents(plan))
