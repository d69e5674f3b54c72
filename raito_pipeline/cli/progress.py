"""Progress of a sync on a terminal: bars while it works, one line a layer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from raito_pipeline.sync import Layer, LayerResult


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
