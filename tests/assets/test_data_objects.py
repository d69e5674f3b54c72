"""Buckets and data objects as the stage stores them: of a whole region, of a part of it, and after a denied list."""

import pytest
from moto.glue.models import glue_backends

from raito_pipeline.model import DataObject, S3Bucket, S3BucketPolicy
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, BUCKET, OTHER_REGION, REGION, REGIONAL, Stage

NAME = f"{ACCOUNT}:{REGION}:{BUCKET}"
OTHER_ACCOUNT = f"""
- name: other
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: none
  identity-store-id: none
  aws-account-id: "222233334444"
  aws-profile: there
  aws-regions: {REGION}
"""
OBJECTS = [NAME, f"{NAME}/2026", f"{NAME}/2026/a.csv", f"{NAME}/2026/b.csv", f"{NAME}/readme"]


def stored(stage: Stage, region: str = REGION) -> list[str]:
    return sorted(row.full_name for row in stage.store.rows(DataObject, ACCOUNT, region))


def test_a_region_is_stored_and_read_again_as_it_was(stage: Stage) -> None:
    for _ in range(2):
        assert stage.make(["s3_buckets"]) == ["s3_buckets"]
        assert stage.make(["data_objects"], REGIONAL) == ["data_objects"]

        assert [(row.name, row.region) for row in stage.store.rows(S3Bucket, ACCOUNT)] == [(BUCKET, REGION)]
        assert stored(stage) == OBJECTS
        assert stage.info("data_objects", REGION).status is ReadStatus.COMPLETE


@pytest.mark.parametrize(
    ("named", "more", "said"),
    [
        ("assets-sale", "", True),
        ("assets-sale", OTHER_ACCOUNT, False),  # it may have that bucket: it was not read yet
        (BUCKET, "", False),
        ("elsewhere", "", False),
    ],
)
def test_an_inventory_of_a_misspelt_bucket_is_said(stage: Stage, named: str, more: str, said: bool) -> None:
    stage.pipeline, stage.target = f"s3-inventory: {{{named}: 's3://inventories/daily'}}", more
    stage.make(["s3_buckets"])

    (run,) = stage.instance.get_runs(limit=1)
    warnings = [
        entry.user_message for entry in stage.instance.all_logs(run.run_id) if "s3-inventory" in entry.user_message
    ]

    assert [f"names bucket {named}, which no account of the file has" in each for each in warnings] == [True] * said


def test_a_region_whose_buckets_are_all_denied_fails_and_stays_as_it_was(stage: Stage) -> None:
    stage.make(["s3_buckets"])
    stage.make(["data_objects"], REGIONAL)
    before = stage.info("data_objects", REGION)
    stage.servers.aws.faults.add(Fault(kind="deny", service="s3", operation="ListObjectsV2", times=None))

    assert stage.make(["data_objects"], REGIONAL) == []

    assert "s3:ListBucket" in stage.failure
    assert BUCKET in stage.failure
    assert stored(stage) == OBJECTS
    assert stage.info("data_objects", REGION) == before


