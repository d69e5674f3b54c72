"""What buckets say of who may use them, over the wire: what is asked, and what stands where it is not answered."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.readers.bucket_policies import read_bucket_policies
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import S3Bucket, S3BucketPolicy
from raito_pipeline.sandbox.aws.faults import Fault, Kind
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage.cells import ReadStatus
from tests.aws.conftest import READ_ACCOUNT

HERE, THERE = "eu-west-1", "us-east-1"
BUCKETS = (
    S3Bucket("none", HERE, None, True, ()),
    S3Bucket("safe", HERE, None, True, ()),
    S3Bucket("open", THERE, None, True, ()),
    S3Bucket("skipped", HERE, None, False, ()),
    S3Bucket("lost", None, None, True, None),
)
OPTIONS = AccessOptions(regions=(HERE, THERE))
ON = {"RestrictPublicBuckets": True, "BlockPublicPolicy": False}


def document(effect: str, bucket: str, **more: Any) -> str:
    statement = {"Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **more}]})


TLS_ONLY = document("Deny", "safe", Condition={"Bool": {"aws:SecureTransport": "false"}})
PUBLIC = document("Allow", "open")


@pytest.fixture
def clients(emulated_aws: EmulatedAws) -> AwsClients:
    clients = AwsClients("there", attempts=1)
    for bucket in BUCKETS:
        place = {} if bucket.region != HERE else {"CreateBucketConfiguration": {"LocationConstraint": HERE}}
        clients.client("s3", bucket.region).create_bucket(Bucket=bucket.name, **place)  # type: ignore[arg-type]
    s3 = clients.client("s3", THERE)
    s3.put_bucket_policy(Bucket="safe", Policy=TLS_ONLY)
    s3.put_bucket_policy(Bucket="open", Policy=PUBLIC)
    s3.put_public_access_block(Bucket="open", PublicAccessBlockConfiguration=ON)  # type: ignore[arg-type]
    emulated_aws.calls.reset()
    return clients


def read(clients: AwsClients, *earlier: S3BucketPolicy, options: AccessOptions = OPTIONS) -> Read[S3BucketPolicy]:
    return read_bucket_policies(clients, READ_ACCOUNT, options, BUCKETS, earlier=earlier)


def asked(aws: EmulatedAws) -> Counter[str]:
    return Counter(call.operation for call in aws.calls)


SAFE = S3BucketPolicy("safe", None, TLS_ONLY, True, None, None, None)
NONE = S3BucketPolicy("none", None, None, True, None, None, None)
OPEN = S3BucketPolicy("open", None, PUBLIC, True, ("RestrictPublicBuckets",), (), False)


def test_each_bucket_that_is_a_data_object_has_a_row_and_costs_one_call(
    emulated_aws: EmulatedAws, clients: AwsClients
) -> None:
    found = read(clients)

    assert found.rows == (NONE, OPEN, SAFE)
    assert found.status is ReadStatus.COMPLETE
    # What nothing depends on is not asked for: the policy of one bucket allows something.
    once = {"GetPublicAccessBlock": 2, "GetBucketOwnershipControls": 1}
    assert asked(emulated_aws) == {"GetBucketPolicy": 3, **once}


def test_the_second_sync_asks_the_same_and_sees_what_changed(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    first = read(clients)
    clients.client("s3", HERE).delete_bucket_policy(Bucket="safe")
    emulated_aws.calls.reset()

    second = read(clients, *first.rows)

    assert second.rows == (NONE, OPEN, replace(SAFE, policy=None))
    assert asked(emulated_aws)["GetBucketPolicy"] == 3
    assert read(clients, *second.rows).rows == second.rows


def test_the_public_access_block_of_the_account_and_acls_that_are_off(clients: AwsClients) -> None:
    block: Any = {"IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    clients.client("s3control").put_public_access_block(AccountId=READ_ACCOUNT, PublicAccessBlockConfiguration=block)
    rules: Any = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    clients.client("s3").put_bucket_ownership_controls(Bucket="open", OwnershipControls=rules)
    clients.client("s3").delete_public_access_block(Bucket="open")

    (row,) = (row for row in read(clients).rows if row.bucket == "open")

    assert row.account_public_access_block == ("IgnorePublicAcls", "RestrictPublicBuckets")
    assert (row.public_access_block, row.acls_off) == ((), True)


def test_buckets_of_other_regions_are_not_asked(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    assert [row.bucket for row in read(clients, options=AccessOptions(regions=(THERE,))).rows] == ["open"]
    assert asked(emulated_aws)["GetBucketPolicy"] == 1


KINDS: tuple[Kind, ...] = ("deny", "throttle", "error", "page", "half", "empty")


@pytest.mark.parametrize("kind", KINDS)
def test_policies_that_cannot_be_read_are_as_before_and_it_is_said_once(
    emulated_aws: EmulatedAws, clients: AwsClients, kind: Kind
) -> None:
    before = read(clients)
    emulated_aws.faults.add(Fault(kind=kind, operation="GetBucketPolicy"))

    kept, never = read(clients, *before.rows), read(clients)

    assert kept.rows == before.rows
    assert [(row.policy, row.policy_read) for row in never.rows] == [(None, False)] * 3
    for found in (kept, never):
        assert found.status is ReadStatus.PARTIAL
        (line,) = found.problems
        assert "The same for 2 more" in line
        assert ("Grant s3:GetBucketPolicy" in line) == (kind == "deny")


@pytest.mark.parametrize(
    ("operation", "action", "column"),
    [
        ("GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", "public_access_block"),
        ("GetBucketOwnershipControls", "s3:GetBucketOwnershipControls", "acls_off"),
    ],
)
def test_what_else_cannot_be_read_of_a_bucket_is_as_before(
    emulated_aws: EmulatedAws, clients: AwsClients, operation: str, action: str, column: str
) -> None:
    before = read(clients)
    emulated_aws.faults.add(Fault(kind="deny", operation=operation, service="s3"))

    kept, never = read(clients, *before.rows), read(clients)

    assert kept.rows == before.rows
    assert never.rows == (NONE, replace(OPEN, **{column: None}), SAFE)
    assert [action in line for found in (kept, never) for line in found.problems] == [True, True]


def test_a_block_of_the_account_that_cannot_be_read_is_as_before(
    emulated_aws: EmulatedAws, clients: AwsClients
) -> None:
    before = read(clients)
    emulated_aws.faults.add(Fault(kind="deny", operation="GetPublicAccessBlock", service="s3control"))

    kept, never = read(clients, *before.rows), read(clients)

    assert kept.rows == before.rows
    assert never.rows == (NONE, replace(OPEN, account_public_access_block=None), SAFE)
    assert "Grant s3:GetAccountPublicAccessBlock" in never.problems[0]


def test_a_bucket_that_is_gone_since_it_was_listed_has_no_row(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    where: Any = {"kind": "error", "status": 404, "code": "NoSuchBucket", "service": "s3", "resource": "/open"}
    for operation in ("GetBucketPolicy", "GetPublicAccessBlock", "GetBucketOwnershipControls"):
        ordered = emulated_aws.faults.add(Fault(**where, operation=operation))
        assert read(clients, NONE, OPEN, SAFE).rows == (NONE, SAFE)
        emulated_aws.faults.remove(ordered)


def test_credentials_that_have_ended_leave_the_reader(emulated_aws: EmulatedAws, clients: AwsClients) -> None:
    emulated_aws.faults.add(Fault(kind="expired", operation="GetBucketPolicy"))
    with pytest.raises(AwsError):
        read(clients)
