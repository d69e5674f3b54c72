"""One access control on its way to a plan: what is refused, what is left out, and what its target says."""

from dataclasses import replace

from raito_pipeline.aws.push.draft import IDLE, REFUSE, Draft
from raito_pipeline.aws.push.types.role_changes import CreateRole
from raito_pipeline.model import AccessControl, WhoEntry
from tests.model.test_schema import example_row

WHO = WhoEntry(("ada",), ("staff",), ("role:jobs",), ("a@b",))
CONTROL = replace(
    example_row(AccessControl, null=True),
    id="a",
    name="Readers",
    who=WHO,
    actual_name="readers",
    external_id="role:readers",
    who_locked=False,
    inheritance_locked=False,
)


def test_the_locked_parts_of_a_who_are_not_looked_at_where_the_object_is_there() -> None:
    locked = Draft(replace(CONTROL, who_locked=True), "aws_role")
    assert locked.open_who(there=True) == WhoEntry((), (), ("role:jobs",), ())
    assert locked.open_who(there=False) == WHO, "a new one needs somebody"
    inheritance = Draft(replace(CONTROL, inheritance_locked=True), "aws_role")
    assert inheritance.open_who(there=True) == replace(WHO, inherit_from=())
    assert Draft(CONTROL, "aws_role").open_who(there=True) == WHO


def test_what_is_refused_changes_nothing_and_keeps_its_name() -> None:
    draft = Draft(CONTROL, "aws_role", name="new-name", external_id="role:new-name")
    draft.change(CreateRole, "new-name", "it is new", after="{}")

    draft.refuse("no such bucket")

    assert [(row.operation, row.why, row.after) for row in draft.rows] == [(REFUSE, "no such bucket", None)]
    target = draft.target()
    assert (target.refused, target.actual_name, target.external_id, target.errors) == (
        True,
        "readers",
        None,
        ("no such bucket",),
    )


def test_what_cannot_be_made_is_an_error_beside_the_rest_and_said_once() -> None:
    draft = Draft(CONTROL, "aws_role", name="readers", external_id="role:readers")
    draft.change(CreateRole, "readers", "it is new", after="{}")
    for _ in range(2):
        draft.leave_out("user bob is not in IAM")
        draft.warnings.append("a long name")

    target = draft.target()
    assert (target.refused, target.errors, target.warnings) == (False, ("user bob is not in IAM",), ("a long name",))
    assert (target.actual_name, target.external_id) == ("readers", "role:readers")
    assert [row.operation for row in draft.rows] == ["create"]


def test_an_idle_row_says_why_nothing_is_changed() -> None:
    draft = Draft(CONTROL, "aws_role")
    draft.nothing("role", "readers", "it is as granted")
    (row,) = draft.rows
    assert row.operation in IDLE
    assert (row.access_control_id, row.resource, row.why) == ("a", "readers", "it is as granted")


def test_one_of_another_type_now_owns_what_it_replaces() -> None:
    new = replace(CONTROL, external_id=None, position=3)
    draft = Draft(new, "aws_policy", replaces=CONTROL)
    assert draft.owned_id == "role:readers"
    assert Draft(CONTROL, "aws_role").owned_id == "role:readers"
    assert draft.target().position == CONTROL.position
