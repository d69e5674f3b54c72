"""One object, one owner: what two access controls, two targets or two data sources claim is an error of each."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.center_state import CenterState
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.owners.own_objects import object_key
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, AccessPoint, IamAttachment, PushPermissionSet, Tag
from tests.aws.access.conftest import Told
from tests.aws.push.conftest import ACCOUNT, arn, document, trust
from tests.aws.push.exported import BY_RAITO, control, policy, policy_control, role, state, who
from tests.aws.push.pushing import Options, imported

BOUNDS = Bounds(data_source="ds-1", imported={})


def of(data_source: str, access_control: str) -> tuple[Tag, ...]:
    """The tags of an object of an access control."""
    return (*BY_RAITO, Tag("raito_access_control", access_control), Tag("raito_data_source", data_source))


def plan(*controls: AccessControl, there: PushState | None = None, bounds: Bounds = BOUNDS, **options: Any) -> Plan:
    placed = [replace(each, position=position) for position, each in enumerate(controls)]
    return plan_push(placed, there or state(), PushOptions(**options), ACCESS_PROVIDER_TYPES.push, bounds)


def errors(made: Plan) -> list[str]:
    return [" ".join(target.errors) for target in made.targets]


def test_two_access_controls_with_one_external_id_are_both_refused() -> None:
    there = state((role("Sales", trust("bob")),))
    pair = [control("a", external_id="role:Sales"), control("b", external_id="role:sales", delete=True)]

    made = plan(*pair, control("good"), there=there)

    assert ["an object has one owner" in text for text in errors(made)] == [True, True, False]
    planned = [row for row in made.changes if row.operation != "refuse" and row.access_control_id != "good"]
    # What none of them grants is taken away all the same.
    assert [(row.kind, "bob" in (row.after or "")) for row in planned] == [("role-trust", False)]


def test_who_lost_a_policy_loses_it_although_its_tags_cannot_be_read_where_a_push_made_it() -> None:
    unread = replace(policy("x", document("s3:GetObject")), tags=None)
    there = state(
        (), (unread,), tuple(IamAttachment("user", n, "managed", "x", arn("x"), None) for n in ("ada", "bob"))
    )
    named = policy_control("a", external_id="policy:x", actual_name="x", naming_hint="y", who=who("ada"))

    unknown = plan(named, there=there)
    known = plan(named, there=there, bounds=replace(BOUNDS, pushed=frozenset({("a", "policy:x")})))

    assert "the tags of policy:x could not be read" in errors(unknown)[0]
    assert [row.operation for row in unknown.changes] == ["refuse"]
    assert errors(known) == [""]
    assert ("detach", "user:bob") in [(row.operation, row.resource) for row in known.changes]
    assert {row.operation for row in known.changes}.isdisjoint({"delete", "attach"})


def test_who_lost_a_policy_loses_it_although_the_tags_of_one_with_its_new_name_cannot_be_read() -> None:
    namesake = replace(policy("y", document("s3:GetObject")), tags=None)
    held = tuple(IamAttachment("user", n, "managed", "x", arn("x"), None) for n in ("ada", "bob"))
    there = state((), (policy("x", document("s3:GetObject")), namesake), held)

    made = plan(
        policy_control("a", external_id="policy:x", actual_name="x", naming_hint="y", who=who("ada")), there=there
    )

    assert "its tags could not be read: nothing new is made" in errors(made)[0]
    assert ("detach", "user:bob") in [(row.operation, row.resource) for row in made.changes]
    assert {row.resource for row in made.changes}.isdisjoint({"y", arn("y")})


def test_a_name_that_another_one_has_by_its_external_id_is_refused_on_both() -> None:
    keeps = policy_control("a", external_id="policy:x", actual_name="x", naming_hint="x")
    other = policy_control("b", external_id="policy:X", actual_name="X", naming_hint="X")
    assert ["an object has one owner" in text for text in errors(plan(keeps, other))] == [True, True]


@pytest.mark.parametrize(
    ("tags", "external_id", "part"),
    [
        (of("ds-1", "a"), "role:a", ""),
        (of("ds-1", "a"), None, ""),
        (of("ds-2", "z"), "role:a", "belongs to data source ds-2"),
        (of("ds-2", "z"), None, "belongs to data source ds-2"),
        (of("ds-1", "z"), "role:a", "belongs to access control z"),
        (of("ds-1", "z"), None, "belongs to access control z"),
        (BY_RAITO, "role:a", ""),
        (BY_RAITO, None, "no tag says for whom"),
        ((), "role:a", "neither made by Raito"),
        ((), None, "not made by Raito"),
        ((Tag("raito_access_control", "a"), Tag("raito_data_source", "ds-1")), "role:a", ""),
    ],
)
def test_the_tags_say_whose_an_object_is(tags: tuple[Tag, ...], external_id: str | None, part: str) -> None:
    made = plan(control("a", external_id=external_id), there=state((role("a", trust("bob"), tags),)))

    (found,) = errors(made)
    assert part in found
    assert bool(found) is bool(part)


def test_what_another_target_of_the_account_claims_is_refused() -> None:
    there, bounds = state((role("a", trust("bob")),)), replace(BOUNDS, claimed_elsewhere={"role:a": "second"})
    assert "target second" in errors(plan(control("a", external_id="role:a"), there=there, bounds=bounds))[0]
    assert "target second" in errors(plan(control("A"), bounds=bounds))[0]


def test_who_has_what_is_said_to_be_its_own_does_not_keep_it_because_another_target_claims_it() -> None:
    """An export of another target that names it, by mistake or on purpose, keeps no revocation from being made."""
    bounds = replace(BOUNDS, claimed_elsewhere={"role:a": "second"})
    there = state((role("a", trust("ada", "bob"), of(BOUNDS.data_source, "a")),))
    made = plan(control("a", external_id="role:a"), there=there, bounds=bounds)
    assert errors(made) == [""]
    assert ("update", "role-trust") in {(change.operation, change.kind) for change in made.changes}
    before = policy("p", document("s3:GetObject"), ())
    claimed = replace(BOUNDS, claimed_elsewhere={"policy:p": "second"})
    asked = plan(control("p", type="aws_policy", external_id="policy:p"), there=state((), (before,)), bounds=claimed)
    assert asked.unread_tags == (before.arn,), "what is stored of them may be older: it is planned again with them"
    theirs = state((role("a", trust("ada", "bob"), of("ds-2", "x")),))
    assert "target second" in errors(plan(control("a", external_id="role:a"), there=theirs, bounds=bounds))[0]


def _tags(made: Plan, operation: str) -> dict[str, str]:
    (change,) = (
        change for change in made.changes if change.operation == operation and change.kind in ("role", "policy")
    )
    return {tag["Key"]: tag["Value"] for tag in json.loads(change.after or "")["Tags"]}


@pytest.mark.parametrize("kind", ["aws_role", "aws_policy"])
def test_what_is_made_says_for_whom_and_what_is_written_without_is_told(kind: str) -> None:
    own = {"raito_data_source": "ds-1", "raito_access_control": "a"}
    assert _tags(plan(control("a", type=kind)), "create") == {**own, "creator": "RAITO"}

    there = state((role("a", trust("bob")),), (policy("a", document("s3:Old")),))
    named = control("a", type=kind, external_id=f"{'role' if kind == 'aws_role' else 'policy'}:a")
    assert _tags(plan(named, there=there), "tag") == {**own, "creator": "RAITO"}

    tagged = state((role("a", trust("bob"), of("ds-1", "a")),), (policy("a", document("s3:Old"), of("ds-1", "a")),))
    assert "tag" not in {change.operation for change in plan(named, there=tagged).changes}


def test_what_needs_no_change_gets_no_tag() -> None:
    same = plan(control("a", who=control("a").who, external_id="role:a", what_locked=True), there=_unchanged())
    assert {change.operation for change in same.changes} == {"none"}


def _unchanged() -> PushState:
    return state((role("a", trust("ada")),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("role:Sales", "role:sales"),
        ("ssorole:Team", "ssorole:AWSReservedSSO_Team_0123456789abcdef"),
        (f"policy:{arn('x')}", f"policy:{arn('x')}"),
    ],
)
def test_external_ids_of_one_object(one: str, other: str) -> None:
    assert object_key(one) == object_key(other)


def test_objects_of_other_kinds_are_others() -> None:
    keys: set[Any] = {object_key(text) for text in ("role:a", "policy:a", "ssorole:a", "user:a|inline:x|")}
    assert len(keys) == 4


@pytest.mark.parametrize("kind", ["aws_role", "aws_policy"])
def test_a_name_that_aws_has_in_another_case_is_refused_before_aws_refuses_it(kind: str) -> None:
    there = state((role("sales", trust("bob"), ()),), (policy("sales", document("s3:Old"), ()),))
    assert "takes" in errors(plan(control("a", name="Sales", type=kind), there=there))[0]


def test_what_cannot_be_read_in_the_export_is_refused_and_the_others_are_planned() -> None:
    made = plan(control("a", name="", unreadable=("who: no mapping",)), control("good"))
    assert errors(made) == ["it cannot be read: who: no mapping", ""]


def test_with_own_only_what_was_imported_is_not_taken_over_and_new_roles_have_the_boundary() -> None:
    tags = (Tag("raito_access_control", "a"), Tag("raito_data_source", "ds-1"))
    there = state((role("a", trust("bob"), tags), role("b", trust("bob"))))
    controls = [control("a", external_id="role:a"), control("b", external_id="role:b"), control("c")]

    made = plan(*controls, there=there, aws_push_own_only=True, aws_role_boundary=arn("limits"))

    assert ["not taken over" in text for text in errors(made)] == [True, False, False]
    (created,) = (change for change in made.changes if (change.operation, change.kind) == ("create", "role"))
    assert json.loads(created.after or "")["PermissionsBoundary"] == arn("limits")


def test_a_permission_set_of_another_data_source_is_refused() -> None:
    known = PushPermissionSet("arn:a", "a", "d", of("ds-2", "z"), True, "", (), (), (), (ACCOUNT,))
    there = replace(state(), center=CenterState.of([known], ()))
    made = plan(control("a", type="aws_sso_role", external_id="ssorole:a"), there=there)
    assert "belongs to data source ds-2" in errors(made)[0]
    (error,) = errors(plan(control("a", type="aws_sso_role"), there=there))
    assert "belongs to data source ds-2" in error
    assert "put #account# into" in error  # one of this name is made by another account of the organization


@pytest.mark.parametrize(
    ("tags", "policy_text", "part"),
    [
        ((), "{}", "neither made by Raito"),
        ((), None, "neither made by Raito"),
        (None, None, ""),
        (of("ds-2", "z"), "{}", "belongs to data source ds-2"),
        (of("ds-1", "a"), "{}", ""),
    ],
)
def test_an_access_point_of_somebody_else_is_refused(
    tags: tuple[Tag, ...] | None, policy_text: str | None, part: str
) -> None:
    place = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/a"
    point = AccessPoint("a", place, None, "data", ACCOUNT, policy_text, tags)
    there = replace(state(), points=PointState.of((), [point], {"eu-west-1": None}, ()))
    found = errors(plan(control("a", type="aws_access_point", external_id=f"accesspoint:{place}"), there=there))[0]
    assert part in found
    assert ("belongs to" in found or "neither made" in found) is bool(part)


@pytest.mark.parametrize("namesake", ["x", "X"])
def test_who_lost_a_role_that_cannot_become_a_policy_of_its_name_does_not_keep_it(namesake: str) -> None:
    text, own = document("s3:GetObject"), role("x", trust("ada", "bob"), of("ds-1", "a"))
    there = state((own,), (replace(policy(namesake, text), tags=of("ds-2", "z")),))
    changed = policy_control("a", external_id="role:x", actual_name="x", naming_hint="x", who=who("ada"))

    made = plan(changed, there=there)

    assert errors(made)[0]
    assert [(row.kind, "user/bob" in (row.after or "")) for row in made.changes if row.resource == "x"] == [
        ("role-trust", False)
    ]
    assert not made.targets[0].refused


def test_who_lost_what_is_renamed_and_gets_another_type_in_a_circle_does_not_keep_it() -> None:
    text = document("s3:GetObject")
    held = tuple(IamAttachment("user", n, "managed", "p", arn("p"), None) for n in ("ada", "bob"))
    there = state(
        (role("r", trust("ada", "bob"), of("ds-1", "r")),), (replace(policy("p", text), tags=of("ds-1", "p")),), held
    )
    to_policy = policy_control("r", external_id="role:r", actual_name="r", naming_hint="p", who=who("ada"))
    to_role = control("p", external_id="policy:p", actual_name="p", naming_hint="r", who=who("bob"))

    made = plan(to_policy, to_role, there=there)

    assert all("an object has one owner" in text for text in errors(made))
    people = [
        (row.operation, row.kind, row.resource) for row in made.changes if row.kind in ("attachment", "role-trust")
    ]
    assert people == [("detach", "attachment", "user:ada"), ("update", "role-trust", "r")]
    assert not any(row.operation == "create" and row.kind in ("role", "policy") for row in made.changes)


def test_what_two_access_controls_name_and_both_are_to_be_removed_goes() -> None:
    gone = [control(name, external_id="role:x", actual_name="x", delete=True) for name in ("a", "b")]

    made = plan(*gone, there=state((role("x", trust("ada")),)))

    assert errors(made) == ["", ""]
    assert {(row.operation, row.kind, row.resource) for row in made.changes} == {("delete", "role", "x")}


def test_who_has_what_may_not_be_deleted_keeps_it_where_another_access_control_names_it() -> None:
    locked = control("a", external_id="role:x", actual_name="x", delete=True, delete_locked=True)
    less = control("b", external_id="role:x", actual_name="x", who=who("ada"))

    made = plan(locked, less, there=state((role("x", trust("ada", "bob"), BY_RAITO),)))

    assert [row.operation for row in made.changes] == ["refuse", "refuse"]
    assert all("an object has one owner" in text for text in errors(made))


def test_a_lock_of_the_import_holds_where_the_tags_of_what_a_push_took_over_cannot_be_read() -> None:
    unread = replace(policy("x", document("s3:GetObject")), tags=None)
    there = state((), (unread,), (IamAttachment("user", "bob", "managed", "x", arn("x"), None),))
    named = policy_control("a", external_id="policy:x", actual_name="x", who=who())
    shown = Told().user("bob").policy("x", json.dumps(document("s3:GetObject")), "user:bob").inputs()
    locked = replace(imported(shown, Options())["policy:x"], not_internalizable=True)
    bounds = replace(BOUNDS, pushed=frozenset({("a", "policy:x")}), imported={"policy:x": locked})

    made = plan(named, there=there, bounds=bounds)

    assert [row.operation for row in made.changes] == ["refuse"]
    assert "the import of this account keeps it from being taken over" in errors(made)[0]
