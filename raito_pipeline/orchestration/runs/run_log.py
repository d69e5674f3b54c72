"""What the modules of this project log during a run, kept for the logs of its tasks, beside the run's own log lines."""

import heapq
import logging
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from raito_pipeline.orchestration.runs.run_events import LogLine

_LOGGER = "raito_pipeline"
_MOST_LINES = 5_000


class RunLog(logging.Handler):
    """Collects the lines of the project's loggers while it is attached: the newest ones, so that memory is bounded.

    Dagster's own log lines are in the event log of the run; these are not.
    """

    def __init__(self, most: int = _MOST_LINES) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[LogLine] = deque(maxlen=most)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record. Where nobody else would show it, it goes where it would have gone without this handler."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        self._lines.append(LogLine(record.created, record.levelno, "", text))
        last = logging.lastResort
        if last is not None and record.levelno >= last.level and not logging.getLogger().hasHandlers():
            last.handle(record)

    @contextmanager
    def collecting(self) -> Iterator["RunLog"]:
        """Attached for the time of a `with` block."""
        root = logging.getLogger(_LOGGER)
        level = root.level
        root.addHandler(self)
        if not root.isEnabledFor(logging.INFO):
            root.setLevel(logging.INFO)
        try:
            yield self
        finally:
            root.removeHandler(self)
            root.setLevel(level)

    def merged(self, lines: Iterable[LogLine], windows: Collection[tuple[str, float, float]] = ()) -> Iterator[LogLine]:
        """The lines of the run and those kept here, by time. One kept here is about the step that was under way then.

        `windows` are the steps with their beginning and end.
        """
        own = (LogLine(line.at, line.level, _under_way(line.at, windows), line.text) for line in list(self._lines))
        yield from heapq.merge(lines, own, key=lambda line: line.at)


def _under_way(at: float, windows: Collection[tuple[str, float, float]]) -> str:
    return next((step for step, began, ended in windows if began <= at <= ended), "")
