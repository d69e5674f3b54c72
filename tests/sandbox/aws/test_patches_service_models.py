"""Characters, lengths and numbers that the models of AWS's services allow."""

import json
from typing import Any

import pytest

from raito_pipeline.sandbox.aws.patches.service_models import broken_constraint, service_model
from tests.sandbox.aws.center import INSTANCE, READ, Center
from tests.sandbox.aws.conftest import ClientOf, code

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


def policy(folder: str, **how: Any) -> str:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket/{folder}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, **how)


TAG = {"Key": "creator", "Value": "RAITO"}
CASES: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("iam", "CreateRole", {"RoleName": "r", "Description": "Größe, é"}, None),
    ("iam", "CreateRole", {"RoleName": "r", "Description": "Read – and write"}, "description"),
    ("iam", "CreateRole", {"RoleName": "r", "Description": "“quoted”"}, "description"),
    ("iam", "CreateRole", {"RoleName": "r", "Description": "x" * 1001}, "less than or equal to 1000"),
    ("iam", "CreateRole", {"RoleName": "r é"}, "roleName"),
    ("iam", "CreateRole", {"RoleName": "r", "Path": "no-slash"}, "path"),
    ("iam", "CreateRole", {"RoleName": "r", "MaxSessionDuration": 60}, "maxSessionDuration"),
    ("iam", "CreateRole", {"RoleName": "r", "Tags": [{"Key": "owner", "Value": "Zoë 報告"}]}, None),
    ("iam", "CreateRole", {"RoleName": "r", "Tags": [TAG, {"Key": "owner", "Value": "a|b"}]}, "tags.2.member.value"),
    ("iam", "CreateRole", {"RoleName": "r", "Tags": [TAG] * 51}, "less than or equal to 50"),
    ("iam", "CreatePolicy", {"PolicyName": "p", "Path": "/a b/"}, "path"),
    ("iam", "CreatePolicy", {"PolicyName": "p", "Description": "Read – and write"}, None),
    ("iam", "PutRolePolicy", {"PolicyDocument": policy("größe", ensure_ascii=False)}, None),
    ("iam", "PutRolePolicy", {"PolicyDocument": policy("報告", ensure_ascii=False)}, "policyDocument"),
    ("iam", "PutRolePolicy", {"PolicyDocument": policy("報告")}, None),
    ("sso-admin", "CreatePermissionSet", {"Name": "x" * 33}, "less than or equal to 32"),
    ("sso-admin", "CreatePermissionSet", {"Name": "has space"}, "name"),
    ("sso-admin", "CreatePermissionSet", {"Name": "n", "Description": "–"}, "description"),
    ("sso-admin", "CreatePermissionSet", {"Name": "n", "Description": ""}, "greater than or equal to 1"),
    ("sso-admin", "CreatePermissionSet", {"Name": "n", "Description": "x" * 701}, "less than or equal to 700"),
    ("sso-admin", "CreatePermissionSet", {"Name": "n", "Tags": [{"Key": "a", "Value": "x" * 257}]}, "256"),
    ("sso-admin", "PutInlinePolicyToPermissionSet", {"InlinePolicy": " " * 32_769}, "32768"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CASES)
def test_what_the_model_allows(service: str, operation: str, parameters: dict[str, Any], expected: str | None) -> None:
    broken = broken_constraint(service_model(service).operation_model(operation), parameters)
    assert (broken is None) == (expected is None)
    assert expected is None or (broken is not None and expected in broken)


def test_iam_refuses_what_its_model_does_not_allow(client: ClientOf) -> None:
    iam = client("iam")
    role = {"RoleName": "role", "AssumeRolePolicyDocument": TRUST}
    assert code(iam.create_role, **role, Description="a – b") == "ValidationError"
    assert code(iam.create_role, **role, Tags=[{"Key": "a", "Value": "x|y"}]) == "ValidationError"
    assert code(iam.create_role, **role, Tags=[{"Key": "a", "Value": "報告"}]) == "done"
    assert code(iam.update_role, RoleName="role", Description="“a”") == "ValidationError"
    place = {"RoleName": "role", "PolicyName": "p"}
    assert code(iam.put_role_policy, **place, PolicyDocument=policy("報告", ensure_ascii=False)) == "ValidationError"
    assert code(iam.put_role_policy, **place, PolicyDocument=policy("報告")) == "done"
    stored = iam.get_role_policy(**place)["PolicyDocument"]["Statement"]
    assert stored[0]["Resource"] == "arn:aws:s3:::bucket/報告/*"


def test_identity_center_refuses_what_its_model_does_not_allow(center: Center) -> None:
    create = center.sso.create_permission_set
    assert code(create, InstanceArn=INSTANCE, Name="n", Description="a – b") == "ValidationException"
    assert code(create, InstanceArn=INSTANCE, Name="n", Description="é") == "done"
    arn = center.permission_set()
    place = {"InstanceArn": INSTANCE, "PermissionSetArn": arn}
    put = center.sso.put_inline_policy_to_permission_set
    assert code(put, **place, InlinePolicy=policy("報告", ensure_ascii=False)) == "ValidationException"
    assert code(put, **place, InlinePolicy=READ) == "done"
