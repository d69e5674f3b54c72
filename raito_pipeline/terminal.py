"""A sync as a person at a terminal sees it: progress while it works, one line a layer, and what failed."""

import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from raito_pipeline.aws.least_policy import Mode, least_policy
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.config.describe import describe
from raito_pipeline.dagster_support.grid import make_grid
from raito_pipeline.definitions import build_definitions
from raito_pipeline.objects.subtree import NoSubtree, Subtree
from raito_pipeline.resources import Services
from raito_pipeline.sync import Layer, LayerResult, layers, run_sync, subtree_layers


class TerminalProgress:
    """Shows what the readers report as bars; on something that is no terminal, only the lines of the layers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    @contextmanager
    def shown(self) -> Iterator["TerminalProgress"]:
        """Show the bars for the time of a `with` block."""
        with self._bars:
            yield self

    def report(self, what: str, done: int, total: int | None) -> None:
        """Note progress; called by the readers, from any thread."""
        with self._lock:
            if what not in self._tasks:
                self._tasks[what] = self._bars.add_task(what, total=total)
            self._bars.update(self._tasks[what], completed=done, total=total)

    def layer(self, layer: Layer, result: LayerResult | None) -> None:
        """Show the line of a layer that ended, and forget its bars."""
        if result is None:
            self.report(f"{layer.place}: {layer.name}", 0, None)
            return
        with self._lock:
            for task in self._tasks.values():
                self._bars.remove_task(task)
            self._tasks.clear()
        mark = "[green]✓[/]" if result.success else "[red]✗[/]"
        self._console.print(f"{mark} {layer.place}: {layer.name} ({result.seconds:.1f} s)", highlight=False)
        for failure in result.failures:
            self._console.print(f"    {failure}", style="red", markup=False, highlight=False, soft_wrap=True)
        if result.skipped:
            self._console.print(f"    not tried: {', '.join(result.skipped)}", style="yellow", markup=False)


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


@contextmanager
def instance_of_this_directory() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of `DAGSTER_HOME` or of a `dagster.yaml` here; else one that is forgotten at the end."""
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    elif Path("dagster.yaml").is_file():
        with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance


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
