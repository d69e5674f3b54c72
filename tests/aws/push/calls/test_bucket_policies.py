"""Policies of buckets: read, none, and not read, which are three answers."""

from datetime import UTC, datetime

import pytest

from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.model import S3Bucket
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import World
from tests.aws.push.points import arrange


def bucket(name: str, region: str | None = "us-east-1") -> S3Bucket:
    return S3Bucket(name, region, datetime(2026, 1, 1, tzinfo=UTC), True, ())


def test_a_policy_is_read_or_there_is_none_or_it_says_why_not(world: World) -> None:
    there = arrange(world)
    there.delegate()
    listed = [bucket("data"), bucket("far", "eu-west-1"), bucket("gone"), bucket("somewhere", None)]

    rows = read_bucket_policies(there.world.clients, listed)

    assert [(row.name, bool(row.policy), bool(row.problem)) for row in rows] == [
        ("data", True, False),
        ("far", False, False),
        ("gone", False, True),
    ]
    world.aws.faults.add(Fault(kind="deny", operation="GetBucketPolicy", times=1))
    (denied,) = read_bucket_policies(there.world.clients, listed[:1])
    assert "Grant s3:GetBucketPolicy on arn:aws:s3:::data" in (denied.problem or "")


def test_credentials_that_have_ended_are_no_matter_of_one_bucket(world: World) -> None:
    there = arrange(world)
    world.aws.faults.add(Fault(kind="expired", operation="GetBucketPolicy"))
    with pytest.raises(AwsCredentialsInvalid):
        read_bucket_policies(there.world.clients, [bucket("data")])
