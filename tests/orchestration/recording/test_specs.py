"""The specs of the assets: every table is one, with the lineage that its declaration says."""

from dataclasses import make_dataclass
from pathlib import Path
from typing import Annotated

import dagster as dg
import pytest

from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import TABLES, Outside, columns
from raito_pipeline.model.schema import schema_version
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.recording.specs import column_schema, lineage, table_spec
from tests.orchestration.conftest import Loads


def test_every_table_is_an_asset_and_every_asset_is_a_table_or_outside(loads: Loads) -> None:
    specs = {spec.key.to_user_string(): spec for spec in build_definitions(loads()).resolve_all_asset_specs()}

    assert set(specs) == {*TABLES, *Outside}
    for name, table in TABLES.items():
        parents = {dep.asset_key.to_user_string() for dep in specs[name].deps}
        assert parents == {*table.sources, *table.reads, *table.after}, name


def test_definitions_of_an_account_load_in_dagster(loads: Loads) -> None:
    # Partition mappings that do not fit are found here, not when definitions are made.
    dg.Definitions.validate_loadable(build_definitions(loads(accounts=2)))


@pytest.mark.parametrize(
    ("table", "parent", "mapping"),
    [
        ("access_push_plan", "iam_roles", type(None)),
        ("data_objects", "s3_buckets", dg.MultiToSingleDimensionPartitionMapping),
        ("data_source_import", "data_objects", dg.MultiToSingleDimensionPartitionMapping),
        ("access_providers", "org_users", dg.StaticPartitionMapping),
        ("usage_statements", "org_users", dg.AllPartitionMapping),
    ],
)
def test_partitions_of_one_kind_lead_to_those_of_another(loads: Loads, table: str, parent: str, mapping: type) -> None:
    (dep,) = [each for each in lineage(table, make_grid(loads())) if each.asset_key == dg.AssetKey(parent)]

    assert type(dep.partition_mapping) is mapping


def test_a_spec_says_what_the_declaration_says(loads: Loads) -> None:
    grid = make_grid(loads())

    spec = table_spec("data_objects", grid, group="data_objects", kinds={"s3"})

    assert spec.description == TABLES["data_objects"].description
    assert spec.partitions_def == grid.account_region
    assert spec.metadata["layer"] == "regions"
    assert spec.skippable


def test_the_column_schema_has_every_column_with_its_description() -> None:
    schema = column_schema(TABLES["s3_buckets"].row_type)

    assert [(c.name, c.description) for c in schema.columns] == [
        (c.name, c.description) for c in columns(TABLES["s3_buckets"].row_type)
    ]
    (region,) = [column for column in schema.columns if column.name == "region"]
    assert region.constraints.nullable


def test_only_what_follows_from_stored_tables_has_a_code_version(loads: Loads) -> None:
    grid = make_grid(loads())
    versions = {table: table_spec(table, grid, group="g", kinds=()).code_version for table in TABLES}

    assert {table for table, version in versions.items() if version} == {
        "access_basis",
        "access_providers",
        "access_push_orphans",
        "access_push_plan",
        "access_push_targets",
        "effective_access",
    }


def test_a_code_version_changes_with_the_columns() -> None:
    one = make_dataclass("One", [("name", Annotated[str, "a name"])])
    same = make_dataclass("Same", [("name", Annotated[str, "other words for it"])])
    other = make_dataclass("Other", [("name", Annotated[str | None, "a name"])])

    assert schema_version(one) == schema_version(same)
    assert schema_version(one) != schema_version(other)


def test_every_asset_links_to_the_step_that_makes_it_and_to_its_columns(loads: Loads) -> None:
    specs = {spec.key.to_user_string(): spec for spec in build_definitions(loads()).resolve_all_asset_specs()}
    for table in TABLES:
        made, declared = specs[table].metadata["dagster/code_references"].code_references
        lines = Path(made.file_path).read_text(encoding="utf-8").splitlines()
        assert Path(made.file_path).parent.name == "assets", table
        assert lines[made.line_number - 1].lstrip().startswith(("@step", "def ")), table
        assert Path(declared.file_path).parent.name == "model", table
