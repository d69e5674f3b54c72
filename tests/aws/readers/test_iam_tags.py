"""Whose tags are worth a call: attached policies of the customer that may be about S3."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.readers.iam_tags import may_name_s3, tags_matter
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import IamPolicy
from tests.model.test_schema import example_row


def document(**statement: Any) -> str:
    return json.dumps({"Statement": [statement]})


S3 = document(Effect="Allow", Action="s3:GetObject", Resource="*")


@pytest.mark.parametrize(
    ("text", "may"),
    [
        (S3, True),
        (document(Action=["ec2:Run*", "S3:Get*"]), True),
        (document(Action="*"), True),
        (document(Action="s*:Get*"), True),
        (document(Action="?3:Get*"), True),
        (document(NotAction="ec2:*"), True),  # everything else, S3 too
        (document(Action="s3tables:GetTable"), False),
        (document(Action=["ec2:*", "iam:*"]), False),
        ('{"statement": {"action": "s3:*"}}', True),  # IAM takes members in any case, and one statement without a list
        ('{"statement": {"action": "ec2:*"}}', False),
        ('{"Statement": []}', False),
        ("no JSON", True),
        ("[]", True),
        ("{}", True),
        (document(Action=7), True),
    ],
)
def test_only_a_document_that_certainly_has_nothing_to_do_with_s3_is_told_apart(text: str, may: bool) -> None:
    assert may_name_s3(text) is may


POLICY = replace(example_row(IamPolicy, null=True), policy_name="p", aws_managed=False, attachment_count=1, document=S3)


@pytest.mark.parametrize(
    ("changes", "matter"),
    [
        ({}, True),
        ({"aws_managed": True}, False),
        ({"attachment_count": 0}, False),
        ({"policy_name": "excluded-1"}, False),
        ({"document": document(Action="ec2:*")}, False),
    ],
)
def test_whose_tags_matter(changes: dict[str, Any], matter: bool) -> None:
    options = IamOptions(aws_access_managed_policy_excludes=(NamePattern("excluded-.*"),))

    assert tags_matter(replace(POLICY, **changes), options) is matter
