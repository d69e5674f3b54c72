"""Stage `account_iam`: what IAM of an account holds, as AWS gives it."""

from typing import Any

import dagster as dg

from raito_pipeline.aws import iam
from raito_pipeline.aws.reading import Read
from raito_pipeline.dagster_support.cells import CellLog, Meter, Results
from raito_pipeline.dagster_support.grid import Cell, Grid
from raito_pipeline.dagster_support.layers import IAM_TABLES
from raito_pipeline.dagster_support.specs import table_spec
from raito_pipeline.model import IamPolicy
from raito_pipeline.orchestration.sync_run import SyncRun
from raito_pipeline.resources import Services
from raito_pipeline.storage import Store
from raito_pipeline.target_settings import iam_settings

GROUP = "account_iam"


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The five IAM tables, read together: they come from the same calls."""
    specs = [table_spec(table, grid, group=GROUP, kinds={"iam"}) for table in IAM_TABLES]

    @dg.multi_asset(name=GROUP, specs=specs, can_subset=True)
    def account_iam(
        context: dg.AssetExecutionContext, services: dg.ResourceParam[Services], sync_run: dg.ResourceParam[SyncRun]
    ) -> Results:
        """Reads the users, groups, roles, managed policies and attachments of an account."""
        log = sync_run.log(context)
        for cell in log.cells("account"):
            with log.attempt(IAM_TABLES[0], cell):
                _read(log, services, cell)
        yield from log.finish()

    return [account_iam]


def _read(log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    clients = services.aws(target)
    meter = Meter(clients)
    found = iam.read_account(clients, iam_settings(target, _earlier(log.store, cell)), services.progress)
    log.advise(found.hints)
    reads: tuple[Read[Any], ...] = (found.users, found.groups, found.roles, found.policies, found.attachments)
    for table, read in zip(IAM_TABLES, reads, strict=True):
        if log.wants(table):
            log.store_read(table, cell, read, meter)


def _earlier(store: Store, cell: Cell) -> tuple[IamPolicy, ...]:
    """The policies that the last sync stored: tags and documents of known versions need not be asked again."""
    return store.earlier(IamPolicy, cell.account)
