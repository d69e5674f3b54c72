"""The last layer of a sync in one step: access providers, imports, push, and the imports that come after the push.

In one step for all tables, a table that fails does not stop those that can do without it: Dagster would skip every
step downstream of one that failed, and Raito Cloud would never hear of the imports that were to come. The stages
themselves are in `access`, `upload` and `access_push`.
"""

import dagster as dg

from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs

from . import access, access_push, upload


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """What is made of everything that was read of an account."""
    specs = [*access.specs(grid), *upload.specs(grid), *access_push.specs(grid)]

    @step(grid.naming, specs, name="last_layer", config_schema=access_push.CONFIG)
    def last_layer(
        context: dg.AssetExecutionContext,
        services: Services,
        sync_run: SyncRun,
        raito_jobs: RunJobs,
    ) -> Results:
        """Works out access, uploads what was read, and makes in AWS what was granted in Raito Cloud."""
        log = sync_run.log(context)
        for cell in log.cells("account"):
            access.make(log, services, grid, cell)
            yield from log.ready()
            upload.make(upload.BEFORE_THE_PUSH, log, services, raito_jobs, grid, cell)
            yield from log.ready()
            access_push.make(log, services, raito_jobs, grid, cell)
            yield from log.ready()
            upload.make(upload.AFTER_THE_PUSH, log, services, raito_jobs, grid, cell)
        yield from log.finish()

    return [last_layer]
