"""Progress of long work in the log of a Dagster run: a line every few seconds, and none for what is short."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

INTERVAL = 10.0
"""Seconds between two lines of one piece of work, and before its first."""


def silent_place(_place: str, _log: Callable[[str], None]) -> None:
    """Where progress is shown elsewhere, nobody has to know what is being made."""


@dataclass
class RunProgress:
    """Takes what readers report and logs it. Thread-safe: readers report from many threads.

    `work_on` names the cell that is being made and gives the log of its step; what is reported before is dropped.
    """

    interval: float = INTERVAL
    clock: Callable[[], float] = time.monotonic
    _log: Callable[[str], None] | None = None
    _place: str = ""
    _said: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work_on(self, place: str, log: Callable[[str], None]) -> None:
        """What is reported from now on is of `place` and goes to `log`."""
        with self._lock:
            self._log, self._place = log, place
            self._said.clear()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Note that `done` (of `total`, where known) of `what` are done: the form of `resources.Progress`."""
        now = self.clock()
        with self._lock:
            if self._log is None or now - self._said.setdefault(what, now) < self.interval:
                return
            self._said[what] = now
            log, line = self._log, f"{self._place}: {_amount(done, total)}{what}"
        log(line)


def _amount(done: int, total: int | None) -> str:
    if total is not None:
        return f"{done:,} of {total:,} "
    return f"{done:,} " if done else ""
