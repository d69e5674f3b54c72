"""Asset specs of stored tables: description, column schema, kinds and group, all from the row types."""

from collections.abc import Iterable

import dagster as dg

from raito_pipeline.model import TABLES, columns
from raito_pipeline.orchestration.external import sources
from raito_pipeline.orchestration.grid import Grid


def table_spec(
    table: str,
    grid: Grid,
    *,
    group: str,
    kinds: Iterable[str],
    deps: Iterable[dg.AssetDep | str] = (),
    automation: dg.AutomationCondition[dg.AssetKey] | None = None,
) -> dg.AssetSpec:
    """The spec of the asset that stores `table`. `group` is the stage; `kinds` are shown as badges.

    It depends on `deps` and on what it is read from (`orchestration.external`).
    """
    spec = TABLES[table]
    return dg.AssetSpec(
        key=table,
        description=spec.description,
        deps=[*sources(table), *deps],
        group_name=group,
        kinds={"parquet", *kinds},
        partitions_def=grid.definition(spec.partitioned_by),
        metadata={
            "dagster/column_schema": column_schema(spec.row_type),
            "key": ", ".join(spec.key),
            "partitioned by": spec.partitioned_by.replace("_", " x "),
        },
        skippable=True,
        automation_condition=automation,
    )


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
