"""Usage is out of scope where no log bucket is named, and fails by itself where the bucket is not there."""

from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, REGION, REGIONAL, Stage

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
