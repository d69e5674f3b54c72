"""Progress of a sync on a terminal: bars while it works, one line a layer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from raito_pipeline.cli.console import SPINNER
from raito_pipeline.cli.show import mark
from raito_pipeline.cli.summary import Outcome
from raito_pipeline.orchestration.runs.sync import LayerResult, LayerRun


class TerminalProgress:
    """Shows what the readers report as bars; on something that is no terminal, only the lines of the layers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(SPINNER),
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

    def layer(self, layer: LayerRun, place: str, ended: tuple[LayerResult, Outcome] | None) -> None:
        """Show the line of a layer of `place` that ended, and forget its bars; without an end it begins.

        The line says how many tables failed; why is said once, in the summary.
        """
        if ended is None:
            self.report(f"{place}: {layer.name}", 0, None)
            return
        with self._lock:
            for task in self._tasks.values():
                self._bars.remove_task(task)
            self._tasks.clear()
        result, outcome = ended
        counts = [f"{len(result.failures)} failed"] if result.failures else []
        counts += [f"{len(result.skipped)} not tried"] if result.skipped else []
        told = f"{result.seconds:.1f} s" + "".join(f", {count}" for count in counts)
        line = Text.assemble(mark(self._console, outcome), f" {place}: {layer.name} ({told})")
        self._console.print(line, soft_wrap=True)
