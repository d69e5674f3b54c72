"""Asset specs of stored tables: lineage, partitions, description and column schema, all from their declarations."""

from collections.abc import Iterable

import dagster as dg

from raito_pipeline.model import TABLES, TableSpec, columns
from raito_pipeline.model.schema import schema_version
from raito_pipeline.orchestration.partitioning.grid import Grid


def table_spec(
    table: str,
    grid: Grid,
    *,
    group: str,
    kinds: Iterable[str],
) -> dg.AssetSpec:
    """The spec of the asset that stores `table`. `group` is the stage; `kinds` are shown as badges.

    Its lineage is that of the declaration: where outside it is read, and the tables that come before it. A table that
    follows from stored tables alone has a code version, that of its columns. (With a code version Dagster takes two
    materializations of the same inputs for equal: that is not so where AWS or Raito Cloud is asked.)
    """
    spec = TABLES[table]
    return dg.AssetSpec(
        key=table,
        description=spec.description,
        deps=lineage(table, grid),
        group_name=group,
        kinds={"parquet", *kinds},
        partitions_def=grid.definition(spec.partitioned_by),
        metadata={
            "dagster/column_schema": column_schema(spec.row_type),
            "key": ", ".join(spec.key),
            "partitioned by": spec.partitioned_by.replace("_", " x "),
            "layer": spec.layer.value,
        },
        skippable=True,
        code_version=schema_version(spec.row_type) if spec.is_derived else None,
    )


def lineage(table: str, grid: Grid) -> list[dg.AssetDep]:
    """What a table depends on, with the mapping of its partitions."""
    spec = TABLES[table]
    outside = [dg.AssetDep(source.value) for source in spec.sources]
    return [*outside, *(_dep(TABLES[parent], spec, grid) for parent in dict.fromkeys(spec.parents))]


def _dep(parent: TableSpec, spec: TableSpec, grid: Grid) -> dg.AssetDep:
    return dg.AssetDep(parent.name, partition_mapping=grid.mapping(parent.partitioned_by, spec.partitioned_by))


def column_schema(row_type: type) -> dg.TableSchema:
    """The columns of a row type as the Dagster UI shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                c.name,
                type=str(c.arrow_type),
                description=c.description,
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
            )
            for c in columns(row_type)
        ]
    )
