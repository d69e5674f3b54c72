"""One access control that can be planned in part or not at all, or is to go."""

from typing import Any

import pytest

from raito_pipeline.model import DataObjectReference, WhatItem
from tests.aws.push.conftest import ACCOUNT, trust
from tests.aws.push.exported import control, only, plan, role, state, steps, who


def test_a_role_that_raito_did_not_make_is_refused() -> None:
    made = plan(control("jobs"), there=state((role("jobs", trust("ada"), ()),)))
    assert steps(made) == [("refuse", "aws_role", "jobs")]
    assert "not made by Raito" in only(made).errors[0]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"who": who("ada", "eve")}, "user eve is not in IAM"),
        ({"who": who("ada", groups=("nowhere",))}, "group nowhere is not in IAM"),
        ({"who": who("ada", inherit=("role:b",))}, "cannot hold access providers"),
        (
            {"what": (WhatItem(DataObjectReference("999900001111:eu-west-1:x", "bucket"), ("s3:GetObject",)),)},
            "not of account",
        ),
        ({"what": (WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:x", "bucket"), ("s3:Fly",)),)}, "none of those"),
        ({"what": (WhatItem(DataObjectReference(f"{ACCOUNT}:r:x/t/c", "column"), ("s3:GetObject",)),)}, "is a column"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_what_cannot_be_made_of_an_access_control_is_an_error_of_its_own(
    changes: dict[str, Any], part: str, there: bool
) -> None:
    roles = (role("a", trust("bob")),) if there else ()
    made = plan(control("a", external_id="role:a" if there else None, **changes), there=state(roles))
    assert [change.operation for change in made.changes][-1] == ("update" if there else "create")
    (error,) = only(made).errors
    assert part in error
    assert (only(made).refused, only(made).external_id) == (False, "role:a")


def test_a_role_is_deleted_and_one_that_is_gone_needs_no_change() -> None:
    gone = control("gone", external_id="role:gone", delete=True)
    there = control("old", external_id="role:old", actual_name="old", delete=True)
    made = plan(gone, there, there=state((role("old", trust("ada")),)))
    assert steps(made) == [("none", "role", "gone"), ("delete", "role", "old")]
    assert [(target.actual_name, target.external_id) for target in made.targets] == [("", None), ("", None)]
