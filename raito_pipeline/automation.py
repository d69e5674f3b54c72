"""When syncs start, and how one sync becomes at most three runs an account.

A sync of an account is three layers: what is read once an account (IAM, the buckets), what is read a region, and what
is made of both (access providers, imports, push). Schedules and jobs start the first layer only, with the tag
`raito/sync`. The sensor `continue_sync` starts the next layer as soon as the one before is whole: it waits for every
region of the account and asks the same guard as the uploads do. A region that failed stops its account there; once
that region is materialized again, the sync goes on by itself. A materialization outside a sync starts nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRun, DagsterRunStatus, DefaultSensorStatus
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from raito_pipeline.config import Options
from raito_pipeline.dagster_support.grid import Grid
from raito_pipeline.dagster_support.layers import FINAL, ORGANIZATION, REGIONAL, ROOTS, regional_needs
from raito_pipeline.resources import Services
from raito_pipeline.storage import Store

SYNC_TAG = "raito/sync"
ACCOUNT_TAG = "raito/account"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
_BACKFILL = "dagster/backfill"


@dataclass(frozen=True)
class Automation:
    """The jobs, schedules and sensors of a configuration."""

    jobs: tuple[UnresolvedAssetJobDefinition, ...]
    schedules: tuple[dg.ScheduleDefinition, ...]
    sensors: tuple[dg.SensorDefinition, ...]


@dataclass(frozen=True)
class _Jobs:
    organization: UnresolvedAssetJobDefinition
    account: UnresolvedAssetJobDefinition
    regions: UnresolvedAssetJobDefinition
    finish: UnresolvedAssetJobDefinition

    @classmethod
    def make(cls, grid: Grid) -> "_Jobs":
        def job(name: str, tables: tuple[str, ...], by: str, text: str) -> UnresolvedAssetJobDefinition:
            return dg.define_asset_job(
                name,
                selection=dg.AssetSelection.assets(*tables),
                partitions_def=grid.definition(by),
                description=text,
                tags={SYNC_TAG: "job"},
            )

        return cls(
            job("sync_organization", ORGANIZATION, "organization", "Reads and uploads the people of an organization."),
            job("sync_account", ROOTS, "account", "Starts a sync of an account; the other layers follow."),
            job("sync_account_regions", REGIONAL, "account_region", "The regional layer of a sync."),
            job("sync_account_finish", FINAL, "account", "The last layer of a sync: access, uploads and push."),
        )


def build_automation(options: Options, grid: Grid, services: Services) -> Automation:
    """The jobs of a sync, the sensor that continues it, and what `cron`, `frequency`, `sync-at-startup` ask for."""
    jobs = _Jobs.make(grid)
    schedules = [_cron_schedule(options, grid, jobs)] if options.cron else []
    sensors = [_continue_sync(options, grid, services, jobs)]
    if (options.frequency and not options.cron) or options.sync_at_startup:
        sensors.append(_start_syncs(options, grid, jobs))
    return Automation((jobs.organization, jobs.account, jobs.regions, jobs.finish), tuple(schedules), tuple(sensors))


def sync_requests(grid: Grid, jobs: _Jobs, sync: str) -> Iterator[dg.RunRequest]:
    """The runs that start a sync of everything: organizations first, then the first layer of each account."""
    for job, definition in ((jobs.organization, grid.organization), (jobs.account, grid.account)):
        for key in definition.get_partition_keys():
            yield dg.RunRequest(
                run_key=f"{sync}/{job.name}/{key}",
                job_name=job.name,
                partition_key=key,
                tags={SYNC_TAG: sync, ACCOUNT_TAG: key},
            )


def _cron_schedule(options: Options, grid: Grid, jobs: _Jobs) -> dg.ScheduleDefinition:
    def requests(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        return list(sync_requests(grid, jobs, f"cron-{context.scheduled_execution_time:%Y%m%dT%H%M}"))

    assert options.cron is not None
    return dg.ScheduleDefinition(
        name="sync_by_cron",
        target=[jobs.organization, jobs.account],  # type: ignore[arg-type]  # Dagster takes a list of jobs
        cron_schedule=options.cron,
        execution_fn=requests,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"`cron` of raito.yml: {options.cron}",
    )


def _start_syncs(options: Options, grid: Grid, jobs: _Jobs) -> dg.SensorDefinition:
    """`frequency` and `sync-at-startup`: a cron line can express neither."""

    def requests(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        last = datetime.fromisoformat(context.cursor) if context.cursor else None
        if not due(now, last, options.frequency if not options.cron else 0, options.sync_at_startup):
            return dg.SkipReason(f"the last sync was started at {last:%Y-%m-%d %H:%M} UTC" if last else "not due")
        return dg.SensorResult(
            run_requests=list(sync_requests(grid, jobs, f"started-{now:%Y%m%dT%H%M%S}")), cursor=now.isoformat()
        )

    return dg.SensorDefinition(
        name="sync_by_frequency",
        evaluation_fn=requests,
        jobs=[jobs.organization, jobs.account],
        minimum_interval_seconds=60,
        default_status=DefaultSensorStatus.RUNNING,
        description="`frequency` and `sync-at-startup` of raito.yml",
    )


def due(now: datetime, last: datetime | None, frequency: int, at_startup: bool) -> bool:
    """Whether a sync is to be started: `last` is when one was started before (None: never), `frequency` in minutes.

    Without `at_startup` the first sync comes one interval after the sensor first looked, as `last` then tells; at
    start-up, none comes within an hour of the last.
    """
    if last is None:
        return at_startup or frequency > 0
    if frequency:
        return now - last >= timedelta(minutes=frequency)
    return False


def _continue_sync(options: Options, grid: Grid, services: Services, jobs: _Jobs) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name="continue_sync",
        run_status=DagsterRunStatus.SUCCESS,
        request_jobs=[jobs.regions, jobs.finish],
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description="Starts the next layer of a sync as soon as every region of the account is there.",
    )
    def continue_sync(context: dg.RunStatusSensorContext) -> dg.SensorResult:
        store = services.store("")
        requests = [
            request
            for account in accounts_of(context.dagster_run, grid)
            if (request := next_layer(context.instance, context.dagster_run, store, options, grid, account))
        ]
        return dg.SensorResult(run_requests=requests)

    return continue_sync


def accounts_of(run: DagsterRun, grid: Grid) -> tuple[str, ...]:
    """The accounts whose cells a run made; none for a run of a backfill, whose layers Dagster itself orders."""
    if _BACKFILL in run.tags:
        return ()
    keys = {run.tags.get(tag, "") for tag in (_PARTITION, RANGE_START, RANGE_END)}
    known = set(grid.account.get_partition_keys())
    return tuple(sorted({key.split("|")[0] for key in keys} & known))


def next_layer(
    instance: dg.DagsterInstance, run: DagsterRun, store: Store, options: Options, grid: Grid, account: str
) -> dg.RunRequest | None:
    """The run that continues the sync of an account after `run`, or None where there is none to continue."""
    roots = store.info("s3_buckets", account)
    if roots is None or _sync_of(instance, roots.run_id) is None:
        return None
    tags = {SYNC_TAG: _sync_of(instance, roots.run_id) or "", ACCOUNT_TAG: account}
    if run.run_id == roots.run_id:
        keys = grid.regional_keys(account)
        return dg.RunRequest(
            run_key=f"{account}/regions/{roots.run_id}",
            job_name="sync_account_regions",
            tags={**tags, RANGE_START: keys[0], RANGE_END: keys[-1]},
        )
    finished = store.info("access_push_results", account)
    if finished is not None and finished.read_at >= roots.read_at:
        return None
    if not _layer_is_whole(store, options, grid, account):
        return None
    return dg.RunRequest(
        run_key=f"{account}/finish/{run.run_id}", job_name="sync_account_finish", partition_key=account, tags=tags
    )


def _layer_is_whole(store: Store, options: Options, grid: Grid, account: str) -> bool:
    """True where every region is there and from this sync. A partial read goes on: the uploads then remove nothing."""
    for need in regional_needs(options, grid, store, account):
        for cell in need.cells:
            info = store.info(need.table, cell.account, cell.region)
            if info is None or (need.since is not None and info.read_at < need.since):
                return False
    return True


def _sync_of(instance: dg.DagsterInstance, run_id: str) -> str | None:
    run = instance.get_run_by_id(run_id) if run_id else None
    return run.tags.get(SYNC_TAG) if run else None


__all__ = ["ACCOUNT_TAG", "RANGE_END", "RANGE_START", "SYNC_TAG", "Automation", "build_automation", "due"]
