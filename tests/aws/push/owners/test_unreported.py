"""Pushes that Raito Cloud was not told of: killed before the feedback, or the feedback did not arrive.

What they made says by its tags which access control it is of. So it is found again, and goes with what is not granted.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.model import AccessControl, WhoEntry
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.push.center_push import data, granted
from tests.aws.push.conftest import KEY, document, text
from tests.aws.push.every_type import POINT, POLICY, ROLE, SET, TYPES, EveryType, NothingPushed, after
from tests.aws_profile import use_profile, write_profile

OTHER_TYPE = {ROLE: POLICY, POLICY: ROLE, SET: ROLE, POINT: POLICY}
KINDS = sorted(OTHER_TYPE)
SHORT = {ROLE: "role", POLICY: "policy", SET: "set", POINT: "point"}
EDITS = ("deleted", "renamed", "retyped", "moved")
COMPANION = granted("companion", "ada")
"""A permission set in each export: without any, Identity Center is not asked."""


@pytest.fixture(scope="module")
def arranged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EveryType]:
    folder = tmp_path_factory.mktemp("unreported")
    with EmulatedAws(journal=folder / "journal") as aws, pytest.MonkeyPatch.context() as patch:
        use_profile(patch, write_profile(folder, aws.endpoint_url, key=KEY))
        yield NothingPushed(aws, folder / "journal")


@pytest.fixture
def account(arranged: EveryType) -> EveryType:
    """Each test has nothing but its own: what others pushed would be read again and again."""
    arranged.rewind()
    return arranged


def made_for(account: EveryType, identifier: str) -> list[str]:
    """What AWS has that was made for an access control, as its tags say: `role NAME`."""
    tags = {name: values for name, values in account.facts(account.read([COMPANION])).items() if "tags of" in name}
    return [name.removeprefix("tags of ") for name, values in tags.items() if identifier in {t.value for t in values}]


def push(account: EveryType, control: AccessControl) -> tuple[AccessControl, ...]:
    """One push; gives the export as Raito Cloud has it after the feedback."""
    controls = (COMPANION, replace(control, position=1))
    applied = account.apply(account.plan(controls))
    assert [result.errors for result in applied.results if result.errors] == []
    assert applied.differences == ()
    return after(controls, applied)


def one_of(kind: str, what_happens: str, **changes: Any) -> AccessControl:
    """An access control that a test has for itself."""
    return granted(f"{what_happens}-{SHORT[kind]}", "cyd", type=kind, **changes)


def edited(control: AccessControl, edit: str) -> AccessControl:
    """An access control after somebody edited it in Raito Cloud."""
    changes: dict[str, dict[str, Any]] = {
        "deleted": {"delete": True},
        "renamed": {"naming_hint": f"{control.name}-x"},
        "retyped": {"type": OTHER_TYPE[control.type or ""]},
        "moved": {"who": WhoEntry(("bob",), (), (), ())},
    }
    return replace(control, **changes[edit])


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_made_is_that_of_its_access_control(account: EveryType, kind: str, edit: str) -> None:
    control = one_of(kind, edit)
    push(account, control)
    (there,) = made_for(account, control.id)

    exported = push(account, edited(control, edit))

    left = made_for(account, control.id)
    assert len(left) == (edit != "deleted")
    assert (there in left) == (edit == "moved" or (edit == "renamed" and kind != POLICY))
    assert account.plan(exported).writes_nothing


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_new_type_made_goes_with_the_old_one(account: EveryType, kind: str) -> None:
    _, told = push(account, one_of(kind, "twice"))
    push(account, edited(told, "retyped"))

    exported = push(account, edited(told, "deleted"))

    assert [control.id for control in exported] == [COMPANION.id]
    assert made_for(account, told.id) == []


def test_a_new_name_goes_with_the_old_one(account: EveryType) -> None:
    _, told = push(account, one_of(POLICY, "anew"))
    push(account, edited(told, "renamed"))

    push(account, edited(told, "deleted"))

    assert made_for(account, told.id) == []


def test_a_second_new_name_takes_the_place_of_the_first(account: EveryType) -> None:
    _, told = push(account, one_of(POLICY, "again"))
    push(account, edited(told, "renamed"))

    exported = push(account, replace(told, naming_hint="anew-y"))

    assert made_for(account, told.id) == ["policy anew_y"]
    assert account.plan(exported).writes_nothing


def test_two_that_were_made_go_both(account: EveryType) -> None:
    iam, control = account.patient.client("iam"), granted("both", "cyd", type=ROLE)
    push(account, control)
    tags: Any = [{"Key": tag.key, "Value": tag.value} for tag in account.read([COMPANION]).roles["both"].tags]
    made = iam.create_policy(PolicyName="both", PolicyDocument=text(document("s3:GetObject")), Tags=tags)
    iam.attach_user_policy(UserName="cyd", PolicyArn=made["Policy"]["Arn"])

    push(account, edited(control, "deleted"))

    assert made_for(account, control.id) == []


def test_a_what_that_is_in_several_policies_goes_whole(account: EveryType) -> None:
    what = tuple(data("s3:GetObject", path=f"{number:03}-{'long' * 40}") for number in range(60))
    control = granted("parts", "cyd", type=POLICY, what=what)
    push(account, control)
    assert len(made_for(account, control.id)) > 1

    push(account, edited(control, "deleted"))

    assert made_for(account, control.id) == []


def test_a_policy_that_nobody_got_yet_goes(account: EveryType) -> None:
    control = granted("early", type=POLICY)
    push(account, control)

    push(account, edited(control, "deleted"))

    assert made_for(account, control.id) == []


def test_the_deletion_is_shown_and_counts_as_one(account: EveryType) -> None:
    control = granted("shown", "cyd", type=ROLE)
    push(account, control)

    plan = account.plan([COMPANION, edited(control, "deleted")]).plan

    rows = [row for row in plan.changes if row.access_control_id == control.id]
    assert [(row.operation, row.kind, row.resource) for row in rows] == [("delete", "role", "shown")]
    assert [TYPES.deletes(change) for change in TYPES.changes(rows)] == [True]


def test_what_is_locked_stays_and_is_said(account: EveryType) -> None:
    control = granted("locked", "cyd", type=ROLE, delete_locked=True)
    push(account, control)

    _, target = account.plan([COMPANION, edited(replace(control, position=1), "deleted")]).plan.targets

    assert "deletion is locked" in target.errors[0]


def test_of_somebody_else_nothing_is_taken(account: EveryType) -> None:
    """The tags of another data source, or none that says that Raito made it, make nothing an access control's own."""
    iam, control = account.patient.client("iam"), granted("theirs", "cyd", type=ROLE)
    push(account, control)
    iam.untag_role(RoleName="theirs", TagKeys=["creator"])
    push(account, edited(control, "deleted"))
    iam.tag_role(RoleName="theirs", Tags=[{"Key": "creator", "Value": "RAITO"}])
    iam.tag_role(RoleName="theirs", Tags=[{"Key": "raito_data_source", "Value": "another"}])
    push(account, edited(control, "deleted"))

    assert made_for(account, "theirs") == ["role theirs"]
