"""What an import says and nobody edited is pushed back without a change: a property of any account."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.bounds import Bounds
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.state import PushState
from raito_pipeline.model import AccessControl, AccessProvider, DataObjectReference, WhoEntry
from tests.aws.access.conftest import Told, allow, deny, document, trust, user_arn
from tests.aws.real_account import real_account

from .pushing import BUCKETS, TYPES, Options

PUSHED = ("aws_role", "aws_policy")


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


def pushed_back(inputs: AccessInputs) -> Plan:
    options = Options()
    state = PushState.of_account(inputs, options, ACCESS_PROVIDER_TYPES.imported)
    # A policy that could not be imported has no tags in the tables; they are asked when it is planned.
    state = state.with_policy_tags({row.arn: row.tags or () for row in inputs.policies if not row.aws_managed})
    rows = [row for row in state.view.providers.values() if row.type in PUSHED]
    controls = [as_imported(position, row) for position, row in enumerate(rows)]
    bounds = Bounds("source", None, {one.name: one.region for one in inputs.buckets}, state.view.providers)
    return plan_push(controls, state, options, TYPES, bounds)


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


@st.composite
def accounts(draw: st.DrawFn) -> AccessInputs:
    told = (
        Told()
        .data_object("f.csv")
        .data_object("a", "folder")
        .data_object("ab", "folder")
        .user("ada", "g")
        .user("bob", "g", "h")
        .group("g")
        .group("h")
    )
    for name in ("r", "x"):
        told.role(name, *draw(TRUSTS))
    for number in range(draw(st.integers(0, 3))):
        told.policy(f"p{number}", draw(DOCUMENTS), *draw(WHOM), aws=draw(st.booleans()))
    for whom in draw(WHOM):
        for number in range(draw(st.integers(1, 2))):
            told.inline(whom, f"i{number}", draw(DOCUMENTS))
    return told.inputs()


@settings(deadline=None)
@given(accounts())
def test_any_account(inputs: AccessInputs) -> None:
    assert changed(pushed_back(inputs)) == []


TWO_FILES = document(allow("s3:GetObject", ["arn:aws:s3:::data/f.csv", "arn:aws:s3:::data/later.csv"]))


def after_all_is_taken_away(told: Told) -> list[Any]:
    """The documents that are left of a policy of which everything was taken away that Raito Cloud showed."""
    options = Options()
    state = PushState.of_account(told.inputs(), options, ACCESS_PROVIDER_TYPES.imported).with_policy_tags({})
    controls = [replace(as_imported(0, row), what=()) for row in state.view.providers.values()]
    bounds = Bounds("source", None, {"data": "eu-west-1"}, state.view.providers)
    changes = plan_push(controls, state, options, TYPES, bounds).changes
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
