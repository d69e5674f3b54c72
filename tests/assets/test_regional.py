"""The regional step: one region by itself, those that `raito.yml` leaves out, and damaged tables."""

from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, OTHER_REGION, REGIONAL, Stage


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
