"""The plan of a push: what is changed for which access control, and what is left alone."""

import json
from dataclasses import replace

import pytest

from raito_pipeline.config.groups import PushOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import IamAttachment, WhoEntry
from tests.aws.push.conftest import arn, document, trust
from tests.aws.push.exported import (
    HAS_B,
    READS,
    applied,
    control,
    only,
    plan,
    policy,
    policy_control,
    role,
    state,
    steps,
    who,
)


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


def test_a_role_with_nobody_in_its_who_lets_nobody_in() -> None:
    made = plan(
        control("a", who=who()), control("b", external_id="role:b", who=who()), there=state((role("b", trust("ada")),))
    )
    documents = [json.loads(change.after or "") for change in made.changes if change.kind in ("role", "role-trust")]
    nobody = [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]
    assert sorted(one.get("AssumeRolePolicyDocument", one)["Statement"] == nobody for one in documents) == [True, True]
    assert [target.errors for target in made.targets] == [(), ()]


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


def test_a_policy_without_what_allows_nothing() -> None:
    made = plan(policy_control("b", what=()))
    statement = json.loads(made.changes[0].after or "")["PolicyDocument"]["Statement"]
    assert statement == [{"Effect": "Allow", "Action": "none:null", "Resource": "*"}]
