"""A push that goes wrong: what is still made, what is left alone, and what each access control is told."""

import pytest

from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import BY_RAITO, Story, World, arn, document, text, trust


def deny(operation: str, resource: str = "", **more: object) -> Fault:
    return Fault(kind="deny", service="iam", operation=operation, resource=resource, **more)  # type: ignore[arg-type]


def test_a_failure_stops_its_own_access_control_only(world: World) -> None:
    world.aws.faults.add(deny("PutRolePolicy", "broken"))
    story = Story().role("a", "broken", "ada").change("attach", "attachment", "role:broken", arn("p"))
    story.role("b", "whole", "ada")

    applied = story.apply(world.clients)

    broken, whole = applied.results
    assert (broken.changes_made, broken.changes_failed) == (1, 2)
    assert len(broken.errors) == 2
    assert broken.errors[0] == (
        "iam:PutRolePolicy on arn:aws:iam::111122223333:role/broken: AWS denied the call (AccessDenied). "
        "Grant iam:PutRolePolicy on arn:aws:iam::111122223333:role/broken to the credentials."
    )
    # The role itself was made, so Raito Cloud has to know it.
    assert (broken.actual_name, broken.external_id) == ("broken", "role:broken")
    assert (whole.changes_made, whole.errors) == (2, ())
    assert not applied.all_denied


def test_a_failed_grant_keeps_no_revocation_from_being_made(world: World) -> None:
    """Bob loses the policy, though Ada cannot get it: the two have nothing to do with each other."""
    world.tagged_policy("analysts")
    world.iam.attach_user_policy(UserName="bob", PolicyArn=arn("analysts"))
    world.aws.faults.add(deny("AttachUserPolicy"))
    story = Story().control("a", "analysts", kind="aws_policy", external_id="policy:analysts", was="policy:analysts")
    story.change("attach", "attachment", "user:ada", arn("analysts"))
    story.change("detach", "attachment", "user:bob", before=arn("analysts"))

    (result,) = story.apply(world.clients).results

    assert (result.changes_made, result.changes_failed, len(result.errors)) == (1, 1, 1)
    assert world.attached("user", "bob") == world.attached("user", "ada") == set()


def test_what_another_access_control_made_as_well_is_no_failure(world: World) -> None:
    world.tagged_policy("p")
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="AttachUserPolicy", times=1))
    story = Story()
    for name in ("a", "b"):
        story.control(name, name, kind="aws_policy", external_id=f"policy:{name}")
        story.change("attach", "attachment", "user:bob", arn("p"))

    applied = story.apply(world.clients, concurrency=1)

    assert [(result.errors, result.changes_failed) for result in applied.results] == [((), 0), ((), 0)]


def test_of_what_failed_nothing_is_hidden_where_more_than_that_is_lacking(world: World) -> None:
    world.tagged_policy("p")
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="AttachUserPolicy", times=1))
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="AttachGroupPolicy"))
    story = Story()
    for name in ("a", "b"):
        story.control(name, name, kind="aws_policy", external_id=f"policy:{name}")
        story.change("attach", "attachment", "user:bob", arn("p"))
    story.change("attach", "attachment", "group:staff", arn("p"), of="a")

    first, second = story.apply(world.clients, concurrency=1).results

    assert (len(first.errors), first.changes_failed, second.errors) == (2, 2, ())


def test_a_policy_that_gets_another_name_stays_until_the_new_one_is_there(world: World) -> None:
    """Nobody is left without access: what replaces the old policy could not be attached, so that the old one stays."""
    world.tagged_policy("old")
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("old"))
    world.aws.faults.add(deny("AttachUserPolicy"))
    story = Story().policy("a", "new", "user:ada", was="policy:old").change("delete", "policy", arn("old"))

    (result,) = story.apply(world.clients).results

    assert (result.changes_made, result.changes_failed, result.external_id) == (1, 2, "policy:old")
    assert world.attached("user", "ada") == {"old"}


def test_what_another_access_control_failed_to_make_is_named(world: World) -> None:
    world.aws.faults.add(deny("CreateRole", "readers"))
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "user:ada", "role:readers")

    role, policy = story.apply(world.clients).results

    assert (role.actual_name, role.external_id, role.changes_made, role.changes_failed) == ("", None, 0, 2)
    assert policy.errors == (
        "attach of attachment role:readers: not tried, because role readers of access control 'A' (a) "
        "could not be made.",
    )
    assert (policy.external_id, policy.changes_made, policy.changes_failed) == ("policy:analysts", 2, 1)
    assert world.attached("user", "ada") == {"analysts"}


