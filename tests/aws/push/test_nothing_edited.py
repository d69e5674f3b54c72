"""What an import says and nobody edited is pushed back without a change: a property of any account."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.model import (
    AccessControl,
    AccessProvider,
    DataObjectReference,
    PushChange,
    WhatItem,
    WhoEntry,
    is_aws_managed,
)
from tests.aws.access.conftest import ACCOUNT, RESOURCE, ROOT, SERVICE, Told, allow, deny, document, trust, user_arn
from tests.aws.push.pushing import BUCKETS, TYPES, Options, imported
from tests.aws.real_account import real_account


def as_imported(position: int, row: AccessProvider) -> AccessControl:
    """An access control that Raito Cloud exports of an access provider that was taken over and never edited."""
    what = tuple(
        replace(item, data_object=replace(item.data_object, type=item.data_object.type or _type(item.data_object)))
        for item in row.what
    )
    who = WhoEntry(row.who_users or (), row.who_groups or (), row.who_access_providers or (), ())
    return AccessControl(
        position, row.external_id, row.name, "", row.naming_hint, row.type, row.external_id, "grant", False,
        row.actual_name, who, None, what, (), row.who_locked is not None, row.inheritance_locked is not None,
        row.what_locked is not None, row.delete_locked is not None, (),
    )  # fmt: skip


def _type(data_object: DataObjectReference) -> str:
    return "folder" if "/" in data_object.full_name else "bucket"


def imported_of(inputs: AccessInputs) -> tuple[PushState, list[AccessControl]]:
    """What a push knows of an account, and an export of all that can be taken over, as it was imported."""
    state = PushState.of_account(inputs, Options(), imported(inputs, Options()))
    # A policy that could not be imported has no tags in the tables; they are asked when it is planned.
    state = state.with_policy_tags({row.arn: row.tags or () for row in inputs.policies if not row.aws_managed})
    rows = [row for row in state.view.providers.values() if not row.not_internalizable]
    return state, [as_imported(position, row) for position, row in enumerate(rows)]


def plan_of(inputs: AccessInputs, state: PushState, controls: list[AccessControl]) -> Plan:
    bounds = Bounds("source", None, {one.name: one.region for one in inputs.buckets}, state.view.providers)
    return plan_push(controls, state, Options(), TYPES, bounds)


def pushed_back(inputs: AccessInputs) -> Plan:
    return plan_of(inputs, *imported_of(inputs))


def changed(plan: Plan) -> list[Any]:
    """What it would change, and what it refuses."""
    found = [(row.operation, row.resource, row.after) for row in plan.changes if row.operation not in IDLE]
    return found + [(target.access_control_id, target.errors) for target in plan.targets if target.errors]


ACTIONS = st.sampled_from(
    ["s3:GetObject", "s3:*", "s3:Get*", "s3:ListBucket", "s3:NoSuchThing", "ec2:RunInstances", "*", "iam:PassRole"]
)
RESOURCES = st.sampled_from(
    [
        "*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::data",
        "arn:aws:s3:::data/*",
        "arn:aws:s3:::data/a/*",
        "arn:aws:s3:::data/a*",
        "arn:aws:s3:::data/f.csv",
        "arn:aws:s3:::data/later.csv",
        "arn:aws:s3:::o*/*",
        "arn:aws:s3:::elsewhere/*",
        "arn:aws:s3:::hidden",
        "arn:aws:s3:::more/*",
        "arn:aws:s3:::?ore*",
        "arn:aws:sqs:::queue",
    ]
)
CONDITIONS = st.sampled_from([{}, {}, {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])
STATEMENTS = st.one_of(
    st.builds(
        lambda actions, resources, more: allow(actions, resources, **more),
        st.lists(ACTIONS, min_size=1, max_size=3),
        st.lists(RESOURCES, min_size=1, max_size=3),
        CONDITIONS,
    ),
    st.builds(deny, ACTIONS, RESOURCES),
)
DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=3).map(lambda statements: document(*statements))
WHOM = st.lists(st.sampled_from(["user:ada", "user:bob", "group:g", "group:h", "role:r", "role:x"]), unique=True)
PRINCIPALS = st.sampled_from(
    [{"AWS": user_arn("ada")}, {"AWS": [user_arn("ada"), user_arn("bob")]}, {"Service": "glue.amazonaws.com"}, "*",
     {"AWS": "arn:aws:iam::111122223333:root"}, {"AWS": user_arn("ada", "999999999999")}]
)  # fmt: skip
TRUSTS = st.lists(
    st.builds(
        lambda who, action, more: trust(who, action, **more),
        PRINCIPALS,
        st.sampled_from(["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"], "sts:*"]),
        CONDITIONS,
    ),
    min_size=1,
    max_size=3,
)


BUCKET_STATEMENTS = st.builds(
    lambda effect, action, bucket, who, more: {**effect(action, [bucket, f"{bucket}/*"], Principal=who), **more},
    st.sampled_from([allow, deny]),
    ACTIONS,
    st.sampled_from(["arn:aws:s3:::data", "arn:aws:s3:::other", "arn:aws:s3:::more"]),
    PRINCIPALS,
    CONDITIONS,
)
BOUNDARIES = st.sampled_from([None, None, f"arn:aws:iam::{ACCOUNT}:policy/p0", "arn:aws:iam::aws:policy/unread"])


@st.composite
def accounts(draw: st.DrawFn) -> AccessInputs:
    told = Told().group("g").group("h").bucket("more").bucket("odd")
    told.data_object("f.csv").data_object("a", "folder").data_object("ab", "folder")
    told.user("ada", "g", boundary=draw(BOUNDARIES)).user("bob", "g", "h", boundary=draw(BOUNDARIES)).user("eve")
    for name in ("r", "x"):
        told.role(name, *draw(TRUSTS), boundary=draw(BOUNDARIES))
    for number in range(draw(st.integers(0, 3))):
        # One of AWS may be called as one of the account is.
        name = f"p{draw(st.integers(0, number))}"
        if all(policy.policy_name != name for policy in told.policies):
            told.policy(name, draw(DOCUMENTS), *draw(WHOM), aws=draw(st.booleans()))
        elif sum(policy.policy_name == name for policy in told.policies) == 1:
            told.policy(name, draw(DOCUMENTS), *draw(WHOM), aws=not told.policies[-1].aws_managed)
    for whom in draw(WHOM):
        for number in range(draw(st.integers(1, 2))):
            told.inline(whom, f"i{number}", draw(DOCUMENTS))
    _elsewhere(draw, told)
    return told.inputs()


def _elsewhere(draw: st.DrawFn, told: Told) -> None:
    """What limits them beside their own policies, or gives them more."""
    for bucket in draw(st.lists(st.sampled_from(["data", "other", "more"]), unique=True, max_size=2)):
        told.bucket_policy(bucket, *draw(st.lists(BUCKET_STATEMENTS, min_size=1, max_size=2)))
    told.bucket_policy_use = draw(st.sampled_from(["show", "deny-only", "off"]))
    if draw(st.booleans()):
        told.organization(full=draw(st.booleans()))
        told.control("some", draw(DOCUMENTS), ROOT, kind=draw(st.sampled_from([SERVICE, RESOURCE])))
    if draw(st.booleans()):
        point = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/point"
        given = allow(draw(ACTIONS), [point, f"{point}/object/*"], Principal=draw(PRINCIPALS), **draw(CONDITIONS))
        told.point("point", given)


@settings(deadline=None, max_examples=25)
@given(accounts())
def test_any_account(inputs: AccessInputs) -> None:
    assert changed(pushed_back(inputs)) == []


ADDED = WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:odd", "bucket"), ("s3:ListBucket",))
"""of a bucket that nothing in the accounts is about by its name"""
IN_PLACE = ("aws_role", "aws_policy")
"""what is edited where it is; inline policies of users and groups get a managed one in their place"""


def _in_place(controls: Iterable[AccessControl]) -> list[AccessControl]:
    return [
        one for one in controls if one.type in IN_PLACE and (one.external_id or "").startswith(("role:", "policy:"))
    ]


def _untagged(plan: Plan) -> list[PushChange]:
    """What a plan changes, beside the tags of what it changes; a policy of AWS can have none."""
    rows = [row for row in plan.changes if row.operation not in IDLE]
    assert [row for row in rows if row.operation == "tag" and is_aws_managed(row.resource)] == []
    return [row for row in rows if row.operation != "tag"]


@settings(deadline=None, max_examples=40)
@given(accounts())
def test_an_edit_of_the_who_changes_no_document(inputs: AccessInputs) -> None:
    state, controls = imported_of(inputs)
    edited = [replace(one, who=replace(one.who, users=(*one.who.users, "eve"))) for one in _in_place(controls)]

    plan = plan_of(inputs, state, edited)

    kinds = {(row.kind, row.operation) for row in _untagged(plan)}
    assert kinds <= {("attachment", "attach"), ("role-trust", "update")}


@settings(deadline=None, max_examples=40)
@given(accounts())
def test_an_edit_of_the_what_keeps_every_statement_and_everybody(inputs: AccessInputs) -> None:
    state, controls = imported_of(inputs)
    edited = [replace(one, what=(*one.what, ADDED)) for one in _in_place(controls)]

    plan = plan_of(inputs, state, edited)

    rows = _untagged(plan)
    assert {row.kind for row in rows} <= {"policy-version", "role-inline-policy"}
    for row in rows:
        if row.before is not None:
            after = json.loads(row.after or "{}")["Statement"]
            assert [one for one in json.loads(row.before)["Statement"] if one not in after] == []


TWO_FILES = document(allow("s3:GetObject", ["arn:aws:s3:::data/f.csv", "arn:aws:s3:::data/later.csv"]))


def after_all_is_taken_away(told: Told) -> list[Any]:
    """The documents that are left of a policy of which everything was taken away that Raito Cloud showed."""
    inputs = told.inputs()
    state, controls = imported_of(inputs)
    changes = plan_of(inputs, state, [replace(one, what=()) for one in controls]).changes
    return [row.after for row in changes if row.after is not None and "Statement" in row.after]


def test_a_file_that_was_taken_away_goes_and_a_key_that_is_no_file_stays() -> None:
    told = Told().user("ada").data_object("f.csv").policy("p", TWO_FILES, "user:ada")

    (left,) = after_all_is_taken_away(told)

    assert "later.csv" in left
    assert "f.csv" not in left


def test_where_no_file_was_ever_shown_none_is_taken_away() -> None:
    assert after_all_is_taken_away(Told().user("ada").policy("p", TWO_FILES, "user:ada")) == []


def test_the_account_that_was_exported() -> None:
    plan = pushed_back(real_account(BUCKETS))

    assert len(plan.targets) > 10
    assert changed(plan) == []