def test_a_part_of_a_region_changes_nothing_beside_it(stage: Stage) -> None:
    stage.make(["s3_buckets"])
    stage.make(["data_objects"], REGIONAL)

    s3 = stage.s3()
    for key in ("2026/c.csv", "beside"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    try:
        made = stage.make(["data_objects"], REGIONAL, **{"raito/data-object-parent": f"{NAME}/2026"})
    finally:
        for key in ("2026/c.csv", "beside"):
            s3.delete_object(Bucket=BUCKET, Key=key)

    assert made == ["data_objects"]
    assert stored(stage) == sorted([*OBJECTS, f"{NAME}/2026/c.csv"])


def test_a_part_of_a_bucket_is_read_of_each_catalog_with_what_it_lies_in(stage: Stage) -> None:
    stage.data_objects = "aws-glue-enabled: true"
    catalogs = {region: glue_backends[ACCOUNT][region] for region in (REGION, OTHER_REGION)}
    for catalog in catalogs.values():
        catalog.create_database("db", {"Name": "db"})
    stage.make(["s3_buckets"])
    try:
        for region in catalogs:
            stage.make(["data_objects"], f"{ACCOUNT}|{region}")
        for region, path in ((REGION, "2026/lower"), (OTHER_REGION, "2026")):
            location = {"Location": f"s3://{BUCKET}/{path}"}
            catalogs[region].create_table("db", "t", {"Name": "t", "StorageDescriptor": location})

        for region in catalogs:
            made = stage.make(["data_objects"], f"{ACCOUNT}|{region}", **{"raito/data-object-parent": NAME})
            assert made == ["data_objects"]
    finally:
        for catalog in catalogs.values():
            catalog.delete_database("db")

    assert stored(stage) == [NAME, f"{NAME}/2026", f"{NAME}/2026/lower"]
    assert stored(stage, OTHER_REGION) == [NAME, f"{NAME}/2026"]


def test_data_objects_of_no_use_are_out_of_scope(stage: Stage) -> None:
    stage.options = "skip-data-source-sync: true\nskip-data-usage-sync: true"

    stage.make(["data_objects"], REGIONAL)

    info = stage.info("data_objects", REGION)
    assert (info.rows, info.status) == (0, ReadStatus.OUT_OF_SCOPE)


POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*",'
    f'"Resource":"arn:aws:s3:::{BUCKET}/*"}}]}}'
)


def test_bucket_policies_are_stored_and_kept_where_the_right_to_read_them_is_gone(stage: Stage) -> None:
    stage.s3().put_bucket_policy(Bucket=BUCKET, Policy=POLICY)
    try:
        both = ["s3_buckets", "s3_bucket_policies"]
        assert stage.make(both) == both
        rows = list(stage.store.rows(S3BucketPolicy, ACCOUNT))
        assert [(row.bucket, row.policy, row.policy_read) for row in rows] == [(BUCKET, POLICY, True)]
        assert stage.info("s3_bucket_policies").status is ReadStatus.COMPLETE

        stage.servers.aws.faults.add(Fault(kind="deny", operation="GetBucketPolicy"))
        assert stage.make(both) == both

        info = stage.info("s3_bucket_policies")
        assert info.status is ReadStatus.PARTIAL
        assert ["Grant s3:GetBucketPolicy" in line for line in info.problems] == [True]
        assert list(stage.store.rows(S3BucketPolicy, ACCOUNT)) == rows
    finally:
        stage.s3().delete_bucket_policy(Bucket=BUCKET)


def test_policies_are_those_of_the_stored_buckets_where_these_cannot_be_listed(stage: Stage) -> None:
    stage.make(["s3_buckets", "s3_bucket_policies"])
    stage.servers.aws.faults.add(Fault(kind="deny", operation="ListBuckets"))

    assert stage.make(["s3_buckets", "s3_bucket_policies"]) == ["s3_bucket_policies"]

    assert "s3:ListAllMyBuckets" in stage.failure
    assert [row.bucket for row in stage.store.rows(S3BucketPolicy, ACCOUNT)] == [BUCKET]


@pytest.mark.parametrize(
    ("options", "pipeline", "why"),
    [
        ("", "bucket-policies: off", "bucket-policies is off"),
        ("skip-data-access-sync: true", "", "skip-data-access-sync is on"),
    ],
)
def test_bucket_policies_of_no_use_are_out_of_scope(stage: Stage, options: str, pipeline: str, why: str) -> None:
    stage.options, stage.pipeline = options, pipeline
    stage.make(["s3_buckets"])
    stage.servers.aws.calls.reset()

    assert stage.make(["s3_bucket_policies"]) == ["s3_bucket_policies"]

    info = stage.info("s3_bucket_policies")
    assert (info.status, info.extra["reason"]) == (ReadStatus.OUT_OF_SCOPE, why)
    assert stage.servers.aws.calls.count("s3") == 0
