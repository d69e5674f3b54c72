"""`raito-pipeline info`: every option of `raito.yml`, and the least IAM policy of a target."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from raito_pipeline.aws.least_policy import Mode, least_policy
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget, load
from raito_pipeline.config.describe import describe


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("option", nargs="?", help="show only options whose name contains this")
    parser.add_argument(
        "--iam-policy",
        nargs="?",
        const="read",
        choices=("read", "push"),
        help="print the least IAM policy that a target needs, as JSON",
    )
    parser.add_argument("--target", help="the name of the target in raito.yml (with --iam-policy)")
    parser.add_argument("--config-file", type=Path, help="the configuration (with --iam-policy)")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`."""
    if given.iam_policy:
        return show_iam_policy(load(given.config_file), given.target, given.iam_policy)
    return show_options(given.option)


def show_options(contains: str | None) -> int:
    """Print the options whose name holds `contains` (all, without it) with what they mean."""
    console = Console()
    table = Table("option", "where", "default", "meaning", show_lines=True)
    for found in describe():
        if contains is None or any(contains in name for name in (found.name, *found.spellings)):
            table.add_row("\n".join((found.name, *found.spellings)), found.where, found.default, found.text)
    console.print(table)
    return 0 if table.row_count else 1


def show_iam_policy(options: Options, target: str | None, mode: Mode) -> int:
    """Print the least IAM policy of a target as JSON. Without its name, the only target is meant."""
    found: dict[str, AccountTarget | OrganizationTarget] = {t.name: t for t in options.accounts}
    found.update({t.name: t for t in options.organizations})
    chosen = target or (next(iter(found)) if len(found) == 1 else None)
    if chosen is None or chosen not in found:
        message = f"--target names {target!r}" if target else "--target is missing"
        Console(stderr=True).print(f"{message}; the targets of {options.file} are: {', '.join(found) or 'none'}")
        return 2
    inventories = [address for _, address in options.pipeline.s3_inventory]
    print(json.dumps(least_policy(found[chosen], mode, inventories), indent=2))
    return 0
