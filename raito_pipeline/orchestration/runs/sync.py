"""One sync in this process, for people who come from the Raito CLI: the layers of every target, one after the other.

Each layer is an ordinary Dagster run on the given instance, so that the UI shows it like any other.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import dagster as dg

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.partitioning.partitions import regions_of_part
from raito_pipeline.orchestration.runs.failures import causes, failure_lines
from raito_pipeline.orchestration.runs.interrupts import listening_for_interrupts
from raito_pipeline.orchestration.runs.sync_run import SyncSuperseded
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG, RANGE_END, RANGE_START, command_tags, layer_tags
from raito_pipeline.storage.lease import SyncUnderWay

_NOT_LET_IN = frozenset({SyncUnderWay.__name__, SyncSuperseded.__name__})
# Dagster writes every event to the console otherwise; the sync prints its own lines.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class LayerRun:
    """One run of a sync: a name for people, what it materializes, and for which partitions."""

    place: str
    name: str
    tables: tuple[str, ...]
    partition_key: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class LayerResult:
    """How a layer ended: `failures` holds one line a failed step, `skipped` the tables that were not tried.

    `run_id` is its Dagster run; `interrupted` is true where somebody ended it (Ctrl-C), also where it was made by then,
    `refused` where it was not let into its account, in which another sync is under way.
    """

    layer: LayerRun
    seconds: float
    failures: tuple[str, ...]
    skipped: tuple[str, ...]
    run_id: str = ""
    interrupted: bool = False
    refused: bool = False

    @property
    def success(self) -> bool:
        """True where every table of the layer was made."""
        return not self.failures and not self.skipped


def layers(options: Options, grid: Grid, sync: str) -> Iterator[LayerRun]:
    """The runs of a sync of everything in `options`, in order: organizations, then account by account.

    They carry the tags that the runs of schedules and sensors carry, so that the Dagster instance takes them for what
    they are. `sync` is the id of the sync.
    """
    for key in grid.organization.get_partition_keys():
        yield _layer(Layer.ORGANIZATION, f"organization {key}", "identities", key, sync)
    for account in grid.account.get_partition_keys():
        if options.account(account).closed:
            continue
        place, count = f"account {account}", len(options.account(account).regions)
        keys = grid.regional_keys(account)
        yield _layer(Layer.ACCOUNT, place, "IAM and buckets", account, sync)
        regions = _layer(Layer.REGIONS, place, f"{count} region{'' if count == 1 else 's'}", account, sync)
        yield replace(regions, partition_key=None, tags={**regions.tags, RANGE_START: keys[0], RANGE_END: keys[-1]})
        yield _layer(Layer.FINISH, place, "access, upload, push", account, sync)


def _layer(layer: Layer, place: str, name: str, owner: str, sync: str) -> LayerRun:
    return LayerRun(place, name, layer.tables, owner, {**layer_tags(layer, owner, sync), **command_tags()})


def subtree_layers(options: Options, subtree: Subtree) -> Iterator[LayerRun]:
    """The runs that read one part of the data objects again and upload it; none where no target holds it.

    They name no sync: they join the last one of the account, whose other cells they leave as they are.
    """
    for target in options.accounts:
        regions = regions_of_part(target, subtree.place)
        if not regions:
            continue
        account, tags = target.partition, {**subtree.tags(), **command_tags(), ACCOUNT_TAG: target.partition}
        name = f"data objects below {subtree.parent}"
        for region in regions:
            yield LayerRun(f"account {account}", name, ("data_objects",), f"{account}|{region}", tags)
        yield LayerRun(f"account {account}", "upload of these", TABLES["data_source_import"].with_notes, account, tags)


def run_sync(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    wanted: Sequence[LayerRun],
    tell: Callable[[LayerRun, LayerResult | None], None],
    naming: Naming | None = None,
) -> tuple[LayerResult, ...]:
    """Run the layers one after the other; a layer that fails does not keep the others from running.

    Where another sync of an account is under way, the layers after the one that was refused are not begun.

    `tell` is called before each layer (with None) and after it. Raises nothing for a failed layer: its result says so;
    `KeyboardInterrupt` after a layer that was interrupted.
    """
    job = definitions.resolve_implicit_global_asset_job_def()
    results: list[LayerResult] = []
    refused: set[str] = set()
    for layer in wanted:
        if layer.place in refused:
            continue
        tell(layer, None)
        results.append(_run(job, instance, layer, naming or Naming()))
        tell(layer, results[-1])
        if results[-1].refused:
            refused.add(layer.place)
        if results[-1].interrupted:
            # Dagster ends a run that is interrupted as a failed one.
            raise KeyboardInterrupt
    return tuple(results)


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, layer: LayerRun, naming: Naming) -> LayerResult:
    began = time.monotonic()
    with listening_for_interrupts() as interrupts:
        result = job.execute_in_process(
            asset_selection=[naming.key(table) for table in layer.tables],
            partition_key=layer.partition_key,
            tags={**layer.tags, **naming.tags},
            instance=instance,
            run_config=_QUIET,
            raise_on_error=False,
        )
        interrupted = interrupts.came()
    kinds = {getattr(error, "cls_name", None) for event in result.all_events for error in causes(event)}
    failures = ("interrupted",) if interrupted and not result.success else tuple(_failures(result))
    skipped = tuple(sorted({event.step_key for event in result.all_events if event.is_step_skipped and event.step_key}))
    refused = not kinds.isdisjoint(_NOT_LET_IN)
    return LayerResult(layer, time.monotonic() - began, failures, skipped, result.run_id, interrupted, refused)


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    step_failed = any(event.is_step_failure for event in result.all_events)
    for event in result.all_events:
        if event.is_step_failure or (event.is_run_failure and not step_failed):
            yield from failure_lines(event)
