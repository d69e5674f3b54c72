"""The tables of a stage: everything that its imports are made of, and nothing of another stage's imports."""

import pytest

from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.upload.stages import tables_of_stages
from raito_pipeline.raito.jobs import JobType

LAYERS = (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH)


def of(*stages: JobType) -> set[str]:
    return {table for layer in LAYERS for table in tables_of_stages(stages, layer)}


def test_people_and_data_objects_are_read_alone() -> None:
    assert of(JobType.IDENTITY_STORE) == {
        "iam_users",
        "iam_groups",
        "identity_store_import",
        "identity_store_import_elements",
    }
    assert of(JobType.DATA_SOURCE) == {
        "s3_buckets",
        "data_objects",
        "data_source_import",
        "data_source_import_elements",
    }


def test_access_is_what_grants_it_the_push_and_its_import() -> None:
    tables = of(JobType.DATA_ACCESS)
    assert {"iam_roles", "access_points", "access_providers", "access_push_results", "access_push_orphans"} <= tables
    assert not tables & {"data_objects", "usage_statements", "identity_store_import", "data_source_import"}


def test_usage_needs_the_data_objects_that_it_is_about() -> None:
    tables = of(JobType.DATA_USAGE)
    assert {"data_objects", "cloudtrail_files", "usage_statements", "data_usage_import", "usage_uploaded"} <= tables
    assert not tables & {"iam_users", "data_source_import", "access_providers"}


def test_all_stages_are_a_whole_sync() -> None:
    assert of(*JobType) == {name for name, spec in TABLES.items() if spec.layer in LAYERS}


@pytest.mark.parametrize("stage", JobType)
def test_every_table_of_a_stage_has_what_it_is_made_of(stage: JobType) -> None:
    tables = of(stage)
    for table in tables:
        missing = {read for read in TABLES[table].reads if TABLES[read].layer in LAYERS} - tables
        assert not missing, table
