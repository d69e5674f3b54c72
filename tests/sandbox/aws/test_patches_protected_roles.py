"""Roles that only AWS changes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from moto.core.utils import camelcase_to_underscores

from raito_pipeline.sandbox.aws.patches.service_models import refuses_with, service_model
from tests.sandbox.aws.center import READ, Center
from tests.sandbox.aws.conftest import ClientOf, code

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
POLICY = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
VALUES: Mapping[str, str] = {
    "PolicyArn": POLICY,
    "PolicyName": "inline",
    "PolicyDocument": READ,
    "PermissionsBoundary": POLICY,
    "InstanceProfileName": "profile",
    "Description": "mine",
}
REFUSING = [
    name
    for name in service_model("iam").operation_names
    if refuses_with(service_model("iam").operation_model(name), "UnmodifiableEntityException")
]


def attempt(iam: Any, operation: str, role: str) -> str:
    """Call the operation on the role with all that it requires."""
    shape = service_model("iam").operation_model(operation).input_shape
    assert shape is not None
    needed = {name: VALUES[name] for name in shape.required_members if name != "RoleName"}
    if operation == "UpdateAssumeRolePolicy":
        needed["PolicyDocument"] = TRUST
    return code(getattr(iam, camelcase_to_underscores(operation)), RoleName=role, **needed)


@pytest.mark.parametrize("operation", REFUSING)
def test_nobody_changes_a_role_of_identity_center(center: Center, operation: str) -> None:
    arn = center.permission_set()
    center.assign(arn, center.user("ann"))
    (role,) = center.roles()
    assert attempt(center.iam, operation, role["RoleName"]) == "UnmodifiableEntity"
    assert center.roles() == [role]


@pytest.mark.parametrize("operation", REFUSING)
def test_nobody_changes_more_of_a_service_linked_role_than_its_description(client: ClientOf, operation: str) -> None:
    iam = client("iam")
    made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]["RoleName"]
    expected = "done" if operation in ("UpdateRole", "UpdateRoleDescription") else "UnmodifiableEntity"
    assert attempt(iam, operation, made) == expected


def test_paths_of_aws_are_nobody_elses(client: ClientOf) -> None:
    for path in ("/aws-reserved/sso.amazonaws.com/", "/aws-service-role/x.amazonaws.com/"):
        made = code(client("iam").create_role, RoleName="mine", Path=path, AssumeRolePolicyDocument=TRUST)
        assert made == "ValidationError"
