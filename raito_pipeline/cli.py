"""The command line: `raito-pipeline run`, `info` and `sandbox`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from raito_pipeline.config import ConfigError

# The stages that can be left out on the command line; in `raito.yml` they are options of the same names.
SKIPS = ("skip-identity-store-sync", "skip-data-source-sync", "skip-data-access-sync", "skip-data-usage-sync")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status: 0 = everything succeeded, 1 = something failed, 2 = wrong configuration."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not hasattr(given, "run"):
        parser.print_help()
        return 2
    try:
        status: int = given.run(given)
        return status
    except ConfigError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(str(error), markup=False)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raito-pipeline", description="Keeps AWS and Raito Cloud in step.")
    parser.add_argument("--version", action="version", version=version("raito-pipeline"))
    commands = parser.add_subparsers(title="commands")
    run = commands.add_parser("run", help="one sync of the raito.yml in this directory, then exit")
    run.add_argument("--config-file", type=Path, help="the configuration (default: raito.yml here or in ~/.raito/)")
    run.add_argument("--only-targets", help="names of the targets to sync, separated by commas")
    for skip in SKIPS:
        run.add_argument(f"--{skip}", action="store_true", help=f"as the option {skip} of raito.yml")
    run.set_defaults(run=_run)
    run.add_argument("--data-object-parent", metavar="FULL_NAME", help="read and upload only what lies below it")
    run.add_argument("--data-object-excludes", metavar="FULL_NAMES", help="less these and what lies below (by commas)")
    info = commands.add_parser("info", help="every option of raito.yml with its explanation")
    info.add_argument("option", nargs="?", help="show only options whose name contains this")
    info.add_argument(
        "--iam-policy",
        nargs="?",
        const="read",
        choices=("read", "push"),
        help="print the least IAM policy that a target needs, as JSON",
    )
    info.add_argument("--target", help="the name of the target in raito.yml (with --iam-policy)")
    info.add_argument("--config-file", type=Path, help="the configuration (with --iam-policy)")
    info.set_defaults(run=_info)
    sandbox = commands.add_parser("sandbox", help="the embedded estate: emulated AWS and a local Raito Cloud")
    sandbox.add_argument("--directory", type=Path, default=Path(".sandbox"), help="where everything it makes lies")
    then = sandbox.add_mutually_exclusive_group()
    then.add_argument("--sync", action="store_true", help="sync it once, show what arrived, and end")
    then.add_argument("--ui", action="store_true", help="run the Dagster UI and daemon on it until Ctrl-C")
    sandbox.set_defaults(run=_sandbox)
    return parser


def _run(given: argparse.Namespace) -> int:
    from raito_pipeline.config import load
    from raito_pipeline.terminal import sync_on_terminal

    overrides = {skip: "true" for skip in SKIPS if getattr(given, skip.replace("-", "_"))}
    targets = given.only_targets.split(",") if given.only_targets else None
    options = load(given.config_file, os.environ, targets, overrides)
    options.check_usable()
    if given.data_object_parent:
        return sync_on_terminal(options, given.data_object_parent, (given.data_object_excludes or "").split(","))
    return sync_on_terminal(options)


def _info(given: argparse.Namespace) -> int:
    from raito_pipeline.config import load
    from raito_pipeline.terminal import show_iam_policy, show_options

    if given.iam_policy:
        return show_iam_policy(load(given.config_file), given.target, given.iam_policy)
    return show_options(given.option)


def _sandbox(given: argparse.Namespace) -> int:
    from raito_pipeline.sandbox.embedded import run_sandbox

    return run_sandbox(given.directory, sync=given.sync, ui=given.ui)


if __name__ == "__main__":
    sys.exit(main())
