"""Which process something belongs to (a temporary file, a lease), and whether that process is provably dead.

A process id alone proves nothing: it is used again, and another machine or container counts its own. So an owner also
names the machine as it is booted now (with its process id namespace) and when the process started.
"""

import hashlib
import os
import re
import socket
import sys
import uuid
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

_BETWEEN = "~"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: host name, machine (a digest of what tells two machines of one name apart), id, and start time.

    `started` is in the kernel's clock ticks since boot; 0 where the system does not say.
    """

    host: str
    machine: str
    pid: int
    started: int

    @classmethod
    def here(cls) -> "Owner":
        """This process."""
        return _of_process(os.getpid())

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "Owner":
        """Read back what `fields` gave. Raises `KeyError`, `TypeError` or `ValueError`."""
        return cls(str(fields["host"]), str(fields["machine"]), int(fields["pid"]), int(fields["started"]))

    @classmethod
    def from_name(cls, name: str) -> "Owner | None":
        """The owner whose `name` stands at the end of a file's name; None where there is none."""
        parts = name.rsplit(_BETWEEN, 4)
        if len(parts) < 4 or not (parts[-2].isdigit() and parts[-1].isdigit()):
            return None
        return cls(parts[-4].rpartition(".")[2], parts[-3], int(parts[-2]), int(parts[-1]))

    @property
    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def name(self) -> str:
        """As a part of a file's name."""
        return _BETWEEN.join((self.host, self.machine, str(self.pid), str(self.started)))

    @property
    def dead(self) -> bool:
        """True where the process is provably gone: it was one of this machine, and is not there any more."""
        if self.machine != Owner.here().machine:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            pass
        state, started = _state(self.pid)
        return state in ("Z", "X") or bool(self.started and started and started != self.started)


def _of_process(pid: int) -> Owner:
    return Owner(_host(), _machine(), pid, _state(pid)[1])


@cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname().partition(".")[0]) or "unnamed"


@cache
def _machine() -> str:
    parts = [_host(), str(uuid.getnode())]
    if sys.platform == "linux":
        parts += [_text(Path("/proc/sys/kernel/random/boot_id")), _link(Path("/proc/self/ns/pid"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _state(pid: int) -> tuple[str, int]:
    """State and start time of a process; empty and 0 where the system does not say. See proc_pid_stat(5)."""
    words = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (words[0], int(words[19])) if len(words) > 19 else ("", 0)
