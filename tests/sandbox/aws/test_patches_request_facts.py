"""Policies that allow a call on some roles, policies, permission sets or access points only, by name, path and tag."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from tests.sandbox.aws.center import INSTANCE, READ, Center
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf, code

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
BY_RAITO = [{"Key": "creator", "Value": "RAITO"}]
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
Limited = Callable[..., Any]


@pytest.fixture
def limited(center: Center, client: ClientOf) -> Iterator[Limited]:
    """What makes a client that may do what the statements allow."""
    credentials = create_limited_credentials(ACCOUNT, {}, "limited")

    def limited_client(service: str, *statements: dict[str, Any]) -> Any:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam_of(ACCOUNT).put_user_policy("limited", "own", json.dumps(document))
        enforce_iam(center.aws, on=True)
        return client(service, credentials=credentials)

    yield limited_client
    enforce_iam(center.aws, on=False)


def allow(action: Any, resource: Any, **condition: Any) -> dict[str, Any]:
    more = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def test_roles_by_path(limited: Limited) -> None:
    iam = limited("iam", allow(["iam:CreateRole", "iam:PutRolePolicy"], f"arn:aws:iam::{ACCOUNT}:role/raito/*"))
    inside, outside = {"RoleName": "in", "Path": "/raito/"}, {"RoleName": "out"}
    assert code(iam.create_role, **inside, AssumeRolePolicyDocument=TRUST) == "done"
    assert code(iam.create_role, **outside, AssumeRolePolicyDocument=TRUST) == "AccessDenied"
    iam_of(ACCOUNT).create_role("out", TRUST, "/", None, "", [], "3600")
    policy = {"PolicyName": "p", "PolicyDocument": READ}
    assert code(iam.put_role_policy, RoleName="in", **policy) == "done"
    assert code(iam.put_role_policy, RoleName="out", **policy) == "AccessDenied"


def test_roles_and_policies_by_tag(limited: Limited) -> None:
    tagged, tagging = ({f"aws:{kind}Tag/creator": "RAITO"} for kind in ("Resource", "Request"))
    iam = limited(
        "iam",
        allow(["iam:CreateRole", "iam:CreatePolicy"], "*", StringEquals=tagging),
        allow(["iam:DeleteRole", "iam:DeletePolicy"], "*", StringEquals=tagged),
    )
    role = {"RoleName": "ours", "AssumeRolePolicyDocument": TRUST}
    assert (code(iam.create_role, **role), code(iam.create_role, **role, Tags=BY_RAITO)) == ("AccessDenied", "done")
    assert code(iam.create_policy, PolicyName="ours", PolicyDocument=READ, Tags=BY_RAITO) == "done"
    iam_of(ACCOUNT).create_role("theirs", TRUST, "/", None, "", [], "3600")
    iam_of(ACCOUNT).create_policy("", "/", READ, "theirs", [])
    for name, expected in (("theirs", "AccessDenied"), ("ours", "done")):
        assert code(iam.delete_role, RoleName=name) == expected
        assert code(iam.delete_policy, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}") == expected


def test_roles_with_a_boundary_and_attachments_of_some_policies(limited: Limited) -> None:
    iam_of(ACCOUNT).create_policy("", "/", READ, "boundary", [])
    iam_of(ACCOUNT).create_policy("", "/raito/", READ, "ours", [])
    iam = limited(
        "iam",
        allow(["iam:CreateRole", "iam:PutRolePolicy"], "*", StringEquals={"iam:PermissionsBoundary": BOUNDARY}),
        allow("iam:AttachRolePolicy", "*", ArnLike={"iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/raito/*"}),
    )
    role = {"RoleName": "role", "AssumeRolePolicyDocument": TRUST}
    assert code(iam.create_role, **role) == "AccessDenied"
    assert code(iam.create_role, **role, PermissionsBoundary=BOUNDARY) == "done"
    assert code(iam.put_role_policy, RoleName="role", PolicyName="p", PolicyDocument=READ) == "done"
    ours = f"arn:aws:iam::{ACCOUNT}:policy/raito/ours"
    assert code(iam.attach_role_policy, RoleName="role", PolicyArn=BOUNDARY) == "AccessDenied"
    assert code(iam.attach_role_policy, RoleName="role", PolicyArn=ours) == "done"


def test_permission_sets_by_tag_in_some_accounts(center: Center, limited: Limited) -> None:
    ours, theirs = center.permission_set("Ours", Tags=BY_RAITO), center.permission_set("Theirs")
    ann = center.user("ann")
    places = [INSTANCE, "arn:aws:sso:::permissionSet/*/*", f"arn:aws:sso:::account/{OTHER_ACCOUNT}"]
    sso = limited(
        "sso-admin",
        allow("sso:*", places, StringEquals={"aws:ResourceTag/creator": "RAITO"}),
        allow("sso:CreatePermissionSet", "*", StringEquals={"aws:RequestTag/creator": "RAITO"}),
    )
    change = {"InstanceArn": INSTANCE, "Description": "new"}
    assert code(sso.update_permission_set, PermissionSetArn=ours, **change) == "done"
    assert code(sso.update_permission_set, PermissionSetArn=theirs, **change) == "AccessDeniedException"
    assert code(sso.create_account_assignment, **center.assignment(ours, ann)) == "done"
    assert code(sso.create_account_assignment, **center.assignment(ours, ann, ACCOUNT)) == "AccessDeniedException"
    assert code(sso.create_permission_set, InstanceArn=INSTANCE, Name="New") == "AccessDeniedException"
    assert code(sso.create_permission_set, InstanceArn=INSTANCE, Name="New", Tags=BY_RAITO) == "done"


def test_access_points_by_name(limited: Limited, client: ClientOf) -> None:
    place = {"Bucket": "bucket", "CreateBucketConfiguration": {"LocationConstraint": REGION}}
    client("s3").create_bucket(**place)
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/raito-*"
    control = limited("s3control", allow("s3:CreateAccessPoint", arn))
    made = {"AccountId": ACCOUNT, "Bucket": "bucket"}
    assert code(control.create_access_point, **made, Name="raito-sales") == "done"
    assert code(control.create_access_point, **made, Name="sales") == "AccessDenied"
