"""Ports of this machine, and the servers that listen there."""

import os
import signal
import socket
import subprocess
from contextlib import suppress


def free_port() -> int:
    """A port on 127.0.0.1 that was free just now; somebody may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end(server: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> None:
    """End a server that began a session of its own with a signal to it alone, then whatever it leaves behind."""
    with suppress(ProcessLookupError):
        server.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        server.wait(timeout=20)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
