"""The changes of managed policies: what each needs, makes and removes, and how it is made in AWS."""

from typing import Any

import pytest

from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.types.policy_changes import (
    AttachPolicy,
    CreatePolicy,
    DeletePolicy,
    DeleteReplacedInline,
    DetachPolicy,
    NewPolicyVersion,
    policy,
)
from tests.aws.push.conftest import Story, World, arn, document, text
from tests.aws.push.conftest import change_row as row


def test_a_policy_is_there_before_it_is_attached_and_detached_before_it_goes() -> None:
    assert CreatePolicy(row("p")).makes == {policy("p")}
    assert policy("p") in AttachPolicy(row("user:ada", None, arn("p"))).needs
    assert DeletePolicy(row("p")).removes == {policy("p")}


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        (CreatePolicy(row("p", None, {"PolicyDocument": document("s3:GetObject")})), Effect.NEITHER),
        (AttachPolicy(row("user:ada", None, arn("p"))), Effect.GIVES),
        (DetachPolicy(row("user:ada", arn("p"))), Effect.TAKES),
        (DeletePolicy(row("p")), Effect.REMOVES),
        (NewPolicyVersion(row("p", document("s3:GetObject"), document("s3:GetObject", "s3:PutObject"))), Effect.GIVES),
        (NewPolicyVersion(row("p", document("s3:GetObject", "s3:PutObject"), document("s3:GetObject"))), Effect.TAKES),
    ],
)
def test_what_it_does_to_access(change: Any, effect: Effect) -> None:
    assert change.effect is effect


def test_an_inline_policy_goes_after_the_policy_that_replaces_it_is_there() -> None:
    replaced = DeleteReplacedInline(row("user:ada/own", document("s3:GetObject")))
    assert replaced.OPERATION == "delete"
    assert replaced.intended is None


def test_of_five_versions_the_oldest_makes_room(world: World) -> None:
    Story().policy("a", "versions").apply(world.clients)
    for number in range(4):
        actions = ["s3:GetObject", *(f"s3:Get{n}" for n in range(number + 1))]
        world.iam.create_policy_version(
            PolicyArn=arn("versions"), PolicyDocument=text(document(*actions)), SetAsDefault=True
        )
    story = Story().control("a", "versions", kind="aws_policy", external_id="policy:versions", was="policy:versions")
    before = text(document("s3:GetObject", *(f"s3:Get{n}" for n in range(4))))
    story.change("create", "policy-version", arn("versions"), document("s3:PutObject"), before)

    (result,) = story.apply(world.clients).results

    assert result.errors == ()
    versions = world.iam.list_policy_versions(PolicyArn=arn("versions"))["Versions"]
    assert len(versions) == 5
    default = next(each["VersionId"] for each in versions if each["IsDefaultVersion"])
    now = world.iam.get_policy_version(PolicyArn=arn("versions"), VersionId=default)["PolicyVersion"]["Document"]
    assert now == document("s3:PutObject")


def test_a_policy_of_others_is_neither_changed_nor_deleted(world: World) -> None:
    world.iam.create_policy(PolicyName="theirs", PolicyDocument=text(document("s3:GetObject")))
    story = Story().control("a", "theirs", kind="aws_policy", external_id="policy:theirs")
    before = text(document("s3:GetObject"))
    story.change("create", "policy-version", arn("theirs"), document("s3:PutObject"), before)
    story.change("delete", "policy", arn("theirs"), before=before)

    (result,) = story.apply(world.clients).results

    assert result.changes_made == 0
    assert "was not made by Raito" in " ".join(result.errors)
    assert len(world.iam.list_policy_versions(PolicyArn=arn("theirs"))["Versions"]) == 1
