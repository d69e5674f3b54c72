"""`raito-pipeline run`: one sync of everything, as a person at a terminal sees it.

It begins with the quick check, goes through the layers of the sync, and ends with one summary.
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console

from raito_pipeline.aws.data_objects.subtree import NoSubtree, Subtree
from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.checking import LOGIN, Checks, Stops, TargetCheck, nothing_to_sync
from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.freed_memory import give_back
from raito_pipeline.cli.gather import gather, places_of
from raito_pipeline.cli.instance import instance_of_this_directory
from raito_pipeline.cli.progress import TerminalProgress
from raito_pipeline.cli.project import naming_here
from raito_pipeline.cli.show import show_summary
from raito_pipeline.cli.side_by_side import SideBySide, end_with_parent, this_command, together
from raito_pipeline.cli.summary import (
    Cause,
    Outcome,
    Stored,
    SyncedTarget,
    SyncSummary,
    layer_outcome,
    place_key,
    summary,
    worst,
)
from raito_pipeline.component import build_definitions
from raito_pipeline.config import Options
from raito_pipeline.orchestration.automation.dead_runs import report_dead_commands
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.gone import gone_accounts
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import LayerResult, LayerRun, layers, run_sync, subtree_layers
from raito_pipeline.orchestration.upload.raito_jobs import report_unusable
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.storage import CellMissing, StorageError, Store
from raito_pipeline.storage.lease import Leases, SyncUnderWay

# The stages that can be left out on the command line; in `raito.yml` they are options of the same names.
SKIPS = ("skip-identity-store-sync", "skip-data-source-sync", "skip-data-access-sync", "skip-data-usage-sync")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_config_file(parser)
    parser.add_argument("--only-targets", help="names of the targets to sync, separated by commas")
    for skip in SKIPS:
        parser.add_argument(f"--{skip}", action="store_true", help=f"as the option {skip} of raito.yml")
    parser.add_argument(
        "--max-import-deletions", metavar="SHARE", help="as the option of raito.yml, for this sync (1 = all may go)"
    )
    parser.add_argument(
        "--confirm-removed", metavar="ACCOUNT/REGION", help="regions that are meant to be gone (by commas)"
    )
    parser.add_argument(
        "--accounts-at-once",
        type=_count,
        default=1,
        metavar="N",
        help="sync so many accounts side by side (default: 1)",
    )
    # What the process of one account is begun with, where several are synced side by side.
    parser.add_argument("--account-of-sync", nargs=2, metavar=("ACCOUNT", "SYNC"), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON, and nothing else, on stdout")
    parser.add_argument("--data-object-parent", metavar="FULL_NAME", help="read and upload only what lies below it")
    parser.add_argument(
        "--data-object-excludes", metavar="FULL_NAMES", help="less these and what lies below (by commas)"
    )


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`, `CommandFailed`."""
    overrides = {skip: "true" for skip in SKIPS if getattr(given, skip.replace("-", "_"))}
    given_once = {"max-import-deletions": given.max_import_deletions, "removed-regions": given.confirm_removed}
    overrides.update({name: text for name, text in given_once.items() if text is not None})
    targets = given.only_targets.split(",") if given.only_targets else None
    options = load_configuration(given.config_file, only_targets=targets, overrides=overrides)
    options.check_usable()
    console = Terminal(stderr=given.json)
    account, sync = given.account_of_sync or (None, f"command-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    wanted = _wanted(console, options, sync, given.data_object_parent, (given.data_object_excludes or "").split(","))
    if account is not None:
        end_with_parent()
        wanted = [layer for layer in wanted if place_key(layer) == account]
    for note in (*options.warnings, *options.from_environment, *_gone_accounts(options)) if account is None else ():
        console.print(f"note: {note}", style="yellow", soft_wrap=True)
    if not wanted:
        nothing = nothing_to_sync(options)
        if nothing is not None:
            console.print(nothing, style="red", soft_wrap=True)
        return 2
    terminal = TerminalSync(options, console, sync, naming_here(options))
    if given.accounts_at_once > 1 and account is None and given.data_object_parent is None:
        ended = _side_by_side(terminal, wanted, given)
    else:
        ended = terminal.run(wanted)
    if given.json:
        print(json.dumps(ended.json(), indent=2))
    else:
        show_summary(console, ended)
    return ended.status


def _count(text: str) -> int:
    """A number of accounts, as argparse takes it."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of accounts")
    return int(text)


def _side_by_side(terminal: "TerminalSync", wanted: Sequence[LayerRun], given: argparse.Namespace) -> SyncSummary:
    """Organizations first, then so many accounts at once, each with its layers in their order."""
    began = time.monotonic()
    organizations = terminal.organizations
    first = terminal.run([layer for layer in wanted if place_key(layer) in organizations])
    if first.causes or first.interrupted:  # what stops everything would stop each account
        return first
    words = _words(given)
    processes = SideBySide(
        lambda key: this_command([*words, "--account-of-sync", key, terminal.sync]),
        given.accounts_at_once,
        terminal.console,
    )
    accounts = dict.fromkeys(place_key(layer) for layer in wanted if place_key(layer) not in organizations)
    ended, interrupted = processes.run(list(accounts))
    return together(first, ended, interrupted=interrupted, seconds=time.monotonic() - began)


def _words(given: argparse.Namespace) -> list[str]:
    """The words of the command again, as far as they are for the sync of each account."""
    values = {
        "--config-file": given.config_file,
        "--only-targets": given.only_targets,
        "--max-import-deletions": given.max_import_deletions,
        "--confirm-removed": given.confirm_removed,
    }
    words = ["run", "--json", *(f"--{skip}" for skip in SKIPS if getattr(given, skip.replace("-", "_")))]
    return [*words, *(f"{name}={value}" for name, value in values.items() if value is not None)]


def _gone_accounts(options: Options) -> list[str]:
    """What is said of accounts that were synced before; nothing where the storage cannot be read, which the check says.

    Nothing is removed of them: no target says any more where their data source is.
    """
    with suppress(StorageError):
        return [
            f"account {account} was synced before and is in no target any more: its data source in Raito Cloud and its "
            f"tables in {options.pipeline.storage} are left as they are"
            for account in gone_accounts(options, Store.open(options.pipeline.storage))
        ]
    return []


def _wanted(
    console: Console, options: Options, sync: str, parent: str | None, excludes: Sequence[str]
) -> list[LayerRun]:
    """The layers to run: of everything, or of the data objects below `parent`; none where no target holds it."""
    if parent is None:
        return list(layers(options, make_grid(options), sync))
    try:
        wanted = list(subtree_layers(options, Subtree.of(parent, excludes)))
    except NoSubtree as error:
        console.print(str(error), style="red", soft_wrap=True)
        return []
    if not wanted:
        console.print(f"no target of {options.file} reads the account and region of {parent}", style="red")
    return wanted


@dataclass
class TerminalSync:
    """One sync with its progress on `console`. `sync` is its id, `naming` what its assets are called."""

    options: Options
    console: Console
    sync: str
    naming: Naming = field(default_factory=Naming)
    _stored: dict[str, Stored] = field(default_factory=dict)
    _ended: list[LayerResult] = field(default_factory=list)
    _unread: dict[str, list[Cause]] = field(default_factory=dict)
    """by place: that it is not known what a layer stored"""

    def __post_init__(self) -> None:
        self._progress = TerminalProgress(self.console)
        self._targets_sync = TargetsSync()
        self._services = Services(self.options, self._progress.report, self._targets_sync)
        self._places = {place.key: place for place in places_of(self.options)}

    @property
    def organizations(self) -> frozenset[str]:
        """The partition keys of the organizations."""
        return frozenset(key for key, place in self._places.items() if place.organization)

    def run(self, wanted: Sequence[LayerRun]) -> SyncSummary:
        """Check, run the layers of every target that can work, and put together what came of them."""
        with self._targets_sync.until_the_end():
            return self._run(wanted)

    def _run(self, wanted: Sequence[LayerRun]) -> SyncSummary:
        began = time.monotonic()
        keys = dict.fromkeys(place_key(layer) for layer in wanted)
        results = Checks(self._services, full=False).findings([p for key, p in self._places.items() if key in keys])
        general = [_cause(each) for each in results if each.stops is Stops.EVERYTHING and each.problem]
        unusable = self._unusable(results)
        usable = [layer for layer in wanted if not general and place_key(layer) not in unusable]
        self._say_who_is_waited_for(dict.fromkeys(place_key(layer) for layer in usable))
        interrupted = bool(usable) and not self._sync(usable)
        return summary(
            self.sync,
            tuple(self._places.values()),
            self._stored,
            self._ended,
            seconds=time.monotonic() - began,
            storage=str(self.options.pipeline.storage),
            unusable=unusable | self._unread,  # one that is not synced stores nothing
            causes=general,
            interrupted=interrupted,
        )

    def _say_who_is_waited_for(self, keys: Iterable[str]) -> None:
        minutes = self.options.pipeline.wait_for_sync_minutes
        with suppress(StorageError):
            leases = Leases(self.options.pipeline.storage)
            for key in keys:
                other = leases.under_way(key)
                if other is not None and minutes:
                    note = (
                        f"note: {self._places[key].label}: another sync is under way ({other.sync}, {other.what}, on "
                        f"{other.owner.host}); this one waits for it, up to {minutes:g} minutes"
                    )
                    self.console.print(note, style="yellow", soft_wrap=True)

    def _sync(self, usable: Sequence[LayerRun]) -> bool:
        """Run layers; false where somebody ended them."""
        definitions = build_definitions(self.options, self._services, self.naming)
        try:
            with instance_of_this_directory() as instance, self._progress.shown():
                for killed in report_dead_commands(instance):
                    self.console.print(f"note: {killed}", style="yellow", soft_wrap=True)
                run_sync(definitions, instance, usable, self._layer, self.naming)
        except KeyboardInterrupt:
            self._give_up_places(dict.fromkeys(place_key(layer) for layer in usable))
            return False
        return True

    def _give_up_places(self, keys: Iterable[str]) -> None:
        """Let the next sync begin at once: no layer follows for which the place of this one would be kept."""
        with suppress(StorageError, SyncUnderWay):
            leases = Leases(self.options.pipeline.storage)
            for key in keys:
                kept = leases.under_way(key)
                if kept is not None and kept.sync == self.sync:
                    leases.acquire(key, self.sync, kept.run_id, "end of an interrupted sync").release()

    def _unusable(self, results: Sequence[TargetCheck]) -> dict[str, list[Cause]]:
        """Why targets cannot be synced; each of them gets a job in Raito Cloud that says so, where it is reachable."""
        unusable: dict[str, list[Cause]] = {}
        for each in results:
            if each.place is not None and each.problem is not None and each.stops is Stops.TARGET:
                unusable.setdefault(each.place.key, []).append(_cause(each))
        for key, causes in unusable.items():
            if LOGIN in causes[0].what:  # nobody is there to be told
                continue
            self._report(self._places[key], [f"{cause.what[0]}: {cause.reason}" for cause in causes])
        return unusable

    def _report(self, place: SyncedTarget, errors: Sequence[str]) -> None:
        target = (
            self._services.organization_target(place.key) if place.organization else self._services.account(place.key)
        )
        if target is None:
            return
        with suppress(RaitoError):
            report_unusable(self._services, target, errors)

    def _layer(self, layer: LayerRun, result: LayerResult | None) -> None:
        place = self._places[place_key(layer)]
        if result is None:
            self._progress.layer(layer, place.label, None)
            return
        self._ended.append(result)
        outcome = self._gather(layer, result, place)
        give_back()
        self._progress.layer(layer, place.label, (result, outcome))

    def _gather(self, layer: LayerRun, result: LayerResult, place: SyncedTarget) -> Outcome:
        """Keep for the summary what a layer stored; gives how it ended.

        Where that cannot be read now, it is not known whether all of it is complete.
        """
        before = self._stored.get(place.key)
        try:
            store = Store.open(self.options.pipeline.storage)
            self._stored[place.key] = gather(
                store, self.options, place, (self.sync, result.run_id), layer.tables, before
            )
        except (StorageError, CellMissing) as error:
            reason = f"whether all that it stored is complete is not known: {error}"
            self._unread.setdefault(place.key, []).append(Cause(Outcome.PARTIAL, (layer.name,), reason))
            return worst([Outcome.PARTIAL, layer_outcome(result, Stored())])
        return layer_outcome(result, self._stored[place.key])


def _cause(finding: TargetCheck) -> Cause:
    return Cause(Outcome.FAILED, (finding.what,), finding.problem or "")
