"""The policy of the storage, enforced: all that is done with tables works under it, and each right of it is needed."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from raito_pipeline.model import S3Bucket
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import StorageError, Store
from raito_pipeline.storage.lease import Leases
from raito_pipeline.storage.policy import storage_policy
from raito_pipeline.storage.probe import require_writable
from tests.aws_actions import actions_in, actions_of, enforceable

from .conftest import BUCKET
from .sample_rows import sample_rows

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACCOUNT, USER = "111122223333", "stores-tables"
LOCATION = f"s3://{BUCKET}/limited/raito"
ROWS = sample_rows(S3Bucket, 3)


@pytest.fixture
def limited(aws: EmulatedAws, s3: "S3Client") -> Iterator[Callable[[Any], None]]:
    """The default profile is a user who may do what a policy says; gives what changes that policy."""
    assert s3
    key, secret = create_limited_credentials(ACCOUNT, {"all": storage_policy(LOCATION)}, USER)
    file = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    enforce_iam(aws, True)
    try:
        yield lambda policy: iam_of(ACCOUNT).put_user_policy(USER, "all", json.dumps(policy))
    finally:
        enforce_iam(aws, False)
        iam_of(ACCOUNT).delete_user_policy(USER, "all")
        for each in iam_of(ACCOUNT).list_access_keys(USER):
            iam_of(ACCOUNT).delete_access_key(each.access_key_id, USER)
        iam_of(ACCOUNT).delete_user(USER)


def everything(location: str) -> None:
    """All that a sync, a check and a region that goes do with the storage."""
    store = Store.open(location, "run-1", "sync-1").for_a_run()
    require_writable(store)
    with Leases(location).acquire(ACCOUNT, "sync-1", "run-1", "layer account") as lease:
        assert store.info("s3_bucket_policies", ACCOUNT) is None
        store.write("s3_buckets", ROWS, ACCOUNT)
        assert list(store.rows(S3Bucket, ACCOUNT)) == ROWS
        store.confirm("s3_buckets", ACCOUNT)
        store.write("data_objects", [], ACCOUNT, "eu-west-1")
        assert store.regions("data_objects", ACCOUNT) == ["eu-west-1"]
        store.remove("data_objects", ACCOUNT, "eu-west-1")
        for ended in (True, False):
            sink = store.files.sink(f"{store.root}/large")
            sink.stream.write(b"x" * 9 * 2**20)
            sink.commit() if ended else sink.discard()
        assert len(store.files.read(f"{store.root}/large") or b"") == 9 * 2**20
        store.flush()
        lease.check()


def test_everything_works_under_the_policy_and_uses_each_right_of_it(
    limited: Callable[[Any], None], aws: EmulatedAws
) -> None:
    policy, mark = storage_policy(LOCATION), aws.calls.mark
    limited(enforceable(policy))

    everything(LOCATION)

    calls = aws.calls.since(mark)
    assert [call.operation for call in calls if call.status == 403] == []
    assert actions_of(calls) == actions_in(policy)


def test_nothing_beside_the_prefix_can_be_written(limited: Callable[[Any], None]) -> None:
    limited(enforceable(storage_policy(LOCATION)))
    for elsewhere in (f"s3://{BUCKET}/limited/other", f"s3://{BUCKET}/limited/raito2"):
        with pytest.raises(StorageError, match="s3:PutObject"):
            Store.open(elsewhere).write("s3_buckets", [], ACCOUNT)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"])
def test_a_right_that_is_taken_away_is_named(limited: Callable[[Any], None], action: str) -> None:
    limited(enforceable(storage_policy(LOCATION), without=action))
    with pytest.raises(Exception, match=r"could not be|cannot be"):
        everything(LOCATION)


def test_a_whole_bucket_and_another_partition() -> None:
    text = json.dumps(storage_policy("s3://tables?profile=ours", "aws-cn"))
    assert '"arn:aws-cn:s3:::tables/*"' in text
    assert "Condition" not in text
