"""What was imported and nobody edited: left as it is, whatever limits it elsewhere and whatever is called alike."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.model import AccessControl, WhoEntry
from tests.aws.access.conftest import (
    ALL,
    BY_RAITO,
    NO_S3,
    READ,
    RESOURCE,
    ROOT,
    Told,
    allow,
    deny,
    document,
    trust,
    user_arn,
)
from tests.aws.push.pushing import folder
from tests.aws.push.test_nothing_edited import changed, imported_of, plan_of, pushed_back

EVERYTHING = document(allow("s3:*", "*"))
DATA = ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]
LONG = document(
    allow(["s3:*"], ["*", "arn:aws:s3:::data/*"]), allow(["s3:*"], ["arn:aws:s3:::data", "arn:aws:s3:::o*/*"])
)
"""what takes more than one document once it is said anew"""
NO_READ = deny("s3:GetObject", "arn:aws:s3:::data/*")


def _holding(told: Told) -> Told:
    """Everybody has policies, inline and managed, of which limits elsewhere leave a part."""
    for whom in ("user:ada", "group:g", "role:r"):
        told.inline(whom, "i0", LONG).inline(whom, "i1", READ)
    return told.policy("wide", EVERYTHING, "user:ada", "user:bob", "group:g", "role:r")


def _account(**boundaries: str | None) -> Told:
    told = Told().user("ada", "g", boundary=boundaries.get("user")).user("bob", "g").group("g")
    return told.role("r", trust({"AWS": user_arn("ada")}), boundary=boundaries.get("role"))


def _bounded(text: str) -> Told:
    arn = "arn:aws:iam::111122223333:policy/edge"
    return _account(user=arn, role=arn).policy("edge", text)


LIMITS: dict[str, Callable[[], Told]] = {
    "nothing limits": _account,
    "a deny of the user": lambda: _account().policy("p0", document(NO_READ), "user:ada"),
    "a deny of the role": lambda: _account().policy("p0", document(NO_READ), "role:r"),
    "a deny of the group": lambda: _account().policy("p0", document(NO_READ), "group:g"),
    "an inline deny of the group": lambda: _account().inline("group:g", "z", document(NO_READ)),
    "a deny of one member": lambda: _account().policy("p0", document(NO_READ), "user:bob"),
    "a deny under a condition": lambda: _account().policy(
        "p0", document({**NO_READ, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}), "user:ada", "role:r"
    ),
    "a boundary": lambda: _bounded(READ),
    "a boundary with a deny": lambda: _bounded(document(allow("*", "*"), NO_READ)),
    "a boundary without data": lambda: _bounded(NO_S3),
    "a boundary that was not read": lambda: _account(user="arn:aws:iam::aws:policy/unread"),
    "a bucket policy": lambda: _account().bucket_policy("data", {**NO_READ, "Principal": "*"}),
    "a bucket policy about one of them": lambda: _account().bucket_policy(
        "data", {**NO_READ, "Principal": {"AWS": user_arn("ada")}}
    ),
    "a bucket policy that was not read": lambda: _account().bucket_policy("data", policy=None, policy_read=False),
    "a control policy": lambda: _account().organization().control("less", document(allow("*", "*"), NO_READ), ROOT),
    "a ceiling of the organization": lambda: _account().organization(full=False).control("few", READ, ROOT),
    "a resource control policy": lambda: _account().organization().control(
        "kept", document({**NO_READ, "Principal": "*"}), ROOT, kind=RESOURCE
    ),
}  # fmt: skip


@pytest.mark.parametrize("limit", LIMITS)
def test_limits_elsewhere_are_no_edit(limit: str) -> None:
    inputs = _holding(LIMITS[limit]()).inputs()

    assert changed(pushed_back(inputs)) == []


@pytest.mark.parametrize("tags", [(), BY_RAITO])
def test_a_policy_that_is_called_as_a_new_one_would_be_is_no_edit(tags: Any) -> None:
    told = _account().inline("user:ada", "i0", READ).policy("User_ada_inline_policies", NO_S3, tags=tags)

    assert changed(pushed_back(told.inputs())) == []


def test_a_policy_of_aws_with_the_name_of_one_of_the_account_is_no_edit() -> None:
    told = _account().policy("twin", READ, "user:ada").policy("twin", ALL, "user:bob", aws=True)

    plan = pushed_back(told.inputs())

    assert changed(plan) == []
    assert {target.external_id for target in plan.targets} == {"policy:twin", "policy:arn:aws:iam::aws:policy/twin"}


SOURCE = "user:ada|inline:i0|"


def _edited(**changes: Any) -> Plan:
    """A plan where the inline policies of a user are edited, which a Deny elsewhere limits, or are not."""
    inputs = _account().inline("user:ada", "i0", LONG).policy("p0", document(NO_READ), "user:ada").inputs()
    state, controls = imported_of(inputs)
    assert [control.external_id for control in controls] == [SOURCE]
    role = replace(controls[0], position=1, id="r", name="r", type="aws_role", external_id="role:r", actual_name="r")
    return plan_of(inputs, state, [replace(controls[0], **changes), role])


def _is_left(plan: Plan) -> bool:
    target, own = (
        plan.targets[0],
        [row for row in plan.changes if row.access_control_id == plan.targets[0].access_control_id],
    )
    as_it_was = (target.external_id, target.actual_name, target.errors, target.warnings)
    return as_it_was == (SOURCE, "User ada inline policies", (), ()) and [row.operation for row in own] == ["none"]


def test_what_nobody_edited_keeps_its_external_id_and_its_name() -> None:
    assert _is_left(_edited())
    assert _is_left(_edited(type=None, description="said anew", naming_hint="", owners=("{}",)))


WHO = WhoEntry(("ada",), (), (), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"who": WhoEntry((), (), (), ())},
        {"who": WhoEntry(("ada", "bob"), (), (), ())},
        {"who": WhoEntry(("ada",), ("g",), (), ())},
        {"who": WhoEntry(("ada",), (), ("role:r",), ())},
        {"who": WhoEntry(("ada",), (), ("ID:r",), ())},
        {"who": WhoEntry(("ada",), (), (), ("somebody@example.com",))},
        {"deleted_who": WhoEntry((), (), ("ssorole:gone",), ())},
        {"what": (folder("a"),)},
        {"what": ()},
        {"delete": True},
        {"action": "deny"},
        {"type": "aws_role"},
    ],
    ids=lambda changes: "-".join(f"{key}={value}" for key, value in changes.items())[:60],
)
def test_anything_else_is_an_edit(changes: dict[str, Any]) -> None:
    assert not _is_left(_edited(**changes))


def test_a_role_is_the_same_by_its_external_id_and_by_the_access_control_that_it_is() -> None:
    inputs = _account().policy("wide", EVERYTHING, "role:r").inputs()
    state, controls = imported_of(inputs)
    by_type: dict[str, AccessControl] = {str(control.type): control for control in controls}
    policy, role = by_type["aws_policy"], by_type["aws_role"]
    assert policy.who.inherit_from == ("role:r",)
    by_id = replace(policy, who=replace(policy.who, inherit_from=(f"ID:{role.id}",)))

    plan = plan_of(inputs, state, [by_id, role])

    assert changed(plan) == []
    assert {row.why for row in plan.changes} == {"nobody edited it since it was imported"}


def test_a_policy_of_aws_with_the_name_of_one_of_the_account_is_edited_and_gets_no_tags() -> None:
    inputs = _account().policy("twin", READ, "user:ada").policy("twin", EVERYTHING, "user:bob", aws=True).inputs()
    state, controls = imported_of(inputs)
    of_aws, own = sorted(controls, key=lambda control: control.external_id or "")
    assert own.external_id == "policy:twin"

    plan = plan_of(inputs, state, [replace(of_aws, who=WhoEntry(("bob",), ("g",), (), ())), own])

    (change,) = [row for row in plan.changes if row.operation not in IDLE]
    assert (change.operation, change.resource) == ("attach", "group:g")
    assert change.after == "arn:aws:iam::aws:policy/twin"
    assert [target.errors for target in plan.targets] == [(), ()]
    assert plan.targets[0].external_id == of_aws.external_id


def test_a_file_that_came_into_being_since_is_no_edit() -> None:
    """The import shows it, the export was made before, and the push knows the files of the export alone."""
    two = document(allow("s3:GetObject", ["arn:aws:s3:::data/old.csv", "arn:aws:s3:::data/new.csv"]))

    def account(*files: str) -> AccessInputs:
        told = Told().user("ada").role("r", trust({"AWS": user_arn("ada")})).policy("p", two, "user:ada")
        for name in files:
            told.data_object(name)
        return told.inline("user:ada", "i0", two).inline("role:r", "i0", two).inputs()

    inputs = account("old.csv")
    before, controls = imported_of(inputs)
    after, _ = imported_of(account("old.csv", "new.csv"))
    state = replace(before, imported=replace(before.view, providers=after.view.providers))

    assert changed(plan_of(inputs, state, controls)) == []

    nothing_left = [replace(control, what=()) for control in controls]
    assert len(changed(plan_of(inputs, state, nothing_left))) > len(controls)


@pytest.mark.parametrize(
    "statement",
    [
        allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::data/${aws:username}/*"),
        allow(["s3:GetObject", "s3:PutObject"], DATA[1], Condition={"StringEquals": {"aws:username": "bob"}}),
    ],
    ids=["a variable", "a condition"],
)
def test_what_is_taken_from_a_policy_that_asks_who_calls_is_an_edit(statement: dict[str, Any]) -> None:
    """Such a policy is shown as its one user has it, and it is as that user that a push has to read it, too."""
    inputs = Told().user("bob").policy("home", document(statement), "user:bob").inputs()
    state, (control,) = imported_of(inputs)
    less = tuple(replace(item, permissions=("s3:GetObject",)) for item in control.what)
    assert {name for item in control.what for name in item.permissions} == {"s3:GetObject", "s3:PutObject"}

    plan = plan_of(inputs, state, [replace(control, what=less)])

    after = [row.after or "" for row in plan.changes if row.kind == "policy-version" and row.operation not in IDLE]
    assert [("s3:GetObject" in text, "s3:PutObject" in text) for text in after] == [(True, False)]


ONLY_X = {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/x/*"}


@pytest.mark.parametrize(
    "limit",
    [deny("s3:*", "arn:aws:s3:::other*"), ONLY_X],
    ids=["the buckets that a Deny leaves", "the folder that a Deny leaves"],
)
@pytest.mark.parametrize("gives", ["*", "arn:aws:s3:::*"])
def test_what_is_taken_of_that_which_a_limit_leaves_is_an_edit(gives: str, limit: dict[str, Any]) -> None:
    """The policy gives the whole account; shown, and taken away, is what a policy elsewhere leaves of it."""
    told = Told().user("bob").policy("p", document(allow("s3:GetObject", gives)), "user:bob")
    inputs = told.inline("user:bob", "limit", document(limit)).inputs()
    state, controls = imported_of(inputs)
    (control,) = (each for each in controls if each.external_id == "policy:p")
    assert len(control.what) == 1
    assert control.what[0].data_object.full_name.partition(":eu-west-1:")[2] in ("data", "data/x")

    plan = plan_of(inputs, state, [replace(control, what=())])

    after = [row.after or "" for row in plan.changes if row.kind == "policy-version" and row.operation not in IDLE]
    assert ["s3:GetObject" in text for text in after] == [False]
