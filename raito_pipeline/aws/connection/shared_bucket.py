"""The state of a rate limit, kept by one process or by all processes of a user on a machine.

Each run of Dagster is a process of its own, and AWS counts the calls of all of them together. So the state lies in a
small file in the folder for temporary files, which one process at a time changes under a lock.
"""

import fcntl
import getpass
import logging
import os
import re
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

logger = logging.getLogger(__name__)

_FORM = struct.Struct("<4d")
_LONGEST_QUEUE = 120.0
"""Seconds of waiting callers beyond which a file cannot be right: it is of a time before the machine was started."""
_LEFT_AFTER = 86_400.0


@dataclass(frozen=True, slots=True)
class BucketState:
    """How many passes there are (below 0: are taken in advance) at a time, and the rate that AWS let through last.

    Times are seconds of the machine's monotonic clock, which all its processes share. `slowed_at` is when AWS refused a
    call for the last time.
    """

    passes: float
    at: float
    rate: float
    slowed_at: float


Change = Callable[[BucketState | None], BucketState]


class BucketMemory(Protocol):
    """Where a state is kept. `change` is given None where there is none yet."""

    def change(self, change: Change) -> BucketState:
        """Replace the state as if nobody else did meanwhile; gives the new one."""


class OfThisProcess:
    """A state that the threads of this process share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: BucketState | None = None

    def change(self, change: Change) -> BucketState:
        """See `BucketMemory`."""
        with self._lock:
            self._state = change(self._state)
            return self._state


class OfThisMachine:
    """A state that all processes share that name the same file. Where the file cannot be used, each has its own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._own = OfThisProcess()
        self._descriptor: int | None = None
        self._opened_by = 0
        self._usable = True

    def change(self, change: Change) -> BucketState:
        """See `BucketMemory`. Raises nothing of the file."""
        if not self._usable:
            return self._own.change(change)
        with self._lock:
            try:
                with self._locked() as descriptor:
                    state = change(_read(descriptor))
                    values = (state.passes, state.at, state.rate, state.slowed_at)
                    os.pwrite(descriptor, _FORM.pack(*values), 0)
                    return state
            except OSError as error:
                logger.warning("%s: the calls of this process alone are limited (%s)", self._file, error)
                self._usable = False
        return self._own.change(change)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        if (
            self._descriptor is None or self._opened_by != os.getpid()
        ):  # a lock is shared with a process that was forked
            self._descriptor = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            self._opened_by = os.getpid()
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield self._descriptor
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)


def _read(descriptor: int) -> BucketState | None:
    """What a file holds; None where that is nothing, or of another boot of the machine."""
    content = os.pread(descriptor, _FORM.size, 0)
    if len(content) != _FORM.size:
        return None
    state, now = BucketState(*_FORM.unpack(content)), time.monotonic()
    sound = state.rate > 0 and state.at <= now and state.passes >= -_LONGEST_QUEUE * state.rate
    return state if sound else None


def limits_folder() -> Path | None:
    """The folder in which the processes of this user keep their limits together; None where there can be none.

    It is for its owner alone: one that somebody else made is not used.
    """
    folder = Path(tempfile.gettempdir()) / f"raito-pipeline-{re.sub(r'[^A-Za-z0-9_-]', '_', _user())}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
            logger.warning("%s is not for this user alone: limits are kept by each process for itself", folder)
            return None
        _remove_old(folder)
    except OSError as error:
        logger.warning("%s cannot be made (%s): limits are kept by each process for itself", folder, error)
        return None
    return folder


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return str(os.getuid())


def _remove_old(folder: Path) -> None:
    """Remove the files of addresses that nobody asked for a day."""
    oldest = time.time() - _LEFT_AFTER
    for file in folder.glob("*.limit"):
        with suppress(OSError):
            if file.lstat().st_mtime < oldest:
                file.unlink()
