"""The changes of roles: what each needs, makes and removes, and how it is made in AWS."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.types.role_changes import (
    CreateInlinePolicy,
    CreateRole,
    DeleteInlinePolicy,
    DeleteRole,
    UpdateInlinePolicy,
    UpdateTrust,
    inline_name,
    role,
)
from tests.aws.push.conftest import Story, World, document, text, trust
from tests.aws.push.conftest import change_row as row


def test_what_is_in_a_role_needs_the_role_and_a_role_that_goes_is_gone() -> None:
    assert CreateRole(row("r")).makes == {role("r")}
    assert DeleteRole(row("r")).removes == {role("r")}
    for change in (UpdateTrust, CreateInlinePolicy, UpdateInlinePolicy):
        assert role("r") in change(row("r" if change is UpdateTrust else "r/p", trust("ada"), trust("bob"))).needs


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (trust("ada"), trust("ada", "bob"), Effect.GIVES),
        (trust("ada", "bob"), trust("ada"), Effect.TAKES),
    ],
)
def test_a_trust_gives_or_takes_by_whom_it_lets_in(before: Any, after: Any, effect: Effect) -> None:
    assert UpdateTrust(row("r", before, after)).effect is effect


def test_inline_policies_give_and_take() -> None:
    assert CreateInlinePolicy(row("r/p", None, document("s3:GetObject"))).effect is Effect.GIVES
    assert DeleteInlinePolicy(row("r/p", document("s3:GetObject"))).effect is Effect.TAKES
    narrower = UpdateInlinePolicy(row("r/p", document("s3:GetObject", "s3:PutObject"), document("s3:GetObject")))
    assert narrower.effect is Effect.TAKES
    assert inline_name("r") == "Raito_Inline_r"


def test_a_role_goes_with_what_would_keep_it(world: World) -> None:
    world.tagged_role("going")
    world.iam.put_role_policy(RoleName="going", PolicyName="p", PolicyDocument=text(document("s3:GetObject")))
    world.iam.create_instance_profile(InstanceProfileName="profile")
    world.iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="going")
    now = world.iam.get_role(RoleName="going")["Role"]["AssumeRolePolicyDocument"]
    story = Story().control("a", was="role:going").change("delete", "role", "going", before=text(now))

    (result,) = story.apply(world.clients).results

    assert (result.errors, result.changes_made) == ((), 1)
    assert "going" not in world.roles()


def test_a_role_that_was_half_made_is_taken_over_and_finished(world: World) -> None:
    story = Story().role("a", "halfway", "ada")
    request = json.loads(story.changes[0].after or "")
    world.iam.create_role(
        RoleName="halfway", AssumeRolePolicyDocument=text(request["AssumeRolePolicyDocument"]), Tags=request["Tags"]
    )

    (result,) = story.apply(world.clients).results

    assert result.errors == ()
    assert world.iam.list_role_policies(RoleName="halfway")["PolicyNames"] == ["Raito_Inline_halfway"]
