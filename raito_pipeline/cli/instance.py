"""The Dagster instance that a command records its runs in."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import dagster as dg
import yaml

from raito_pipeline.cli.errors import InstanceDamaged, InstanceUnusable
from raito_pipeline.redaction import one_line

_NOT_WRITTEN = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)
_COLOURS = ("mako.ext.pygmentplugin", "rich.traceback")


@contextmanager
def instance_of_this_directory() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of `DAGSTER_HOME` or of a `dagster.yaml` here; else one that is forgotten at the end.

    Raises `InstanceDamaged` where its database cannot be read, at the start or in the block, and `InstanceUnusable`
    where the instance cannot be opened, or its disk is full or cannot be written.
    """
    opened = False
    home = Path(os.environ.get("DAGSTER_HOME") or Path.cwd())
    try:
        with _without_colours() as opening, _open(home) as instance:
            # The event log is opened by its first use, which is to be now: not in the middle of a sync.
            instance.get_latest_materialization_event(dg.AssetKey("iam_users"))
            opening.close()
            opened = True
            yield instance
    except Exception as error:
        cause = _damage(error)
        if cause is None and (not opened or _not_written(error) is not None):
            raise InstanceUnusable(str(home), _in_short(_not_written(error) or error)) from None
        if cause is None:
            raise
        folder = _databases(home)
        raise InstanceDamaged(str(folder), _damaged_files(folder), str(cause)) from None


@contextmanager
def _without_colours() -> Iterator[ExitStack]:
    """Until what is given is closed, nothing is loaded that colours errors of others.

    What Dagster keeps its tables and writes its logs with loads 50 modules for error pages and terminals that there are
    not: 5 MB and 0.3 s of CPU. Both do without where these are not installed.
    """
    with ExitStack() as opening:
        for name in _COLOURS:
            if name not in sys.modules:
                sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say that there is no such module
                opening.callback(sys.modules.pop, name, None)
        yield opening


@contextmanager
def _open(home: Path) -> Iterator[dg.DagsterInstance]:
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    elif (home / "dagster.yaml").is_file():
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance


def _not_written(error: BaseException | None) -> sqlite3.OperationalError | None:
    """The error of SQLite behind another one, where its disk is full or cannot be written."""
    while error is not None:
        code = getattr(error, "sqlite_errorcode", None)
        if isinstance(error, sqlite3.OperationalError) and code is not None and code & 0xFF in _NOT_WRITTEN:
            return error
        error = error.__cause__ or error.__context__
    return None


def _in_short(error: BaseException) -> str:
    """What an error says, in a line without secrets: Dagster adds all that it would have taken."""
    said = one_line(str(error)).partition(' Expected: "{')[0]
    return (said or type(error).__name__).rstrip(". ")


def _damage(error: BaseException | None) -> sqlite3.DatabaseError | None:
    """The error of SQLite behind another one, where it means damage (not, say, a database that is locked)."""
    while error is not None:
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _databases(home: Path) -> Path:
    """The folder of the databases: `storage: sqlite: base_dir:` of `dagster.yaml`, else the home itself."""
    try:
        text = (home / "dagster.yaml").read_text(encoding="utf-8")
        return home / str(yaml.safe_load(text)["storage"]["sqlite"]["base_dir"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return home


def _damaged_files(folder: Path) -> list[str]:
    """Those of the databases of an instance (not of its single runs) that SQLite finds damaged."""
    databases = (folder / name for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"))
    return [str(path) for path in databases if path.is_file() and not _sound(path)]


def _sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return bool(database.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False
