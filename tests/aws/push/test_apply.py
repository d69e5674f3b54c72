"""What a push does in AWS, and what it says of it."""

from raito_pipeline.model import PushResult
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import BY_RAITO, Story, World, arn, document, text, trust


def by_id(results: tuple[PushResult, ...]) -> dict[str, PushResult]:
    return {result.access_control_id: result for result in results}


def test_roles_and_policies_are_made_as_planned(world: World) -> None:
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "user:bob", "group:staff", "role:readers")

    applied = story.apply(world.clients)

    assert [(r.access_control_id, r.actual_name, r.external_id) for r in applied.results] == [
        ("a", "readers", "role:readers"),
        ("b", "analysts", "policy:analysts"),
    ]
    assert [(r.changes_made, r.changes_failed, r.errors) for r in applied.results] == [(2, 0, ()), (4, 0, ())]
    role = world.iam.get_role(RoleName="readers")["Role"]
    assert role["AssumeRolePolicyDocument"] == trust("ada")
    assert role["Tags"] == BY_RAITO
    inline = world.iam.get_role_policy(RoleName="readers", PolicyName="Raito_Inline_readers")
    assert inline["PolicyDocument"] == document("s3:GetObject")
    policy = world.iam.get_policy(PolicyArn=arn("analysts"))["Policy"]
    assert (policy["Tags"], policy["Description"]) == (BY_RAITO, "d")
    assert world.attached("user", "bob") == world.attached("group", "staff") == {"analysts"}
    assert world.attached("role", "readers") == {"analysts"}


def test_the_same_plan_again_leaves_the_same_behind(world: World) -> None:
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "user:bob")
    first = story.apply(world.clients)

    second = story.apply(world.clients)

    assert second.results == first.results
    assert world.roles() == {"readers"}
    assert world.policies() == {"analysts"}
    assert len(world.iam.list_policy_versions(PolicyArn=arn("analysts"))["Versions"]) == 1


def test_a_role_is_changed(world: World) -> None:
    world.tagged_role("readers")
    world.iam.put_role_policy(RoleName="readers", PolicyName="old", PolicyDocument=text(document("s3:PutObject")))
    story = (
        Story()
        .control("a", "readers", external_id="role:readers", was="role:readers")
        .change("update", "role-trust", "readers", trust("bob"))
        .change("update", "role-inline-policy", "readers/new", document("s3:GetObject"))
        .change("delete", "role-inline-policy", "readers/old")
    )

    (result,) = story.seen(world.clients).apply(world.clients).results

    assert (result.changes_made, result.errors) == (3, ())
    assert world.iam.get_role(RoleName="readers")["Role"]["AssumeRolePolicyDocument"] == trust("bob")
    assert world.iam.list_role_policies(RoleName="readers")["PolicyNames"] == ["new"]


def test_a_role_goes_with_everything_that_would_keep_it(world: World) -> None:
    world.tagged_role("readers")
    world.tagged_policy("kept")
    world.iam.attach_role_policy(RoleName="readers", PolicyArn=arn("kept"))
    world.iam.put_role_policy(RoleName="readers", PolicyName="inline", PolicyDocument=text(document("s3:Get*")))
    world.iam.create_instance_profile(InstanceProfileName="machine")
    world.iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="readers")
    story = Story().control("a", was="role:readers").change("delete", "role", "readers")

    (result,) = story.seen(world.clients).apply(world.clients).results

    assert (result.actual_name, result.external_id, result.errors) == ("", None, ())
    assert world.roles() == set()
    assert world.policies() == {"kept"}
    assert world.iam.get_instance_profile(InstanceProfileName="machine")["InstanceProfile"]["Roles"] == []


def test_a_policy_goes_with_its_attachments_and_versions(world: World) -> None:
    world.tagged_policy("gone")
    world.iam.create_policy_version(PolicyArn=arn("gone"), PolicyDocument=text(document("s3:*")), SetAsDefault=True)
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("gone"))
    world.iam.attach_group_policy(GroupName="staff", PolicyArn=arn("gone"))
    story = Story().control("a", kind="aws_policy", was="policy:gone").change("delete", "policy", arn("gone"))

    (result,) = story.seen(world.clients).apply(world.clients).results

    assert (result.external_id, result.changes_made, result.errors) == (None, 1, ())
    assert world.policies() == set()
    assert world.attached("user", "ada") == world.attached("group", "staff") == set()


def test_what_somebody_removed_is_said_where_something_was_to_be_taken_from_it(world: World) -> None:
    world.tagged_policy("there")
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("there"))
    story = (
        Story()
        .control("a", "gone", external_id="role:gone", was="role:gone")
        .change("delete", "role-inline-policy", "gone/inline", before=document("s3:GetObject"))
        .control("b", "gone", kind="aws_policy", external_id="policy:gone", was="policy:gone")
        .change("detach", "attachment", "user:ada", before=arn("gone"))
        .control("c", "there", kind="aws_policy", external_id="policy:there", was="policy:there")
        .change("detach", "attachment", "user:ada", before=arn("there"))
    )

    results = story.apply(world.clients).results

    assert [r.errors for r in results] == [()] * 3
    assert [["is gone from AWS" in each for each in r.warnings] for r in results] == [[True], [True], []]


