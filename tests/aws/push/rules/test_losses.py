"""Limits on access that people lose: all types count, and what exceeds a limit keeps nobody from getting access."""

import json
from dataclasses import replace

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.rules.losses import HeldBack, Limits, Losses, held_back
from raito_pipeline.model import WhoEntry
from tests.aws.push.conftest import ACCOUNT, Story, World, arn, document, text, trust

TYPES = ACCESS_PROVIDER_TYPES.push


def losses(story: Story) -> Losses:
    return Losses.of(TYPES.changes(story.changes), story.controls)


def kept() -> Story:
    return Story().control("a", "r", external_id="role:r", was="role:r")


@pytest.mark.parametrize(
    ("story", "count"),
    [
        (Story().role("n", "new", "ada"), 0),
        (kept().change("update", "role-trust", "r", trust("ada", "bob"), text(trust("ada"))), 0),
        (kept().change("update", "role-trust", "r", trust("ada"), text(trust("ada", "bob", "cyd"))), 2),
        (kept().change("update", "role-trust", "r", trust("cyd"), text(trust("ada", "bob"))), 2),
        (kept().change("update", "role-inline-policy", "r/i", document("s3:A"), text(document("s3:A", "s3:B"))), 1),
        (kept().change("delete", "role-inline-policy", "r/i", before=text(document("s3:A", "s3:B"))), 1),
        (kept().change("delete", "role", "r", before=text(trust("ada", "bob"))), 2),
        (kept().change("delete", "role", "r"), 1),
        (kept().change("detach", "attachment", "user:ada", before=arn("p")), 1),
        (kept().change("delete", "policy", arn("p"), before=text(document("s3:A"))), 1),
        (kept().change("create", "policy-version", arn("p"), document("none:null"), text(document("s3:A"))), 1),
        (kept().change("none", "role", "r"), 0),
    ],
)
def test_how_often_somebody_loses_access(story: Story, count: int) -> None:
    found = losses(story)
    assert (found.count, found.controls) == (count, min(count, 1))


ADA, BOTH = trust("ada"), trust("ada", "bob")


@pytest.mark.parametrize(
    ("story", "who", "count"),
    [
        # a role becomes a policy: bob was taken out of it before, ada gets the policy
        (kept().change("update", "role-trust", "r", ADA, text(BOTH)).change("delete", "role", "r", before=text(ADA)),
         ("ada",), 1),
        # as the plan has it where the narrowing could not be told apart
        (kept().change("update", "role-trust", "r", ADA, text(BOTH)).change("delete", "role", "r", before=text(BOTH)),
         (), 2),
        (kept().change("delete", "role", "r", before=text(BOTH)), ("ada",), 1),
        (kept().change("delete", "role", "r", before=text(BOTH)), ("ada", "bob"), 0),
        # a policy gets another name: what bob and the document lose goes before
        (kept().change("detach", "attachment", "user:bob", before=arn("p"))
         .change("create", "policy-version", arn("p"), document("s3:A"), text(document("s3:A", "s3:B")))
         .change("delete", "policy", arn("p"), before=text(document("s3:A"))), ("ada",), 2),
        # an inline policy that was taken over is narrowed, then goes for a managed one
        (kept().change("update", "inline-policy", "user:ada/i", document("s3:A"), text(document("s3:A", "s3:B")))
         .change("delete", "inline-policy", "user:ada/i", arn("p"), text(document("s3:A", "s3:B"))), ("ada",), 1),
    ],
)  # fmt: skip
def test_of_one_access_control_nobody_counts_twice(story: Story, who: tuple[str, ...], count: int) -> None:
    story.controls = [replace(story.controls[0], who=WhoEntry(who, (), (), ()))]
    assert losses(story).count == count
    assert losses(story).positions == {row.position for row in story.changes}


def _many(losing: int, keeping: int) -> Story:
    story = Story()
    for number in range(losing + keeping):
        story.control(f"c{number}", f"r{number}", external_id=f"role:r{number}", was=f"role:r{number}")
        if number < losing:
            story.change("detach", "attachment", f"user:u{number}", before=arn("p"))
    return story


@pytest.mark.parametrize(
    ("losing", "keeping", "limits", "held"),
    [
        (10, 0, Limits(share=0.5), False),
        (11, 0, Limits(share=0.5), True),
        (11, 11, Limits(share=0.5), False),
        (12, 11, Limits(share=0.5), True),
        (11, 0, Limits(share=1), False),
        (5, 0, Limits(losses=5), False),
        (6, 0, Limits(losses=5), True),
        (1, 100, Limits(losses=0), True),
        (0, 1, Limits(losses=0, share=0), False),
    ],
)
def test_what_exceeds_a_limit(losing: int, keeping: int, limits: Limits, held: bool) -> None:
    story = _many(losing, keeping)
    found = held_back(TYPES.changes(story.changes), story.controls, limits)
    assert len(found.positions) == (losing if held else 0)
    assert bool(found.reason) == held


def test_the_reason_says_how_much_and_what_to_do() -> None:
    story = _many(12, 0)
    found = held_back(TYPES.changes(story.changes), story.controls, Limits(None, 0.5), "abc")
    assert "take access 12 times, from 12 of 12 access controls, and max-push-loss-share allows 50%" in found.reason
    assert "raito-pipeline apply --plan abc --with-losses" in found.reason


def test_what_is_held_back_stays_and_what_gives_access_is_made(world: World) -> None:
    world.tagged_policy("p")
    world.iam.attach_user_policy(UserName="bob", PolicyArn=arn("p"))
    story = Story().control("a", "p", kind="aws_policy", external_id="policy:p", was="policy:p")
    story.change("attach", "attachment", "user:ada", arn("p"))
    story.change("detach", "attachment", "user:bob", before=arn("p")).role("b", "new", "ada")
    held = HeldBack(frozenset({1}), "held back: too much")

    def push(held: HeldBack) -> list[tuple[int, int, tuple[str, ...]]]:
        given = (story.changes, story.targets, story.controls)
        results = apply_plan(world.clients, ACCOUNT, TYPES, *given, held_back=held).results
        return [(result.changes_made, result.changes_failed, result.errors) for result in results]

    assert push(held) == push(held) == [(1, 1, ("held back: too much",)), (2, 0, ())]
    assert world.attached("user", "ada") == world.attached("user", "bob") == {"p"}
    assert push(HeldBack())[0] == (2, 0, ())
    assert world.attached("user", "bob") == set()
    assert json.dumps(sorted(world.roles())) == '["new"]'
