"""The plan of a push: what is changed for which access control, and what is left alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.owners.owner_tags import ACCESS_CONTROL
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import (
    AccessControl,
    DataObjectReference,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    PushTarget,
    Tag,
    WhatItem,
    WhoEntry,
)
from tests.aws.push.conftest import ACCOUNT, arn, document, trust

WHEN = datetime(2024, 1, 1, tzinfo=UTC)
BY_RAITO = (Tag("creator", "RAITO"),)
READS = json.dumps(document("s3:GetBucketAcl"))
FOLDER = WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:data/a", "folder"), ("s3:GetObject",))


def control(identifier: str, **changes: Any) -> AccessControl:
    values: dict[str, Any] = {
        "position": 0, "id": identifier, "name": identifier, "description": "why", "naming_hint": "",
        "type": "aws_role", "external_id": None, "action": "grant", "delete": False, "actual_name": None,
        "who": WhoEntry(("ada",), (), (), ()), "deleted_who": None, "what": (FOLDER,), "delete_what": (),
        "who_locked": False, "inheritance_locked": False, "what_locked": False, "delete_locked": False, "owners": (),
    }  # fmt: skip
    return AccessControl(**{**values, **changes})


def policy_control(identifier: str, **changes: Any) -> AccessControl:
    return control(identifier, type="aws_policy", **changes)


def who(*users: str, groups: tuple[str, ...] = (), inherit: tuple[str, ...] = ()) -> WhoEntry:
    return WhoEntry(users, groups, inherit, ())


def role(name: str, trust_policy: Any, tags: tuple[Tag, ...] = BY_RAITO) -> IamRole:
    return IamRole(
        f"AROA{name}", name, f"arn:aws:iam::{ACCOUNT}:role/{name}", "/", WHEN, json.dumps(trust_policy), None, tags
    )


def policy(name: str, text: Any, tags: tuple[Tag, ...] = BY_RAITO, *, aws: bool = False) -> IamPolicy:
    owner = "aws" if aws else ACCOUNT
    return IamPolicy(
        f"ANPA{name}", name, f"arn:aws:iam::{owner}:policy/{name}", "/", aws, "v1", 0, json.dumps(text), tags
    )


def state(
    roles: tuple[IamRole, ...] = (), policies: tuple[IamPolicy, ...] = (), attachments: tuple[IamAttachment, ...] = ()
) -> PushState:
    users = [
        IamUser(f"AIDA{n}", n, f"arn:aws:iam::{ACCOUNT}:user/{n}", "/", WHEN, groups, None, ())
        for n, groups in (("ada", ()), ("bob", ("staff",)), ("cyd", ("staff",)))
    ]
    groups = [IamGroup("AGPAstaff", "staff", "arn", "/", WHEN)]
    return PushState.of(ACCOUNT, users, groups, roles, policies, attachments)


def plan(*controls: AccessControl, there: PushState | None = None, options: PushOptions | None = None) -> Plan:
    placed = [replace(each, position=position) for position, each in enumerate(controls)]
    return plan_push(placed, there or state(), options or PushOptions(), ACCESS_PROVIDER_TYPES.push)


def steps(made: Plan) -> list[tuple[str, str, str]]:
    assert [change.position for change in made.changes] == list(range(len(made.changes)))
    return [(change.operation, change.kind, change.resource) for change in made.changes]


def only(made: Plan) -> PushTarget:
    (target,) = made.targets
    return target


def test_a_new_role() -> None:
    made = plan(control("Sales readers", who=who("ada", groups=("staff",))))
    assert steps(made) == [
        ("create", "role", "Sales_readers"),
        ("create", "role-inline-policy", "Sales_readers/Raito_Inline_Sales_readers"),
    ]
    request = json.loads(made.changes[0].after or "")
    assert request["Tags"] == [{"Key": "creator", "Value": "RAITO"}]
    assert request["AssumeRolePolicyDocument"] == trust("ada", "bob", "cyd")
    assert json.loads(made.changes[1].after or "")["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/a/*"]}
    ]
    assert (only(made).actual_name, only(made).external_id, only(made).errors) == (
        "Sales_readers",
        "role:Sales_readers",
        (),
    )


def applied(made: Plan) -> PushState:
    """The account after the plan of new roles and policies."""
    roles, policies, attachments = [], [], []
    for change in made.changes:
        after = change.after or ""
        if (change.operation, change.kind) == ("create", "role"):
            roles.append(role(change.resource, json.loads(after)["AssumeRolePolicyDocument"]))
        elif change.kind == "role-inline-policy":
            name, _, inline = change.resource.partition("/")
            attachments.append(IamAttachment("role", name, "inline", inline, None, after))
        elif (change.operation, change.kind) == ("create", "policy"):
            policies.append(policy(change.resource, json.loads(after)["PolicyDocument"]))
        elif change.operation == "attach":
            kind, _, name = change.resource.partition(":")
            attachments.append(IamAttachment(kind, name, "managed", after.rpartition("/")[2], after, None))
    return state(tuple(roles), tuple(policies), tuple(attachments))


def test_planned_again_after_it_was_made_nothing_is_left_to_do() -> None:
    controls = [control("a"), policy_control("b", who=who("ada", groups=("staff",), inherit=("ID:a",)))]
    first = plan(*controls)
    known = {target.access_control_id: target for target in first.targets}
    again = [
        replace(each, external_id=known[each.id].external_id, actual_name=known[each.id].actual_name)
        for each in controls
    ]
    second = plan(*again, there=applied(first))
    assert {change.operation for change in second.changes} == {"none"}
    assert second.targets == first.targets


def test_a_role_that_raito_did_not_make_is_refused() -> None:
    made = plan(control("jobs"), there=state((role("jobs", trust("ada"), ()),)))
    assert steps(made) == [("refuse", "aws_role", "jobs")]
    assert "not made by Raito" in only(made).errors[0]


def test_a_role_changes_its_who_and_what_and_keeps_what_is_locked() -> None:
    there = state(
        (role("a", trust("bob")),), (), (IamAttachment("role", "a", "inline", "Raito_Inline_a", None, READS),)
    )
    changing = control("a", external_id="role:a")
    assert steps(plan(changing, there=there)) == [
        ("update", "role-trust", "a"),
        ("update", "role-inline-policy", "a/Raito_Inline_a"),
        ("update", "role-trust", "a"),
    ]
    locked = replace(changing, who_locked=True, what_locked=True)
    assert steps(plan(locked, there=there)) == [("none", "role", "a")]
    emptied = replace(changing, what=())
    assert ("delete", "role-inline-policy", "a/Raito_Inline_a") in steps(plan(emptied, there=there))


def test_an_imported_role_keeps_the_statements_and_policies_that_raito_cloud_does_not_see() -> None:
    both = trust("bob")
    service = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    both["Statement"].append(service)
    inline = [
        IamAttachment("role", "jobs", "inline", "seen", None, json.dumps(document("s3:GetObject"))),
        IamAttachment("role", "jobs", "inline", "unseen", None, json.dumps(document("ec2:StartInstances"))),
    ]
    options = PushOptions(aws_push_allow_beyond_data=(NamePattern("jobs"),))
    there = state((role("jobs", both, ()),), (), tuple(inline))
    made = plan(control("jobs", external_id="role:jobs"), there=there, options=options)
    assert steps(made) == [
        ("update", "role-trust", "jobs"),
        ("create", "role-inline-policy", "jobs/Raito_Inline_jobs"),
        ("delete", "role-inline-policy", "jobs/seen"),
        ("update", "role-trust", "jobs"),
    ]
    assert json.loads(made.changes[0].after or "")["Statement"] == [service]
    assert json.loads(made.changes[3].after or "")["Statement"] == [service, *trust("ada")["Statement"]]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"action": "deny"}, "only 'grant'"),
        ({"delete": True, "delete_locked": True}, "locked"),
        ({"name": "***"}, "no letter or digit"),
        ({"type": "aws_sso_role"}, "permission sets cannot be pushed: the account links no organization"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_reason(changes: dict[str, Any], part: str) -> None:
    made = plan(control("a", **changes), control("good"))
    assert [change.operation for change in made.changes if change.access_control_id == "a"] == ["refuse"]
    assert part in made.targets[0].errors[0]
    assert made.targets[0].external_id is None
    assert made.targets[1].errors == ()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"who": who("ada", "eve")}, "user eve is not in IAM"),
        ({"who": who("ada", groups=("nowhere",))}, "group nowhere is not in IAM"),
        ({"who": who("ada", inherit=("role:b",))}, "cannot hold access providers"),
        (
            {"what": (WhatItem(DataObjectReference("999900001111:eu-west-1:x", "bucket"), ("s3:GetObject",)),)},
            "not of account",
        ),
        ({"what": (WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:x", "bucket"), ("s3:Fly",)),)}, "none of those"),
        ({"what": (WhatItem(DataObjectReference(f"{ACCOUNT}:r:x/t/c", "column"), ("s3:GetObject",)),)}, "is a column"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_what_cannot_be_made_of_an_access_control_is_an_error_of_its_own(
    changes: dict[str, Any], part: str, there: bool
) -> None:
    roles = (role("a", trust("bob")),) if there else ()
    made = plan(control("a", external_id="role:a" if there else None, **changes), there=state(roles))
    assert [change.operation for change in made.changes][-1] == ("update" if there else "create")
    (error,) = only(made).errors
    assert part in error
    assert (only(made).refused, only(made).external_id) == (False, "role:a")


def test_a_role_with_nobody_in_its_who_lets_nobody_in() -> None:
    made = plan(
        control("a", who=who()), control("b", external_id="role:b", who=who()), there=state((role("b", trust("ada")),))
    )
    documents = [json.loads(change.after or "") for change in made.changes if change.kind in ("role", "role-trust")]
    nobody = [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]
    assert sorted(one.get("AssumeRolePolicyDocument", one)["Statement"] == nobody for one in documents) == [True, True]
    assert [target.errors for target in made.targets] == [(), ()]


def test_a_role_is_deleted_and_one_that_is_gone_needs_no_change() -> None:
    gone = control("gone", external_id="role:gone", delete=True)
    there = control("old", external_id="role:old", actual_name="old", delete=True)
    made = plan(gone, there, there=state((role("old", trust("ada")),)))
    assert steps(made) == [("none", "role", "gone"), ("delete", "role", "old")]
    assert [(target.actual_name, target.external_id) for target in made.targets] == [("", None), ("", None)]


def test_what_is_no_grant_any_more_is_deleted_all_the_same() -> None:
    there = state((role("old", trust("ada")),))
    was = control("old", external_id="role:old", actual_name="old", action="deny")
    never = control("never", action="mask", delete=True)

    assert "'deny'" in plan(was, there=there).targets[0].errors[0]
    made = plan(replace(was, delete=True), never, there=there)

    assert [target.errors for target in made.targets] == [(), ()]
    assert ("delete", "role", "old") in steps(made)


def test_a_policy_is_attached_to_exactly_its_who() -> None:
    attachments = tuple(IamAttachment("user", n, "managed", "b", arn("b"), None) for n in ("bob", "cyd"))
    there = state((), (policy("b", document("s3:Old")),), attachments)
    made = plan(policy_control("b", external_id="policy:b", who=who("ada", "bob")), there=there)
    assert steps(made) == [
        ("detach", "attachment", "user:cyd"),
        ("create", "policy-version", arn("b")),
        ("attach", "attachment", "user:ada"),
    ]


@pytest.mark.parametrize("locked", [False, True])
def test_a_role_that_the_same_push_removes_is_said_to_lose_a_policy(locked: bool) -> None:
    attachments = (IamAttachment("role", "old", "managed", "b", arn("b"), None),)
    there = state((role("old", trust("ada")),), (policy("b", document("s3:Old")),), attachments)
    gone = control("old", external_id="role:old", actual_name="old", delete=True, delete_locked=locked)
    having = policy_control("b", external_id="policy:b", what_locked=True, who=WhoEntry((), (), ("role:old",), ()))

    made = plan(gone, having, there=there)

    assert (("detach", "attachment", "role:old") in steps(made)) is not locked
    assert [("is removed by this push" in error) for error in made.targets[1].errors] == [True] * (not locked)


def test_a_policy_keeps_the_roles_that_raito_cloud_does_not_see() -> None:
    attachments = (IamAttachment("role", "hidden-1", "managed", "b", arn("b"), None),)
    there = state((role("hidden-1", trust("ada"), ()),), (policy("b", document("s3:Old")),), attachments)
    options = PushOptions(aws_access_role_excludes=(NamePattern("hidden.*"),))
    made = plan(policy_control("b", external_id="policy:b", what_locked=True), there=there, options=options)
    assert steps(made) == [("attach", "attachment", "user:ada")]
    assert "keeps the policy" in only(made).warnings[0]


HAS_B = (IamAttachment("user", "ada", "managed", "b", arn("b"), None),)


def test_an_imported_policy_keeps_the_parts_that_raito_cloud_does_not_see() -> None:
    there = state((), (policy("b", document("s3:GetObject", "ec2:RunInstances"), ()),))
    made = plan(policy_control("b", external_id="policy:b", actual_name="b", naming_hint="b"), there=there)
    # Nobody new gets what is more than data, and what the policy gave beyond its what goes.
    assert steps(made) == [("create", "policy-version", arn("b"))]
    assert json.loads(made.changes[0].after or "")["Statement"] == [
        {"Effect": "Allow", "Action": ["ec2:RunInstances"], "Resource": ["*"]},
    ]
    there = state((), (policy("b", document("s3:GetObject", "ec2:RunInstances"), ()),), HAS_B)
    made = plan(policy_control("b", external_id="policy:b", actual_name="b", naming_hint="b"), there=there)
    assert json.loads(made.changes[0].after or "")["Statement"] == [
        {"Effect": "Allow", "Action": ["ec2:RunInstances"], "Resource": ["*"]},
        {"Sid": "Raito1", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/a/*"]},
    ]


def test_a_policy_of_aws_is_attached_but_never_written_or_deleted() -> None:
    there = state((), (policy("b", document("s3:Old"), (), aws=True),))
    attached = plan(policy_control("b", external_id="policy:b"), there=there)
    assert steps(attached) == [("attach", "attachment", "user:ada")]
    deleted = plan(policy_control("b", external_id="policy:b", delete=True), there=there)
    assert "managed by AWS" in only(deleted).errors[0]


def test_a_policy_whose_name_changes_is_made_anew_and_the_old_one_removed() -> None:
    attachments = (IamAttachment("user", "ada", "managed", "old", arn("old"), None),)
    there = state((), (policy("old", document("s3:Old")),), attachments)
    made = plan(policy_control("new", external_id="policy:old", actual_name="old"), there=there)
    assert steps(made) == [
        ("create", "policy", "new"),
        ("attach", "attachment", "user:ada"),
        ("delete", "policy", arn("old")),
    ]
    assert only(made).external_id == "policy:new"


RENAMES = {
    "no letter or digit": ("???", ()),
    "not its own": ("Other", (policy("Other", document("s3:Get*"), ()),)),
    "OTHER exists": ("Other", (policy("OTHER", document("s3:Get*"), ()),)),
    "policy Other exists": (
        "Other",
        (policy("Other", document("s3:Get*"), (*BY_RAITO, Tag(ACCESS_CONTROL, "another"))),),
    ),
}


@pytest.mark.parametrize("why", RENAMES)
def test_a_policy_that_cannot_have_its_new_name_keeps_its_own_and_loses_what_was_taken_away(why: str) -> None:
    hint, others = RENAMES[why]
    attachments = tuple(IamAttachment("user", n, "managed", "old", arn("old"), None) for n in ("ada", "bob"))
    there = state((), (policy("old", document("s3:Old")), *others), attachments)
    renamed = policy_control("a", external_id="policy:old", actual_name="old", naming_hint=hint, what_locked=True)

    made = plan(renamed, there=there)

    assert steps(made) == [("detach", "attachment", "user:bob")]
    target = only(made)
    assert (target.external_id, target.actual_name) == ("policy:old", "old")
    assert why in target.errors[0]
    assert "it keeps its name old" in target.errors[0]


@pytest.mark.parametrize(
    ("kind", "external_id", "step"),
    [
        ("aws_policy", "user:ada|inline:i|", ("update", "inline-policy", "user:ada/i")),
        ("aws_policy", "role:old", ("update", "role-trust", "old")),
    ],
)
def test_what_cannot_be_made_anew_for_want_of_a_name_loses_what_was_taken_away(
    kind: str, external_id: str, step: tuple[str, str, str]
) -> None:
    text = json.dumps(document("s3:GetObject", "s3:PutObject"))
    inline = IamAttachment("user", "ada", "inline", "i", None, text)
    there = state((role("old", trust("ada", "bob")),), (), (inline,))
    control_of = control("a", type=kind, external_id=external_id, actual_name="old", naming_hint="???")

    made = plan(control_of, there=there)

    assert steps(made)[0] == step
    assert "no letter or digit" in only(made).errors[0]
    assert only(made).external_id == external_id
    assert not any("bob" in (change.after or "") or "PutObject" in (change.after or "") for change in made.changes)


def test_a_policy_without_what_allows_nothing() -> None:
    made = plan(policy_control("b", what=()))
    statement = json.loads(made.changes[0].after or "")["PolicyDocument"]["Statement"]
    assert statement == [{"Effect": "Allow", "Action": "none:null", "Resource": "*"}]


def test_names_are_unique_in_a_push_and_stay_what_they_are() -> None:
    old = control("z", naming_hint="same", external_id="role:same", actual_name="same")
    policies = [policy_control(f"p{n}", naming_hint="Same!") for n in range(2)]
    there = state((role("same", trust("ada")),))
    made = plan(control("x", naming_hint="same"), control("y", naming_hint="SAME"), old, *policies, there=there)
    assert [target.actual_name for target in made.targets] == ["same__0", "SAME__1", "same", "Same", "Same__0"]


def test_a_name_that_is_deleted_in_the_same_push_is_not_given_away() -> None:
    old = policy_control("old", external_id="policy:data", actual_name="data", delete=True)
    made = plan(policy_control("data"), old, there=state((), (policy("data", document("s3:Old")),)))
    assert [target.actual_name for target in made.targets] == ["data__0", ""]


def test_prefix_suffix_and_length() -> None:
    options = PushOptions(aws_role_prefix="raito-", aws_role_suffix="-x", aws_policy_prefix="p" * 60)
    made = plan(control("a b"), policy_control("long name"), control("n" * 90), options=options)
    assert made.targets[0].actual_name == "raito-a_b-x"
    assert "AWS takes 64" in made.targets[1].errors[0]
    assert "AWS takes 64" in made.targets[2].errors[0]
