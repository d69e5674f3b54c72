"""What gives data alone, and which roles and policies give more."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.push.rules.data_rights import Guarded, beyond_data, is_data
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import IamAttachment
from tests.aws.push.conftest import arn, document, trust
from tests.aws.push.exported import policy, role, state
from tests.aws.push.situations import a_set, aws, gives


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:GetObject", True), ("S3:*", True), ("glue:GetTables", True), ("glue:BatchGet*", True), ("none:null", True),
        ("*", False), ("s*:Get*", False), ("iam:PassRole", False), ("sts:AssumeRole", False), ("glue:*", False),
        ("glue:CreateJob", False), ("kms:Decrypt", False), ("s3", True), ("s3control:*", False),
    ],
)  # fmt: skip
def test_an_action_is_about_data(action: str, expected: bool) -> None:
    assert is_data(action) is expected


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "everything but iam:*"),
        ({"Effect": "Allow", "Action": ["s3:Get*", "iam:*"], "Resource": "*"}, "iam:*"),
        ({"Effect": "Permit", "Action": "s3:Get*", "Resource": "*"}, "Effect"),
    ],
)
def test_a_document_gives_more_than_data(statement: dict[str, Any], part: str) -> None:
    assert part in " ".join(beyond_data(json.dumps({"Version": "2012-10-17", "Statement": [statement]})))


def test_a_deny_gives_nothing() -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert list(beyond_data(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))) == []


def _guarded(**options: Any) -> Guarded:
    administrators, data = policy("admins", document("*"), ()), policy("data", document("s3:Get*"), ())
    linked = replace(role("linked", trust("ada")), path="/aws-service-role/x.amazonaws.com/")
    reserved = replace(
        role("AWSReservedSSO_Admin_0123456789abcdef", trust("ada")), path="/aws-reserved/sso.amazonaws.com/"
    )
    names = ("plain", "by-policy", "by-inline", "unread")
    attachments = (
        IamAttachment("role", "by-policy", "managed", "admins", arn("admins"), None),
        IamAttachment("role", "plain", "managed", "data", arn("data"), None),
        IamAttachment("role", "unread", "managed", "x", arn("x"), None),
        IamAttachment("role", "by-inline", "inline", "x", None, json.dumps(document("sts:*"))),
        IamAttachment("role", reserved.role_name, "managed", "admins", arn("admins"), None),
    )
    roles = (*(role(name, trust("ada")) for name in names), linked, reserved)
    return Guarded(state(roles, (administrators, data), attachments), PushOptions(**options))


@pytest.mark.parametrize(
    ("thing", "part"),
    [
        ("policy:admins", "more than data (*)"),
        ("policy:data", None),
        ("policy:not-there", None),
        ("role:plain", None),
        ("role:by-policy", "by policy admins"),
        ("role:by-inline", "sts:*"),
        ("role:unread", "was not read"),
        ("role:linked", "service-linked"),
        ("role:AWSReservedSSO_Admin_0123456789abcdef", "reserved by AWS"),
        ("ssorole:Admin", "by policy admins"),
        ("ssorole:Adm", None),
        ("user:ada", None),
    ],
)
def test_what_is_guarded(thing: str, part: str | None) -> None:
    reason = _guarded().reason(thing)
    assert reason is None if part is None else part in (reason or "")


KNOWN = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ({}, None),
        ({"inline": gives("x", action="iam:*")}, "iam:*"),
        ({"references": ("/admins",)}, "by policy /admins"),
        ({"references": ("/data", "/not-there")}, None),
        ({"policy_arns": ("arn:aws:iam::aws:policy/AdministratorAccess",)}, "was not read"),
        ({"policy_arns": (KNOWN,)}, None),
    ],
)
def test_a_permission_set_is_guarded_by_what_it_would_bring_to_its_role(
    content: dict[str, Any], part: str | None
) -> None:
    administrators, data = policy("admins", document("*"), ()), policy("data", document("s3:Get*"), ())
    account = aws((administrators, data, *a_set("S", **content)))
    documents = {KNOWN: json.dumps(document("s3:Get*"))}
    account = replace(account, center=replace(account.center, documents=documents))

    reason = Guarded(account, PushOptions()).reason("ssorole:S")

    assert reason is None if part is None else part in (reason or "")


def test_an_option_names_what_may_be_given_all_the_same_but_not_what_belongs_to_aws() -> None:
    guarded = _guarded(aws_push_allow_beyond_data=(NamePattern("admins|by-.*|linked"),))
    assert [guarded.reason(thing) for thing in ("policy:admins", "role:by-policy")] == [None, None]
    assert "service-linked" in (guarded.reason("role:linked") or "")
