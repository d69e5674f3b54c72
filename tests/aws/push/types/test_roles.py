"""How roles are planned: made, changed where something differs, and given up."""

import json

from raito_pipeline.aws.push.draft import Plans
from raito_pipeline.aws.push.types.roles import kept_role_name
from raito_pipeline.config.groups import PushOptions
from tests.aws.push.conftest import document, trust
from tests.aws.push.exported import control, only, plan, role, state, steps, who


def test_a_role_as_it_is_granted_is_left_alone() -> None:
    first = plan(control("a", naming_hint="readers"))
    made = json.loads(first.changes[0].after or "")
    assert made["AssumeRolePolicyDocument"] == trust("ada")

    there = state(roles=(role("readers", trust("ada")),))
    second = plan(control("a", external_id="role:readers", actual_name="readers", what_locked=True), there=there)

    assert [operation for operation, _, _ in steps(second)] == ["none"]


def test_who_changes_changes_the_trust_alone() -> None:
    there = state(roles=(role("readers", trust("ada")),))
    changed = control("a", external_id="role:readers", actual_name="readers", who=who("bob"), what_locked=True)

    made = plan(changed, there=there)

    assert set(steps(made)) == {("update", "role-trust", "readers")}
    assert json.loads(made.changes[0].before or "") == trust("ada")
    assert json.loads(made.changes[-1].after or "") == trust("bob")


def test_one_that_is_to_go_and_is_gone_needs_no_change() -> None:
    gone = control("a", delete=True, external_id="role:readers", actual_name="readers")
    assert ("delete", "role", "readers") in steps(plan(gone, there=state(roles=(role("readers", trust("ada")),))))
    assert all(operation == "none" for operation, _, _ in steps(plan(gone)))


def test_a_role_of_others_is_not_taken_over_by_its_name() -> None:
    made = plan(control("readers"), there=state(roles=(role("readers", trust("ada"), tags=()),)))
    target = only(made)
    assert target.refused or target.actual_name != "readers"
    assert not [
        step for step in steps(made) if step[2].partition("/")[0] == "readers" and step[0] in ("update", "delete")
    ]


def test_the_name_that_it_has_is_kept_where_its_object_is_there() -> None:
    plans = Plans(state(roles=(role("readers", document("x")),)), PushOptions(), {})
    named = control("a", external_id="role:readers", actual_name="readers")
    assert kept_role_name(plans, named, "readers") == "readers"
