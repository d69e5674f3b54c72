"""An object that another one takes the place of: what only takes access away, of what would be planned for it."""

from dataclasses import replace

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.owners.replacing import less, only_revoking
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.model import CREATOR, WhoEntry
from tests.aws.push.conftest import ACCOUNT, Story, World, arn, text, trust
from tests.aws.push.pushing import BUCKETS, VIEW, Account, Options, control, folder
from tests.aws.push.situations import gives

TYPES = ACCESS_PROVIDER_TYPES.push


def test_of_changes_remains_what_takes_access_and_gives_none() -> None:
    story = Story().control("a", "r").change("update", "role-trust", "r", trust("ada"), text(trust("ada", "bob")))
    story.change("attach", "attachment", "user:ada", arn("p")).change(
        "detach", "attachment", "user:bob", None, arn("p")
    )
    story.change("create", "policy-version", arn("p"), gives("data/a/*", "data/new/*"), gives("data/a/*", "data/old/*"))
    story.change("create", "policy-version", arn("q"), gives("data/a/*"), None).change("delete", "role", "r")

    found = only_revoking(TYPES.changes(story.changes), VIEW)

    assert [(row.operation, row.resource, row.after) for row in found[:2]] == [
        ("update", "r", text(trust("ada"))), ("detach", "user:bob", None),
    ]  # fmt: skip
    (narrowed,) = found[2:]
    assert (narrowed.resource, "data/a/*" in (narrowed.after or "")) == (arn("p"), True)
    assert not any(each in (narrowed.after or "") for each in ("data/new", "data/old"))


def test_other_words_for_the_same_are_no_loss() -> None:
    """Resources without their end, as the Raito CLI writes them, and actions by a wildcard."""
    both = gives("data/a/*", "data/b/*", action="s3:GetObject*")
    assert less(both, gives("data/a/*", "data/b/*", action="s3:GetObject*"), VIEW) is None
    assert less(gives("data/a/*", "data/a/*"), gives("data/a/*"), VIEW) is None
    left = less(gives("data/a/*", "data/b/*"), gives("data/a/*", "data/c/*"), VIEW) or ""
    assert ("data/a/*" in left, "data/b" in left, "data/c" in left) == (True, False, False)
    nothing = less(gives("data/b/*"), gives("data/a/*"), VIEW) or ""
    assert "data/" not in nothing


def test_a_new_object_that_may_not_be_made_keeps_nobody_from_losing_the_old_one(world: World) -> None:
    """A policy is to become a role that the identity which pushes may assume: that is refused, and bob loses access."""
    world.iam.create_user(UserName="pusher")
    account = Account(world)
    before = control("p", "ada", "bob", what=(folder("a"), folder("b")))
    (made,) = account.push(before).controls
    state, caller = account.state(), f"arn:aws:iam::{ACCOUNT}:user/pusher"
    bounds = Bounds("source", caller, {one.name: one.region for one in BUCKETS}, state.view.providers)
    wanted = replace(made, type="aws_role", who=WhoEntry(("ada", "pusher"), (), (), ()), what=(folder("a"),))

    plan = plan_push([wanted], state.with_policy_tags({arn("p"): (CREATOR,)}), Options(), TYPES, bounds)

    (target,) = plan.targets
    assert (target.refused, target.external_id, target.actual_name) == (False, "policy:p", "p")
    assert "the identity that pushes is never changed" in " ".join(target.errors), target.errors
    assert sorted(row.kind for row in plan.changes) == ["attachment", "policy-version"]
    pushed = account.apply(plan, [wanted])
    assert (pushed.external_id("p"), account.access()) == ("policy:p", {"policy:p": ["user:ada"]})
