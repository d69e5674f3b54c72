"""One embedded estate a directory: a lock that ends with its process, and where the one that runs is found."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_FILE = "running.json"


class SandboxRunning(Exception):
    """An embedded estate runs in this directory already: a second one would rewrite its files."""

    def __init__(self, directory: Path, addresses: Mapping[str, str]) -> None:
        where = ", ".join(f"{name} {value}" for name, value in addresses.items())
        super().__init__(
            f"an embedded estate runs already in {directory} ({where or 'it is starting'}); nothing of it was changed. "
            f"End it first (Ctrl-C in its terminal), or use it: set -a; . {directory / 'environment'}; set +a; "
            "raito-pipeline run. Another one can run beside it with --directory."
        )
        self.directory, self.addresses = directory, addresses


@contextmanager
def occupied(directory: Path) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Keep other embedded estates out of `directory`; gives a function that notes the addresses of this one.

    The system takes the lock back when this process ends, however it ends. Raises `SandboxRunning`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SandboxRunning(directory, _read(file.read())) from None

        def note(addresses: Mapping[str, str]) -> None:
            file.truncate(0)
            file.write(json.dumps({**_process(), **addresses}, indent=1))
            file.flush()

        note({})
        try:
            yield note
        finally:
            file.truncate(0)


def _process() -> dict[str, str]:
    return {"process": str(os.getpid()), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}


def _read(text: str) -> dict[str, str]:
    try:
        return {str(name): str(value) for name, value in json.loads(text).items()}
    except (ValueError, AttributeError):
        return {}
