import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home
from tests.sandbox.aws.center import ADMIN, INSTANCE, READ, STORE, Center
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf


def test_only_the_home_has_an_instance(center: Center, client: ClientOf) -> None:
    (instance,) = center.sso.list_instances()["Instances"]
    assert (instance["InstanceArn"], instance["IdentityStoreId"]) == (INSTANCE, STORE)
    assert center.sso.describe_instance(InstanceArn=INSTANCE)["OwnerAccountId"] == ACCOUNT
    assert client("sso-admin", ACCOUNT, "us-east-1").list_instances()["Instances"] == []
    assert client("sso-admin", OTHER_ACCOUNT).list_instances()["Instances"] == []


@pytest.mark.parametrize(("region", "path"), [("us-east-1", ""), (REGION, f"{REGION}/")])
def test_an_assignment_makes_the_role_in_the_account(center: Center, client: ClientOf, region: str, path: str) -> None:
    set_identity_center_home(ACCOUNT, region, INSTANCE, STORE)
    center.sso, center.store = client("sso-admin", region=region), client("identitystore", region=region)
    arn = center.permission_set()
    center.sso.put_inline_policy_to_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn, InlinePolicy=READ)
    center.sso.attach_managed_policy_to_permission_set(
        InstanceArn=INSTANCE, PermissionSetArn=arn, ManagedPolicyArn=ADMIN
    )
    assert center.roles() == []
    assert center.assign(arn, center.user("ann"))["Status"] == "SUCCEEDED"
    assert center.assign(arn, center.user("bob"))["Status"] == "SUCCEEDED"
    (role,) = center.roles()
    assert role["Path"] == f"/aws-reserved/sso.amazonaws.com/{path}"
    name, _, suffix = role["RoleName"].rpartition("_")
    assert name == "AWSReservedSSO_Analyst"
    assert len(suffix) == 16
    assert set(suffix) <= set("0123456789abcdef")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == ["sts:AssumeRoleWithSAML", "sts:TagSession"]
    provider = statement["Principal"]["Federated"]
    assert provider.startswith(f"arn:aws:iam::{OTHER_ACCOUNT}:saml-provider/AWSSSO_")
    assert provider.endswith("_DO_NOT_DELETE")
    inline = center.iam.get_role_policy(RoleName=role["RoleName"], PolicyName="AwsSSOInlinePolicy")
    assert inline["PolicyDocument"] == json.loads(READ)
    attached = center.iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [ADMIN]


def test_the_role_goes_with_the_last_assignment(center: Center) -> None:
    arn, ann, bob = center.permission_set(), center.user("ann"), center.user("bob")
    for principal in (ann, bob, bob):
        center.assign(arn, principal)
    listed = center.sso.list_account_assignments(InstanceArn=INSTANCE, AccountId=OTHER_ACCOUNT, PermissionSetArn=arn)
    assert len(listed["AccountAssignments"]) == 2
    with pytest.raises(center.sso.exceptions.ConflictException):
        center.sso.delete_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn)
    for principal, left in ((ann, 1), (bob, 0)):
        answer = center.sso.delete_account_assignment(**center.assignment(arn, principal))
        request = answer["AccountAssignmentDeletionStatus"]["RequestId"]
        center.aws_is_settled()
        status = center.sso.describe_account_assignment_deletion_status(
            InstanceArn=INSTANCE, AccountAssignmentDeletionRequestId=request
        )
        assert status["AccountAssignmentDeletionStatus"]["Status"] == "SUCCEEDED"
        assert len(center.roles()) == left
    center.sso.delete_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn)


def test_changes_reach_the_accounts_when_they_are_provisioned(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn, center.user("ann"))
    center.sso.put_inline_policy_to_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn, InlinePolicy=READ)
    name = center.roles()[0]["RoleName"]
    assert center.iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    assert center.provision(arn)["Status"] == "SUCCEEDED"
    assert center.iam.list_role_policies(RoleName=name)["PolicyNames"] == ["AwsSSOInlinePolicy"]
    assert center.roles()[0]["RoleName"] == name


def test_a_customer_managed_policy_has_to_be_in_the_account(center: Center) -> None:
    arn, ann = center.permission_set(), center.user("ann")
    center.sso.attach_customer_managed_policy_reference_to_permission_set(
        InstanceArn=INSTANCE, PermissionSetArn=arn, CustomerManagedPolicyReference={"Name": "read", "Path": "/raito/"}
    )
    failed = center.assign(arn, ann)
    assert failed["Status"] == "FAILED"
    assert "policy/raito/read does not exist" in failed["FailureReason"]
    assert center.roles() == []
    center.iam.create_policy(PolicyName="read", Path="/raito/", PolicyDocument=READ)
    assert center.assign(arn, ann)["Status"] == "SUCCEEDED"
    assert len(center.roles()) == 1


