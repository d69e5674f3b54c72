"""The changes of permission sets: what they need and make, and that only what Raito made is touched."""

import json

import pytest

from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.calls.center_calls import Center
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.aws.push.calls.point_calls import Points
from raito_pipeline.aws.push.changes import Aws, Change
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.order import in_order, waits_of
from raito_pipeline.aws.push.owners.ownership import ChangedSincePlan, ChangeRefused, Objects
from raito_pipeline.aws.push.wording import change_in_words
from raito_pipeline.model import PushChange
from tests.aws.push.center_push import BY_RAITO, INSTANCE, PLACE, WORKING, CenterAccount
from tests.aws.push.conftest import ACCOUNT, World, arn

Row = tuple[str, str, str]
"""access control, operation and kind; the permission set is S, the policy P"""
WHO = json.dumps({"PrincipalType": "USER", "PrincipalId": "x"})


def changes(*rows: Row) -> list[Change]:
    made = []
    for position, (control, operation, kind) in enumerate(rows):
        before = after = None
        if kind in ("permission-set-reference", "policy"):
            before, after = (None, arn("P")) if operation in ("attach", "create") else (arn("P"), None)
        elif kind == "assignment":
            before, after = (None, WHO) if operation == "create" else (WHO, None)
        elif operation == "provision":
            before, after = arn("P") if control.startswith("-") else None, arn("P")
        resource = {"policy": arn("P"), "assignment": "S/user:x"}.get(kind, "S")
        made.append(PushChange(position, control, control, operation, kind, resource, before, after, ""))
    return ACCESS_PROVIDER_TYPES.push.changes(made)


CREATE, ASSIGN = ("s", "create", "permission-set"), ("s", "create", "assignment")
UNASSIGN, DELETE = ("s", "delete", "assignment"), ("s", "delete", "permission-set")
POLICY, ATTACH = ("p", "create", "policy"), ("p", "attach", "permission-set-reference")
DETACH = ("p", "detach", "permission-set-reference")
PROVISION = ("p", "provision", "permission-set-in-account")


@pytest.mark.parametrize(
    ("second", "first"),
    [
        (ATTACH, CREATE),
        (ATTACH, POLICY),
        (ASSIGN, CREATE),
        (PROVISION, ATTACH),
        (PROVISION, DETACH),
        (UNASSIGN, ASSIGN),
    ],
)
def test_the_order_follows_from_what_they_need(second: Row, first: Row) -> None:
    # Those of one access control are made in the order given, so that each is of one of its own here.
    listed = changes(("x", *second[1:]), ("y", *first[1:]))
    assert [change.row.access_control_id for change in in_order(listed)] == ["y", "x"]


def test_one_that_goes_goes_last() -> None:
    listed = changes(("x", *UNASSIGN[1:]), ("y", *DELETE[1:]))
    assert [change.row.access_control_id for change in in_order(listed)] == ["x", "y"]


def test_a_revocation_waits_for_no_grant_that_fails() -> None:
    assign, unassign = changes(ASSIGN, UNASSIGN)
    waits = waits_of([assign, unassign])[1]
    assert (waits.needed, waits.after) == (set(), {0})


def test_a_provisioning_takes_access_where_it_is_asked_for_because_of_that() -> None:
    gives, takes = changes(PROVISION, ("-p", "provision", "permission-set-in-account"))
    assert (gives.effect, takes.effect) == (Effect.GIVES, Effect.TAKES)


def test_people_read_who_gets_and_loses_what() -> None:
    made = changes(ASSIGN, UNASSIGN, ATTACH, DETACH, PROVISION)
    assert [line for change in made for line in change_in_words(change)] == [
        "user x gets it",
        "user x loses it",
        "permission set S gets it",
        "permission set S loses it",
        "provision of permission-set-in-account S",
    ]


# -- only what Raito made ----------------------------------------------------------------------------------------------


def aws(account: CenterAccount, external_id: str = "") -> Aws:
    calls = Center(lambda: account.world.clients, PLACE, {}, ServiceLimits({}), WORKING)
    own = {"a": external_id} if external_id else {}
    return Aws(
        Iam(account.world.clients, ACCOUNT), Objects(ACCOUNT, own), Points(account.world.clients, ACCOUNT), calls
    )


OF_RAITO_ONLY = [
    ("update", "permission-set", "S", "new"),
    ("tag", "permission-set", "S", '{"a": "b"}'),
    ("delete", "permission-set", "S", None),
    ("create", "permission-set", "S", '{"Description": "d", "Tags": [{"Key": "creator", "Value": "RAITO"}]}'),
    ("create", "permission-set-policy", "S", "{}"),
    ("update", "permission-set-policy", "S", "{}"),
    ("delete", "permission-set-policy", "S", None),
    ("attach", "permission-set-reference", "S", arn("P")),
    ("detach", "permission-set-reference", "S", arn("P")),
    ("provision", "permission-set-in-account", "S", arn("P")),
    ("create", "assignment", "S/user:x", WHO),
    ("delete", "assignment", "S/user:x", WHO),
]


@pytest.mark.parametrize("external_id", ["", "ssorole:S", "ssorole:AWSReservedSSO_Other_0123456789abcdef"])
def test_what_others_made_is_never_touched(world: World, external_id: str) -> None:
    account = CenterAccount(world)
    account.permission_set("S")
    mark = world.aws.calls.mark
    for operation, kind, resource, after in OF_RAITO_ONLY:
        row = PushChange(0, "a", "A", operation, kind, resource, None, after, "")
        (change,) = ACCESS_PROVIDER_TYPES.push.changes([row])
        with pytest.raises(ChangeRefused, match="was not made by Raito"):
            change.apply(aws(account, external_id))
    assert [each for each in world.writes(mark) if each != "CreatePermissionSet"] == []


def test_whose_imported_one_it_is_may_edit_who_has_it(world: World) -> None:
    account = CenterAccount(world)
    account.permission_set("S")
    who = json.dumps({"PrincipalType": "USER", "PrincipalId": account.person("x")})
    row = PushChange(0, "a", "A", "create", "assignment", "S/user:x", None, who, "")
    (change,) = ACCESS_PROVIDER_TYPES.push.changes([row])
    change.apply(aws(account, "ssorole:AWSReservedSSO_S_0123456789abcdef"))
    assert account.assigned("S") == {"user:x"}


def test_without_an_organization_nothing_is_tried(world: World) -> None:
    (change,) = changes(ASSIGN)
    with pytest.raises(ChangeRefused, match="links no organization"):
        change.apply(Aws(Iam(world.clients, ACCOUNT), Objects(ACCOUNT, {}), Points(world.clients, ACCOUNT)))


def test_one_that_an_earlier_push_left_is_taken_over_as_long_as_nobody_changed_it(world: World) -> None:
    account = CenterAccount(world)
    left = account.permission_set("S", *BY_RAITO, Description="what it is for")
    after = json.dumps({"Description": "what it is for", "Tags": [*BY_RAITO]})
    (change,) = ACCESS_PROVIDER_TYPES.push.changes(
        [PushChange(0, "a", "A", "create", "permission-set", "S", None, after, "")]
    )
    change.carry_out(aws(account))
    account.sso.update_permission_set(InstanceArn=INSTANCE, PermissionSetArn=left, Description="by hand")
    with pytest.raises(ChangedSincePlan):
        change.carry_out(aws(account))
    assert account.described(left)["Description"] == "by hand"
