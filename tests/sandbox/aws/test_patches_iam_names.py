"""Names of IAM that differ in case only are one name."""

import json
from typing import Any

import pytest

from tests.sandbox.aws.center import READ
from tests.sandbox.aws.conftest import ClientOf, code

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


@pytest.mark.parametrize(
    ("method", "parameter", "more"),
    [
        ("create_role", "RoleName", {"AssumeRolePolicyDocument": TRUST}),
        ("create_user", "UserName", {}),
        ("create_group", "GroupName", {}),
        ("create_policy", "PolicyName", {"PolicyDocument": READ}),
        ("create_instance_profile", "InstanceProfileName", {}),
    ],
)
def test_a_name_in_other_case_or_at_another_path_is_taken(
    client: ClientOf, method: str, parameter: str, more: dict[str, Any]
) -> None:
    create = getattr(client("iam"), method)
    assert code(create, **{parameter: "Sales-Readers"}, **more) == "done"
    for name, path in (("Sales-Readers", "/"), ("sales-readers", "/"), ("SALES-READERS", "/other/")):
        assert code(create, **{parameter: name}, Path=path, **more) == "EntityAlreadyExists"
    assert code(create, **{parameter: "sales-readers-2"}, **more) == "done"


def test_a_new_name_in_other_case_is_taken_but_by_oneself(client: ClientOf) -> None:
    iam = client("iam")
    for name in ("ann", "bob"):
        iam.create_user(UserName=name)
    assert code(iam.update_user, UserName="bob", NewUserName="ANN") == "EntityAlreadyExists"
    assert code(iam.update_user, UserName="bob", NewUserName="Bob") == "done"


def test_a_policy_may_be_called_as_one_of_aws(client: ClientOf) -> None:
    iam = client("iam")
    iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert code(iam.create_policy, PolicyName="AmazonS3ReadOnlyAccess", PolicyDocument=READ) == "done"
