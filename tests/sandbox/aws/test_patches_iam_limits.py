import json
from typing import Any

import pytest

from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, ClientOf, code


def allow(size: int = 0) -> str:
    """A policy document of at least `size` characters, with white space that does not count."""
    resources = ["arn:aws:s3:::" + "b" * max(1, size - 140)]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=8) + " " * 500


def trust(**more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


@pytest.fixture
def iam(aws: EmulatedAws, client: ClientOf) -> Any:
    aws.pace.new_role_seconds = 0.0
    iam = client("iam")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust())
    iam.create_user(UserName="user")
    iam.create_group(GroupName="group")
    return iam


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("create_role", {"RoleName": "r" * 64, "AssumeRolePolicyDocument": trust()}, "done"),
        ("create_role", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": trust()}, "ValidationError"),
        ("create_role", {"RoleName": "a/b", "AssumeRolePolicyDocument": trust()}, "ValidationError"),
        ("create_role", {"RoleName": "r", "AssumeRolePolicyDocument": trust(), "Path": "x/"}, "ValidationError"),
        ("create_role", {"RoleName": "r", "AssumeRolePolicyDocument": trust(), "Path": "/raito/x/"}, "done"),
        ("create_user", {"UserName": "ä"}, "ValidationError"),
        ("create_user", {"UserName": "ann+b=c,d.e@f-g_h"}, "done"),
        ("create_group", {"GroupName": "g" * 129}, "ValidationError"),
        ("create_policy", {"PolicyName": "p" * 129, "PolicyDocument": allow()}, "ValidationError"),
        ("create_policy", {"PolicyName": "p", "PolicyDocument": allow(6_000)}, "done"),
        ("create_policy", {"PolicyName": "p", "PolicyDocument": allow(6_300)}, "LimitExceeded"),
        ("create_policy", {"PolicyName": "p", "PolicyDocument": "{}"}, "MalformedPolicyDocument"),
        ("put_role_policy", {"RoleName": "role", "PolicyName": "p", "PolicyDocument": allow(10_000)}, "done"),
        ("put_role_policy", {"RoleName": "role", "PolicyName": "p", "PolicyDocument": allow(10_400)}, "LimitExceeded"),
        ("put_user_policy", {"UserName": "user", "PolicyName": "p", "PolicyDocument": allow(2_200)}, "LimitExceeded"),
        (
            "put_group_policy",
            {"GroupName": "group", "PolicyName": "p", "PolicyDocument": allow(5_300)},
            "LimitExceeded",
        ),
        ("put_role_policy", {"RoleName": "none", "PolicyName": "p", "PolicyDocument": allow()}, "NoSuchEntity"),
    ],
)
def test_names_and_sizes(iam: Any, method: str, arguments: dict[str, Any], expected: str) -> None:
    assert code(getattr(iam, method), **arguments) == expected


def test_inline_policies_of_one_entity_count_together(iam: Any) -> None:
    for name, expected in (("a", "done"), ("b", "done"), ("a", "done"), ("c", "LimitExceeded")):
        assert code(iam.put_role_policy, RoleName="role", PolicyName=name, PolicyDocument=allow(4_500)) == expected


@pytest.mark.parametrize("kind", ["Role", "User", "Group"])
def test_ten_managed_policies_can_be_attached(iam: Any, kind: str) -> None:
    attach = getattr(iam, f"attach_{kind.lower()}_policy")
    place = {f"{kind}Name": kind.lower()}
    arns = [iam.create_policy(PolicyName=f"p{number}", PolicyDocument=allow())["Policy"]["Arn"] for number in range(11)]
    assert [code(attach, PolicyArn=arn, **place) for arn in arns] == ["done"] * 10 + ["LimitExceeded"]
    assert code(attach, PolicyArn=arns[0], **place) == "done"


def test_five_versions_of_a_policy(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=allow())["Policy"]["Arn"]
    versions = [code(iam.create_policy_version, PolicyArn=arn, PolicyDocument=allow()) for _ in range(5)]
    assert versions == ["done"] * 4 + ["LimitExceeded"]
    assert code(iam.create_policy_version, PolicyArn=arn, PolicyDocument=allow(6_300)) == "LimitExceeded"


def test_ten_groups_of_a_user(iam: Any) -> None:
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    joined = [code(iam.add_user_to_group, UserName="user", GroupName=f"g{number}") for number in range(11)]
    assert joined == ["done"] * 10 + ["LimitExceeded"]


GOOD_TRUST = [
    trust(),
    trust(Principal="*"),
    trust(Principal={"AWS": OTHER_ACCOUNT}),
    trust(Principal={"AWS": [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:user/user"]}),
    trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/role"}),
    trust(Principal={"AWS": "arn:aws:iam::999999999999:role/elsewhere"}),
    trust(Principal={"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session"}),
    trust(Action=["sts:AssumeRole", "sts:TagSession"]),
]
BAD_TRUST = [
    "",
    "no json",
    "{}",
    "[]",
    allow(),
    trust(Action="s3:GetObject"),
    trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}),
    trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/path/role"}),
    trust(Principal={"AWS": "ann"}),
    trust(Resource="*"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(text, "done") for text in GOOD_TRUST] + [(text, "MalformedPolicyDocument") for text in BAD_TRUST[1:]],
)
def test_trust_policies(iam: Any, text: str, expected: str) -> None:
    assert code(iam.create_role, RoleName="new", AssumeRolePolicyDocument=text) == expected
    assert code(iam.update_assume_role_policy, RoleName="role", PolicyDocument=text) == expected


def test_a_long_trust_policy(iam: Any) -> None:
    text = trust(Principal={"AWS": [f"arn:aws:iam::{number:012}:root" for number in range(60)]})
    assert code(iam.create_role, RoleName="new", AssumeRolePolicyDocument=text) == "LimitExceeded"
