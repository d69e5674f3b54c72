"""Conditions on the tags of buckets, told apart by the buckets that a call may be about."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.policy import Document, read_document
from raito_pipeline.aws.policy.bucket_tags import by_bucket_tags
from raito_pipeline.aws.policy.facts import BucketTags
from tests.aws.access.conftest import Told, allow, document, what
from tests.aws.evaluator.conditions import UnknownOperator, hold
from tests.aws.evaluator.patterns import Unresolved

BUCKETS: dict[str, BucketTags | None] = {
    "plain": {},
    "red": {"team": ("red",)},
    "both": {"team": ("red", "blue")},
    "unknown": None,
}
IS_RED = {"StringEquals": {"aws:ResourceTag/Team": "red"}}


def statement(condition: Any, **more: Any) -> Document:
    content = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*", "Condition": condition}
    return read_document(json.dumps({"Version": "2012-10-17", "Statement": {**content, **more}}))


def left(read: Document) -> list[str]:
    """The resources that the one statement is about afterwards, by bucket."""
    (one,) = by_bucket_tags(read, BUCKETS, "aws").statements
    assert one.conditions == read.statements[0].conditions
    return [each.removeprefix("arn:aws:s3:::") for each in one.resources or ()]


@pytest.mark.parametrize(
    ("condition", "buckets"),
    [
        (IS_RED, ["red", "both", "unknown"]),
        ({"StringEquals": {"s3:BucketTag/team": "blue"}}, ["both", "unknown"]),
        ({"StringLike": {"aws:ResourceTag/team": "*"}}, ["red", "both", "unknown"]),
        ({"Null": {"aws:ResourceTag/team": "false"}}, ["red", "both", "unknown"]),
        ({"StringNotEquals": {"aws:ResourceTag/team": "red"}}, ["plain", "red", "both", "unknown"]),
        ({"StringEqualsIfExists": {"aws:ResourceTag/team": "green"}}, ["plain", "red", "both", "unknown"]),
    ],
)
def test_the_buckets_go_in_which_it_never_holds(condition: Any, buckets: list[str]) -> None:
    assert left(statement(condition)) == [text for name in buckets for text in (name, f"{name}/*")]


@pytest.mark.parametrize(
    ("resource", "resources"),
    [
        ("arn:aws:s3:::red/a/*", ["red/a/*"]),
        ("arn:aws:s3:::plain/a/*", []),
        ("arn:aws:s3:::p*", []),
        ("arn:aws:s3:::r*", ["red", "red/*"]),
        ("arn:aws:s3:::*/a", [f"{name}/{key}" for name in ("red", "both", "unknown") for key in ("*/a", "a")]),
        ("arn:aws:s3:::of-others/*", ["of-others/*"]),
        (["arn:aws:s3:::plain/*", "arn:aws:s3:::x-*"], ["x-*"]),
    ],
)
def test_what_is_left_of_resources(resource: Any, resources: list[str]) -> None:
    assert sorted(left(statement(IS_RED, Resource=resource))) == sorted(resources)


@pytest.mark.parametrize(
    "more",
    [
        {"Effect": "Deny"},
        {"Resource": "*"},
        {"Resource": "arn:aws:s3:*"},
        {"Resource": "arn:aws:s3:::${aws:username}/*"},
        {"Action": "s3:*"},
        {"Action": "s3:ListAllMyBuckets"},
        {"Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "green"}}},
    ],
    ids=str,
)
def test_what_may_be_about_more_than_buckets_stays_as_it_is(more: dict[str, Any]) -> None:
    read = statement(**{"condition": IS_RED, **more})

    assert by_bucket_tags(read, BUCKETS, "aws") == read


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "Null", "Bool"]),
    st.sampled_from(["", "IfExists"]),
    st.sampled_from(["", "ForAnyValue:", "ForAllValues:"]),
    st.lists(st.sampled_from(["red", "r*", "blue", "true", "false"]), min_size=1, max_size=2),
)
def test_a_bucket_that_goes_is_in_no_call_of_the_evaluator(name: str, end: str, every: str, wanted: list[str]) -> None:
    condition = {name if name == "Null" else f"{every}{name}{end}": {"aws:ResourceTag/team": wanted}}
    kept = left(statement(condition))
    for bucket, tags in BUCKETS.items():
        if bucket not in kept and tags is not None:
            for values in ((), *((value,) for value in tags.get("team", ()))):
                try:
                    assert not hold(condition, {"aws:resourcetag/team": values} if values else {}, variables=True)
                except (Unresolved, UnknownOperator):
                    continue


def test_an_access_point_has_tags_of_its_own() -> None:
    """The tags of the access point may be what counts in calls through it."""
    told = (
        Told().user("ann").inline("user:ann", "p", document(allow("s3:GetObject", "arn:aws:s3:::*", Condition=IS_RED)))
    )
    (row,) = told.build().values()
    assert (what(row), row.incomplete) == ({}, False)

    (row,) = told.point("q").build().values()
    assert (what(row), row.incomplete) == ({}, True)
