"""The regional step: one region by itself, those that `raito.yml` leaves out, and damaged tables."""

import dagster as dg
import pytest

from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, OTHER_REGION, REGION, REGIONAL, Stage


def test_a_region_without_anything_is_empty_and_complete(stage: Stage) -> None:
    stage.make(["s3_buckets"])

    tables = ["data_objects", "access_points"]
    assert stage.make(tables, f"{ACCOUNT}|{OTHER_REGION}") == tables

    info = stage.info("data_objects", OTHER_REGION)
    assert (info.rows, info.status) == (0, ReadStatus.COMPLETE)


def test_a_damaged_table_is_read_as_if_there_had_been_none(stage: Stage) -> None:
    stage.make(["s3_buckets"])
    stage.make(["data_objects"], REGIONAL)
    whole = stage.info("data_objects", "eu-west-1")
    (file,) = (stage.servers.folder / "data" / "data_objects").rglob("data.parquet")
    file.write_bytes(file.read_bytes()[:100])

    assert stage.make(["data_objects"], REGIONAL) == ["data_objects"]

    assert stage.info("data_objects", "eu-west-1").rows == whole.rows


_ANOTHER = f"""
- name: another
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: another-source
  identity-store-id: another-store
  aws-account-id: "444455556666"
  aws-profile: there
  aws-regions: {OTHER_REGION}
  aws-s3-enabled: true
"""
"""so that the region is a partition of every account"""


@pytest.mark.parametrize(
    ("removed", "passed", "why"),
    [
        ("", False, "was synced before and is gone from aws-regions: if that is meant, confirm it"),
        (f"removed-regions: {ACCOUNT}/{OTHER_REGION}", True, "is gone, as `removed-regions` says"),
    ],
)
def test_the_tables_of_a_region_that_is_gone_stay_and_its_check_says_why(
    stage: Stage, removed: str, passed: bool, why: str
) -> None:
    stage.target, stage.pipeline, gone = _ANOTHER, removed, f"{ACCOUNT}|{OTHER_REGION}"
    stage.make(["s3_buckets"])
    stage.make(["data_objects"], gone)
    before = stage.info("data_objects", OTHER_REGION)
    stage.regions = REGION

    assert stage.make(["data_objects"], gone) == []

    assert stage.failure == ""
    assert stage.info("data_objects", OTHER_REGION) == before
    run = stage.instance.get_runs(limit=1)[0]
    (entry,) = stage.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    assert entry.dagster_event is not None
    check = entry.dagster_event.asset_check_evaluation_data
    assert (check.passed, check.severity) == (passed, dg.AssetCheckSeverity.WARN)
    assert why in str(check.description)
