"""The jobs, schedules and sensors of a configuration, put together. What they do is in `orchestration`.

A sync of an account is three runs: what is read once an account (IAM, the buckets), what is read a region, and what is
made of both (access providers, imports, push). Whoever begins a sync launches the first; `continue_sync` the others.
"""

from dataclasses import dataclass

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.orchestration.automation.alerts import alert_sensor
from raito_pipeline.orchestration.automation.continue_sync import Syncs, continue_sync
from raito_pipeline.orchestration.automation.discover_sensor import discover_sensor
from raito_pipeline.orchestration.automation.jobs import AssetJob, make_jobs
from raito_pipeline.orchestration.automation.old_runs import forgetting
from raito_pipeline.orchestration.automation.starts import cron_schedules, drift_schedules, start_sensor
from raito_pipeline.orchestration.automation.trigger_runs import trigger_sensor
from raito_pipeline.orchestration.partitioning.grid import Grid


@dataclass(frozen=True)
class Automation:
    """The jobs, schedules and sensors of a configuration."""

    jobs: tuple[AssetJob, ...]
    schedules: tuple[dg.ScheduleDefinition, ...]
    sensors: tuple[dg.SensorDefinition, ...]


def build_automation(options: Options, grid: Grid) -> Automation:
    """The jobs of a sync, the sensor that continues it, and what `cron` and the other options of `starts` ask for."""
    targets = {target.partition: target.name for target in options.accounts}
    jobs, syncs = make_jobs(targets, grid.naming), Syncs(options, grid)
    starts = start_sensor(options, syncs, jobs)
    others = (
        starts,
        trigger_sensor(syncs, jobs),
        alert_sensor(options, grid),
        discover_sensor(options, grid.naming),
    )
    sensors = [continue_sync(syncs, jobs), *(each for each in others if each is not None)]
    schedules = [*cron_schedules(options, syncs, jobs), *drift_schedules(options, syncs, jobs)]
    forgets = forgetting(options, grid, syncs.history)
    if forgets is None:
        return Automation(tuple(jobs.values()), tuple(schedules), tuple(sensors))
    return Automation((*jobs.values(), forgets.job), (*schedules, forgets.schedule), tuple(sensors))