def test_the_next_push_finishes_what_was_broken_off(world: World) -> None:
    fault = world.aws.faults.add(deny("PutRolePolicy"))
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "role:readers")
    story.apply(world.clients)
    world.aws.faults.remove(fault)

    results = story.apply(world.clients).results

    assert [result.errors for result in results] == [(), ()]
    assert world.iam.list_role_policies(RoleName="readers")["PolicyNames"] == ["Raito_Inline_readers"]
    assert world.attached("role", "readers") == {"analysts"}


@pytest.mark.parametrize("kind", ["drop", "error"])
@pytest.mark.parametrize("operation", ["CreateRole", "PutRolePolicy", "CreatePolicy", "AttachUserPolicy"])
def test_a_lost_answer_is_made_up_for(world: World, operation: str, kind: str) -> None:
    """The change was made and its answer lost: the call comes again, and finds what is there already."""
    world.aws.faults.add(
        Fault(kind=kind, service="iam", operation=operation, after=True, times=1)  # type: ignore[arg-type]
    )
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "user:ada")

    results = story.apply(world.clients).results

    assert [result.errors for result in results] == [(), ()]
    assert (world.roles(), world.policies()) == ({"readers"}, {"analysts"})


def test_a_lost_answer_of_the_last_version_that_a_policy_can_have_is_made_up_for(world: World) -> None:
    """The second try meets the limit that the first one has reached."""
    world.tagged_policy("p")
    for _ in range(3):
        world.iam.create_policy_version(PolicyArn=arn("p"), PolicyDocument=text(document("s3:ListBucket")))
    world.aws.faults.add(Fault(kind="drop", service="iam", operation="CreatePolicyVersion", after=True, times=1))
    story = Story().control("a", "p", kind="aws_policy", external_id="policy:p", was="policy:p")
    story.change("create", "policy-version", arn("p"), document("s3:GetObject"), before=text(document("s3:ListBucket")))

    (result,) = story.apply(world.clients).results

    assert (result.changes_made, result.errors, world.actions("p")) == (1, (), ["s3:GetObject"])


@pytest.mark.parametrize("operation", ["DeleteRole", "DeletePolicy", "DetachUserPolicy", "DeletePolicyVersion"])
def test_a_lost_answer_of_a_deletion_is_made_up_for(world: World, operation: str) -> None:
    world.tagged_role("r")
    world.tagged_policy("p")
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("p"))
    world.iam.create_policy_version(PolicyArn=arn("p"), PolicyDocument=text(document("s3:Get*")))
    story = Story().control("a").change("delete", "role", "r").control("b").change("delete", "policy", arn("p"))
    story.seen(world.clients)
    world.aws.faults.add(Fault(kind="drop", service="iam", operation=operation, after=True, times=1))

    results = story.apply(world.clients).results

    assert [result.errors for result in results] == [(), ()]
    assert (world.roles(), world.policies()) == (set(), set())


REWRITES = [
    ("delete", "role", "theirs", None),
    ("update", "role-trust", "theirs", trust("bob")),
    ("create", "role-inline-policy", "theirs/new", document("s3:*")),
    ("update", "role-inline-policy", "theirs/inline", document("s3:*")),
    ("delete", "role-inline-policy", "theirs/inline", None),
    ("create", "role", "theirs", {"AssumeRolePolicyDocument": trust("bob"), "Tags": BY_RAITO}),
    ("delete", "policy", arn("theirs"), None),
    ("create", "policy-version", arn("theirs"), document("s3:*")),
    ("create", "policy", "theirs", {"PolicyDocument": document("s3:*"), "Tags": BY_RAITO}),
    ("delete", "policy", "arn:aws:iam::aws:policy/AmazonS3FullAccess", None),
    ("create", "policy-version", "arn:aws:iam::999999999999:policy/theirs", document("s3:*")),
]


@pytest.mark.parametrize(("operation", "kind", "resource", "after"), REWRITES)
def test_what_raito_did_not_make_is_left_alone(
    world: World, operation: str, kind: str, resource: str, after: object
) -> None:
    world.tagged_role("theirs", by_raito=False)
    world.iam.put_role_policy(RoleName="theirs", PolicyName="inline", PolicyDocument=text(document("s3:Get*")))
    world.tagged_policy("theirs", by_raito=False)
    # That the access control once had another object does not make this one its own.
    story = Story().control("a", "theirs", external_id="role:theirs", was="role:another")
    story.change(operation, kind, resource, after).seen(world.clients)
    mark = world.aws.calls.mark

    (result,) = story.apply(world.clients).results

    assert [name for name in world.writes(mark) if name not in ("CreateRole", "CreatePolicy")] == []
    assert (result.changes_made, result.changes_failed) == (0, 1)
    assert len(result.errors) == 1
    assert resource in result.errors[0]
    assert "Nothing was changed." in result.errors[0]
    assert result.external_id == "role:another"


