"""`raito-pipeline run`: one sync of everything, as a person at a terminal sees it."""

import argparse
import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from raito_pipeline.cli.instance import instance_of_this_directory
from raito_pipeline.cli.progress import TerminalProgress
from raito_pipeline.config import Options, load
from raito_pipeline.dagster_support.grid import make_grid
from raito_pipeline.definitions import build_definitions
from raito_pipeline.objects.subtree import NoSubtree, Subtree
from raito_pipeline.resources import Services
from raito_pipeline.sync import layers, run_sync, subtree_layers

# The stages that can be left out on the command line; in `raito.yml` they are options of the same names.
SKIPS = ("skip-identity-store-sync", "skip-data-source-sync", "skip-data-access-sync", "skip-data-usage-sync")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--config-file", type=Path, help="the configuration (default: raito.yml here or in ~/.raito/)")
    parser.add_argument("--only-targets", help="names of the targets to sync, separated by commas")
    for skip in SKIPS:
        parser.add_argument(f"--{skip}", action="store_true", help=f"as the option {skip} of raito.yml")
    parser.add_argument("--data-object-parent", metavar="FULL_NAME", help="read and upload only what lies below it")
    parser.add_argument(
        "--data-object-excludes", metavar="FULL_NAMES", help="less these and what lies below (by commas)"
    )


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`."""
    overrides = {skip: "true" for skip in SKIPS if getattr(given, skip.replace("-", "_"))}
    targets = given.only_targets.split(",") if given.only_targets else None
    options = load(given.config_file, os.environ, targets, overrides)
    options.check_usable()
    if given.data_object_parent:
        return sync_on_terminal(options, given.data_object_parent, (given.data_object_excludes or "").split(","))
    return sync_on_terminal(options)


def sync_on_terminal(options: Options, parent: str | None = None, excludes: Iterable[str] = ()) -> int:
    """One sync of everything in `options`, or of the data objects below `parent` less `excludes` (full names).

    Gives the exit status: 0 only if every layer succeeded, 2 where no target holds `parent`.
    """
    console = Console(soft_wrap=True)
    sync = f"command-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    try:
        subtree = None if parent is None else Subtree.of(parent, excludes)
    except NoSubtree as error:
        console.print(str(error), style="red", markup=False)
        return 2
    wanted = list(
        layers(options, make_grid(options), sync) if subtree is None else subtree_layers(options, subtree, sync)
    )
    if not wanted:
        console.print(f"no target of {options.file} reads the account and region of {parent}", style="red")
        return 2
    for warning in options.warnings:
        console.print(f"note: {warning}", style="yellow", markup=False, highlight=False)
    progress = TerminalProgress(console)
    services = Services(options, progress.report)
    definitions = build_definitions(options, services)
    began = time.monotonic()
    with instance_of_this_directory() as instance, progress.shown():
        results = run_sync(definitions, instance, wanted, progress.layer)
    failed = [r for r in results if not r.success]
    verdict = f"[red]{len(failed)} of {len(results)} layers failed[/]" if failed else "[green]everything succeeded[/]"
    console.print(f"{verdict} in {time.monotonic() - began:.1f} s; tables in {options.pipeline.storage}")
    return 1 if failed else 0
