"""A push under exactly the policy that `raito-pipeline info --iam-policy push` prints, enforced."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.config import load
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, Story, World, arn, document, text, trust
from tests.aws.push.points import PointWorld, point_arn
from tests.aws_actions import actions_in, actions_of, enforceable

FILE = f"""
api-user: ada
api-secret: not-a-secret
domain: acme
targets:
  - name: one
    connector-name: raito-io/cli-plugin-aws-account
    aws-account-id: "{ACCOUNT}"
    data-source-id: ds
    identity-store-id: is
    aws-regions: us-east-1
    aws-access-point-delegation: true
"""

READ_TOO = {"s3:GetAccessPointPolicy", "s3:GetBucketPolicy", "s3:ListTagsForResource"}
"""what the push of access points asks that reading them needs already"""


@pytest.fixture
def added(tmp_path: Path) -> set[str]:
    """The actions that a push needs beyond reading."""
    (tmp_path / "raito.yml").write_text(FILE)
    (target,) = load(tmp_path / "raito.yml").accounts
    return actions_in(least_policy(target, "push")) - actions_in(least_policy(target, "read"))


@pytest.fixture
def limited(world: World, added: set[str], tmp_path: Path) -> Iterator[AwsClients]:
    """Clients that may do what a push needs, and nothing else."""
    policy = {"Statement": [{"Action": sorted(added | READ_TOO), "Resource": "*"}]}
    key, secret = create_limited_credentials(ACCOUNT, {"push": enforceable(policy)})
    (tmp_path / "credentials").write_text(f"[there]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    _arrange(world)
    enforce_iam(world.aws, True)
    try:
        yield AwsClients("there", attempts=2)
    finally:
        enforce_iam(world.aws, False)


def _arrange(world: World) -> None:
    """What earlier pushes left: things to change, to take over and to delete, with all that is in the way of that."""
    iam = world.iam
    for name in ("changed", "taken", "gone"):
        world.tagged_role(f"{name}-role")
        world.tagged_policy(f"{name}-policy")
    for action in ("s3:A", "s3:B", "s3:C", "s3:D"):
        body = text(document(action))
        iam.create_policy_version(PolicyArn=arn("changed-policy"), PolicyDocument=body, SetAsDefault=False)
    iam.attach_user_policy(UserName="ada", PolicyArn=arn("gone-policy"))
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn("gone-policy"))
    iam.attach_role_policy(RoleName="gone-role", PolicyArn=arn("changed-policy"))
    iam.put_role_policy(RoleName="gone-role", PolicyName="inline", PolicyDocument=text(document("s3:Get*")))
    for name in ("mine", "narrowed"):
        iam.put_user_policy(UserName="ada", PolicyName=name, PolicyDocument=text(document("s3:Get*")))
        iam.put_group_policy(GroupName="staff", PolicyName=name, PolicyDocument=text(document("s3:Get*")))
    iam.create_instance_profile(InstanceProfileName="machine")
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="gone-role")
    there = PointWorld(world, PushOptions())
    there.client("s3").create_bucket(Bucket="data")
    for name in ("taken-point", "empty-point", "gone-point"):
        there.create(name, tags=BY_RAITO)


def _story() -> Story:
    story = Story().role("a", "new-role", "ada").policy("b", "new-policy", "user:bob", "group:staff", "role:new-role")
    story.role("c", "taken-role", "ada")
    story.control("d", "taken-policy", kind="aws_policy", external_id="policy:taken-policy")
    story.change("create", "policy", "taken-policy", {"PolicyDocument": document("s3:ListBucket"), "Tags": BY_RAITO})
    story.control("e", "changed-role", external_id="role:changed-role")
    story.change("update", "role-trust", "changed-role", trust("bob"))
    story.control("f", "changed-policy", kind="aws_policy", external_id="policy:changed-policy")
    story.change("create", "policy-version", arn("changed-policy"), document("s3:PutObject"))
    body = document("s3:GetObject")
    story.change("create", "role-inline-policy", "changed-role/Raito_Inline_changed-role", body)
    story.control("g").change("delete", "role", "gone-role")
    for kind, name in (("user", "ada"), ("group", "staff")):
        story.control(f"inline of {kind}", kind="aws_policy", was=f"{kind}:{name}|inline:mine|narrowed|")
        story.change("update", "inline-policy", f"{kind}:{name}/narrowed", document("s3:GetObject"))
        story.change("delete", "inline-policy", f"{kind}:{name}/mine")
    story.control("h", kind="aws_policy").change("delete", "policy", arn("gone-policy"))
    for control, name in (("i", "new-point"), ("j", "taken-point")):
        story.control(control, name, kind="aws_access_point", external_id=f"accesspoint:{point_arn(name)}")
        story.change("create", "access-point", point_arn(name), {"Bucket": "data", "Tags": BY_RAITO})
    everybody = ["ssorole:Nobody", *(f"arn:aws:iam::{ACCOUNT}:{who}" for who in ("user/ada", "user/no", "role/no"))]
    granted = {"Effect": "Allow", "Principal": {"AWS": everybody}, "Action": "s3:GetObject"}
    body = {"Version": "2012-10-17", "Statement": [{**granted, "Resource": f"{point_arn('new-point')}/object/*"}]}
    story.change("create", "access-point-policy", point_arn("new-point"), body, of="i")
    story.change("update", "bucket-policy", "arn:aws:s3:::data", {}, of="j")
    story.control("k", kind="aws_access_point").change("delete", "access-point-policy", point_arn("empty-point"))
    return story.control("l", kind="aws_access_point").change("delete", "access-point", point_arn("gone-point"))


def test_every_action_of_the_least_policy_is_used_and_no_other(
    world: World, limited: AwsClients, added: set[str]
) -> None:
    story = _story().seen(world.clients)
    mark = world.aws.calls.mark

    results = story.apply(limited).results

    calls = world.aws.calls.since(mark)
    assert [(r.access_control_id, r.errors) for r in results if r.errors and r.access_control_id != "i"] == []
    (error,) = next(result.errors for result in results if result.errors)
    assert all(name in error for name in ("permission set Nobody", "user/no", "role/no"))
    assert [call.operation for call in calls if call.status == 403] == []
    assert actions_of(calls) - READ_TOO == added


def test_an_action_taken_away_is_named_by_its_access_control_only(
    world: World, limited: AwsClients, added: set[str]
) -> None:
    policy = {"Statement": [{"Action": sorted(added | READ_TOO), "Resource": "*"}]}
    iam_of(ACCOUNT).put_user_policy("limited", "push", text(enforceable(policy, without="iam:CreatePolicyVersion")))

    story = _story().seen(world.clients)
    results = {result.access_control_id: result.errors for result in story.apply(limited).results}

    assert {control for control, errors in results.items() if errors} == {"f", "i"}
    assert "iam:CreatePolicyVersion" in results["f"][0]


def test_the_policy_names_the_partition_of_the_regions(tmp_path: Path) -> None:
    (tmp_path / "raito.yml").write_text(FILE.replace("us-east-1", "cn-north-1"))
    (target,) = load(tmp_path / "raito.yml").accounts
    resources = {resource for s in least_policy(target, "push")["Statement"] for resource in s["Resource"]} - {"*"}
    assert resources
    assert all(resource.startswith("arn:aws-cn:") for resource in resources)
