"""What a push touched is read again: a difference is said, and a read that AWS refuses is one, too."""

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.aws.push.calls.point_calls import Points
from raito_pipeline.aws.push.calls.verify import differences
from raito_pipeline.aws.push.changes import Aws
from raito_pipeline.aws.push.owners.ownership import Objects
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, Story, World, arn, document, text, trust


def look(world: World, story: Story) -> tuple[str, ...]:
    changes = ACCESS_PROVIDER_TYPES.push.changes(story.changes)
    return differences(
        Aws(Iam(world.clients, ACCOUNT), Objects(ACCOUNT, {}), Points(world.clients, ACCOUNT)), changes, pauses=()
    )


def whole() -> Story:
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "user:bob")
    story.control("c").change("delete", "role", "old", before=text(trust("ada")))
    return story.control("d", kind="aws_policy").change("detach", "attachment", "user:ada", before=arn("analysts"))


def test_what_is_as_the_push_left_it_is_no_difference(world: World) -> None:
    applied = whole().apply(world.clients)
    assert applied.differences == look(world, whole()) == ()


def test_what_somebody_changed_afterwards_is_said(world: World) -> None:
    whole().apply(world.clients)
    world.iam.update_assume_role_policy(RoleName="readers", PolicyDocument=text(trust("bob")))
    world.iam.delete_role_policy(RoleName="readers", PolicyName="Raito_Inline_readers")
    world.iam.detach_user_policy(UserName="bob", PolicyArn=arn("analysts"))
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("analysts"))
    body = text(document("s3:*"))
    world.iam.create_policy_version(PolicyArn=arn("analysts"), PolicyDocument=body, SetAsDefault=True)
    world.tagged_role("old")

    assert look(world, whole()) == (
        "A: role readers is not as the push left it",
        "A: role-inline-policy readers/Raito_Inline_readers is not there after the push",
        "B: policy analysts is not as the push left it",
        "B: attachment user:bob is not there after the push",
        "C: role old is still there after the push",
        "D: attachment user:ada is still there after the push",
    )


def test_a_read_that_is_denied_is_said_and_fails_nothing(world: World) -> None:
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="ListAttachedUserPolicies"))
    applied = Story().policy("b", "analysts", "user:bob").apply(world.clients)
    assert [result.errors for result in applied.results] == [()]
    (line,) = applied.differences
    assert line.startswith("B: attachment user:bob could not be read again: iam:ListAttachedUserPolicies")


def test_of_several_changes_in_one_place_the_last_one_counts(world: World) -> None:
    """A revocation beside a grant is two changes of one trust policy; and one policy less is none of another."""
    world.iam.create_role(RoleName="readers", AssumeRolePolicyDocument=text(trust("bob")), Tags=BY_RAITO)
    for name in ("kept", "lost"):
        world.tagged_policy(name)
    world.iam.attach_user_policy(UserName="bob", PolicyArn=arn("lost"))
    story = Story().control("a", "readers", external_id="role:readers", was="role:readers")
    story.change("update", "role-trust", "readers", trust(), before=text(trust("bob")))
    story.change("update", "role-trust", "readers", trust("ada"), before=text(trust()))
    story.change("attach", "attachment", "user:bob", arn("kept"))
    story.change("detach", "attachment", "user:bob", before=arn("lost"))

    applied = story.apply(world.clients)

    assert ([result.errors for result in applied.results], applied.differences) == ([()], ())
    world.iam.attach_user_policy(UserName="bob", PolicyArn=arn("lost"))
    world.iam.detach_user_policy(UserName="bob", PolicyArn=arn("kept"))
    assert len(look(world, story)) == 2


@pytest.mark.parametrize("kind", list(ACCESS_PROVIDER_TYPES.push.pushed))
def test_a_push_of_nothing_reads_nothing_again(world: World, kind: str) -> None:
    mark = world.aws.calls.mark
    Story().control("a", "same", kind=kind).change("none", kind, "same").apply(world.clients)
    assert world.aws.calls.since(mark) == []
