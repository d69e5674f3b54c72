"""What Raito Cloud says was taken away goes from what Raito did not make, although no import shows it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.config.groups import Locks
from raito_pipeline.model import AccessControl, PushBucket, WhatItem, WhoEntry
from tests.aws.access.conftest import ACCOUNT, Told, allow, deny, document, trust, user_arn
from tests.aws.push.pushing import TYPES, Options, folder, imported
from tests.aws.push.situations import a_point, a_policy, a_role, a_set, aws, granted, point_arn, reserved
from tests.aws.push.test_nothing_edited import as_imported, imported_of, plan_of

DATA = "arn:aws:s3:::data/*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WRITES = (folder("", "s3:PutObject"),)


def told() -> Told:
    """ada and bob (of group g), who may not read at all; the role r, which may not either."""
    account = Told().group("g").user("ada").user("bob", "g").role("r", trust({"AWS": user_arn("ada")}))
    for who in ("user:bob", "role:r"):
        account.inline(who, "no", document(deny("s3:GetObject", "*")))
    return account


def who(*users: str, groups: tuple[str, ...] = (), roles: tuple[str, ...] = ()) -> WhoEntry:
    return WhoEntry(users, groups, roles, ())


def pushed(
    account: Told,
    external_id: str,
    *,
    unshown: dict[str, tuple[str, ...]] | None = None,
    options: Options | None = None,
    **changes: Any,
) -> Plan:
    """The plan of what was imported so, with changes. `unshown` is what plans before noted."""
    options = options or Options()
    inputs = account.inputs()
    place = PointState.of(
        inputs.buckets, inputs.access_points, {"eu-west-1": None}, [PushBucket("data", "", None, None)]
    )
    state = PushState.of_account(inputs, options, imported(inputs, options), points=place, unshown=unshown)
    control = replace(as_imported(0, state.view.providers[external_id]), what_locked=False)
    return plan_of(inputs, state, [_changed(control, changes)])


def _changed(control: AccessControl, changes: dict[str, Any]) -> AccessControl:
    return replace(control, **changes)


def steps(plan: Plan) -> list[tuple[str, str]]:
    return [(row.operation, row.resource) for row in plan.changes if row.operation not in IDLE]


@pytest.mark.parametrize(
    ("gone", "locks", "step"),
    [
        (who("bob"), {}, ("detach", "user:bob")),
        (who(groups=("g",)), {}, ("detach", "group:g")),
        (who(roles=("role:r",)), {}, ("detach", "role:r")),
        (who("bob"), {"who_locked": True}, None),
        (who(roles=("role:r",)), {"inheritance_locked": True}, None),
        (who("ada"), {}, None),
    ],
    ids=str,
)
def test_who_was_taken_out_loses_a_policy(gone: WhoEntry, locks: dict[str, bool], step: Any) -> None:
    holders = ("user:ada", "user:bob", "group:g", "role:r")
    account = told().policy("p", document(allow("s3:GetObject", DATA)), *holders)

    made = pushed(account, "policy:p", deleted_who=gone, **locks)

    assert [each for each in steps(made) if each[0] == "detach"] == ([step] if step else [])


def test_whom_no_import_shows_keep_a_policy_and_that_is_said() -> None:
    account = told().policy("p", document(allow("s3:GetObject", DATA)), "user:ada", "user:bob", "role:r")

    made = pushed(account, "policy:p", who=who())

    assert steps(made)[0] == ("detach", "user:ada")
    assert not [each for each in steps(made)[1:] if each[0] == "detach"]
    assert made.targets[0].warnings == ("whom the import does not show in its who keep the policy: role r, user bob",)


@pytest.mark.parametrize("gone", [who("bob"), who(groups=("g",))], ids=str)
def test_who_was_taken_out_is_in_no_statement_of_a_trust_policy(gone: WhoEntry) -> None:
    statements = [trust({"AWS": user_arn("ada")}), trust({"AWS": user_arn("bob")}, Condition=MFA)]
    account = told().role("own", *statements).inline("role:own", "i", document(allow("s3:PutObject", DATA)))

    made = pushed(account, "role:own", deleted_who=gone)

    assert steps(made)[0] == ("update", "own")
    assert json.loads(made.changes[0].after or "")["Statement"] == statements[:1]
    assert steps(pushed(account, "role:own", deleted_who=gone, who_locked=True)) == []


def test_who_has_it_under_a_condition_already_is_told_so() -> None:
    statements = [trust({"AWS": user_arn("ada")}), trust({"AWS": user_arn("bob")}, Condition=MFA)]
    account = told().role("own", *statements).inline("role:own", "i", document(allow("s3:PutObject", DATA)))

    made = pushed(account, "role:own", who=who("ada", "bob"))

    assert steps(made) == []
    assert "bob: the condition of its trust policy" in made.targets[0].warnings[0]


@pytest.mark.parametrize("kind", ["policy", "role"])
def test_what_was_taken_away_goes_although_a_deny_hides_it(kind: str) -> None:
    text = document(allow(["s3:GetObject", "s3:PutObject"], DATA))
    account = told().bucket_policy("data", deny("s3:PutObject", DATA, Principal="*"))
    if kind == "policy":
        account.policy("own", text, "user:ada")
    else:
        account.role("own", trust({"AWS": user_arn("ada")})).inline("role:own", "i", text)
    # Who edits something else takes nothing of it away.
    other = pushed(account, f"{kind}:own", deleted_who=who("cyd"))
    assert not any("PutObject" in (row.before or "") for row in other.changes)

    made = pushed(account, f"{kind}:own", delete_what=WRITES)

    (written,) = [row for row in made.changes if "PutObject" in (row.before or "")]
    assert "PutObject" not in (written.after or "")
    assert "GetObject" in (written.after or "")
    assert steps(pushed(account, f"{kind}:own", delete_what=WRITES, what_locked=True)) == []


def test_a_locked_who_keeps_an_inline_policy_and_lets_nobody_else_in() -> None:
    account = told().inline("user:ada", "i", document(allow(["s3:GetObject", "s3:PutObject"], DATA)))
    less = {"what": (folder("", "s3:GetObject"),), "deleted_who": who("ada")}

    made = pushed(account, "user:ada|inline:i|", who=who("bob"), who_locked=True, **less)

    assert [each for each in steps(made) if each[0] in ("attach", "delete")] == [
        ("attach", "user:ada"),
        ("delete", "user:ada/i"),
    ]
    opened = pushed(account, "user:ada|inline:i|", who=who("bob"), **less)
    assert steps(opened)[0] == ("delete", "user:ada/i")
    assert ("attach", "user:bob") in steps(opened)


@pytest.mark.parametrize("people", [who("ada"), who("ada", "bob")], ids=["nobody else", "more people"])
@pytest.mark.parametrize("lock", [{"what_locked": True}, {}], ids=["the export", "the import alone"])
def test_a_locked_what_of_an_inline_policy_is_what_takes_its_place(people: WhoEntry, lock: dict[str, Any]) -> None:
    account = told().inline("user:ada", "i", document(allow(["s3:GetObject", "s3:PutObject"], DATA)))
    edited = {"what": (folder("", "s3:GetObject", bucket="other"),), "who": people, **lock}
    options = Options() if lock else Options(locks=Locks(lock_all_what=True))

    made = pushed(account, "user:ada|inline:i|", options=options, **edited)

    documents = [row.after or "" for row in made.changes if row.operation == "create"]
    assert len(documents) == len(people.users) - 1  # where nothing but the what was edited, all stays as it is
    assert all("data/*" in text and "PutObject" in text and "other" not in text for text in documents)
    assert "its what is locked, and stays as AWS has it" in made.targets[0].warnings
    assert made.targets[0].errors == ()


def test_an_inline_policy_that_becomes_a_role_stays_until_that_is_there_and_goes_at_once_where_nobody_is_in_it() -> (
    None
):
    account = told().inline("user:ada", "i", document(allow("s3:GetObject", DATA)))

    kept = pushed(account, "user:ada|inline:i|", type="aws_role")
    gone = pushed(account, "user:ada|inline:i|", type="aws_role", who=who("bob"))

    assert [(row.operation, row.kind) for row in kept.changes] == [
        ("create", "role"),
        ("create", "role-inline-policy"),
        ("delete", "inline-policy"),
    ]
    assert [change.effect for change in TYPES.changes(kept.changes)][-1] is Effect.REMOVES
    assert (gone.changes[0].operation, gone.changes[0].kind) == ("delete", "inline-policy")
    assert len([row for row in gone.changes if row.kind == "inline-policy"]) == 1


def test_who_was_taken_out_has_nothing_through_an_access_point() -> None:
    arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
    objects = f"{arn}/object/*"
    plain = [allow("s3:PutObject", objects, Principal={"AWS": user_arn(name)}) for name in ("ada", "bob")]
    office = allow("s3:PutObject", objects, Principal={"AWS": [user_arn("bob"), user_arn("ada")]}, Condition=MFA)
    account = told().delegates().point("sales", *plain, office).inline("user:bob", "w", document(deny("s3:Put*", "*")))
    there = pushed(account, f"accesspoint:{arn}", what=(folder("", "s3:GetObject"),))
    assert "user/bob" in next(row.after or "" for row in there.changes if row.kind == "access-point-policy")

    made = pushed(account, f"accesspoint:{arn}", deleted_who=who("bob"))

    (row,) = [row for row in made.changes if row.kind == "access-point-policy"]
    assert "user/bob" not in (row.after or "")
    assert [each.get("Condition") for each in json.loads(row.after or "")["Statement"]] == [None, MFA]


def test_what_was_taken_away_goes_through_an_access_point_from_those_too_whom_no_import_shows() -> None:
    arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
    reads = allow("s3:GetObject", f"{arn}/object/*", Principal={"AWS": [user_arn("ada"), user_arn("bob")]})
    account, item = told().delegates().point("sales", reads), folder("", "s3:GetObject")

    made = pushed(account, f"accesspoint:{arn}", who=who("ada", "bob"), what=WRITES, delete_what=(item,))
    other = pushed(account, f"accesspoint:{arn}", who=who("ada", "bob"), what=WRITES)

    assert ["s3:GetObject" in (each.changes[0].after or "") for each in (made, other)] == [False, True]


@pytest.mark.parametrize("names", [("ada", "bob"), ("ada",)])
def test_nobody_has_access_is_said_only_of_an_access_point_that_gives_none(names: tuple[str, ...]) -> None:
    """bob is not shown, as a Deny elsewhere keeps him out, and so he keeps it."""
    arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
    reads = allow("s3:GetObject", f"{arn}/object/*", Principal={"AWS": [user_arn(name) for name in names]})

    made = pushed(told().delegates().point("sales", reads), f"accesspoint:{arn}", what=())

    said = [warning for warning in made.targets[0].warnings if "nobody has access" in warning]
    assert (len(said), "user/bob" in (made.changes[0].after or "")) == ((0, True) if "bob" in names else (1, False))


def test_what_is_wanted_was_not_taken_away() -> None:
    item: WhatItem = folder("", "s3:GetObject")
    account = told().policy("p", document(allow("s3:GetObject", DATA)), "user:ada")
    assert steps(pushed(account, "policy:p", deleted_who=who("ada"), delete_what=(item,))) == []


@pytest.mark.parametrize("buckets", ["no region", "none"])
def test_who_lost_an_access_point_does_not_keep_it_because_its_bucket_or_the_region_of_it_is_not_known(
    buckets: str,
) -> None:
    state = aws(a_point("sales", "ada", "bob"))
    unread = {name: replace(bucket, region=None) for name, bucket in state.points.buckets.items()}
    state = replace(state, points=replace(state.points, buckets=unread if buckets == "no region" else {}))
    control = granted("sales", "aws_access_point", who("ada"), external_id=f"accesspoint:{point_arn('sales')}")
    bounds = Bounds(buckets=dict.fromkeys(unread))

    made = plan_push([control], state, Options(), TYPES, bounds)

    assert [(row.operation, row.kind) for row in made.changes] == [("update", "access-point-policy")]
    assert (made.targets[0].errors, "bob" in (made.changes[0].after or "")) == ((), False)


NOTHING_NEW: dict[str, dict[str, Any]] = {
    "its deletion is locked": {"delete_locked": True},
    "cannot be pushed yet": {"type": "aws_moon"},
    "nothing of its what can be granted": {"what": (folder("a", bucket="unknown"),)},
    "no letter or digit": {"naming_hint": "???"},
}
"""why nothing of another type is made, and what is edited"""
OF_EACH_TYPE = {
    "role:x": (a_role("x", "ada", "bob"), "aws_policy", ("update", "role-trust", "x")),
    "policy:x": (a_policy("x", "user:ada", "user:bob"), "aws_role", ("detach", "attachment", "user:bob")),
    "ssorole:x": (
        (*a_set("x", "USER u-ben"), *reserved("x")),
        "aws_role",
        ("delete", "assignment", "x/user:ben"),
    ),
    f"accesspoint:{point_arn('x')}": (
        a_point("x", "ada", "bob"),
        "aws_role",
        ("update", "access-point-policy", point_arn("x")),
    ),
}  # fmt: skip
"""what AWS has, the new type, and how who lost the old one loses it"""


@pytest.mark.parametrize("why", NOTHING_NEW)
@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_what_gets_no_object_of_another_type_loses_what_was_taken_away(external_id: str, why: str) -> None:
    there, kind, step = OF_EACH_TYPE[external_id]
    control = granted("x", NOTHING_NEW[why].get("type", kind), who("ada"), external_id=external_id)
    control = replace(control, **NOTHING_NEW[why])

    made = plan_push([control], aws(there), Options(), TYPES, Bounds(buckets={"data": None}))

    taken = [(row.operation, row.kind, row.resource) for row in made.changes]
    # Where nothing of its what is left, nobody has anything through an access point.
    assert step in taken or ("delete", *step[1:]) in taken
    assert "create" not in {operation for operation, _, _ in taken}
    assert not any(name in (row.after or "") for row in made.changes for name in ("bob", "u-ben"))
    (target,) = made.targets
    assert (target.external_id, target.refused, target.warnings) == (external_id, False, ())
    assert why in target.errors[-1]


def test_who_lost_a_policy_does_not_keep_it_because_its_new_name_would_take_a_document_too_long() -> None:
    long = tuple(folder(f"{'x' * 200}{number}") for number in range(60))
    control = granted(
        "x", "aws_policy", who("ada"), external_id="policy:x", naming_hint="y", what=long, what_locked=True
    )

    made = plan_push([control], aws(a_policy("x", "user:ada", "user:bob")), Options(), TYPES, Bounds())

    assert steps(made) == [("detach", "user:bob")]
    (target,) = made.targets
    assert (target.external_id, target.actual_name) == ("policy:x", "x")
    assert "AWS takes 6144" in target.errors[0]


def test_an_access_point_names_what_stays_where_nothing_of_another_type_is_made() -> None:
    """A permission set that was to become a role, and that somebody keeps: who inherits it has the permission set."""
    there = (*a_set("x", "USER u-ann"), *reserved("x"))
    old = granted("x", "aws_role", who("ann"), external_id="ssorole:x", delete_locked=True)
    point = granted("p00", "aws_access_point", who(roles=("ID:x",)), position=1)

    made = plan_push([old, point], aws(there), Options(), TYPES, Bounds(buckets={"data": None}))

    (policy,) = [row.after or "" for row in made.changes if row.kind == "access-point-policy"]
    assert "AWSReservedSSO_x_" in policy


NOT_MADE: dict[str, dict[str, Any]] = {
    "cannot be made in AWS, only 'grant'": {"action": "deny"},
    "it cannot be read: what is no list": {"unreadable": ("what is no list",), "what": (), "what_locked": True},
}
"""why an access control is not made that keeps its type, and what is edited"""


@pytest.mark.parametrize("why", NOT_MADE)
@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_what_cannot_be_made_of_an_export_loses_what_was_taken_away(external_id: str, why: str) -> None:
    there, _, step = OF_EACH_TYPE[external_id]
    control = granted("x", None, who("ada"), external_id=external_id, **NOT_MADE[why])

    made = plan_push([control], aws(there), Options(), TYPES, Bounds(buckets={"data": None}))

    taken = [(row.operation, row.kind, row.resource) for row in made.changes]
    closed = ("delete", *step[1:]) if "point" in external_id and control.action != "grant" else step
    assert closed in taken
    named = [name for row in made.changes for name in ("user/ada", "user/bob") if name in (row.after or "")]
    assert "user/bob" not in named
    if control.action == "grant":
        assert {step[:2] for step in taken} == {closed[:2]}  # its what could not be read, and stays
    else:
        assert not named
    (target,) = made.targets
    assert (target.external_id, target.refused) == (external_id, False)
    assert why in target.errors[-1]


@pytest.mark.parametrize("another_type", [False, True])
@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_who_is_in_none_of_two_access_controls_of_one_object_loses_it(external_id: str, another_type: bool) -> None:
    there, kind, step = OF_EACH_TYPE[external_id]
    new = kind if another_type else None
    first, other = (granted(name, new, who(), external_id=external_id) for name in ("x", "y"))
    first = replace(first, who=who("ada"))
    other = replace(other, who=who("cyd"), position=1)

    made = plan_push([first, other], aws(there), Options(), TYPES, Bounds(buckets={"data": None}))

    assert step in [(row.operation, row.kind, row.resource) for row in made.changes]
    assert not any(name in (row.after or "") for row in made.changes for name in ("bob", "cyd"))
    assert all("an object has one owner" in target.errors[-1] for target in made.targets)
    assert [target.refused for target in made.targets] == [False, True]


def test_what_one_of_two_access_controls_grants_stays() -> None:
    there = a_role("x", "ada", "bob")
    pair = [granted(name, None, who(name), external_id="role:x", position=n) for n, name in enumerate(("ada", "bob"))]

    made = plan_push(pair, aws(there), Options(), TYPES, Bounds(buckets={"data": None}))

    assert steps(made) == []
    assert [target.refused for target in made.targets] == [True, True]


@pytest.mark.parametrize("kind", ["policy", "role"])
@pytest.mark.parametrize("told_by", ["delete_what", "what"])
def test_what_was_taken_away_and_stays_under_a_condition_is_said(kind: str, told_by: str) -> None:
    both = allow(["s3:GetObject", "s3:PutObject"], DATA)
    text = document(both if told_by == "what" else allow("s3:GetObject", DATA), allow("s3:Put*", DATA, Condition=MFA))
    account, external_id = told(), f"{kind}:own"
    if kind == "policy":
        account.policy("own", text, "user:ada")
    else:
        account.role("own", trust({"AWS": user_arn("ada")})).inline("role:own", "i", text)
    gone: dict[str, Any] = {told_by: WRITES if told_by == "delete_what" else (folder("", "s3:GetObject"),)}

    made = pushed(account, external_id, **gone)

    assert "under a condition, and stays" in " ".join(made.targets[0].errors)
    other = pushed(account, external_id, deleted_who=who("cyd"))
    assert not any("under a condition" in error for error in other.targets[0].errors)


@pytest.mark.parametrize("whom", ["everybody", "a condition"])
def test_what_was_taken_away_and_stays_by_a_statement_of_an_access_point_is_said(whom: str) -> None:
    arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
    objects, ada = f"{arn}/object/*", {"AWS": user_arn("ada")}
    more: dict[str, Any] = {"Principal": "*"} if whom == "everybody" else {"Principal": ada, "Condition": MFA}
    statements = [allow("s3:GetObject", objects, Principal=ada), allow("s3:PutObject", objects, **more)]
    account = told().delegates().point("sales", *statements).bucket_policy("data", deny("s3:Put*", "*", Principal="*"))
    external_id = f"accesspoint:{arn}"

    made = pushed(account, external_id, delete_what=WRITES)

    assert "s3:PutObject was taken away" in " ".join(made.targets[0].errors)
    for other in ({"delete_what": (folder("", "s3:DeleteObject"),)}, {"deleted_who": who("cyd")}):
        assert not any("was taken away" in error for error in pushed(account, external_id, **other).targets[0].errors)


@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_an_action_that_nobody_knows_takes_nothing_away(external_id: str) -> None:
    there, _, _ = OF_EACH_TYPE[external_id]
    control = granted("x", None, who("ada"), external_id=external_id, action="Grant")

    made = plan_push([control], aws(there), Options(), TYPES, Bounds(buckets={"data": None}))

    assert steps(made) == []
    assert "what it has in AWS stays as it is" in made.targets[0].errors[0]


def test_who_gets_a_policy_is_said_to_get_what_was_never_shown_of_it() -> None:
    """Those who have it may not read, so that the import shows that they write."""
    account = told().user("cyd").policy("p", document(allow(["s3:GetObject", "s3:PutObject"], DATA)), "user:bob")

    made = pushed(account, "policy:p", who=who("bob", "cyd"))

    assert steps(made)[0] == ("attach", "user:cyd")
    assert made.targets[0].warnings == ("who gets the policy gets what it gives beside its what, too: s3:GetObject",)
    assert (
        pushed(told().policy("p", document(allow("s3:PutObject", DATA)), "user:bob"), "policy:p", who=who("bob", "ada"))
        .targets[0]
        .warnings
        == ()
    )


@pytest.mark.parametrize("external_id", ["policy:own", "role:own", "user:ada|inline:i|"])
@pytest.mark.parametrize("action", ["deny", "mask", "filter"])
def test_nothing_of_what_raito_did_not_make_goes_because_it_is_no_grant(external_id: str, action: str) -> None:
    text = document(allow("s3:GetObject", DATA))
    account = told().policy("own", text, "user:ada").inline("user:ada", "i", text)
    account.role("own", trust({"AWS": user_arn("ada")})).inline("role:own", "i", text)

    made = pushed(account, external_id, action=action, who=who(), what=())

    assert steps(made) == []
    assert "what it has in AWS stays as it is" in made.targets[0].errors[0]


@pytest.mark.parametrize("external_id", ["policy:own", "role:own"])
def test_of_two_access_controls_of_what_nobody_edited_each_is_told(external_id: str) -> None:
    text = document(allow("s3:GetObject", DATA))
    account = told().policy("own", text, "user:ada")
    inputs = account.role("own", trust({"AWS": user_arn("ada")})).inline("role:own", "i", text).inputs()
    state = PushState.of_account(inputs, Options(), imported(inputs, Options()))
    control = as_imported(0, state.view.providers[external_id])

    made = plan_of(inputs, state, [control, replace(control, id="other", position=1)])

    assert steps(made) == []
    assert ["an object has one owner" in " ".join(target.errors) for target in made.targets] == [True, True]


@pytest.mark.parametrize("bucket", ["gone", "other"])
def test_what_was_taken_away_elsewhere_is_nothing_of_an_access_point(bucket: str) -> None:
    """Nothing is wrong then, and ada keeps what she has on everything that nobody speaks of."""
    arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
    reads = allow("s3:GetObject", f"{arn}/object/*", Principal={"AWS": user_arn("ada")})
    writes = allow("s3:PutObject", f"{arn}/object/*", Principal="*")
    account = (
        told().delegates().point("sales", reads, writes).bucket_policy("data", deny("s3:Put*", "*", Principal="*"))
    )
    region = "us-east-1" if bucket == "other" else "eu-west-1"
    place = replace(WRITES[0].data_object, full_name=f"{ACCOUNT}:{region}:{bucket}/x", type="folder")

    made = pushed(account, f"accesspoint:{arn}", delete_what=(WhatItem(place, ("s3:PutObject", "s3:GetObject")),))

    assert steps(made) == []
    assert made.targets[0].errors == ()


def test_who_gets_a_policy_is_said_to_get_what_it_gives_under_a_condition() -> None:
    at_times = allow("s3:GetObject", "arn:aws:s3:::data/a/*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    inputs = Told().user("ada").user("bob").policy("p", document(at_times), "user:ada").inputs()
    state, controls = imported_of(inputs)

    made = plan_of(inputs, state, [replace(controls[0], who=who("ada", "bob"))])

    assert made.targets[0].warnings == ("who gets the policy gets what it gives beside its what, too: s3:GetObject",)


def test_what_a_push_wrote_into_a_policy_is_in_the_what_and_nothing_beside_it() -> None:
    """The import shows no listing of a folder, which a push gives under a condition on the prefix."""
    reads = allow("s3:GetObject", "arn:aws:s3:::data/a/*")
    lists = allow("s3:ListBucket", "arn:aws:s3:::data", Sid="Raito1", Condition={"StringLike": {"s3:prefix": ["t/*"]}})
    inputs = Told().data_object("a", "folder").data_object("t", "folder").user("ada").user("bob")
    state, controls = imported_of(inputs.policy("p", document(reads, lists), "user:ada").inputs())
    listed = folder("t", "s3:ListBucket")
    more = replace(controls[0], who=who("ada", "bob"), what=(*controls[0].what, listed))

    made = plan_of(inputs.inputs(), state, [more])

    assert steps(made)[0] == ("attach", "user:bob")
    assert made.targets[0].warnings == ()
