"""`raito-pipeline sandbox`: the embedded estate."""

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--directory", type=Path, default=Path(".sandbox"), help="where everything it makes lies")
    then = parser.add_mutually_exclusive_group()
    then.add_argument("--sync", action="store_true", help="sync it once, show what arrived, and end")
    then.add_argument("--ui", action="store_true", help="run the Dagster UI and daemon on it until Ctrl-C")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status."""
    from raito_pipeline.sandbox.embedded import run_sandbox

    return run_sandbox(given.directory, sync=given.sync, ui=given.ui)
