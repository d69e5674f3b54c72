"""Accounts side by side: each is synced by a process of its own, as `raito-pipeline run` syncs one account.

Processes, and not threads: Dagster runs an interrupted run to a clean end in the main thread of a process alone. The
rates that AWS allows are kept by all processes of a user on a machine together (`aws/connection/shared_bucket.py`).
"""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from rich.console import Console

from raito_pipeline.cli.summary import Cause, Outcome, SyncSummary, of_whole

_LAST_LINES = 5


@dataclass
class SideBySide:
    """Some processes at once. `command` gives the words that sync an account, by its partition key.

    A process that ends in any way does not end the others. Each reads from a pipe that this process holds, and ends as
    by Ctrl-C when that is closed: nothing goes on where this process was killed.
    """

    command: Callable[[str], Sequence[str]]
    at_once: int
    console: Console
    _running: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def run(self, keys: Sequence[str]) -> tuple[tuple[SyncSummary | Cause, ...], bool]:
        """Sync these accounts; what came of each that was begun, in their order, and whether somebody ended it."""
        begun: list[Future[SyncSummary | Cause | None]] = []
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="account") as lanes:
            while True:
                try:
                    for key in keys[len(begun) :]:
                        begun.append(lanes.submit(self._sync, key))
                    wait(begun)
                except KeyboardInterrupt:
                    self._end()
                else:
                    break
        outcomes = [each.result() for each in begun]
        return tuple(each for each in outcomes if each is not None), self._ended

    def _end(self) -> None:
        """Pass Ctrl-C on to each process, and begin no other."""
        with self._lock:
            self._ended = True
            for process in self._running.values():
                process.send_signal(signal.SIGINT)

    def _sync(self, key: str) -> SyncSummary | Cause | None:
        """One account; None where it was not begun."""
        with self._lock:
            if self._ended:
                return None
            process = self._running[key] = subprocess.Popen(
                self.command(key),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C comes to this process, and from here to each once
            )
        assert process.stdout is not None
        assert process.stderr is not None
        said: deque[str] = deque(maxlen=_LAST_LINES)
        with process, ThreadPoolExecutor(1) as reading:
            output = reading.submit(process.stdout.read)
            for line in process.stderr:
                said.append(line.strip())
                self.console.print(line.rstrip("\n"), soft_wrap=True, highlight=False)
            text = output.result()
            process.wait()
        with self._lock:
            del self._running[key]
        try:
            return SyncSummary.of_json(text)
        except ValueError:
            last = "; ".join(each for each in said if each)
            return Cause(Outcome.FAILED, (key,), f"its process ended with status {process.returncode}: {last}")


def end_with_parent() -> None:
    """In the process of one account: end as by Ctrl-C when the process that began it is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    # A shell begins what is to run in the background without Ctrl-C, which all its processes inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=watch, daemon=True).start()


def this_command(words: Sequence[str]) -> list[str]:
    """A command of this project as a new process."""
    return [sys.executable, "-m", "raito_pipeline.cli", *words]


def together(
    first: SyncSummary, others: Sequence[SyncSummary | Cause], *, interrupted: bool, seconds: float
) -> SyncSummary:
    """One summary of what `first` is of, and of accounts that were synced by themselves."""
    summaries = [first, *(each for each in others if isinstance(each, SyncSummary))]
    causes = dict.fromkeys(_causes(summaries))
    causes.update(dict.fromkeys(each for each in others if isinstance(each, Cause)))
    ended_early = interrupted or any(each.interrupted for each in summaries)
    ends = [*(each.outcome for each in summaries), *(cause.outcome for cause in causes)]
    return replace(
        first,
        outcome=of_whole(ends, interrupted=ended_early),
        seconds=round(seconds, 3),
        causes=tuple(causes),
        places=tuple(place for each in summaries for place in each.places),
        layers=tuple(layer for each in summaries for layer in each.layers),
        interrupted=ended_early,
    )


def _causes(summaries: Sequence[SyncSummary]) -> Iterator[Cause]:
    for each in summaries:
        yield from each.causes
