"""Column lineage as Dagster metadata: which columns the values of a column come from, by the declarations of tables."""

from collections.abc import Mapping

import dagster as dg

from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.naming import Naming

KEY = "dagster/column_lineage"


def column_lineage(table: str, naming: Naming) -> Mapping[str, dg.TableColumnLineageMetadataValue]:
    """The metadata of a materialization of `table`; empty where its declaration says nothing of columns."""
    declared = TABLES[table].columns_from
    if not declared:
        return {}
    deps = {column: [_dep(source, naming) for source in sources] for column, sources in declared.items()}
    return {KEY: dg.MetadataValue.column_lineage(dg.TableColumnLineage(deps))}


def _dep(source: str, naming: Naming) -> dg.TableColumnDep:
    table, column = source.split(".")
    return dg.TableColumnDep(asset_key=naming.key(table), column_name=column)
