"""What Dagster loads: the component on the `raito.yml` that is found from this directory, under no name.

Loading reads `raito.yml` (a file, or an object on S3) and nothing else. Where there is none, the assets are there
without partitions.
"""

import os
from collections.abc import Hashable
from pathlib import Path

import dagster as dg

from raito_pipeline.loading import modules_stay, nothing_is_garbage

with modules_stay():
    from raito_pipeline.component import RaitoAwsComponent, build_definitions, no_accounts
    from raito_pipeline.config import ConfigError, Options, find_config, load
    from raito_pipeline.config.environment import CONFIG_FILE_VARIABLE
    from raito_pipeline.config.profiles import configuration_files, state_of
    from raito_pipeline.orchestration.config_file import load_configuration, s3_address

__all__ = ["build_definitions", "defs", "options_of_this_directory"]


def options_of_this_directory() -> Options:
    """The options of the `raito.yml` that is found from here, or none at all where there is no such file.

    Raises `ConfigError` for a file with problems, so that Dagster shows them as the error of the location.
    """
    if s3_address(os.environ.get(CONFIG_FILE_VARIABLE)) is not None:
        return load_configuration()
    try:
        path = find_config(Path.cwd(), Path.home(), os.environ)
    except ConfigError as error:
        if os.environ.get(CONFIG_FILE_VARIABLE):
            raise
        return no_accounts(error)
    return load(path)


@dg.definitions
def defs() -> dg.Definitions:
    """The entry point that `workspace.yaml` names.

    Dagster calls it up to six times to execute one job: as long as nothing that it reads has changed, it is the same.
    What lies on S3 is read each time, as nothing here tells whether it changed.
    """
    if s3_address(os.environ.get(CONFIG_FILE_VARIABLE)) is not None:
        return _built()
    read = _what_is_read()
    if read not in _LOADED:
        _LOADED.clear()
        _LOADED[read] = _built()
    return _LOADED[read]


_LOADED: dict[Hashable, dg.Definitions] = {}


def _what_is_read() -> Hashable:
    """What tells whether loading would give something else: the environment, and the state of each file it can read."""
    here = Path.cwd()
    try:
        folder = find_config(here, Path.home(), os.environ).parent
    except ConfigError:
        folder = here
    files = [*folder.glob("*.y*ml"), *configuration_files(os.environ, Path.home())]
    states = {str(file): state_of(file) for file in files}
    return here, tuple(sorted(os.environ.items())), tuple(sorted(states.items()))


@nothing_is_garbage()
def _built() -> dg.Definitions:
    options = options_of_this_directory()
    for warning in options.warnings:
        dg.get_dagster_logger().warning(str(warning))
    # One process a run, also for what is materialized by hand: its steps share connections and answers.
    here = dg.Definitions(executor=dg.in_process_executor)
    return dg.Definitions.merge(RaitoAwsComponent().definitions(options), here)
