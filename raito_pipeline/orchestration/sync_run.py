"""What every run of our assets does first: it settles to which sync it belongs, and says so on its record.

The resource `sync_run` is the only way to the stored tables, so no asset can get round this. A run belongs

- to the sync that its tag `raito/sync` names (schedules, sensors and `raito-pipeline run` set it),
- else to a new one with the id of the run, where it makes the whole first layer of an account or organization,
- else to the last sync of its account: a cell that is made by hand heals that sync.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import dagster as dg

from raito_pipeline.dagster_support.cells import CellLog
from raito_pipeline.dagster_support.grid import Cell, Grid, cell_of
from raito_pipeline.dagster_support.layers import ORGANIZATION_TABLES, ROOTS
from raito_pipeline.orchestration.tags import BEGUN_TAG, LAYER_TAG, SYNC_TAG, Scope, joined, scope_of, syncs_of
from raito_pipeline.resources import Services
from raito_pipeline.storage import Store


@dataclass(frozen=True)
class SyncRun:
    """One run: the sync of each of its accounts (or organizations), and the stored tables to work with."""

    unbound: Store
    syncs: Mapping[str, str]

    def store(self, owner: str) -> Store:
        """The stored tables; what is written is noted as of the sync that `owner` is in. Raises `KeyError`."""
        return replace(self.unbound, sync=self.syncs[owner])

    def log(self, context: dg.AssetExecutionContext) -> CellLog:
        """The log of a step, which gives each cell the store of its account."""
        return CellLog(context, lambda cell: self.store(owner_of(cell)))


def owner_of(cell: Cell) -> str:
    """The partition key of the account or organization of a cell."""
    return cell.partition_key.split("|")[0]


def sync_run(services: Services, grid: Grid) -> dg.ResourceDefinition:
    """The resource `sync_run`: made before the first step of a run, ended after its last."""

    def begun(context: dg.InitResourceContext) -> Iterator[SyncRun]:
        instance, run = context.instance, context.run
        if instance is None or run is None:
            raise RuntimeError("the stored tables are there within a run only")
        # Tags that an earlier step of this run wrote are on its record alone.
        run = instance.get_run_by_id(run.run_id) or run
        scope = scope_of(run, grid)
        store = Store.open(services.options.pipeline.storage, run.run_id)
        syncs = {owner: _sync(store, run, scope, grid, owner) for owner in scope.owners}
        instance.add_run_tags(run.run_id, {**joined(syncs), LAYER_TAG: scope.layer.value, BEGUN_TAG: "true"})
        yield SyncRun(store, syncs)

    return dg.ResourceDefinition(begun, description="The sync that this run belongs to, and the stored tables.")


def _sync(store: Store, run: dg.DagsterRun, scope: Scope, grid: Grid, owner: str) -> str:
    named = syncs_of(run.tags).get(owner) or run.tags.get(SYNC_TAG)
    if named:
        return named
    return run.run_id if scope.layer.begins else _last_sync(store, grid, owner) or run.run_id


def _last_sync(store: Store, grid: Grid, owner: str) -> str | None:
    """The last sync of an account or organization, as its first tables tell."""
    organization = grid.organization.has_partition_key(owner)
    place = cell_of("organization" if organization else "account", owner).place
    infos = [store.info(table, *place) for table in (ORGANIZATION_TABLES if organization else ROOTS)]
    newest = max((info for info in infos if info is not None), key=lambda info: info.read_at, default=None)
    return newest.sync if newest and newest.sync else None
