"""Stage `upload`: identities, data objects, access providers and usage go to Raito Cloud.

Imports that do not depend on each other are made together, so that Raito Cloud works on them at the same time.
"""

from collections.abc import Sequence

import dagster as dg

from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun
from raito_pipeline.orchestration.upload.imports import (
    AccessProviderUpload,
    AccountIdentityUpload,
    DataObjectUpload,
    OrganizationIdentityUpload,
    Upload,
    UsageUpload,
)
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs
from raito_pipeline.orchestration.upload.uploads import upload_all

GROUP = "upload"
BEFORE_THE_PUSH: Sequence[type[Upload]] = (DataObjectUpload, AccountIdentityUpload)
AFTER_THE_PUSH: Sequence[type[Upload]] = (AccessProviderUpload, UsageUpload)


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The import of an organization; those of accounts are part of their last layer (`assets/last_layer.py`)."""
    # In the group of what it uploads: the assets of one group have one kind of partitions.
    specs = _specs(OrganizationIdentityUpload, grid, group="org_identities")

    @step(grid.naming, specs, name="upload_organization")
    def upload_organization(
        context: dg.AssetExecutionContext,
        services: Services,
        sync_run: SyncRun,
        raito_jobs: RunJobs,
    ) -> Results:
        """Uploads the people of an organization."""
        log = sync_run.log(context)
        for cell in log.cells("organization"):
            make([OrganizationIdentityUpload], log, services, raito_jobs, grid, cell)
        yield from log.finish()

    return [upload_organization]


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The tables of the imports of an account."""
    return [spec for upload in (*BEFORE_THE_PUSH, *AFTER_THE_PUSH) for spec in _specs(upload, grid)]


def make(
    uploads: Sequence[type[Upload]], log: CellLog, services: Services, jobs: RunJobs, grid: Grid, cell: Cell
) -> None:
    """Make those of the imports that the run selected."""
    wanted = [upload for upload in uploads if any(map(log.wants, upload.tables()))]
    upload_all([upload(grid) for upload in wanted], log, services, jobs, cell)


def _specs(upload: type[Upload], grid: Grid, *, group: str = GROUP) -> list[dg.AssetSpec]:
    return [table_spec(table, grid, group=group, kinds={"raito"}) for table in upload.tables()]
