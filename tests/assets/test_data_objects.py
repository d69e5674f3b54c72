"""Buckets and data objects as the stage stores them: of a whole region, of a part of it, and after a denied list."""

from raito_pipeline.model import DataObject, S3Bucket
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, BUCKET, REGION, REGIONAL, Stage

NAME = f"{ACCOUNT}:{REGION}:{BUCKET}"
OBJECTS = [NAME, f"{NAME}/2026", f"{NAME}/2026/a.csv", f"{NAME}/2026/b.csv", f"{NAME}/readme"]


def stored(stage: Stage) -> list[str]:
    return sorted(row.full_name for row in stage.store.rows(DataObject, ACCOUNT, REGION))


def test_a_region_is_stored_and_read_again_as_it_was(stage: Stage) -> None:
    for _ in range(2):
        assert stage.make(["s3_buckets"]) == ["s3_buckets"]
        assert stage.make(["data_objects"], REGIONAL) == ["data_objects"]

        assert [(row.name, row.region) for row in stage.store.rows(S3Bucket, ACCOUNT)] == [(BUCKET, REGION)]
        assert stored(stage) == OBJECTS
        assert stage.info("data_objects", REGION).status is ReadStatus.COMPLETE


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


def test_data_objects_of_no_use_are_out_of_scope(stage: Stage) -> None:
    stage.options = "skip-data-source-sync: true\nskip-data-usage-sync: true"

    stage.make(["data_objects"], REGIONAL)

    info = stage.info("data_objects", REGION)
    assert (info.rows, info.status) == (0, ReadStatus.OUT_OF_SCOPE)