def test_an_unknown_principal_cannot_be_assigned(center: Center) -> None:
    assert center.assign(center.permission_set(), "00000000-0000-0000-0000-000000000000")["Status"] == "FAILED"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"Name": "Analyst"}, "ConflictException"),
        ({"Name": "has space"}, "ValidationException"),
        ({"Name": "x" * 33}, "ValidationException"),
        ({"Name": "Other", "SessionDuration": "3600"}, "ValidationException"),
        ({"Name": "Other", "SessionDuration": "PT13H"}, "ValidationException"),
        ({"Name": "Other", "InstanceArn": INSTANCE[:-1] + "9"}, "ResourceNotFoundException"),
    ],
)
def test_bad_permission_sets_are_refused(center: Center, arguments: dict[str, str], expected: str) -> None:
    center.permission_set()
    with pytest.raises(ClientError) as caught:
        center.sso.create_permission_set(**{"InstanceArn": INSTANCE, **arguments})
    assert caught.value.response["Error"]["Code"] == expected


def test_session_durations_are_strings_and_an_update_clears_what_it_leaves_out(center: Center) -> None:
    more = {"SessionDuration": "PT8H", "RelayState": "https://example.com"}
    arn, long = center.permission_set(), center.permission_set("Long", Description="first", **more)

    def described(of: str) -> Mapping[str, Any]:
        found = center.sso.describe_permission_set(InstanceArn=INSTANCE, PermissionSetArn=of)["PermissionSet"]
        return dict(found)

    assert (described(arn)["SessionDuration"], described(long)["SessionDuration"]) == ("PT1H", "PT8H")
    center.sso.update_permission_set(InstanceArn=INSTANCE, PermissionSetArn=long, Description="second")
    left = described(long)
    assert (left["Description"], left["SessionDuration"], left.get("RelayState")) == ("second", "PT1H", None)


def test_permission_sets_carry_tags(center: Center) -> None:
    arn = center.permission_set(Tags=[{"Key": "a", "Value": "1"}])
    center.sso.tag_resource(
        InstanceArn=INSTANCE, ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}]
    )
    center.sso.untag_resource(InstanceArn=INSTANCE, ResourceArn=arn, TagKeys=["b"])
    tags = center.sso.list_tags_for_resource(InstanceArn=INSTANCE, ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "a", "Value": "2"}]


def test_permissions_boundaries(center: Center) -> None:
    arn = center.permission_set()
    place = {"InstanceArn": INSTANCE, "PermissionSetArn": arn}
    with pytest.raises(center.sso.exceptions.ResourceNotFoundException):
        center.sso.get_permissions_boundary_for_permission_set(**place)
    center.sso.put_permissions_boundary_to_permission_set(**place, PermissionsBoundary={"ManagedPolicyArn": ADMIN})
    found = center.sso.get_permissions_boundary_for_permission_set(**place)
    assert found["PermissionsBoundary"] == {"ManagedPolicyArn": ADMIN}
    center.assign(arn, center.user("ann"))
    role = center.iam.get_role(RoleName=center.roles()[0]["RoleName"])["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == ADMIN


def test_where_permission_sets_are_provisioned_comes_in_pages(center: Center) -> None:
    arns = sorted(center.permission_set(f"Set{number}") for number in range(3))
    ann = center.user("ann")
    for arn in arns:
        center.assign(arn, ann)
    center.assign(arns[0], ann, ACCOUNT)
    pager = center.sso.get_paginator("list_permission_sets_provisioned_to_account")
    pages = list(pager.paginate(InstanceArn=INSTANCE, AccountId=OTHER_ACCOUNT, PaginationConfig={"PageSize": 2}))
    assert [page["PermissionSets"] for page in pages] == [arns[:2], arns[2:]]
    accounts = center.sso.list_accounts_for_provisioned_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arns[0])
    assert accounts["AccountIds"] == [ACCOUNT, OTHER_ACCOUNT]


def test_memberships_are_single_and_go_with_their_user(center: Center) -> None:
    ann = center.user("ann")
    group = center.store.create_group(IdentityStoreId=STORE, DisplayName="all")["GroupId"]
    membership = {"IdentityStoreId": STORE, "GroupId": group, "MemberId": {"UserId": ann}}
    center.store.create_group_membership(**membership)
    with pytest.raises(center.store.exceptions.ConflictException):
        center.store.create_group_membership(**membership)
    center.store.delete_user(IdentityStoreId=STORE, UserId=ann)
    left = center.store.list_group_memberships(IdentityStoreId=STORE, GroupId=group)
    assert left["GroupMemberships"] == []
