"""What Dagster loads: the component on the `raito.yml` that is found from this directory, under no name.

Loading reads `raito.yml` and nothing else. Where there is none, the assets are there without partitions.
"""

import os
from pathlib import Path

import dagster as dg

from raito_pipeline.component import RaitoAwsComponent, build_definitions, no_accounts
from raito_pipeline.config import ConfigError, Options, find_config, load

__all__ = ["build_definitions", "defs", "options_of_this_directory"]


def options_of_this_directory() -> Options:
    """The options of the `raito.yml` that is found from here, or none at all where there is no such file.

    Raises `ConfigError` for a file with problems, so that Dagster shows them as the error of the location.
    """
    try:
        found = find_config(Path.cwd(), Path.home(), os.environ)
    except ConfigError as error:
        if os.environ.get("RAITO_CONFIG_FILE"):
            raise
        return no_accounts(error)
    return load(found)


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point that `workspace.yaml` names."""
    options = options_of_this_directory()
    for warning in options.warnings:
        dg.get_dagster_logger().warning(str(warning))
    # One process a run, also for what is materialized by hand: its steps share connections and answers.
    here = dg.Definitions(executor=dg.in_process_executor)
    return dg.Definitions.merge(RaitoAwsComponent().definitions(options), here)
