"""The assets: one module a stage of a sync. Bodies fetch, shape, store and report; the work is in `raito_pipeline`."""

from collections.abc import Sequence

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.naming import TABLE_METADATA
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.recording.external import external_specs
from raito_pipeline.orchestration.recording.freshness import with_freshness

from . import account_iam, data_objects, last_layer, org_control_policies, org_identities, regional, upload


def build(grid: Grid, options: Options) -> Sequence[dg.AssetsDefinition | dg.AssetSpec]:
    """Every asset of the pipeline, partitioned by the grid, between the external ones that it reads and writes.

    Raises `ValueError` for a declared table that no step makes.
    """
    steps = [
        *org_identities.build(grid),
        *org_control_policies.build(grid),
        *account_iam.build(grid),
        *data_objects.build(grid),
        *regional.build(grid, options),
        *upload.build(grid),
        *last_layer.build(grid),
    ]
    _require_every_table(steps)
    return [*with_freshness(steps, options, grid.naming), *external_specs(options, grid.naming)]


def _require_every_table(steps: Sequence[dg.AssetsDefinition]) -> None:
    """Without this, a table that was declared and forgotten here would be missed by nobody: its layer just lacks it."""
    made = {spec.metadata[TABLE_METADATA] for step in steps for spec in step.specs}
    forgotten = [table for table in TABLES if table not in made]
    if forgotten:
        raise ValueError(f"no step makes the table {forgotten[0]}: give its table_spec to a step of assets/")