@pytest.mark.parametrize(
    ("operation", "kind", "resource", "after"), [case for case in REWRITES if case[1] != "policy"][:5]
)
def test_what_was_taken_over_is_changed(world: World, operation: str, kind: str, resource: str, after: object) -> None:
    """An imported role has no tag of Raito's; its external id in the export shows that it has been taken over."""
    world.tagged_role("theirs", by_raito=False)
    world.iam.put_role_policy(RoleName="theirs", PolicyName="inline", PolicyDocument=text(document("s3:Get*")))
    story = Story().control("a", "theirs", external_id="role:theirs", was="role:theirs")

    story.change(operation, kind, resource, after).seen(world.clients)

    (result,) = story.apply(world.clients).results

    assert (result.changes_made, result.errors) == (1, ())


def test_a_taken_over_policy_is_changed_and_deleted(world: World) -> None:
    world.tagged_policy("theirs", by_raito=False)
    story = Story().control("a", kind="aws_policy", was="policy:theirs")
    old, new = text(document("s3:ListBucket")), document("s3:*")
    story.change("create", "policy-version", arn("theirs"), new, old)
    story.change("delete", "policy", arn("theirs"), before=text(new))

    (result,) = story.apply(world.clients).results

    assert (result.changes_made, result.errors) == (2, ())
    assert world.policies() == set()


@pytest.mark.parametrize(
    ("operation", "kind", "resource", "after"),
    [
        ("create", "bucket", "b", None),
        ("update", "role-inline-policy", "no-slash", document("s3:*")),
        ("create", "role", "r", "no JSON"),
        ("create", "role", "r", None),
        ("attach", "attachment", "nobody", arn("p")),
        ("attach", "attachment", "user:ada", None),
        ("update", "role-trust", "r", None),
    ],
)
def test_a_change_that_makes_no_sense_is_an_error_of_its_access_control(
    world: World, operation: str, kind: str, resource: str, after: object
) -> None:
    world.tagged_role("r")
    story = Story().control("a", "x").change(operation, kind, resource, after).role("b", "fine", "ada")

    wrong, fine = story.apply(world.clients).results

    assert (wrong.changes_failed, len(wrong.errors)) == (1, 1)
    assert wrong.errors[0].startswith(f"{operation} of {kind} {resource}: ")
    assert (fine.changes_made, fine.errors) == (2, ())


def test_a_bug_is_an_error_of_its_access_control(world: World) -> None:
    story = (
        Story().control("a", "x").change("create", "role", "x", {"AssumeRolePolicyDocument": {}, "RoleName": "twice"})
    )
    story.role("b", "fine", "ada")

    wrong, fine = story.apply(world.clients).results

    assert "TypeError" in wrong.errors[0]
    assert fine.errors == ()


def test_a_failed_deletion_keeps_the_old_name(world: World) -> None:
    world.tagged_role("readers")
    story = Story().control("a", was="role:readers").change("delete", "role", "readers").seen(world.clients)
    world.aws.faults.add(deny("DeleteRole"))

    (result,) = story.apply(world.clients).results

    assert (result.actual_name, result.external_id) == ("readers", "role:readers")
    assert "iam:DeleteRole" in result.errors[0]


def test_a_policy_keeps_its_old_name_until_the_old_one_is_gone(world: World) -> None:
    world.tagged_policy("old")
    story = Story().policy("a", "new", "user:ada", was="policy:old").change("delete", "policy", arn("old"))
    story.seen(world.clients)
    fault = world.aws.faults.add(deny("DeletePolicy"))

    (first,) = story.apply(world.clients).results
    world.aws.faults.remove(fault)
    (second,) = story.apply(world.clients).results

    assert (first.external_id, len(first.errors)) == ("policy:old", 1)
    assert (second.external_id, second.errors) == ("policy:new", ())
    assert world.policies() == {"new"}


def test_everything_denied_is_told_apart(world: World) -> None:
    world.aws.faults.add(deny(""))
    story = Story().role("a", "readers", "ada").policy("b", "analysts", "user:ada")

    applied = story.apply(world.clients)

    assert applied.all_denied
    assert all(result.errors and result.external_id is None for result in applied.results)


def test_throttling_through_all_retries_is_an_error_that_says_so(world: World) -> None:
    world.aws.faults.add(Fault(kind="throttle", service="iam", operation="CreateRole"))

    applied = Story().role("a", "readers", "ada").apply(world.clients)

    assert "throttled" in applied.results[0].errors[0]
    assert not applied.all_denied
