"""The assets: one module a stage of a sync. Bodies fetch, shape, store and report; the work is in `raito_pipeline`."""

from collections.abc import Sequence

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.orchestration.external import external_specs
from raito_pipeline.orchestration.freshness import with_freshness
from raito_pipeline.orchestration.grid import Grid

from . import account_iam, data_objects, last_layer, org_identities, regional, upload


def build(grid: Grid, options: Options) -> Sequence[dg.AssetsDefinition | dg.AssetSpec]:
    """Every asset of the pipeline, partitioned by the grid, between the external ones that it reads and writes."""
    made = [
        *org_identities.build(grid),
        *account_iam.build(grid),
        *data_objects.build(grid),
        *regional.build(grid, options),
        *upload.build(grid),
        *last_layer.build(grid),
    ]
    return [*with_freshness(made, options, grid.naming), *external_specs(options, grid.naming)]
