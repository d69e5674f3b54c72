"""Stage `org_identities`: the people of IAM Identity Center, and which permission sets they are assigned to."""

from typing import Any

import dagster as dg

from raito_pipeline.aws.connection.limits import shared_limits
from raito_pipeline.aws.readers import organization
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.model import OrgAccountAssignment, OrgGroup, OrgPermissionSet, OrgUser, table_of
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun

GROUP = "org_identities"
POOL = "raito_organization"
"""Identity Center takes so many calls a second of a whole organization, whichever process makes them."""
_TABLES = tuple(table_of(row).name for row in (OrgUser, OrgGroup, OrgPermissionSet, OrgAccountAssignment))


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The four organization tables, read together."""
    specs = [table_spec(table, grid, group=GROUP, kinds={"identitycenter"}) for table in _TABLES]

    @step(grid.naming, specs, name=GROUP, pool=POOL)
    def org_identities(context: dg.AssetExecutionContext, services: Services, sync_run: SyncRun) -> Results:
        """Reads users, groups, permission sets and assignments of an organization."""
        log = sync_run.log(context)
        for cell in log.cells("organization"):
            with log.attempt(cell, *_TABLES):
                _read(log, services, cell)
        yield from log.finish()

    return [org_identities]


def _read(log: CellLog, services: Services, cell: Cell) -> None:
    clients = services.organization_aws(cell.partition_key)
    meter = Meter(clients)
    organization_read = organization.read_organization(
        clients,
        services.organization(cell.partition_key).region,
        services.accounts_of_organization(cell.partition_key),
        shared_limits(),
        services.progress,
        home=services.home_of_organization(cell.partition_key),
        earlier=_earlier(log, cell),
    )
    log.advise(organization_read.hints)
    reads: tuple[Read[Any], ...] = (
        organization_read.users,
        organization_read.groups,
        organization_read.permission_sets,
        organization_read.assignments,
    )
    for table, read in zip(_TABLES, reads, strict=True):
        if log.wants(table):
            log.store_read(table, cell, read, meter)


def _earlier(log: CellLog, cell: Cell) -> organization.EarlierOrganization:
    """What the previous sync stored of this organization."""
    return organization.EarlierOrganization(
        users=log.store.earlier(OrgUser, *cell.place),
        permission_sets=log.store.earlier(OrgPermissionSet, *cell.place),
        assignments=log.store.earlier(OrgAccountAssignment, *cell.place),
    )
