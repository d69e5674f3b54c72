"""What was given on a bucket that is not synced any more stays as it is: nothing new, and nothing less."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.documents.document_edits import extended
from raito_pipeline.aws.push.documents.statements import policy_for
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.types.role_changes import inline_name
from raito_pipeline.model import AccessControl, IamAttachment, IamPolicy, PushPermissionSet, WhatItem, WhoEntry
from tests.aws.access.conftest import ACCOUNT, Told, allow, document, trust, user_arn
from tests.aws.push.account.test_taken_away import DATA, steps
from tests.aws.push.pushing import TYPES, Options, folder, imported
from tests.aws.push.situations import (
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
from tests.aws.push.test_nothing_edited import as_imported

OLD, NEW, A = on("far/a", region=THERE), on("far/b", region=THERE), on("data/a")
GIVES = gives("data/a/*", "far/a/*")
SALES = f"arn:aws:s3:{HERE}:{ACCOUNT}:accesspoint/sales"
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
    """Of what others wrote, of a bucket that is gone, and of one that lies elsewhere."""
    by_others = IamAttachment("role", "x", "inline", "theirs", None, GIVES)
    of_others = plan("role:x", (*a_role("x", "ada", inline=None, tags=()), by_others), A, OLD)
    gone = plan("role:x", a_role("x", "ada", inline=gives("gone/*")), on("gone", kind="bucket"))
    elsewhere = plan("role:x", a_role("x", "ada", inline=GIVES), on("far/a", region=HERE))

    for made in (of_others, gone, elsewhere):
        assert "not among the buckets" in " ".join(made.targets[0].errors)


@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_listings_of_several_folders_stay_though_one_statement_gives_them(external_id: str) -> None:
    listed = [on(f"far/{each}", "s3:ListBucket", region=THERE) for each in ("a", "b")]
    text = policy_for([A, *listed], ACCOUNT, "aws").text
    (*parts,) = OF_EACH_TYPE[external_id]
    there = tuple(_with_text(part, text) for part in parts)

    same = plan(external_id, there, A, *listed)
    less = plan(external_id, there, A, listed[0])

    assert [step for step in steps(same) if step[0] != "provision"] == []
    assert same.targets[0].errors == ()
    (row,) = [row for row in less.changes if "b/*" in (row.before or "")]
    assert ("a/*" in (row.after or ""), "b/*" in (row.after or "")) == (True, False)


def _with_text(part: Part, text: str) -> Part:
    if isinstance(part, IamAttachment) and part.document:
        return replace(part, document=text)
    if isinstance(part, IamPolicy):
        return replace(part, document=text)
    return replace(part, inline_policy=text) if isinstance(part, PushPermissionSet) else part


@pytest.mark.parametrize("kind", ["role", "policy"])
def test_what_pushes_wrote_into_what_raito_did_not_make_stays(kind: str) -> None:
    """The bucket was synced while it was granted, and is not now."""
    theirs, item = document(allow("s3:GetObject", DATA)), folder("a", bucket="hidden")
    item = replace(
        item,
        data_object=replace(item.data_object, full_name=item.data_object.full_name.replace("eu-west-1", "us-east-1")),
    )
    account = Told(left_out=True).user("ada").user("bob")
    own = policy_for([item], ACCOUNT, "aws").document["Statement"]
    if kind == "policy":
        account.policy("x", extended(theirs, own), "user:ada")
    else:
        account.role("x", trust({"AWS": user_arn("ada")})).inline("role:x", "theirs", theirs)
        account.inline("role:x", inline_name("x"), document(*own))
    inputs = account.inputs()
    place = PointState.of(inputs.buckets, (), {}, [])
    state = PushState.of_account(inputs, Options(), imported(inputs, Options()), points=place)
    control = as_imported(0, state.view.providers[f"{kind}:x"])
    control = replace(control, what=(*control.what, item), who=WhoEntry(("ada", "bob"), (), (), ()))
    bounds = Bounds("source", None, {"data": HERE}, state.view.providers)

    made = plan_push([control], state, Options(), TYPES, bounds)

    assert {operation for operation, _ in steps(made)} == {"tag", "attach" if kind == "policy" else "update"}
    assert not any("hidden" in f"{row.before}{row.after}" for row in made.changes)
    assert (made.targets[0].errors, "stays as it is" in made.targets[0].warnings[0]) == ((), True)


def test_an_access_point_of_others_is_not_closed_because_its_bucket_is_not_synced() -> None:
    """What the import says of it is of before, and somebody else gets it."""
    inputs = (
        Told()
        .user("ada")
        .user("bob")
        .delegates()
        .point("sales", allow("s3:GetObject", f"{SALES}/object/*", Principal={"AWS": user_arn("ada")}))
        .inputs()
    )
    rows = imported(inputs, Options())
    now = replace(inputs, buckets=tuple(replace(each, included=each.name != "data") for each in inputs.buckets))
    place = PointState.of(now.buckets, now.access_points, {HERE: None}, [])
    state = PushState.of_account(now, Options(), rows, points=place)
    control = replace(as_imported(0, rows[f"accesspoint:{SALES}"]), who=WhoEntry(("ada", "bob"), (), (), ()))

    made = plan_push([control], state, Options(), TYPES, Bounds("source", None, {"other": HERE}, rows))

    (row,) = [row for row in made.changes if row.kind == "access-point-policy"]
    assert (row.operation, "user/ada" in (row.after or "")) == ("update", True)
    assert made.targets[0].errors == ()
