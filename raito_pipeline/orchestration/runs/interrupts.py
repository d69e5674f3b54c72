"""Whether somebody ended this process (Ctrl-C, SIGTERM) while a run was under way, whatever became of the signal.

Dagster has handlers of its own while it runs a job. What comes while it writes an event can end as an error of that,
and what comes after the last step is dropped; the sync would go on. Python tells of each signal beside its handler.
https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
"""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM})
_MOST = 65_536
"""bytes, one a signal"""


@dataclass
class Interrupts:
    """What was heard so far: each call looks again."""

    _signals: socket.socket | None = None
    _came: bool = False

    def came(self) -> bool:
        """True once somebody ended the process."""
        with suppress(BlockingIOError):
            if self._signals is not None:
                self._came |= not _ENDING.isdisjoint(self._signals.recv(_MOST))
        return self._came


@contextmanager
def listening_for_interrupts() -> Iterator[Interrupts]:
    """Hear of what ends this process, until the end of the block; nothing is heard outside of the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield Interrupts()
        return
    hears, told = socket.socketpair()
    with hears, told:
        hears.setblocking(False)
        told.setblocking(False)
        before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        try:
            yield Interrupts(hears)
        finally:
            signal.set_wakeup_fd(before)
