"""What Raito made and no access control names: shown, and removed only where that is asked for and certain."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.center_state import CenterState
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.config.groups import AccessOptions, PushOptions
from raito_pipeline.model import AccessControl, AccessPoint, PushPermissionSet, Tag
from tests.aws.push.conftest import ACCOUNT, World, arn, document, trust
from tests.aws.push.exported import BY_RAITO, control, policy, policy_control, role, state
from tests.aws.push.owners.test_own_objects import of

WHOLE = Bounds(data_source="ds-1", imported={}, whole_export=True)
TYPES = ACCESS_PROVIDER_TYPES.push


def account() -> PushState:
    """A role and a policy that are named, and some of each that are not."""
    roles = (
        role("named", trust("ada"), of("ds-1", "a")),
        role("left", trust("ada"), of("ds-1", "gone")),
        role("cli", trust("ada")),
        role("theirs", trust("ada"), of("ds-2", "x")),
        role("by-hand", trust("ada"), ()),
    )
    return state(roles, (policy("p", document("s3:Get*")), policy("named-p", document("s3:Get*"))))


NAMED = (
    control("a", external_id="role:named", actual_name="named", who_locked=True, what_locked=True),
    policy_control("b", external_id="policy:named-p", actual_name="named-p", naming_hint="named-p"),
)


def plan(*controls: AccessControl, bounds: Bounds = WHOLE, there: PushState | None = None, **options: Any) -> Plan:
    placed = [replace(each, position=position) for position, each in enumerate(controls)]
    return plan_push(placed, there or account(), PushOptions(**options), TYPES, bounds)


def test_they_are_shown_and_stay() -> None:
    made = plan(*NAMED)
    assert [orphan.external_id for orphan in made.orphans] == ["policy:p", "role:cli", "role:left"]
    shown = [change for change in made.changes if not change.access_control_id]
    assert [(change.operation, change.resource) for change in shown] == [
        ("none", arn("p")),
        ("none", "cli"),
        ("none", "left"),
    ]
    assert all("nobody grants this any more" in change.why for change in shown)
    assert len(made.targets) == 2


def test_they_are_removed_where_that_is_asked_for() -> None:
    made = plan(*NAMED, aws_push_remove_orphans=True)
    deleted = [(change.kind, change.resource) for change in made.changes if change.operation == "delete"]
    assert sorted(deleted) == [("policy", arn("p")), ("role", "cli"), ("role", "left")]
    assert [target.access_control_id for target in made.targets[2:]] == [
        "orphan:policy:p",
        "orphan:role:cli",
        "orphan:role:left",
    ]


@pytest.mark.parametrize(
    ("bounds", "removed"),
    [
        (replace(WHOLE, whole_export=False), []),
        (replace(WHOLE, shared=True), ["role:left"]),
        (replace(WHOLE, claimed_elsewhere={"role:cli": "second"}), ["policy:p", "role:left"]),
        (replace(WHOLE, data_source="ds-2"), ["policy:p", "role:cli", "role:theirs"]),
    ],
)
def test_only_what_is_certain_is_removed(bounds: Bounds, removed: list[str]) -> None:
    made = plan(*NAMED, bounds=bounds, aws_push_remove_orphans=True)
    assert [orphan.external_id for orphan in made.orphans if orphan.removed] == removed


def test_permission_sets_of_this_account_are_among_them() -> None:
    def one(
        name: str, *accounts: str, serves: str | None = None, tags: tuple[Tag, ...] = BY_RAITO
    ) -> PushPermissionSet:
        own = (Tag("raito_account", serves),) if serves else ()
        return PushPermissionSet(f"arn:{name}", name, "d", (*tags, *own), True, "", (), (), (), accounts)

    sets = [
        one("here", ACCOUNT),
        one("marked", serves=ACCOUNT),
        one("shared", ACCOUNT, "999988887777"),
        one("elsewhere", "999988887777", serves="999988887777"),
        one("theirs", ACCOUNT, tags=of("ds-2", "x")),
        one("by-hand", ACCOUNT, tags=()),
    ]
    there = replace(account(), center=CenterState.of(sets, (), account_id=ACCOUNT))
    found = {orphan.external_id for orphan in plan(there=there).orphans}
    assert {each for each in found if each.startswith("ssorole:")} == {"ssorole:here", "ssorole:marked"}


def test_access_points_are_among_them() -> None:
    def point(name: str, tags: tuple[Tag, ...] | None) -> AccessPoint:
        place = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/{name}"
        return AccessPoint(name, place, None, "data", ACCOUNT, "{}", tags)

    points = [
        point("left", of("ds-1", "gone")),
        point("new", of("ds-1", "a")),
        point("theirs", of("ds-2", "x")),
        point("by-hand", ()),
        point("unread", None),
    ]
    there = replace(account(), points=PointState.of((), points, {}, ()))
    found = [orphan.external_id for orphan in plan(*NAMED, there=there).orphans if orphan.type == "aws_access_point"]
    assert found == [f"accesspoint:arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/left"]


def test_what_is_refused_unreadable_or_to_be_deleted_is_named_all_the_same() -> None:
    controls = [
        control("1", external_id="role:left", action="deny"),
        control("2", external_id="role:cli", unreadable=("x",)),
        policy_control("3", external_id="policy:p", actual_name="p", delete=True),
    ]
    assert plan(*NAMED, *controls).orphans == ()


def test_one_that_gives_more_than_data_stays() -> None:
    there = state((), (policy("p", document("iam:*")),))
    made = plan(there=there, aws_push_remove_orphans=True)
    assert {change.operation for change in made.changes} == {"refuse"}


def test_in_aws_they_are_gone_afterwards_and_the_second_push_has_nothing_to_do(world: World) -> None:
    world.tagged_role("left")
    world.tagged_role("by-hand", by_raito=False)
    world.tagged_policy("p")
    world.iam.attach_user_policy(UserName="ada", PolicyArn=arn("p"))

    def push() -> Plan:
        rows = read_account(world.clients, AccessOptions())
        parts = (rows.users, rows.groups, rows.roles, rows.policies, rows.attachments)
        there = PushState.of(ACCOUNT, *(part.rows for part in parts))
        made = plan(there=there, aws_push_remove_orphans=True)
        applied = apply_plan(world.clients, ACCOUNT, TYPES, made.changes, made.targets, ())
        assert [result.errors for result in applied.results if result.errors] == []
        return made

    assert len(push().orphans) == 2
    assert (world.roles(), world.policies()) == ({"by-hand"}, set())
    mark = world.aws.calls.mark
    assert push().orphans == ()
    assert world.writes(mark) == []
