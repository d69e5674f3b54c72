"""Usage is out of scope where no log bucket is named, fails by itself where it is not there, and knows all regions."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from moto.glue.models import glue_backends

from raito_pipeline.model import UsageStatement
from raito_pipeline.storage import ReadStatus
from tests.aws.usage.logs import event, packed

from .conftest import ACCOUNT, BUCKET, OTHER_REGION, REGION, REGIONAL, Stage

TABLES = ["cloudtrail_files", "usage_statements"]


def test_without_a_log_bucket_usage_is_out_of_scope(stage: Stage) -> None:
    stage.make(["s3_buckets"])

    assert sorted(stage.make(TABLES, REGIONAL)) == TABLES

    assert {stage.info(table, REGION).status for table in TABLES} == {ReadStatus.OUT_OF_SCOPE}


def test_a_log_bucket_that_is_not_there_fails_the_tables(stage: Stage) -> None:
    stage.target = "aws-s3-cloudtrail-bucket: no-such-bucket-anywhere"
    stage.make(["s3_buckets"])

    assert stage.make(TABLES, REGIONAL) == []

    assert stage.store.info("usage_statements", ACCOUNT, REGION) is None


LOGS, LOG = "assets-trail", f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{{:%Y/%m/%d}}/x.json.gz"


@pytest.fixture
def used_table(stage: Stage) -> Iterator[Stage]:
    """The account with a table in the catalog of a region that has no bucket, and a call on what lies in it."""
    stage.data_objects, stage.target = "aws-glue-enabled: true", f"aws-s3-cloudtrail-bucket: {LOGS}"
    s3, glue = stage.s3(), glue_backends[ACCOUNT][OTHER_REGION]
    s3.create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": REGION})
    arn = f"arn:aws:s3:::{BUCKET}"
    resources = [{"type": "AWS::S3::Object", "ARN": f"{arn}/2026/a.csv"}, {"type": "AWS::S3::Bucket", "ARN": arn}]
    key = LOG.format(datetime.now(UTC))
    s3.put_object(Bucket=LOGS, Key=key, Body=packed([event(resources=resources)]))
    glue.create_database("far", {"Name": "far"})
    glue.create_table("far", "sales", {"Name": "sales", "StorageDescriptor": {"Location": f"s3://{BUCKET}/2026/"}})
    yield stage
    glue.delete_database("far")
    s3.delete_object(Bucket=LOGS, Key=key)
    s3.delete_bucket(Bucket=LOGS)


def test_a_table_in_the_catalog_of_a_region_without_buckets_is_used(used_table: Stage) -> None:
    used_table.make(["s3_buckets"])
    for region in (OTHER_REGION, REGION):
        used_table.make(["data_objects"], f"{ACCOUNT}|{region}")

    used_table.make(TABLES, REGIONAL)

    ((accessed,),) = (row.accessed for row in used_table.store.rows(UsageStatement, ACCOUNT, REGION))
    assert (accessed.data_object.full_name, accessed.data_object.type) == (
        f"{ACCOUNT}:{REGION}:{BUCKET}/2026",
        "glue-table",
    )


def test_a_table_on_a_bucket_of_another_account_is_used_whichever_region_its_catalog_is_in(used_table: Stage) -> None:
    foreign = "bucket-of-another-account"
    arn = f"arn:aws:s3:::{foreign}"
    resources = [{"type": "AWS::S3::Object", "ARN": f"{arn}/x/a.csv"}, {"type": "AWS::S3::Bucket", "ARN": arn}]
    used_table.s3().put_object(
        Bucket=LOGS, Key=LOG.format(datetime.now(UTC)), Body=packed([event(resources=resources)])
    )
    location = {"Location": f"s3://{foreign}/x/"}
    glue_backends[ACCOUNT][OTHER_REGION].create_table("far", "away", {"Name": "away", "StorageDescriptor": location})
    used_table.make(["s3_buckets"])
    for region in (OTHER_REGION, REGION):
        used_table.make(["data_objects"], f"{ACCOUNT}|{region}")

    used_table.make(TABLES, REGIONAL)

    ((accessed,),) = (row.accessed for row in used_table.store.rows(UsageStatement, ACCOUNT, REGION))
    assert accessed.data_object.full_name == f"{ACCOUNT}:{OTHER_REGION}:{foreign}/x"


def test_a_file_waits_for_a_catalog_that_was_never_read(used_table: Stage) -> None:
    used_table.make(["s3_buckets"])
    used_table.make(["data_objects"], REGIONAL)

    used_table.make(TABLES, REGIONAL)

    assert (
        "1 log files may be on data objects that are not known"
        in used_table.info("cloudtrail_files", REGION).problems[0]
    )
