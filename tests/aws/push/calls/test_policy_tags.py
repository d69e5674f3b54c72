"""Tags of policies that a plan needs: asked for the few that it is about, also after a push that was killed."""

from dataclasses import replace

from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import World
from tests.aws.push.pushing import Account, control
from tests.aws.push.test_lost_revocations import policy


def test_a_push_that_was_killed_after_it_made_a_policy_is_finished_by_the_next(world: World) -> None:
    """Nobody has the policy, so that the import does not ask for its tags; Raito Cloud does not know it either."""
    account = Account(world)
    plan, controls = account.plan([control("p", "ada")])
    account.apply(replace(plan, changes=plan.changes[:1]), controls)
    assert account.access()["policy:p"] == []

    first = account.push(control("p", "ada"))
    mark = world.aws.calls.mark
    second = account.push(*first.controls)

    assert first.errors("p") == second.errors("p") == ()
    assert first.external_id("p") == "policy:p"
    assert account.access()["policy:p"] == ["user:ada"]
    assert world.writes(mark) == []


def test_a_push_whose_first_attachment_was_denied_is_finished_by_the_next(world: World) -> None:
    account = Account(world)
    fault = world.aws.faults.add(Fault(kind="deny", service="iam", operation="AttachUserPolicy"))
    first = account.push(control("p", "ada"))
    world.aws.faults.remove(fault)

    again = account.push(control("p", "ada"))

    assert "AttachUserPolicy" in first.errors("p")[0]
    assert again.errors("p") == ()
    assert account.access()["policy:p"] == ["user:ada"]


def test_a_policy_of_somebody_else_stays_theirs(world: World) -> None:
    policy(world, "p", by_raito=False)
    (error,) = Account(world).push(control("p", "ada")).errors("p")
    assert "was not made by Raito" in error
    assert Account(world).access()["policy:p"] == []


def test_where_tags_cannot_be_read_the_plan_says_so(world: World) -> None:
    policy(world, "p")
    world.aws.faults.add(Fault(kind="deny", service="iam", operation="GetPolicy"))
    (error,) = Account(world).push(control("p", "ada")).errors("p")
    assert "its tags could not be read" in error


def test_only_policies_of_the_export_are_asked_for(world: World) -> None:
    for number in range(3):
        policy(world, f"other-{number}")
    policy(world, "p")
    mark = world.aws.calls.mark
    Account(world).push(control("p", "ada", external_id="policy:p"))
    asked = [call for call in world.aws.calls.since(mark) if call.operation == "GetPolicy"]
    # For the plan, before the policy is changed, before somebody gets it, and after both.
    assert len(asked) <= 4
