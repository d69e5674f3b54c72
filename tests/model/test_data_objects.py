"""What the declarations of data objects decide: buckets once an account, objects once a region, removal by both."""

import pytest

from raito_pipeline.model import TABLES, Layer, S3Bucket, upstream_tables


def test_buckets_are_listed_once_an_account_before_their_objects_a_region() -> None:
    buckets, objects = TABLES["s3_buckets"], TABLES["data_objects"]
    assert (buckets.layer, buckets.partitioned_by) == (Layer.ACCOUNT, "account")
    assert (objects.layer, objects.partitioned_by) == (Layer.REGIONS, "account_region")
    assert objects.reads == ("s3_buckets",)


def test_a_data_object_leaves_raito_cloud_only_by_whole_reads_of_buckets_and_objects() -> None:
    assert set(upstream_tables("data_source_import")) == {"s3_buckets", "data_objects"}


def test_a_data_object_is_found_again_by_its_full_name() -> None:
    assert TABLES["data_objects"].key == ("full_name",)
    assert TABLES["s3_buckets"].key == ("name",)


@pytest.mark.parametrize(
    ("region", "included", "regions", "is_one"),
    [
        ("eu-west-1", True, (), True),
        ("eu-west-1", True, ("eu-west-1", "us-east-1"), True),
        ("eu-west-1", True, ("us-east-1",), False),
        ("eu-west-1", False, (), False),
        (None, True, (), False),
        (None, True, ("eu-west-1",), False),
    ],
)
def test_a_bucket_of_a_region_that_is_not_known_is_no_data_object_to_anybody(
    region: str | None, included: bool, regions: tuple[str, ...], is_one: bool
) -> None:
    bucket = S3Bucket("data", region, None, included, ())
    assert bucket.is_data_object(regions) is is_one
