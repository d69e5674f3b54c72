"""What a change replaces is compared with AWS as it is at that moment, whatever its type."""

from collections.abc import Callable

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.changes import Change

from .conftest import Story, World, arn, document, text, trust

ADA, BOB = trust("ada"), trust("bob")
READ, WRITE, ALL = document("s3:GetObject"), document("s3:PutObject"), document("s3:*")
OWN = {"external_id": "role:r", "was": "role:r"}
INLINE = "r/Raito_Inline_r"


def _arrange(world: World) -> None:
    """A role and a policy as the plan saw them."""
    world.tagged_role("r")
    world.iam.put_role_policy(RoleName="r", PolicyName="Raito_Inline_r", PolicyDocument=text(READ))
    world.iam.create_policy(PolicyName="p", PolicyDocument=text(READ), Tags=[{"Key": "creator", "Value": "RAITO"}])


def _trust(world: World) -> None:
    world.iam.update_assume_role_policy(RoleName="r", PolicyDocument=text(trust("ada", "bob")))


def _inline(world: World) -> None:
    world.iam.put_role_policy(RoleName="r", PolicyName="Raito_Inline_r", PolicyDocument=text(ALL))


def _new_inline(world: World) -> None:
    world.iam.put_role_policy(RoleName="r", PolicyName="other", PolicyDocument=text(ALL))


def _version(world: World) -> None:
    world.iam.create_policy_version(PolicyArn=arn("p"), PolicyDocument=text(ALL), SetAsDefault=True)


def _no_version(world: World) -> None:
    world.iam.delete_policy(PolicyArn=arn("p"))


Case = tuple[tuple[str, str, str, object, object], Callable[[World], None]]
CASES: list[Case] = [
    (("update", "role-trust", "r", BOB, ADA), _trust),
    (("update", "role-inline-policy", INLINE, WRITE, READ), _inline),
    (("delete", "role-inline-policy", INLINE, None, READ), _inline),
    (("create", "role-inline-policy", "r/other", READ, None), _new_inline),
    (("delete", "role", "r", None, ADA), _trust),
    (("create", "policy-version", arn("p"), WRITE, READ), _version),
    (("create", "policy-version", arn("p"), WRITE, READ), _no_version),
    (("delete", "policy", arn("p"), None, READ), _version),
]


def _story(case: tuple[str, str, str, object, object]) -> Story:
    operation, kind, resource, after, before = case
    story = (
        Story()
        .control("a", "r", **OWN)
        .change(  # type: ignore[arg-type]
            operation, kind, resource, after, None if before is None else text(before)
        )
    )
    return story.role("b", "other-role", "ada")


@pytest.mark.parametrize(("case", "meanwhile"), CASES, ids=lambda part: part[1] if isinstance(part, tuple) else None)
def test_what_changed_since_the_plan_is_not_overwritten(
    world: World, case: tuple[str, str, str, object, object], meanwhile: Callable[[World], None]
) -> None:
    _arrange(world)
    meanwhile(world)
    mark = world.aws.calls.mark

    first, other = _story(case).apply(world.clients).results

    (error,) = first.errors
    assert f"{case[0]} of {case[1]} {case[2]}: it was changed since the plan" in error
    assert (first.external_id, first.changes_made, first.changes_failed) == ("role:r", 0, 1)
    assert (other.errors, other.changes_made) == ((), 2)
    assert world.writes(mark) == ["CreateRole", "PutRolePolicy"]


@pytest.mark.parametrize("case", [case for case, _ in CASES], ids=lambda case: f"{case[0]} {case[1]}")
def test_what_is_as_planned_is_made_and_the_second_time_left_alone(
    world: World, case: tuple[str, str, str, object, object]
) -> None:
    _arrange(world)
    first = _story(case).apply(world.clients).results
    mark = world.aws.calls.mark

    again = _story(case).apply(world.clients).results

    assert [result.errors for result in (*first, *again)] == [()] * 4
    assert set(world.writes(mark)) <= {"CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy"}, "those of `b` only"
    assert len(world.iam.list_policy_versions(PolicyArn=arn("p"))["Versions"] if "version" in case[1] else []) <= 2


def test_every_change_that_replaces_a_document_is_compared() -> None:
    changes = [change for kind in ACCESS_PROVIDER_TYPES.push.pushed.values() for change in kind.changes]
    documents = [change for change in changes if change.EFFECT is None]
    assert documents
    assert [change.__name__ for change in documents if change.current is Change.current] == []
