"""Stage `upload`: identities, data objects, access providers and usage go to Raito Cloud.

Imports that do not depend on each other are made in one step, so that Raito Cloud works on them at the same time.
"""

from collections.abc import Sequence

import dagster as dg

from raito_pipeline.dagster_support.cells import CellLog, Results
from raito_pipeline.dagster_support.grid import Grid
from raito_pipeline.dagster_support.specs import table_spec
from raito_pipeline.raito_jobs import RunJobs
from raito_pipeline.resources import Services
from raito_pipeline.uploads import (
    AccessProviderUpload,
    AccountIdentityUpload,
    DataObjectUpload,
    OrganizationIdentityUpload,
    Upload,
    UsageUpload,
    upload_all,
)

GROUP = "upload"


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The five import tables, in three steps."""
    organization = [_spec("org_identity_store_import", grid, ["org_users", "org_groups"])]
    objects = [
        _spec("identity_store_import", grid, ["iam_users", "iam_groups"]),
        _spec("data_source_import", grid, ["s3_buckets", _all_regions("data_objects", grid)]),
    ]
    access = [
        _spec("access_provider_import", grid, ["access_providers", "access_push_results", "data_source_import"]),
        _spec("data_usage_import", grid, ["data_source_import", _all_regions("usage_statements", grid)]),
    ]
    return [
        _step("upload_organization", "organization", organization, (OrganizationIdentityUpload(grid),)),
        _step("upload_objects", "account", objects, (AccountIdentityUpload(grid), DataObjectUpload(grid))),
        _step("upload_access", "account", access, (AccessProviderUpload(grid), UsageUpload(grid))),
    ]


def _step(name: str, by: str, specs: Sequence[dg.AssetSpec], uploads: Sequence[Upload]) -> dg.AssetsDefinition:
    @dg.multi_asset(name=name, specs=specs, can_subset=True)
    def upload(
        context: dg.AssetExecutionContext,
        services: dg.ResourceParam[Services],
        raito_jobs: dg.ResourceParam[RunJobs],
    ) -> Results:
        log = CellLog(context, services.store(context.run.run_id))
        for cell in log.cells(by):
            upload_all([u for u in uploads if log.wants(u.table)], log, services, raito_jobs, cell)
        yield from log.finish()

    return upload


def _spec(table: str, grid: Grid, deps: Sequence[str | dg.AssetDep]) -> dg.AssetSpec:
    return table_spec(table, grid, group=GROUP, kinds={"raito"}, deps=deps)


def _all_regions(table: str, grid: Grid) -> dg.AssetDep:
    return dg.AssetDep(table, partition_mapping=grid.regions_to_account)
