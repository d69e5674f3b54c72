"""`raito-pipeline apply`: makes exactly a plan that was shown, or plans a stored export again and makes that."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from raito_pipeline.aws.push.account_plan import AccountPlan, ExportInPlan, PlanUnreadable, exports_in, from_file
from raito_pipeline.aws.push.rules.losses import HeldBack
from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal, ask
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.plan import CHANGES, controls_of
from raito_pipeline.cli.planning import ERROR, Planner, options_of
from raito_pipeline.cli.show_plan import show_plan, show_results
from raito_pipeline.cli.summary import EXIT_STATUS, Outcome
from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.orchestration.push.kept_plans import PlanFolder, PlanUnknown
from raito_pipeline.orchestration.push.shown import held_back_of
from raito_pipeline.orchestration.recording.checks import DIFFERENCES
from raito_pipeline.orchestration.runs.plan_runs import applying_run
from raito_pipeline.raito.errors import ExportUnreadable
from raito_pipeline.raito.export import read_export
from raito_pipeline.storage import CellMissing, StorageError

STORED = "stored"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a plan that `plan --out` wrote")
    which.add_argument("--plan", metavar="ID", help="a plan that the storage keeps: those of `plan` and of syncs")
    which.add_argument(
        "--from",
        dest="export",
        metavar="FILE",
        help="apply a stored export again: a file that Raito Cloud exported, one of `plan --out`, or the word "
        f"`{STORED}` for the table access_controls",
    )
    parser.add_argument("--account", help="the account of an export (not needed where raito.yml has one)")
    parser.add_argument("--yes", action="store_true", help="with --from: make the plan without asking")
    parser.add_argument(
        "--with-losses", action="store_true", help="also where people lose more access than the limits allow"
    )
    add_config_file(parser)


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status: 0 all is made, 1 an error, 3 all but what the plan refused.

    2: the plan of an export was only shown.
    """
    console = Terminal()
    options = options_of(given)
    if options.pipeline.mode == "plan":
        raise CommandFailed("pipeline: mode is plan, so nothing is changed in AWS. Set mode: approve to apply plans.")
    with Planner.opened(options) as planner:
        plans = list(_plans(planner, given))
        for plan in plans:
            held = HeldBack() if given.with_losses else held_back_of(options, plan)
            show_plan(console, plan, controls_of(plan, (), held), datetime.now(UTC), held.reason)
        if given.export is not None and not (given.yes or _agreed(console)):
            for plan in plans:
                said = f"nothing was changed; to make it: raito-pipeline apply --plan {plan.id}"
                console.print(said, soft_wrap=True)
            return CHANGES
        return max([_make(planner, plan, console, with_losses=given.with_losses) for plan in plans], default=0)


def _agreed(console: Console) -> bool:
    if not sys.stdin.isatty():
        return False
    return ask(console, "Make this plan in AWS? (yes/no) ").lower() == "yes"


def _plans(planner: Planner, given: argparse.Namespace) -> Iterator[AccountPlan]:
    """The plans that are meant. Raises `CommandFailed`."""
    try:
        if given.plan is not None:
            yield _kept(planner, given.plan, [given.account] if given.account else [])
        elif given.export is not None:
            yield _of_export(planner, given.export, [given.account] if given.account else [])
        else:
            for plan in _of_file(given.file):
                planner.accounts([plan.account])
                PlanFolder(planner.store(plan.account), plan.account).write(plan)
                yield plan
    except (PlanUnreadable, PlanUnknown, ExportUnreadable, StorageError, CellMissing) as error:
        raise CommandFailed(str(error)) from None


def _of_file(file: Path) -> tuple[AccountPlan, ...]:
    return from_file(_content(file), str(file))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror or error}") from None


def _kept(planner: Planner, plan_id: str, named: Sequence[str]) -> AccountPlan:
    unknown: list[PlanUnknown] = []
    for target in planner.accounts(named):
        try:
            return PlanFolder(planner.store(target.partition), target.partition).read(plan_id)
        except PlanUnknown as error:
            unknown.append(error)
    raise PlanUnknown.in_all(unknown)


def _of_export(planner: Planner, export: str, named: Sequence[str]) -> AccountPlan:
    """The plan of a stored export. Raises `CommandFailed` where it does not say of which account it is."""
    accounts = planner.accounts(named)
    controls: Sequence[AccessControl] | None = None
    if export != STORED:
        given = _exported(Path(export))
        if isinstance(given, ExportInPlan):
            accounts = planner.accounts([given.account])
            controls = given.controls
        else:
            controls = given
    if len(accounts) != 1:
        raise CommandFailed(f"--account is missing: {', '.join(target.name for target in accounts)} are pushed")
    return planner.plan(accounts[0], controls, "the table access_controls" if export == STORED else export)


def _exported(file: Path) -> ExportInPlan | tuple[AccessControl, ...]:
    """The export of a plan, or one as Raito Cloud gives it."""
    exports = exports_in(_content(file))
    if not exports:
        return read_export(file).controls
    if len(exports) != 1:
        raise CommandFailed(f"{file} holds the plans of {len(exports)} accounts; one of them is needed")
    return exports[0]


def _make(planner: Planner, plan: AccountPlan, console: Console, *, with_losses: bool) -> int:
    before = planner.results(plan)
    was_made = bool(before) and not any(result.errors for result in before)
    failures = planner.run([applying_run(plan.account, plan.id, with_losses=with_losses)], console)
    results = planner.results(plan)
    for line in failures:
        console.print(line, style="red", soft_wrap=True)
    if results:
        info = planner.store(plan.account).info("access_push_results", plan.account)
        differences = json.loads(info.extra.get(DIFFERENCES, "[]")) if info is not None else []
        if was_made:
            said = f"plan {plan.id} was made before: what AWS has as it left it is counted, and was not written again"
            console.print(said, soft_wrap=True)
        show_results(console, plan, results, differences)
    return ERROR if failures else status_of(results, plan)


def status_of(results: Sequence[PushResult], plan: AccountPlan) -> int:
    """0 where everything is as granted, 3 where the plan refused something, 1 where AWS did."""
    known = {target.access_control_id: set(target.errors) for target in plan.targets}
    errors = [(result, set(result.errors)) for result in results if result.errors]
    if any(errors_now - known.get(result.access_control_id, set()) for result, errors_now in errors):
        return ERROR
    return EXIT_STATUS[Outcome.PARTIAL] if errors else 0
