"""The calls of IAM that a push makes: what is gone counts as removed, what is there as not created."""

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied, AwsError
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, World, arn, document, text, trust


@pytest.fixture
def iam(world: World) -> Iam:
    return Iam(world.clients, ACCOUNT, pauses=(0.0, 0.0))


def test_what_is_not_there_is_none_and_removing_it_is_no_error(iam: Iam) -> None:
    assert (iam.role_tags("no"), iam.role_trust("no"), iam.role_boundary("no")) == (None, None, None)
    assert (iam.inline_document("no", "p"), iam.policy_tags(arn("no")), iam.policy_document(arn("no"))) == (None,) * 3
    assert not iam.has_attached("user", "nobody", arn("no"))
    iam.delete_inline("no", "p")
    iam.delete_inline_of("user", "ada", "p")
    iam.delete_role("no")
    iam.detach("user", "ada", arn("no"))
    iam.delete_policy(arn("no"))


def test_what_is_there_is_not_created_again(iam: Iam) -> None:
    request = {"AssumeRolePolicyDocument": text(trust("ada")), "Tags": BY_RAITO}
    assert [iam.create_role("readers", request), iam.create_role("readers", request)] == [True, False]
    policy = {"PolicyDocument": text(document("s3:GetObject"))}
    assert [iam.create_policy("readers", policy), iam.create_policy("readers", policy)] == [True, False]
    assert iam.policy_document(arn("readers")) == document("s3:GetObject")
    assert [tag.key for tag in iam.role_tags("readers") or ()] == ["creator"]


def test_a_policy_that_many_have_is_detached_before_it_goes(iam: Iam, world: World) -> None:
    iam.create_policy("p", {"PolicyDocument": text(document("s3:GetObject"))})
    for kind, name in (("user", "ada"), ("group", "staff")):
        iam.attach(kind, name, arn("p"))
        iam.attach(kind, name, arn("p"))
        assert iam.has_attached(kind, name, arn("p"))
    iam.new_version(arn("p"), text(document("s3:PutObject")))

    iam.delete_policy(arn("p"))

    assert "p" not in world.policies()
    assert world.attached("user", "ada") == world.attached("group", "staff") == set()


def test_of_five_versions_the_oldest_that_is_not_in_force_makes_room(iam: Iam, world: World) -> None:
    iam.create_policy("p", {"PolicyDocument": text(document("s3:GetObject"))})
    for number in range(6):
        iam.new_version(arn("p"), text(document(f"s3:Get{number}")))
    versions = world.iam.list_policy_versions(PolicyArn=arn("p"))["Versions"]
    assert len(versions) == 5
    assert world.actions("p") == ["s3:Get5"]


def test_tags_are_added_to_those_of_others(iam: Iam) -> None:
    iam.create_role("r", {"AssumeRolePolicyDocument": text(trust("ada")), "Tags": [{"Key": "team", "Value": "x"}]})
    iam.tag("role", "r", BY_RAITO)
    assert {tag.key: tag.value for tag in iam.role_tags("r") or ()} == {"team": "x", "creator": "RAITO"}


def test_what_aws_refuses_is_said_with_the_action_and_the_arn(iam: Iam, world: World) -> None:
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="CreateRole"))
    with pytest.raises(AwsDenied) as error:
        iam.create_role("readers", {"AssumeRolePolicyDocument": text(trust("ada"))})
    assert (error.value.action, error.value.resource) == ("iam:CreateRole", iam.arn("role", "readers"))
    world.aws.faults.clear()
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="GetRole"))
    with pytest.raises(AwsError):
        iam.role_tags("readers")
