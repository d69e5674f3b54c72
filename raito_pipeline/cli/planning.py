"""What `plan` and `apply` share: the accounts that are meant, their plans of what is stored, and runs of them."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from rich.console import Console

from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.instance import instance_of_this_directory
from raito_pipeline.cli.project import naming_here
from raito_pipeline.component import build_definitions
from raito_pipeline.config import AccountTarget, ConfigError, Options
from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.partitioning.grid import Grid, cell_of, make_grid
from raito_pipeline.orchestration.push.kept_plans import PlanFolder
from raito_pipeline.orchestration.push.plans import PLAN_ID, Planning
from raito_pipeline.orchestration.push.pushes import switched_off
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import LayerRun, run_sync
from raito_pipeline.storage import CellMissing, StorageError, Store
from raito_pipeline.storage.lease import Leases

ERROR = 1


class NoPlan(CommandFailed):
    """There is no plan of an account, or it cannot be made."""


def options_of(given: argparse.Namespace) -> Options:
    """The configuration. Raises `CommandFailed` for one with problems: status 2 means something else here."""
    try:
        options = load_configuration(given.config_file)
        options.check_usable()
    except ConfigError as error:
        raise CommandFailed(str(error)) from None
    return options


@dataclass(frozen=True)
class Planner:
    """Makes plans of what is stored, and runs what reads or applies, on the Dagster instance of this directory."""

    options: Options
    services: Services
    grid: Grid
    instance: dg.DagsterInstance

    @classmethod
    @contextmanager
    def opened(cls, options: Options) -> "Iterator[Planner]":
        """For the time of a `with` block. Raises `CommandFailed` where the project around the file does not load."""
        grid = make_grid(options, naming_here(options))
        with instance_of_this_directory() as instance:
            yield cls(options, Services(options), grid, instance)

    def accounts(self, named: Sequence[str]) -> list[AccountTarget]:
        """The accounts with these ids, partition keys or target names; all that can be pushed where none is named.

        Raises `CommandFailed` for one that is none.
        """
        usable = [target for target in self.options.accounts if switched_off(target) is None]
        targets = [
            target for target in usable if not named or {target.name, target.account_id, target.partition} & set(named)
        ]
        known = {name for target in usable for name in (target.name, target.account_id, target.partition)}
        missing = [name for name in named if name not in known]
        if missing or not targets:
            listed = ", ".join(target.name for target in usable) or "none"
            said = f"no account {missing[0]!r} is pushed" if missing else "no account is pushed"
            raise CommandFailed(f"{said}; those of {self.options.file} are: {listed}")
        return targets

    def store(self, account: str) -> Store:
        """The stored tables, of the sync that an account is in."""
        location = self.options.pipeline.storage
        return Store.open(location, sync=Leases(location).last_sync(account) or "")

    def planning(self, target: AccountTarget) -> Planning:
        """How the plan of an account is made."""
        attempts = Attempts(self.instance, self.grid.naming)
        return Planning(self.services, self.store(target.partition), attempts, cell_of("account", target.partition))

    def plan(
        self, target: AccountTarget, controls: Sequence[AccessControl] | None = None, recovery: str | None = None
    ) -> AccountPlan:
        """The plan of what is stored, which is kept. Raises `NoPlan`."""
        account = target.partition
        try:
            planning = self.planning(target)
            plan = planning.plan(self.grid, controls, recovery)
            PlanFolder(planning.store, account).write(plan)
        except CellMissing as error:
            raise NoPlan(f"{target.name}: {error}. Sync it first, or use `raito-pipeline plan --read`.") from None
        except StorageError as error:
            raise NoPlan(f"{target.name}: {error}") from None
        return plan

    def results(self, plan: AccountPlan) -> tuple[PushResult, ...]:
        """What came of a plan, where it is the one that was applied last; else nothing."""
        store = self.store(plan.account)
        info = store.info("access_push_results", plan.account)
        if info is None or info.extra.get(PLAN_ID) != plan.id:
            return ()
        return store.earlier(PushResult, plan.account)

    def run(self, wanted: Sequence[LayerRun], console: Console) -> list[str]:
        """Run layers; gives what failed, a line each."""
        definitions = build_definitions(self.options, self.services, self.grid.naming)
        with console.status("working") if console.is_terminal else _nothing():
            results = run_sync(definitions, self.instance, wanted, lambda _layer, _result: None, self.grid.naming)
        return [line for result in results for line in (*result.failures, *result.skipped)]


@contextmanager
def _nothing() -> Iterator[None]:
    yield