def test_whether_objects_are_gone_is_asked_several_at_a_time(world: World) -> None:
    """A push that takes something from 500 objects would wait for as many answers, one after another."""
    story = Story()
    for number in range(6):
        name = f"gone-{number}"
        story.control(name, name, external_id=f"role:{name}", was=f"role:{name}")
        story.change("delete", "role-inline-policy", f"{name}/inline", before=document("s3:GetObject"))
    world.aws.faults.add(Fault(kind="delay", operation="GetRole", delay=0.1))
    mark = world.aws.calls.mark
    try:
        results = story.apply(world.clients, 3).results
    finally:
        world.aws.faults.clear()

    asked = [call for call in world.aws.calls.since(mark) if call.operation == "GetRole"]
    assert len(asked) == len(results) == 6
    assert all("is gone from AWS" in warning for result in results for warning in result.warnings)
    at_once = [sum(abs(one.time - other.time) < 0.09 for other in asked) for one in asked]
    assert 2 <= max(at_once) <= 3


def test_what_is_gone_already_is_deleted(world: World) -> None:
    story = (
        Story()
        .control("a", was="role:gone")
        .change("delete", "role", "gone")
        .control("b", was="policy:gone")
        .change("detach", "attachment", "user:nobody", before=arn("gone"))
        .change("delete", "policy", arn("gone"))
        .control("c", was="role:elsewhere")
        .change("delete", "role", "never-there")
        .change("delete", "role-inline-policy", "never-there/inline")
    )

    results = story.apply(world.clients).results

    assert [(r.external_id, r.errors) for r in results] == [(None, ())] * 3


def test_the_oldest_version_that_is_not_in_force_makes_room(world: World) -> None:
    world.tagged_policy("full")
    for action in ("s3:A", "s3:B", "s3:C", "s3:D"):
        body = document(action)
        world.iam.create_policy_version(PolicyArn=arn("full"), PolicyDocument=text(body), SetAsDefault=False)
    story = (
        Story()
        .control("a", "full", kind="aws_policy", external_id="policy:full")
        .change("create", "policy-version", arn("full"), document("s3:GetObject"))
    )

    (first,) = story.seen(world.clients).apply(world.clients).results
    versions = world.iam.list_policy_versions(PolicyArn=arn("full"))["Versions"]
    (second,) = story.apply(world.clients).results

    # v1 was in force, so v2 had to go.
    assert first.errors == second.errors == ()
    assert {version["VersionId"] for version in versions} == {"v1", "v3", "v4", "v5", "v6"}
    assert world.actions("full") == ["s3:GetObject"]


def test_a_policy_gets_another_name(world: World) -> None:
    world.tagged_policy("old")
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("old"))
    story = Story().policy("a", "new", "user:ada", was="policy:old").change("delete", "policy", arn("old"))

    (result,) = story.seen(world.clients).apply(world.clients).results

    assert (result.actual_name, result.external_id, result.errors) == ("new", "policy:new", ())
    assert world.policies() == world.attached("user", "ada") == {"new"}


def test_what_cannot_be_made_of_an_access_control_does_not_keep_the_rest_from_being_made(world: World) -> None:
    story = Story().control("a", "readers", external_id="role:readers", errors=("no user nobody",), refused=False)
    story.change("create", "role", "readers", {"AssumeRolePolicyDocument": trust("ada"), "Tags": BY_RAITO})

    (result,) = story.apply(world.clients).results

    assert world.roles() == {"readers"}
    assert (result.actual_name, result.external_id, result.errors) == ("readers", "role:readers", ("no user nobody",))
    assert (result.changes_made, result.changes_failed) == (1, 0)


def test_idle_changes_and_refused_targets_make_no_calls(world: World) -> None:
    story = (
        Story()
        .control("a", "same", external_id="role:same", was="role:same")
        .change("none", "role", "same")
        .control("b", "bad", errors=("the name is too long",))
        .change("refuse", "role", "bad")
        .change("create", "role", "bad", {"AssumeRolePolicyDocument": trust("ada")})
    )
    mark = world.aws.calls.mark

    applied = story.apply(world.clients)

    assert world.aws.calls.since(mark) == []
    assert [(r.external_id, r.changes_made, r.changes_failed, r.errors) for r in applied.results] == [
        ("role:same", 0, 0, ()),
        (None, 0, 0, ("the name is too long",)),
    ]
    assert not applied.all_denied


def test_what_raito_made_for_another_access_control_is_not_taken_over(world: World) -> None:
    """A push that was broken off left a role of this name, but for somebody else."""
    other = [{"Key": "raito_data_source", "Value": "ds"}, {"Key": "raito_access_control", "Value": "z"}, *BY_RAITO]
    own = [{"Key": "raito_data_source", "Value": "ds"}, {"Key": "raito_access_control", "Value": "a"}, *BY_RAITO]

    def story() -> Story:
        told = Story().control("a", "readers", external_id="role:readers")
        return told.change("create", "role", "readers", {"AssumeRolePolicyDocument": trust("ada"), "Tags": own})

    world.iam.create_role(RoleName="readers", AssumeRolePolicyDocument=text(trust("ada")), Tags=other)
    (refused,) = story().apply(world.clients).results
    assert "do not say that it was made for this access control" in refused.errors[0]

    world.iam.tag_role(RoleName="readers", Tags=own)
    assert [story().apply(world.clients).results[0].errors for _ in range(2)] == [(), ()]
