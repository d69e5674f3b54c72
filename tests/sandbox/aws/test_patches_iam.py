import json
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import ClientOf

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture
def iam(client: ClientOf) -> Any:
    return client("iam")


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def fill(iam: Any, count: int) -> str:
    """Users, groups with them, roles with one policy; gives the policy's ARN."""
    arn = str(iam.create_policy(PolicyName="read", PolicyDocument=ALLOW)["Policy"]["Arn"])
    iam.create_group(GroupName="all")
    for number in range(count):
        iam.create_user(UserName=f"user-{number}")
        iam.add_user_to_group(GroupName="all", UserName=f"user-{number}")
        iam.create_group(GroupName=f"group-{number}")
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName=f"role-{number}", PolicyArn=arn)
        iam.attach_user_policy(UserName=f"user-{number}", PolicyArn=arn)
        iam.attach_group_policy(GroupName=f"group-{number}", PolicyArn=arn)
    return arn


PAGED = [
    ("list_users", {}, "Users", 5),
    ("list_groups", {}, "Groups", 6),
    ("list_roles", {}, "Roles", 5),
    ("get_group", {"GroupName": "all"}, "Users", 5),
    ("list_entities_for_policy", {"PolicyArn": "READ", "EntityFilter": "Role"}, "PolicyRoles", 5),
    ("list_policy_versions", {"PolicyArn": "READ"}, "Versions", 4),
    ("list_role_policies", {"RoleName": "role-0"}, "PolicyNames", 4),
]


@pytest.mark.parametrize(("operation", "arguments", "key", "total"), PAGED)
def test_lists_come_in_pages(iam: Any, operation: str, arguments: dict[str, str], key: str, total: int) -> None:
    arn = fill(iam, 5)
    for number in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW)
        iam.put_role_policy(RoleName="role-0", PolicyName=f"inline-{number}", PolicyDocument=ALLOW)
    iam.put_role_policy(RoleName="role-0", PolicyName="inline-last", PolicyDocument=ALLOW)
    arguments = {name: value.replace("READ", arn) for name, value in arguments.items()}
    paginator = iam.get_paginator(operation)
    pages = list(paginator.paginate(**arguments, PaginationConfig={"PageSize": 2}))
    assert [len(page[key]) for page in pages] == [2] * (total // 2) + [1] * (total % 2)
    assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]
    items = [json.dumps(item, default=str) for page in pages for item in page[key]]
    assert len(set(items)) == total


def test_entities_of_all_kinds_share_the_pages(iam: Any) -> None:
    arn = fill(iam, 3)
    pages = list(iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, MaxItems=4))
    assert [sum(len(page[key]) for key in ("PolicyRoles", "PolicyUsers", "PolicyGroups")) for page in pages] == [
        4,
        4,
        1,
    ]
    assert {user["UserName"] for page in pages for user in page["PolicyUsers"]} == {"user-0", "user-1", "user-2"}


def test_account_details_page_across_users_groups_roles_and_policies(iam: Any) -> None:
    arn = fill(iam, 3)
    iam.attach_role_policy(RoleName="role-0", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(MaxItems=3))
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    assert [sum(len(page[name]) for name in lists) for page in pages] == [3, 3, 3, 3]
    policies = [policy for page in pages for policy in page["Policies"]]
    assert {policy["PolicyName"] for policy in policies} == {"read", "ReadOnlyAccess"}
    (own,) = (policy for policy in policies if policy["Arn"] == arn)
    assert own["PolicyId"].startswith("A")
    assert own["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"] == "s3:*"
    (role,) = (r for page in pages for r in page["RoleDetailList"] if r["RoleName"] == "role-0")
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert {p["PolicyName"] for p in role["AttachedManagedPolicies"]} == {"read", "ReadOnlyAccess"}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [(["User"], {"UserDetailList"}), (["LocalManagedPolicy"], {"Policies"}), (["AWSManagedPolicy"], set())],
)
def test_account_details_can_be_filtered(iam: Any, kinds: list[str], expected: set[str]) -> None:
    fill(iam, 1)
    answer = iam.get_account_authorization_details(Filter=kinds)
    lists = {"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"}
    assert {name for name in lists if answer[name]} == expected


def test_attaching_twice_counts_once(iam: Any) -> None:
    arn = fill(iam, 1)
    iam.attach_role_policy(RoleName="role-0", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 3


def test_an_attached_policy_is_not_deleted(iam: Any) -> None:
    arn = fill(iam, 0)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    with pytest.raises(ClientError) as caught:
        iam.delete_policy(PolicyArn=arn)
    assert code(caught) == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW, SetAsDefault=True)
    with pytest.raises(ClientError) as caught:
        iam.delete_policy(PolicyArn=arn)
    assert code(caught) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_group_with_users_is_not_deleted(iam: Any) -> None:
    fill(iam, 1)
    with pytest.raises(ClientError) as caught:
        iam.delete_group(GroupName="all")
    assert code(caught) == "DeleteConflict"


def test_a_user_with_groups_keys_or_a_password_is_not_deleted(iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="ann", Password="long-enough")
    for undo, arguments in (
        (iam.remove_user_from_group, {"GroupName": "team"}),
        (iam.delete_access_key, {"AccessKeyId": key}),
        (iam.delete_login_profile, {}),
    ):
        with pytest.raises(ClientError) as caught:
            iam.delete_user(UserName="ann")
        assert code(caught) == "DeleteConflict"
        undo(UserName="ann", **arguments)
    iam.delete_user(UserName="ann")
    assert iam.list_users()["Users"] == []


def test_updating_a_role_keeps_what_is_left_out(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="first", MaxSessionDuration=7200)
    iam.update_role(RoleName="r", Description="second")
    iam.update_role(RoleName="r")
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("second", 7200)


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"]
)
def test_aws_managed_policies_are_there_when_named(iam: Any, arn: str) -> None:
    assert iam.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn


@pytest.mark.parametrize("operation", ["ListRoles", "GetRole", "GetAccountAuthorizationDetails", "GetPolicyVersion"])
def test_documents_are_url_encoded_as_aws_sends_them(iam: Any, operation: str) -> None:
    arn = fill(iam, 1)
    sent: list[bytes] = []
    iam.meta.events.register("before-parse.iam.*", lambda response_dict, **_: sent.append(response_dict["body"]))
    arguments = {"GetRole": {"RoleName": "role-0"}, "GetPolicyVersion": {"PolicyArn": arn, "VersionId": "v1"}}
    getattr(iam, xform_name(operation))(**arguments.get(operation, {}))
    assert b"Statement%22%3A" in sent[0]
    assert b"Statement%2522" not in sent[0]
    assert b'Statement"' not in sent[0]
