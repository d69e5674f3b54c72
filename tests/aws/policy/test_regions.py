"""Conditions on the region of a call, told apart by the buckets that it may be about."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy import Document, read_document
from raito_pipeline.aws.policy.regions import by_region

BUCKETS = {"home": "eu-west-1", "away": "us-east-1", "unknown": None}
KNOWN = {name: region for name, region in BUCKETS.items() if region}
GUARD = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
WITHIN = {"StringEquals": {"AWS:requestedregion": "eu-west-1"}}
OTHER = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}


def document(effect: str, condition: Any, **more: Any) -> Document:
    statement = {"Sid": "S", "Effect": effect, "Action": "s3:*", "Resource": "*", "Condition": condition, **more}
    if "NotAction" in more:
        del statement["Action"]
    if "NotResource" in more:
        del statement["Resource"]
    return read_document(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def told(document: Document, buckets: dict[str, str | None]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """For each statement: whether it is about buckets or the account, its resources by bucket, its conditions."""
    found = []
    for statement in by_region(document, buckets, "aws").statements:
        wide = "s3:ListAllMyBuckets" in (statement.actions or ())
        resources = tuple(each.removeprefix("arn:aws:s3:::") for each in statement.resources or ())
        found.append(("account" if wide else "buckets", resources, tuple(c.label for c in statement.conditions)))
        assert statement.label == "statement 1 (S)"
    return found


def both(bucket: str) -> tuple[str, ...]:
    return (bucket, f"{bucket}/*")


GUARDED = "StringNotEquals aws:RequestedRegion"
CASES: dict[str, tuple[Document, dict[str, Any], list[Any]]] = {
    "a guard denies what is away": (document("Deny", GUARD), KNOWN, [("buckets", both("away"), ())]),
    "a guard denies nothing at home": (document("Deny", GUARD), {"home": "eu-west-1"}, []),
    "a guard where everything is away": (
        document("Deny", GUARD), {"away": "us-east-1"},
        [("buckets", both("away"), ()), ("account", ("*",), (GUARDED,))],
    ),
    "a bucket of a region that is not known keeps the condition": (
        document("Deny", GUARD), BUCKETS, [("buckets", both("away"), ()), ("buckets", both("unknown"), (GUARDED,))],
    ),
    "other conditions stay": (
        document("Deny", {**GUARD, **OTHER}), KNOWN, [("buckets", both("away"), ("Bool aws:MultiFactorAuthPresent",))],
    ),
    "an Allow gives what is within, and what is about no bucket": (
        document("Allow", WITHIN), KNOWN, [("buckets", both("home"), ()), ("account", ("*",), ())],
    ),
    "resources that name buckets": (
        document("Deny", GUARD, Resource=["arn:aws:s3:::away/x/*", "arn:aws:s3:::home/*"]), KNOWN,
        [("buckets", ("away/x/*",), ())],
    ),
    "buckets of others, of which an Allow keeps the condition": (
        document("Allow", WITHIN, Action="s3:GetObject", Resource=[
            "arn:aws:s3:::home/*", "arn:aws:s3:::away/*", "arn:aws:s3:::sister/x/*",
        ]),
        KNOWN, [("buckets", ("home/*",), ()), ("buckets", ("sister/x/*",), ("StringEquals AWS:requestedregion",))],
    ),
    "a Deny of buckets of others is about nothing here": (
        document("Deny", GUARD, Resource="arn:aws:s3:::sister/*"), KNOWN, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_condition_on_the_region_is_told_apart_by_bucket(case: str) -> None:
    given, buckets, wanted = CASES[case]
    assert told(given, buckets) == wanted


STAYS = {
    "nothing of S3": document("Deny", GUARD, NotAction=["s3:*", "iam:*"]),
    "another service alone": document("Allow", GUARD, Action=["ec2:*", "sts:AssumeRole"]),
    "no such condition": document("Deny", OTHER),
    "buckets by a wildcard": document("Deny", GUARD, Resource="arn:aws:s3:::da*"),
    "everything but": document("Deny", GUARD, NotResource="arn:aws:s3:::home/*"),
    "another service": document("Deny", GUARD, Resource="arn:aws:s3:eu-west-1:111122223333:accesspoint/*"),
}


@pytest.mark.parametrize("case", STAYS)
def test_what_cannot_be_told_apart_stays_as_it_is(case: str) -> None:
    assert by_region(STAYS[case], KNOWN, "aws") == STAYS[case]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_the_right_to_assume_roles_keeps_its_condition(effect: str) -> None:
    both = by_region(document(effect, GUARD, Action=["s3:GetObject", "sts:*"]), KNOWN, "aws")
    kept = both.statements[-1]
    assert (kept.actions, kept.resources) == (("sts:AssumeRole",), ("*",))
    assert [condition.label for condition in kept.conditions] == [GUARDED]
    assert len(both.statements) == 2
