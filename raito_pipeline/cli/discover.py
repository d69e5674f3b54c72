"""`raito-pipeline discover`: accounts of the organization become targets, each with what it needs in Raito Cloud."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from raito_pipeline.aws.connection.clients import AwsError, WrongAccount
from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal, agrees
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.config import Options
from raito_pipeline.config.edit import NotEditable
from raito_pipeline.orchestration.automation.discovery import (
    Carried,
    DiscoveredAccount,
    DiscoveryPlan,
    DiscoveryVerdict,
    NoDiscovery,
    plan_of,
    work_of,
)
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.errors import RaitoError

_COLOURS = {
    DiscoveryVerdict.NEW: "green",
    DiscoveryVerdict.CLOSED: "yellow",
    DiscoveryVerdict.GONE: "yellow",
    DiscoveryVerdict.LEFT_OUT: "dim",
}
_ORDER = (
    DiscoveryVerdict.NEW,
    DiscoveryVerdict.CLOSED,
    DiscoveryVerdict.GONE,
    DiscoveryVerdict.KNOWN,
    DiscoveryVerdict.LEFT_OUT,
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_config_file(parser)
    parser.add_argument("--write", action="store_true", help="do it, without asking")
    parser.add_argument("--json", action="store_true", help="print it as JSON, and nothing else, on stdout")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`, `CommandFailed`."""
    options = whole_configuration(given.config_file)
    console = Terminal(stderr=given.json)
    for warning in options.warnings:
        console.print(f"note: {warning}", style="yellow", soft_wrap=True)
    services = Services(options)
    try:
        with console.status("asking AWS for the accounts of the organization"):
            plan = plan_of(services)
        show(console, plan)
        done = _carry_out(services, plan, console) if plan.changes and _wanted(given, console, plan) else None
    except (NoDiscovery, AwsError, WrongAccount, RaitoError, NotEditable, OSError) as error:
        raise CommandFailed(str(error)) from None
    if given.json:
        print(json.dumps(_json(plan, done)))
    return 0


def whole_configuration(file: Path | None) -> Options:
    """The configuration with all of its targets, whatever `only-targets` says. Raises `ConfigError`."""
    return load_configuration(file, only_targets=())


def show(console: Console, plan: DiscoveryPlan) -> None:
    """Print what would be done with each account, and the counts."""
    table = Table("", "account", "name", "in", "why", title="Accounts of the organization", pad_edge=False)
    for column in table.columns[2:]:
        column.overflow = "fold"
    for verdict in _ORDER:
        for account in plan.of(verdict):
            table.add_row(verdict.value, account.account_id, account.name, account.path, _why(account),
                          style=_COLOURS.get(verdict, ""))  # fmt: skip
        table.add_section()
    console.print(table)
    counts = [f"{len(plan.of(verdict))} {verdict.value}" for verdict in _ORDER if plan.of(verdict)]
    console.print(f"{len(plan.accounts)} accounts: {', '.join(counts) or 'none'}", soft_wrap=True)


def _why(account: DiscoveredAccount) -> str:
    if account.verdict is DiscoveryVerdict.NEW:
        return f"becomes the target {account.target}" if account.target != account.name else ""
    marks = {"closed": "will be marked as closed, and not synced any more", "open": "is open again, and will be synced"}
    return "; ".join(filter(None, (account.why, marks.get(account.mark or ""))))


def _wanted(given: argparse.Namespace, console: Console, plan: DiscoveryPlan) -> bool:
    if given.write:
        return True
    new = len(plan.of(DiscoveryVerdict.NEW))
    text = f"make {new} target{'' if new == 1 else 's'}, each with a data source and an identity store in Raito Cloud"
    if given.json or not (sys.stdin.isatty() and console.is_terminal):
        console.print(f"`raito-pipeline discover --write` would {text}.", soft_wrap=True)
        return False
    return agrees(console, f"{text[0].upper()}{text[1:]}?")


def _carry_out(services: Services, plan: DiscoveryPlan, console: Console) -> Carried:
    work = work_of(services, datetime.now(UTC).date())
    with console.status("making data sources and identity stores"):
        done = work.carry_out(plan)
    made = ", ".join(f"{operation} {count}" for operation, count in sorted(work.set_up.made.items())) or "nothing new"
    console.print(f"{len(done.added)} added, {len(done.marked)} marked in {work.file} (Raito Cloud: {made})",
                  soft_wrap=True)  # fmt: skip
    console.print("Dagster shows them when its code location is loaded again; every run loads it anew.", soft_wrap=True)
    return done


def _json(plan: DiscoveryPlan, done: Carried | None) -> dict[str, object]:
    accounts: Sequence[dict[str, object]] = [asdict(account) for account in plan.accounts]
    return {"accounts": accounts, "written": None if done is None else asdict(done)}
