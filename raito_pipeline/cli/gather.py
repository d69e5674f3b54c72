"""Reads from the tables what one sync stored of an account, for its summary."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.cli.summary import Stored, SyncedTarget
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.model import INCOMPLETE_BY, TABLES, ImportResult, PushResult, PushTarget, table_of
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.storage import CellInfo, Store

_AT_ONCE = 8


def places_of(options: Options) -> tuple[SyncedTarget, ...]:
    """Every organization and account of the configuration, in the order in which a sync takes them."""
    targets = {target.name: target for target in options.organizations}
    organizations = []
    for one in partitions.organizations(options):
        target = targets.get(one.target or "")
        account = cell_of("organization", one.key).account
        name = f"organization {one.key}" if target is None else target.name
        least = () if target is None else _least(target, options)
        organizations.append(SyncedTarget(one.key, name, account, True, least))
    targets_to_sync = options.open_accounts
    accounts = [SyncedTarget(t.partition, t.name, t.account_id, False, _least(t, options)) for t in targets_to_sync]
    return (*organizations, *accounts)


def _least(target: AccountTarget | OrganizationTarget, options: Options) -> tuple[tuple[str, str], ...]:
    inventories = [address for _, address in options.pipeline.s3_inventory]
    policy = least_policy(target, "push", inventories, bucket_policies=options.pipeline.reads_bucket_policies)
    pairs = ((statement["Action"], statement["Resource"]) for statement in policy["Statement"])
    return tuple((action, resource) for actions, resources in pairs for action in actions for resource in resources)


def gather(
    store: Store,
    options: Options,
    place: SyncedTarget,
    of: tuple[str, str],
    tables: Iterable[str],
    so_far: Stored | None = None,
) -> Stored:
    """What a sync stored of a place in `tables`, added to `so_far`. `of` is the id of the sync and that of its run.

    Cells of other syncs do not count. (A sync of a part joins an earlier one, so its cells are known by their run.)
    """
    sync, run_id = of
    wanted = [cell for table in tables for cell in _cells(options, place, table)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        infos = pool.map(lambda cell: store.info(*cell), wanted)
        fresh = tuple(info for info in infos if info is not None and (info.sync == sync or info.run_id == run_id))
    return _with_rows(store, so_far or Stored(), fresh)


def _cells(options: Options, place: SyncedTarget, table: str) -> Iterator[tuple[str, str, str | None]]:
    by = TABLES[table].partitioned_by
    if by != "account_region":
        cell = cell_of(by, place.key)
        yield table, cell.account, cell.region
        return
    for region in partitions.regions(options):
        if partitions.in_scope(options, place.key, region):
            yield table, place.key, region


def _with_access(store: Store, so_far: Stored, at: tuple[str, str | None]) -> Stored:
    """With the counts of access providers, and of those that are incomplete, by code."""
    providers = incomplete = 0
    by_code = dict.fromkeys(INCOMPLETE_BY, 0)
    for batch in store.batches("access_providers", *at):
        providers += batch.num_rows
        incomplete += batch.column("incomplete").to_pylist().count(True)
        for code in by_code:
            by_code[code] += sum(map(bool, batch.column(f"reasons_{code}").to_pylist()))
    return replace(so_far, access_providers=providers, incomplete=incomplete, incomplete_by=by_code)


def _with_rows(store: Store, so_far: Stored, fresh: Sequence[CellInfo]) -> Stored:
    gathered = replace(so_far, cells=(*so_far.cells, *fresh))
    for cell in fresh:
        at = (cell.account, cell.region)
        if TABLES[cell.table].row_type is ImportResult:
            rows = tuple((cell.table, row) for row in store.rows(ImportResult, *at, table=cell.table))
            gathered = replace(gathered, imports=(*gathered.imports, *rows))
        elif cell.table == "access_providers":
            gathered = _with_access(store, gathered, at)
        elif cell.table == "access_push_results":
            targets = table_of(PushTarget).name
            planned = tuple(store.rows(PushTarget, *at)) if store.info(targets, *at) else ()
            gathered = replace(gathered, push_targets=planned, push_results=tuple(store.rows(PushResult, *at)))
    return gathered
