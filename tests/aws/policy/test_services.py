"""Access through a service of AWS alone: claimed, with a note, where a service can hold what the conditions ask."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.services import allowed_through_services, asks_for_services

from .test_allows import SCOPE

ATHENA = "athena.amazonaws.com"


def allow(condition: dict[str, Any], resource: str = "arn:aws:s3:::data/*") -> Statement:
    content = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource, "Condition": condition}
    (statement,) = read_document(json.dumps({"Version": "2012-10-17", "Statement": content})).statements
    return statement


def given(condition: dict[str, Any], resource: str = "arn:aws:s3:::data/*") -> tuple[set[str], list[Code]]:
    claims, reasons = allowed_through_services(allow(condition, resource), SCOPE)
    return {claim.target.bucket for claim in claims}, [reason.code for reason in reasons]


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAnyValue:StringEquals": {"aws:CalledVia": ATHENA}},
        {"ForAnyValue:StringEquals": {"AWS:calledvia": ["glue.amazonaws.com", ATHENA]}},
        {"ForAnyValue:StringLike": {"aws:CalledVia": "athena.*"}},
        {"StringEquals": {"aws:CalledViaFirst": ATHENA}},
        {"StringEquals": {"aws:CalledViaLast": "athena.amazonaws.com.cn"}},
        {"StringEquals": {"aws:CalledViaFirst": ATHENA, "aws:CalledViaLast": ATHENA}},
        {"Bool": {"aws:ViaAWSService": "true"}},
        {"Null": {"aws:CalledVia": "false"}},
        {"ForAnyValue:StringNotEquals": {"aws:CalledVia": ATHENA}},
        {"Bool": {"aws:ViaAWSService": "true"}, "StringEquals": {"aws:ResourceAccount": "111122223333"}},
    ],
)
def test_what_a_service_can_hold_is_claimed_with_a_note(condition: dict[str, Any]) -> None:
    assert given(condition) == ({"data"}, [Code.NOTE])


def test_the_note_says_which_calls() -> None:
    _, (note,) = allowed_through_services(allow({"ForAnyValue:StringEquals": {"aws:CalledVia": ATHENA}}), SCOPE)

    assert note.text == (
        "Condition (ForAnyValue:StringEquals aws:CalledVia athena.amazonaws.com): it gives access only to calls that a "
        "service of AWS makes for whoever has it"
    )


def test_over_tls_through_a_service_has_a_note_for_each() -> None:
    both = {"Bool": {"aws:ViaAWSService": "true", "aws:SecureTransport": "true"}}

    assert given(both) == ({"data"}, [Code.NOTE, Code.NOTE])


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAnyValue:StringEquals": {"aws:CalledVia": "athena"}},
        {"StringEquals": {"aws:ViaAWSService": ATHENA}},
        {"StringEquals": {"aws:CalledViaFirst": ATHENA}, "Bool": {"aws:ViaAWSService": "false"}},
        {"Bool": {"aws:ViaAWSService": "true", "aws:SecureTransport": "false"}},
        {"Bool": {"aws:ViaAWSService": "true"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}},
        {"StringEquals": {"aws:CalledViaFirst": "${aws:PrincipalTag/service}"}},
    ],
    ids=["no service", "no truth value", "both ways", "without TLS", "a network", "a variable"],
)
def test_what_no_service_or_not_only_a_service_decides_is_not_claimed(condition: dict[str, Any]) -> None:
    assert given(condition) == (set(), [Code.NARROWER])


def test_what_ordinary_calls_have_needs_no_service() -> None:
    assert given({"Bool": {"aws:ViaAWSService": "false"}}) == ({"data"}, [Code.NOTE])
    assert given({"ForAllValues:StringEquals": {"aws:CalledVia": ATHENA}}) == ({"data"}, [Code.NOTE])
    assert not asks_for_services(allow({"Bool": {"aws:SecureTransport": "true"}}))


def test_what_a_service_gives_on_no_bucket_has_the_reason_of_the_resource() -> None:
    condition = {"Bool": {"aws:ViaAWSService": "true"}}

    assert given(condition, "arn:aws:s3:::elsewhere/*") == (set(), [Code.NARROWER, Code.NOTE])
