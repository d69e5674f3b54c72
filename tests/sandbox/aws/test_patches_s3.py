import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf, code

BUCKET = "bucket-one"
KEYS = st.lists(st.text("ab/ +&é<", min_size=1, max_size=5), unique=True, max_size=25)


@pytest.fixture
def s3(client: ClientOf) -> Any:
    s3 = client("s3")
    make(s3, BUCKET)
    return s3


def make(s3: Any, name: str, region: str = REGION) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})


def fill(s3: Any, names: list[str]) -> None:
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=name, Body=name.encode())


def listed(s3: Any, size: int, **arguments: Any) -> tuple[list[str], list[str], list[int]]:
    """Keys, common prefixes and the lengths of the pages, over all pages of ListObjectsV2."""
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=BUCKET, PaginationConfig={"PageSize": size}, **arguments))
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    prefixes = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
    return keys, prefixes, [page["KeyCount"] for page in pages]


def expected(names: list[str], prefix: str, delimiter: str, start_after: str) -> tuple[list[str], list[str]]:
    keys, prefixes = [], set()
    for name in sorted(names, key=lambda text: text.encode()):
        if not name.startswith(prefix) or name <= start_after:
            continue
        folder, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if found:
            prefixes.add(prefix + folder + delimiter)
        else:
            keys.append(name)
    return keys, sorted(prefixes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    KEYS,
    st.sampled_from(["", "a", "a/", "é"]),
    st.sampled_from(["", "/", "b"]),
    st.sampled_from(["", "a", "b/"]),
    st.integers(1, 7),
)
def test_listing_in_pages_equals_listing_by_hand(
    client: ClientOf, names: list[str], prefix: str, delimiter: str, start_after: str, size: int
) -> None:
    s3 = client("s3")
    for name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])
        s3.delete_bucket(Bucket=name)
    make(s3, BUCKET)
    fill(s3, names)
    keys, prefixes, lengths = listed(s3, size, Prefix=prefix, Delimiter=delimiter, StartAfter=start_after)
    assert (keys, prefixes) == expected(names, prefix, delimiter, start_after)
    assert all(length == size for length in lengths[:-1])
    pages = s3.get_paginator("list_objects").paginate(
        Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
    )
    found = [item["Key"] for page in pages for item in page.get("Contents", [])]
    assert found == expected(names, prefix, delimiter, "")[0]


def test_listings_follow_what_comes_and_goes(s3: Any) -> None:
    fill(s3, ["b", "d"])
    assert listed(s3, 10)[0] == ["b", "d"]
    fill(s3, ["c", "a", "d"])
    s3.delete_object(Bucket=BUCKET, Key="b")
    s3.copy_object(Bucket=BUCKET, Key="e", CopySource={"Bucket": BUCKET, "Key": "a"})
    assert listed(s3, 2) == (["a", "c", "d", "e"], [], [2, 2])
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "c"}]})
    assert listed(s3, 2)[0] == ["d", "e"]


def test_a_deleted_key_of_a_versioned_bucket_is_not_listed(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    fill(s3, ["a", "b", "f/x"])
    s3.delete_object(Bucket=BUCKET, Key="a")
    s3.delete_object(Bucket=BUCKET, Key="f/x")
    assert listed(s3, 10, Delimiter="/")[:2] == (["b"], [])


def test_pages_have_at_most_a_thousand_keys_and_are_fast(s3: Any) -> None:
    from moto.s3.models import FakeKey, s3_backends

    bucket = s3_backends["111111111111"]["aws"].buckets[BUCKET]
    for number in range(2500):
        bucket.keys[f"k/{number:05}"] = FakeKey(f"k/{number:05}", b"", "111111111111", REGION)
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=5000)["KeyCount"] == 1000
    started = time.process_time()
    assert listed(s3, 1000)[2] == [1000, 1000, 500]
    assert time.process_time() - started < 10
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0).get("IsTruncated") is False


def test_a_wrong_continuation_token_is_refused(s3: Any) -> None:
    with pytest.raises(ClientError) as caught:
        s3.list_objects_v2(Bucket=BUCKET, ContinuationToken="nonsense")
    assert caught.value.response["Error"]["Code"] == "InvalidArgument"


def test_a_missing_bucket_and_another_accounts_bucket(s3: Any, client: ClientOf) -> None:
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="no-such-bucket")
    with pytest.raises(ClientError) as caught:
        client("s3", OTHER_ACCOUNT).list_objects_v2(Bucket=BUCKET)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_etags_sizes_and_owners_are_listed(s3: Any) -> None:
    fill(s3, ["abc"])
    (item,) = s3.list_objects_v2(Bucket=BUCKET, FetchOwner=True)["Contents"]
    assert (item["ETag"], item["Size"], item["StorageClass"]) == ('"900150983cd24fb0d6963f7d28e17f72"', 3, "STANDARD")
    assert "ID" in item["Owner"]


def test_buckets_are_listed_in_pages_with_their_regions(s3: Any, client: ClientOf) -> None:
    client("s3", region="us-east-1").create_bucket(Bucket="a-bucket")
    make(s3, "c-bucket")
    assert "BucketRegion" not in s3.list_buckets()["Buckets"][0]
    pages = list(s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 2}))
    regions = {bucket["Name"]: bucket["BucketRegion"] for page in pages for bucket in page["Buckets"]}
    assert regions == {"a-bucket": "us-east-1", BUCKET: REGION, "c-bucket": REGION}
    assert len(pages) == 2
    assert [bucket["Name"] for bucket in s3.list_buckets(BucketRegion="us-east-1")["Buckets"]] == ["a-bucket"]


def test_deleting_an_inventory_configuration_deletes_just_that(s3: Any) -> None:
    configuration = {
        "Id": "daily",
        "IsEnabled": True,
        "IncludedObjectVersions": "Current",
        "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{BUCKET}", "Format": "Parquet"}},
    }
    s3.put_bucket_inventory_configuration(Bucket=BUCKET, Id="daily", InventoryConfiguration=configuration)
    s3.delete_bucket_inventory_configuration(Bucket=BUCKET, Id="daily")
    assert "InventoryConfigurationList" not in s3.list_bucket_inventory_configurations(Bucket=BUCKET)


def test_a_bucket_policy_names_principals_that_exist(client: ClientOf) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    for who, expected in ((f"arn:aws:iam::{ACCOUNT}:user/nobody", "MalformedPolicy"), ("*", "done")):
        statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "s3:*", "Resource": "arn:aws:s3:::bucket"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        assert code(s3.put_bucket_policy, Bucket="bucket", Policy=policy) == expected
    assert json.loads(s3.get_bucket_policy(Bucket="bucket")["Policy"])["Statement"][0]["Principal"] == {"AWS": "*"}
    assert code(s3.put_bucket_policy, Bucket="bucket", Policy="no json") == "MalformedPolicy"
