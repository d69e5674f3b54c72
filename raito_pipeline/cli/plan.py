"""`raito-pipeline plan`: what a push would change in AWS, of what is stored, for people and as a file for `apply`."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account_plan import AccountPlan, to_file
from raito_pipeline.aws.push.rules.losses import HeldBack
from raito_pipeline.aws.push.wording import SAME, ControlPlan, in_words
from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.planning import ERROR, NoPlan, Planner, options_of
from raito_pipeline.cli.show_plan import show_plan
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import PushResult
from raito_pipeline.orchestration.push.drift import look
from raito_pipeline.orchestration.push.shown import held_back_of
from raito_pipeline.orchestration.runs.plan_runs import reading_runs
from raito_pipeline.storage.private import open_private

NOTHING, CHANGES = 0, 2


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("accounts", nargs="*", metavar="ACCOUNT", help="account ids or target names (default: all)")
    add_config_file(parser)
    parser.add_argument("--read", action="store_true", help="read AWS and the export of Raito Cloud anew first")
    parser.add_argument(
        "--drift", action="store_true", help="show only what AWS has otherwise than the last push left it"
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON, and nothing else, on stdout")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan to a file, for `raito-pipeline apply`")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status: 0 nothing to do, 2 changes, 1 an error."""
    console = Terminal(stderr=given.json)
    options = options_of(given)
    with Planner.opened(options) as planner:
        accounts = planner.accounts(given.accounts)
        failed = _read(planner, accounts, console) if given.read else False
        if given.drift:
            return ERROR if failed else _drift(planner, accounts, given, console)
        shown = []
        for target in accounts:
            try:
                plan = planner.plan(target)
            except NoPlan as error:
                console.print(str(error), style="red", soft_wrap=True)
                failed = True
                continue
            held = held_back_of(options, plan)
            shown.append(Shown(plan, controls_of(plan, planner.results(plan), held), held))
    if given.out is not None:
        _write(given.out, [each.plan for each in shown])
    _show(console, shown, given)
    return ERROR if failed or any(each.plan.problems for each in shown) else status_of(shown)


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan with its words, and what of it a limit holds back."""

    plan: AccountPlan
    controls: tuple[ControlPlan, ...]
    held: HeldBack


def status_of(shown: Sequence[Shown]) -> int:
    """2 where something is to be changed, else 0."""
    return CHANGES if any(control.changes for each in shown for control in each.controls) else NOTHING


def controls_of(plan: AccountPlan, results: Sequence[PushResult], held: HeldBack) -> tuple[ControlPlan, ...]:
    """The plan in words; what was made of it already is not to be done any more."""
    done = {result.access_control_id for result in results if not result.errors}
    made = "this plan was made already; `raito-pipeline plan --read` looks at AWS anew"
    return tuple(
        replace(control, mark=SAME, sentence=made, details=(), diffs=()) if control.id in done else control
        for control in in_words(ACCESS_PROVIDER_TYPES.push, plan, held.positions)
    )


def _read(planner: Planner, accounts: Sequence[AccountTarget], console: Console) -> bool:
    """Read what plans stand on; whether something of it failed, which is said."""
    runs = [run for target in accounts for run in reading_runs(planner.options, planner.grid, target.partition)]
    failures = planner.run(list({(run.place, run.name): run for run in runs}.values()), console)
    for line in failures:
        console.print(line, style="red", soft_wrap=True)
    return bool(failures)


def _drift(planner: Planner, accounts: Sequence[AccountTarget], given: argparse.Namespace, console: Console) -> int:
    """Print what AWS has otherwise than the last push left it; 2 where there is something, 1 where it is not known."""
    drifts = {target: look(planner.planning(target), planner.grid) for target in accounts}
    if given.json:
        print(json.dumps([{"target": t.name, "account_id": t.account_id, **asdict(d)} for t, d in drifts.items()]))
    for target, drift in drifts.items():
        for line in drift.lines or [drift.reason or "AWS is as the last push left it"]:
            console.print(f"{target.name}: {line}", soft_wrap=True)
    if any(drift.lines for drift in drifts.values()):
        return CHANGES
    return ERROR if any(drift.reason for drift in drifts.values()) else NOTHING


def _write(file: Path, plans: Sequence[AccountPlan]) -> None:
    try:
        with open_private(file) as sink:
            sink.write(to_file(plans))
    except OSError as error:
        raise CommandFailed(f"the plan could not be written to {file}: {error.strerror or error}") from None


def _show(console: Console, shown: Sequence[Shown], given: argparse.Namespace) -> None:
    if given.json:
        print(json.dumps([as_json(each) for each in shown], indent=2))
        return
    for each in shown:
        show_plan(console, each.plan, each.controls, datetime.now(UTC), each.held.reason)
        if any(control.changes for control in each.controls):
            what = given.out if given.out is not None else f"--plan {each.plan.id}"
            console.print(f"to make it: raito-pipeline apply {what}", soft_wrap=True)
        console.print()


def as_json(shown: Shown) -> dict[str, Any]:
    """A plan for machines: what it is, and each access control in words."""
    plan = shown.plan
    return {
        "id": plan.id,
        "account": plan.account,
        "account_id": plan.account_id,
        "target": plan.target,
        "made_at": plan.made_at.isoformat(),
        "read_at": {table: at.isoformat() for table, at in plan.read_at.items()},
        "problems": plan.problems,
        "held_back": shown.held.reason or None,
        "access_controls": [asdict(control) for control in shown.controls],
    }
