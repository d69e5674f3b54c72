"""The tags that say to which sync a run belongs, and the layer, accounts and tables of a run as its record tells them.

Every run of our assets carries `raito/sync`, `raito/account` and `raito/layer` once it has started, whoever launched
it: what a launcher did not set is written at the start of the run (`orchestration.runs.sync_run`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.storage.owner import Owner

SYNC_TAG = "raito/sync"
ACCOUNT_TAG = "raito/account"
LAYER_TAG = "raito/layer"
TARGET_TAG = "raito/target"
"""The names of the targets of a run's accounts, for people."""
BEGUN_TAG = "raito/begun"
"""On every run that was let into its account, its own id: it works on the sync that it names."""
REFUSED_TAG = "raito/refused"
"""Why a run was not let into its account: another sync was under way, or a later one had begun. Empty = it was."""
STORAGE_TAG = "raito/storage"
"""On every run that was let into its account: the storage that holds its lease (`storage_name`)."""
LAUNCHED_BY_TAG = "raito/launched-by"
PLAN_TAG = "raito/plan"
"""The id of the plan that a run of access_push_results is to make: somebody saw it."""
LOSSES_TAG = "raito/with-losses"
"""`true` where that plan is to be made also where people lose more access than the limits allow."""
LOOKS_TAG = "raito/looks-for-drift"
"""On a run that only looks whether AWS is as the last push left it: nothing follows it."""
ASIDE_TAG = "raito/aside"
"""On a run that was launched beside the syncs, as Raito Cloud asked for it: nothing follows it."""
TRIGGER_TAG = "raito/trigger"
"""The id of what Raito Cloud asked for, on the runs that were launched for it."""
STEP_TAG = "raito/trigger-step"
"""Which of the runs of a trigger it is, from 1."""
OUT_OF_SYNC_TAG = "raito/out-of-sync-only"
"""On a run that exports the access controls that a push still has to handle, and no others."""
PROCESS_TAG = "raito/process"
"""The process that makes a run of `raito-pipeline run`, so that others can tell when it is dead."""
PARENT_TAG = "dagster/parent_run_id"
"""On a run that was executed again, by a person or by Dagster: the run before it."""
PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
BACKFILL_TAG = "dagster/backfill"
WILL_RETRY_TAG = "dagster/will_retry"


BY_COMMAND = "command"


def layer_tags(layer: Layer, owner: str, sync: str) -> dict[str, str]:
    """The tags of a run of a layer. `owner` is the partition key of the account or organization."""
    return {SYNC_TAG: sync, ACCOUNT_TAG: owner, LAYER_TAG: layer.value, PRIORITY_TAG: layer.priority}


def work_of(layer: Layer) -> str:
    """What a run of a layer does, as the lease of its account says it."""
    return "cells by hand" if layer is Layer.CELLS else f"layer {layer.value}"


def launched_by_command(tags: Mapping[str, str]) -> bool:
    """True for a run of `raito-pipeline run`, which runs the layers one after the other by itself.

    One that is re-executed in the UI has the tags of the run before it, but is made by Dagster.
    """
    return tags.get(LAUNCHED_BY_TAG) == BY_COMMAND and PARENT_TAG not in tags


def command_tags() -> dict[str, str]:
    """The tags of a run that this process makes for `raito-pipeline run`."""
    return {LAUNCHED_BY_TAG: BY_COMMAND, PROCESS_TAG: Owner.here().name}


def joined(values: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run of one or more accounts: `values` holds the sync of each. No key or id holds a comma."""
    return {ACCOUNT_TAG: ",".join(values), SYNC_TAG: ",".join(values.values())}


def retried(status: dg.DagsterRunStatus, tags: Mapping[str, str], instance: dg.DagsterInstance) -> bool | None:
    """Whether Dagster tries a run again; None where it failed and Dagster has not decided yet.

    Where an instance has retries, a run fails first, and gets the tag that says so a moment (on a loaded machine,
    seconds) later.
    """
    if status is not dg.DagsterRunStatus.FAILURE:
        return False
    if WILL_RETRY_TAG in tags:
        return tags[WILL_RETRY_TAG] == "true"
    return None if instance.run_retries_enabled else False


def begun(run: dg.DagsterRun) -> bool:
    """Whether a run was let into its account.

    Dagster gives a run that is executed again, or retried, the tags of the run before it: what that one was let into
    says nothing of this one. (Earlier versions noted no id.)
    """
    return run.tags.get(BEGUN_TAG) in (run.run_id, "true")


def admitted(run: dg.DagsterRun, storage: str | Path) -> dict[str, str]:
    """The tags that say that a run was let in, whatever those say that it has from the run before it."""
    refused_before = {REFUSED_TAG: ""} if REFUSED_TAG in run.tags else {}
    return {BEGUN_TAG: run.run_id, STORAGE_TAG: storage_name(storage), **refused_before}


def storage_name(location: str | Path) -> str:
    """What tells a storage from others, in a tag: neither its address nor how it is reached."""
    return hashlib.sha256(str(location).partition("?")[0].encode()).hexdigest()[:16]


def syncs_of(tags: Mapping[str, str]) -> dict[str, str]:
    """The accounts (or organizations) of a run with the sync of each, as `joined` wrote them; "" = not settled yet."""
    owners = [owner for owner in tags.get(ACCOUNT_TAG, "").split(",") if owner]
    syncs = tags.get(SYNC_TAG, "").split(",")
    return {owner: syncs[n] if len(syncs) == len(owners) else syncs[0] for n, owner in enumerate(owners)}


@dataclass(frozen=True)
class RunScope:
    """What a run makes: its layer, and the partition keys of its accounts (or organizations)."""

    layer: Layer
    owners: tuple[str, ...]


def scope_of(run: dg.DagsterRun, grid: Grid) -> RunScope:
    """The scope of a run, by its tags; by its tables and partitions where it has none.

    A run with every table that tells a layer, for a whole account (or organization), is that layer. Where it makes
    tables of several layers, it is the first of them: the others have to follow, as they read what the first makes.
    """
    keys = partition_keys(run, grid)
    owners = tuple(sorted({key.split("|")[0] for key in keys}))
    given = run.tags.get(LAYER_TAG)
    if given in set(Layer):
        return RunScope(Layer(given), owners or tuple(syncs_of(run.tags)))
    if run.asset_selection is None or len(owners) != 1:
        return RunScope(Layer.CELLS, owners)
    tables = {grid.naming.table(key) for key in run.asset_selection}
    for layer in (Layer.ORGANIZATION, Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH):
        whole = layer is not Layer.REGIONS or set(grid.regional_keys(owners[0])) <= set(keys)
        if tables.issuperset(layer.told_by) and whole:
            return RunScope(layer, owners)
    return RunScope(Layer.CELLS, owners)


def partition_keys(run: dg.DagsterRun, grid: Grid) -> list[str]:
    """The partition keys of a run: of an account, of a region of one, or of an organization."""
    if PARTITION_TAG in run.tags:
        return [run.tags[PARTITION_TAG]]
    if RANGE_START not in run.tags or RANGE_END not in run.tags:
        return []
    wanted = dg.PartitionKeyRange(run.tags[RANGE_START], run.tags[RANGE_END])
    definitions = (grid.account, grid.account_region, grid.organization)
    for definition in definitions:
        if definition.has_partition_key(wanted.start):
            return list(definition.get_partition_keys_in_range(wanted))
    return [wanted.start, wanted.end]
