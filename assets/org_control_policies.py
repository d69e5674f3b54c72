"""Stage `org_identities`: which service and resource control policies AWS Organizations applies to the accounts."""

from typing import Any

import dagster as dg

from raito_pipeline.aws.connection.limits import shared_limits
from raito_pipeline.aws.readers.control_policies import EarlierControlPolicies, read_control_policies
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.model import OrgAccount, OrgControlPolicy, OrgPolicyTarget, table_of
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun

from .org_identities import GROUP

_ROWS: tuple[type[Any], ...] = (OrgAccount, OrgPolicyTarget, OrgControlPolicy)
_TABLES = tuple(table_of(row_type).name for row_type in _ROWS)


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The three tables of control policies, read together and apart from Identity Center, which can do without them."""
    specs = [table_spec(table, grid, group=GROUP, kinds={"organizations"}) for table in _TABLES]

    @step(grid.naming, specs, name="org_control_policies")
    def org_control_policies(context: dg.AssetExecutionContext, services: Services, sync_run: SyncRun) -> Results:
        """Reads the service and resource control policies of the accounts of an organization."""
        log = sync_run.log(context)
        for cell in log.cells("organization"):
            with log.attempt(cell, *_TABLES):
                _read(log, services, cell)
        yield from log.finish()

    return [org_control_policies]


def _read(log: CellLog, services: Services, cell: Cell) -> None:
    clients = services.organization_aws(cell.partition_key)
    meter = Meter(clients)
    organization = read_control_policies(
        clients,
        services.organization(cell.partition_key).region,
        services.accounts_of_organization(cell.partition_key),
        shared_limits(),
        services.progress,
        earlier=EarlierControlPolicies(*(log.store.earlier(row, *cell.place) for row in _ROWS)),
    )
    log.advise(organization.hints)
    reads: tuple[Read[Any], ...] = (organization.accounts, organization.targets, organization.policies)
    for table, read in zip(_TABLES, reads, strict=True):
        if log.wants(table):
            log.store_read(table, cell, read, meter)
