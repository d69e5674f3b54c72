"""Stage `account_iam`: what IAM of an account holds, as AWS gives it."""

from typing import Any

import dagster as dg

from raito_pipeline.aws.readers import iam
from raito_pipeline.aws.readers.iam import EarlierIam
from raito_pipeline.aws.readers.reading import Read
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser, table_of
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun
from raito_pipeline.storage import Store

GROUP = "account_iam"
_ROWS: tuple[type[Any], ...] = (IamUser, IamGroup, IamRole, IamPolicy, IamAttachment)
_TABLES = tuple(table_of(row_type).name for row_type in _ROWS)


def build(grid: Grid) -> list[dg.AssetsDefinition]:
    """The five IAM tables, read together: they come from the same calls."""
    specs = [table_spec(table, grid, group=GROUP, kinds={"iam"}) for table in _TABLES]

    @step(grid.naming, specs, name=GROUP)
    def account_iam(context: dg.AssetExecutionContext, services: Services, sync_run: SyncRun) -> Results:
        """Reads the users, groups, roles, managed policies and attachments of an account."""
        log = sync_run.log(context)
        for cell in log.cells("account"):
            with log.attempt(cell, *_TABLES):
                _read(log, services, cell)
        yield from log.finish()

    return [account_iam]


def _read(log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    clients = services.aws(target)
    meter = Meter(clients)
    earlier = _earlier(log.store, cell)
    account = iam.read_account(clients, target, services.progress, earlier=earlier)
    log.advise(account.hints)
    reads: tuple[Read[Any], ...] = (account.users, account.groups, account.roles, account.policies, account.attachments)
    for table, read in zip(_TABLES, reads, strict=True):
        if log.wants(table):
            log.store_read(table, cell, read, meter)


def _earlier(store: Store, cell: Cell) -> EarlierIam:
    """What the previous sync stored.

    Tags and documents of known versions need not be asked again, and what cannot be read now stays as it was.
    """
    return EarlierIam(*(store.earlier(row, cell.account) for row in _ROWS))
