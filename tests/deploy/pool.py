"""PgBouncer as compose has it, in front of a Postgres server of the tests: with its own configuration and start."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.postgres import NoServer, Postgres
from tests.ports import free_port

FILES = Path(__file__).parents[2] / "deploy" / "compose" / "pool"
PASSWORD = 'quo"ted secret'
_PATHS = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", os.environ.get("PATH", "")))


@contextmanager
def pool(server: Postgres) -> Iterator[Postgres]:
    """A pool of connections to a server, until the end of the block; it asks for `PASSWORD`. Raises `NoServer`."""
    if shutil.which("pgbouncer", path=_PATHS) is None:
        raise NoServer("no PgBouncer on this machine")
    home = Path(tempfile.mkdtemp(prefix="pool"))
    port = free_port()
    text = (FILES / "pgbouncer.ini").read_text()
    for compose, here in (
        ("host=postgres port=5432", f"host=127.0.0.1 port={server.port}"),
        ("listen_addr = *", "listen_addr = 127.0.0.1"),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("/dev/shm/users.txt", str(home / "users.txt")),
    ):
        assert compose in text, compose
        text = text.replace(compose, here)
    (home / "pgbouncer.ini").write_text(text)
    (home / "pgbouncer.ini").chmod(0o644)  # whoever runs PgBouncer is somebody else
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to be root
    if user is not None:
        shutil.chown(home, user)
    variables = {"PATH": _PATHS, "USERS_FILE": str(home / "users.txt")}
    variables |= {"DAGSTER_PG_USERNAME": "postgres", "DAGSTER_PG_PASSWORD": PASSWORD}
    command = ["sh", str(FILES / "start.sh"), str(home / "pgbouncer.ini")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, user=user, cwd="/", env=variables, stdout=log, stderr=log)
    try:
        _listens(process, port, home / "log")
        yield Postgres(port, process.pid, PASSWORD)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _listens(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait until it answers. Raises `NoServer` with what it said."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NoServer(f"PgBouncer does not listen: {log.read_text(errors='replace')[-2_000:]}")
