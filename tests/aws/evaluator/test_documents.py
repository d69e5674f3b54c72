"""Statements: what they are about."""

import json
from typing import Any

import pytest

from tests.aws.evaluator.documents import parse

CONTEXT = {"aws:username": ("carlos",)}
B, K = "arn:aws:s3:::b", "arn:aws:s3:::b/home/carlos/k"


def about(action: str, resource: str, version: str = "2012-10-17", **statement: Any) -> bool:
    text = json.dumps({"Version": version, "Statement": {"Effect": "Allow", **statement}})
    (rule,) = parse(text).rules
    return rule.is_about(action, resource, CONTEXT)


@pytest.mark.parametrize(
    ("action", "resource", "statement", "fits"),
    [
        ("s3:GetObject", K, {"Action": "S3:getobject", "Resource": "*"}, True),
        ("s3:GetObject", K, {"Action": "s3:?etObject", "Resource": f"{B}/*"}, True),
        ("s3:GetObject", K, {"Action": "s3:*Object", "Resource": B}, False),
        ("s3:GetObject", K, {"NotAction": ["s3:Put*", "iam:*"], "Resource": "*"}, True),
        ("s3:PutObject", K, {"NotAction": ["s3:Put*", "iam:*"], "Resource": "*"}, False),
        ("s3:ListBucket", B, {"Action": "s3:*", "NotResource": f"{B}/*"}, True),
        ("s3:GetObject", K, {"Action": "s3:*", "NotResource": f"{B}/*"}, False),
        ("s3:GetObject", K, {"Action": "s3:*", "Resource": f"{B}/home/${{aws:username}}/*"}, True),
        ("s3:GetObject", K, {"Action": "s3:*", "Resource": f"{B}/home/${{aws:userid}}/*"}, False),
        ("s3:GetObject", K, {"Action": "s3:*", "NotResource": f"{B}/home/${{aws:userid}}/*"}, False),
        ("s3:GetObject", K, {"Effect": "Deny", "Action": "*", "NotResource": f"{B}/${{aws:userid}}/*"}, True),
        ("s3:GetObject", K, {"Effect": "Deny", "Action": "*", "NotResource": [f"{B}/${{aws:userid}}/*", "*"]}, False),
        ("s3:GetObject", K, {"Action": "s3:*", "Resource": "*", "Condition": {}}, True),
        ("s3:GetObject", K, {"Action": "s3:*", "Resource": "*", "Condition": {"Odd": {"k": "v"}}}, False),
        (
            "s3:GetObject",
            K,
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Odd": {"k": ""}}},
            True,
        ),
    ],
)
def test_what_a_statement_is_about(action: str, resource: str, statement: dict[str, Any], fits: bool) -> None:
    assert about(action, resource, **statement) is fits


def test_the_old_version_has_no_variables() -> None:
    statement = {"Action": "s3:*", "Resource": f"{B}/home/${{aws:username}}/*"}
    assert not about("s3:GetObject", K, "2008-10-17", **statement)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "\ufeff{}",
        '{"Statement": [{"Effect": "Allow", "Effect": "Deny", "Action": "*"}]}',
        '{"Statement": [1]}',
    ],
)
def test_what_aws_would_not_store_says_nothing(text: str) -> None:
    assert parse(text).rules == ()
