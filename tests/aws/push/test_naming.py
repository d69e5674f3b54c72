"""Names in AWS: those that exist stay, new ones are free and unique in the push."""

import json

import pytest

from raito_pipeline.aws.push.owners.owner_tags import ACCESS_CONTROL
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import IamAttachment, Tag
from tests.aws.push.conftest import arn, document, trust
from tests.aws.push.exported import BY_RAITO, control, only, plan, policy, policy_control, role, state, steps

RENAMES = {
    "no letter or digit": ("???", ()),
    "not its own": ("Other", (policy("Other", document("s3:Get*"), ()),)),
    "OTHER exists": ("Other", (policy("OTHER", document("s3:Get*"), ()),)),
    "policy Other exists": (
        "Other",
        (policy("Other", document("s3:Get*"), (*BY_RAITO, Tag(ACCESS_CONTROL, "another"))),),
    ),
}


def test_a_policy_whose_name_changes_is_made_anew_and_the_old_one_removed() -> None:
    attachments = (IamAttachment("user", "ada", "managed", "old", arn("old"), None),)
    there = state((), (policy("old", document("s3:Old")),), attachments)
    made = plan(policy_control("new", external_id="policy:old", actual_name="old"), there=there)
    assert steps(made) == [
        ("create", "policy", "new"),
        ("attach", "attachment", "user:ada"),
        ("delete", "policy", arn("old")),
    ]
    assert only(made).external_id == "policy:new"


@pytest.mark.parametrize("why", RENAMES)
def test_a_policy_that_cannot_have_its_new_name_keeps_its_own_and_loses_what_was_taken_away(why: str) -> None:
    hint, others = RENAMES[why]
    attachments = tuple(IamAttachment("user", n, "managed", "old", arn("old"), None) for n in ("ada", "bob"))
    there = state((), (policy("old", document("s3:Old")), *others), attachments)
    renamed = policy_control("a", external_id="policy:old", actual_name="old", naming_hint=hint, what_locked=True)

    made = plan(renamed, there=there)

    assert steps(made) == [("detach", "attachment", "user:bob")]
    target = only(made)
    assert (target.external_id, target.actual_name) == ("policy:old", "old")
    assert why in target.errors[0]
    assert "it keeps its name old" in target.errors[0]


@pytest.mark.parametrize(
    ("kind", "external_id", "step"),
    [
        ("aws_policy", "user:ada|inline:i|", ("update", "inline-policy", "user:ada/i")),
        ("aws_policy", "role:old", ("update", "role-trust", "old")),
    ],
)
def test_what_cannot_be_made_anew_for_want_of_a_name_loses_what_was_taken_away(
    kind: str, external_id: str, step: tuple[str, str, str]
) -> None:
    text = json.dumps(document("s3:GetObject", "s3:PutObject"))
    inline = IamAttachment("user", "ada", "inline", "i", None, text)
    there = state((role("old", trust("ada", "bob")),), (), (inline,))
    control_of = control("a", type=kind, external_id=external_id, actual_name="old", naming_hint="???")

    made = plan(control_of, there=there)

    assert steps(made)[0] == step
    assert "no letter or digit" in only(made).errors[0]
    assert only(made).external_id == external_id
    assert not any("bob" in (change.after or "") or "PutObject" in (change.after or "") for change in made.changes)


def test_names_are_unique_in_a_push_and_stay_what_they_are() -> None:
    old = control("z", naming_hint="same", external_id="role:same", actual_name="same")
    policies = [policy_control(f"p{n}", naming_hint="Same!") for n in range(2)]
    there = state((role("same", trust("ada")),))
    made = plan(control("x", naming_hint="same"), control("y", naming_hint="SAME"), old, *policies, there=there)
    assert [target.actual_name for target in made.targets] == ["same__0", "SAME__1", "same", "Same", "Same__0"]


def test_a_name_that_is_deleted_in_the_same_push_is_not_given_away() -> None:
    old = policy_control("old", external_id="policy:data", actual_name="data", delete=True)
    made = plan(policy_control("data"), old, there=state((), (policy("data", document("s3:Old")),)))
    assert [target.actual_name for target in made.targets] == ["data__0", ""]


def test_prefix_suffix_and_length() -> None:
    options = PushOptions(aws_role_prefix="raito-", aws_role_suffix="-x", aws_policy_prefix="p" * 60)
    made = plan(control("a b"), policy_control("long name"), control("n" * 90), options=options)
    assert made.targets[0].actual_name == "raito-a_b-x"
    assert "AWS takes 64" in made.targets[1].errors[0]
    assert "AWS takes 64" in made.targets[2].errors[0]
