"""What Dagster loads: assets, resources, jobs, schedules and sensors of the `raito.yml` that it finds.

Loading reads `raito.yml` and nothing else. Where there is none, the assets are there without partitions.
"""

import os
from pathlib import Path

import dagster as dg

import assets
from raito_pipeline.config import ConfigError, Options, Pipeline, find_config, load
from raito_pipeline.orchestration.automation import build_automation
from raito_pipeline.orchestration.grid import make_grid
from raito_pipeline.orchestration.progress import RunProgress
from raito_pipeline.orchestration.raito_jobs import raito_jobs
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.sync_run import sync_run


def build_definitions(options: Options, services: Services | None = None) -> dg.Definitions:
    """The definitions of a configuration. Pure: nothing is contacted."""
    grid = make_grid(options)
    # Runs of Dagster log their progress; a command shows it itself.
    kept = services or Services(options, RunProgress())
    automation = build_automation(options, grid)
    return dg.Definitions(
        assets=assets.build(grid, options),
        resources={"services": kept, "sync_run": sync_run(kept, grid), "raito_jobs": raito_jobs(kept, grid)},
        jobs=automation.jobs,
        schedules=automation.schedules,
        sensors=automation.sensors,
        # One process a run: the steps share connections, answers and the job in Raito Cloud.
        executor=dg.in_process_executor,
    )


def options_of_this_directory() -> Options:
    """The options of the `raito.yml` that is found from here, or none at all where there is no such file.

    Raises `ConfigError` for a file with problems, so that Dagster shows them as the error of the location.
    """
    try:
        found = find_config(Path.cwd(), Path.home(), os.environ)
    except ConfigError as error:
        if os.environ.get("RAITO_CONFIG_FILE"):
            raise
        dg.get_dagster_logger().warning(f"{error}\nNo accounts are shown until there is one.")
        return Options(file="", pipeline=Pipeline(storage="data"))
    return load(found)


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point that `workspace.yaml` names."""
    options = options_of_this_directory()
    for warning in options.warnings:
        dg.get_dagster_logger().warning(str(warning))
    return build_definitions(options)
