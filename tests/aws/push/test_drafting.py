"""What of an exported access control grants anything, and why nothing new is made of some."""

from dataclasses import replace
from typing import Any

import pytest

from tests.aws.push.conftest import trust
from tests.aws.push.exported import control, plan, role, state, steps


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"action": "deny"}, "only 'grant'"),
        ({"delete": True, "delete_locked": True}, "locked"),
        ({"name": "***"}, "no letter or digit"),
        ({"type": "aws_sso_role"}, "permission sets cannot be pushed: the account links no organization"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_reason(changes: dict[str, Any], part: str) -> None:
    made = plan(control("a", **changes), control("good"))
    assert [change.operation for change in made.changes if change.access_control_id == "a"] == ["refuse"]
    assert part in made.targets[0].errors[0]
    assert made.targets[0].external_id is None
    assert made.targets[1].errors == ()


def test_what_is_no_grant_any_more_is_deleted_all_the_same() -> None:
    there = state((role("old", trust("ada")),))
    was = control("old", external_id="role:old", actual_name="old", action="deny")
    never = control("never", action="mask", delete=True)

    assert "'deny'" in plan(was, there=there).targets[0].errors[0]
    made = plan(replace(was, delete=True), never, there=there)

    assert [target.errors for target in made.targets] == [(), ()]
    assert ("delete", "role", "old") in steps(made)
