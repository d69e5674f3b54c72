"""Assignments and provisionings that stay IN_PROGRESS, and what AWS refuses meanwhile."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.center import ADMIN, INSTANCE, READ, Center
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, code

LONG = 30.0
REFERENCE = {"Name": "read", "Path": "/"}


def begun(center: Center, arn: str, principal: str, account: str = OTHER_ACCOUNT) -> str:
    """Begin an assignment; gives the request id."""
    answer = center.sso.create_account_assignment(**center.assignment(arn, principal, account))
    return str(answer["AccountAssignmentCreationStatus"]["RequestId"])


def creation(center: Center, request: str) -> str:
    found = center.sso.describe_account_assignment_creation_status(
        InstanceArn=INSTANCE, AccountAssignmentCreationRequestId=request
    )
    return str(found["AccountAssignmentCreationStatus"]["Status"])


def assigned(center: Center, arn: str) -> int:
    listed = center.sso.list_account_assignments(InstanceArn=INSTANCE, AccountId=OTHER_ACCOUNT, PermissionSetArn=arn)
    return len(listed["AccountAssignments"])


def test_an_assignment_is_in_progress_until_its_time_is_over(center: Center) -> None:
    arn = center.permission_set()
    center.aws.pace.provisioning_seconds = 0.3
    request = begun(center, arn, center.user("ann"))
    assert (creation(center, request), assigned(center, arn), center.roles()) == ("IN_PROGRESS", 0, [])
    center.aws_is_settled()
    assert (creation(center, request), assigned(center, arn), len(center.roles())) == ("SUCCEEDED", 1, 1)


def test_a_deletion_is_in_progress_until_its_time_is_over(center: Center) -> None:
    arn, ann = center.permission_set(), center.user("ann")
    center.assign(arn, ann)
    center.aws.pace.provisioning_seconds = 0.3
    answer = center.sso.delete_account_assignment(**center.assignment(arn, ann))["AccountAssignmentDeletionStatus"]
    assert (answer["Status"], assigned(center, arn), len(center.roles())) == ("IN_PROGRESS", 1, 1)
    center.aws_is_settled()
    assert (assigned(center, arn), center.roles()) == (0, [])


def test_a_provisioning_is_in_progress_until_its_time_is_over(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn, center.user("ann"))
    center.sso.put_inline_policy_to_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn, InlinePolicy=READ)
    center.aws.pace.provisioning_seconds = 0.3
    center.sso.provision_permission_set(
        InstanceArn=INSTANCE, PermissionSetArn=arn, TargetType="AWS_ACCOUNT", TargetId=OTHER_ACCOUNT
    )
    name = center.roles()[0]["RoleName"]
    assert center.iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    center.aws_is_settled()
    assert center.iam.list_role_policies(RoleName=name)["PolicyNames"] == ["AwsSSOInlinePolicy"]


CHANGES: dict[str, Callable[[Center, dict[str, Any], str], str]] = {
    "assign": lambda c, _, ann: code(c.sso.create_account_assignment, **c.assignment(_["PermissionSetArn"], ann)),
    "unassign": lambda c, _, ann: code(c.sso.delete_account_assignment, **c.assignment(_["PermissionSetArn"], ann)),
    "provision": lambda c, at, _: code(
        c.sso.provision_permission_set, **at, TargetType="AWS_ACCOUNT", TargetId=OTHER_ACCOUNT
    ),
    "provision everywhere": lambda c, at, _: code(
        c.sso.provision_permission_set, **at, TargetType="ALL_PROVISIONED_ACCOUNTS"
    ),
    "describe it": lambda c, at, _: code(c.sso.update_permission_set, **at, Description="other"),
    "inline policy": lambda c, at, _: code(c.sso.put_inline_policy_to_permission_set, **at, InlinePolicy=READ),
    "no inline policy": lambda c, at, _: code(c.sso.delete_inline_policy_from_permission_set, **at),
    "policy of AWS": lambda c, at, _: code(c.sso.attach_managed_policy_to_permission_set, **at, ManagedPolicyArn=ADMIN),
    "reference": lambda c, at, _: code(
        c.sso.attach_customer_managed_policy_reference_to_permission_set, **at, CustomerManagedPolicyReference=REFERENCE
    ),
    "delete": lambda c, at, _: code(c.sso.delete_permission_set, **at),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_of_a_permission_set_conflict_while_something_is_under_way(center: Center, change: str) -> None:
    arn, ann = center.permission_set(), center.user("ann")
    center.aws.pace.provisioning_seconds = LONG
    begun(center, arn, ann)
    assert CHANGES[change](center, {"InstanceArn": INSTANCE, "PermissionSetArn": arn}, ann) == "ConflictException"


def test_other_accounts_and_permission_sets_and_tags_do_not_conflict(center: Center) -> None:
    arn, other, ann = center.permission_set(), center.permission_set("Other"), center.user("ann")
    center.aws.pace.provisioning_seconds = LONG
    begun(center, arn, ann)
    assert code(center.sso.create_account_assignment, **center.assignment(arn, ann, ACCOUNT)) == "done"
    assert code(center.sso.create_account_assignment, **center.assignment(other, ann)) == "done"
    tags = [{"Key": "a", "Value": "1"}]
    assert code(center.sso.tag_resource, InstanceArn=INSTANCE, ResourceArn=arn, Tags=tags) == "done"


def test_a_new_reserved_role_is_no_principal_at_first(center: Center) -> None:
    center.aws.pace.new_role_seconds = 2.0
    arn = center.permission_set()
    request = begun(center, arn, center.user("ann"))
    while creation(center, request) == "IN_PROGRESS":
        pass
    statement = {"Effect": "Allow", "Principal": {"AWS": center.roles()[0]["Arn"]}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    wanted = {"RoleName": "trusting", "AssumeRolePolicyDocument": trust}
    assert code(center.iam.create_role, **wanted) == "MalformedPolicyDocument"
    center.aws_is_settled()
    assert code(center.iam.create_role, **wanted) == "done"


def test_a_reference_to_a_missing_policy_fails_the_provisioning_until_the_policy_is_there(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn, center.user("ann"))
    center.sso.attach_customer_managed_policy_reference_to_permission_set(
        InstanceArn=INSTANCE, PermissionSetArn=arn, CustomerManagedPolicyReference=REFERENCE
    )
    failed = center.provision(arn)
    assert (failed["Status"], "policy/read does not exist" in failed["FailureReason"]) == ("FAILED", True)
    policy = center.iam.create_policy(PolicyName="read", PolicyDocument=READ)["Policy"]["Arn"]
    assert center.provision(arn)["Status"] == "SUCCEEDED"
    assert code(center.iam.delete_policy, PolicyArn=policy) == "DeleteConflict"
    center.sso.detach_customer_managed_policy_reference_from_permission_set(
        InstanceArn=INSTANCE, PermissionSetArn=arn, CustomerManagedPolicyReference=REFERENCE
    )
    assert code(center.iam.delete_policy, PolicyArn=policy) == "DeleteConflict"
    assert center.provision(arn)["Status"] == "SUCCEEDED"
    assert code(center.iam.delete_policy, PolicyArn=policy) == "done"


def test_what_is_not_assigned_in_an_account_cannot_be_provisioned_there(center: Center) -> None:
    place = {"InstanceArn": INSTANCE, "PermissionSetArn": center.permission_set()}
    target = {"TargetType": "AWS_ACCOUNT", "TargetId": OTHER_ACCOUNT}
    assert code(center.sso.provision_permission_set, **place, **target) == "ResourceNotFoundException"


def test_ten_policies_fit_on_the_role_and_twenty_on_the_permission_set(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn, center.user("ann"))

    def attach(number: int) -> str:
        name = f"policy-{number}"
        center.iam.create_policy(PolicyName=name, PolicyDocument=READ)
        return code(
            center.sso.attach_customer_managed_policy_reference_to_permission_set,
            InstanceArn=INSTANCE,
            PermissionSetArn=arn,
            CustomerManagedPolicyReference={"Name": name},
        )

    assert [attach(number) for number in range(10)] == ["done"] * 10
    assert center.provision(arn)["Status"] == "SUCCEEDED"
    assert [attach(number) for number in range(10, 21)] == ["done"] * 10 + ["ServiceQuotaExceededException"]
    failed = center.provision(arn)
    assert (failed["Status"], "PoliciesPerRole" in failed["FailureReason"]) == ("FAILED", True)
