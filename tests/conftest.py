"""The order of the tests, and what all of them share.

Whole ways begin early, as they take longest and one worker runs a file from start to end. They wait half of their time,
so that other files stand between them: workers that all wait leave processors idle.
"""

import atexit
import gc
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from functools import cache
from inspect import CO_VARKEYWORDS
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from threading import RLock
from typing import Any

import botocore.hooks
import botocore.session
import dagster as dg
import pytest
from _pytest.runner import runtestprotocol
from alembic.config import Config
from alembic.script import ScriptDirectory
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser, NodeList, _PrefixTrie
from botocore.loaders import Loader, create_loader
from botocore.model import ServiceModel
from hypothesis import settings
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.util import LRUCache

WHOLE_WAYS = "end_to_end/"
LONGEST_WAY = "end_to_end/test_daemon.py"
# Files that stand between two whole ways: as few that the last way ends well before the last file does.
BETWEEN_WAYS = 10

# Linux keeps this folder in memory. Tests make thousands of small databases and tables, which a disk takes longer for.
IN_MEMORY = "/dev/shm"
MEMORY_OF_TESTS = 2**30


def _has_room_in_memory() -> bool:
    """Whether the files of all tests find room in memory, and those that are programs may be run there."""
    if not os.access(IN_MEMORY, os.W_OK) or os.statvfs(IN_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines())
    available = int(memory["MemAvailable"].removesuffix("kB")) * 1024
    return min(available, shutil.disk_usage(IN_MEMORY).free) > MEMORY_OF_TESTS


if _has_room_in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", IN_MEMORY)  # where pytest makes the folders of tests

# The gate says the same of one state each time; `pytest --hypothesis-profile=default` looks for what nobody thought of.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.load_profile("gate")


@cache
def _models(data_path: str | None) -> Loader:
    return create_loader(data_path)


def _shared_models(data_path: str | None) -> Loader:
    """The SDK's descriptions of services: every session that a test makes would parse them anew."""
    models = _models(data_path)
    models.search_paths[:] = dict.fromkeys(models.search_paths)
    return models


botocore.session.create_loader = _shared_models

_new_aliaser = EventAliaser.__init__
_EVENT_NAMES: dict[str, str] = {}


def _of_known_names(self: Any, *arguments: Any, **options: Any) -> None:
    """The SDK's older names of its events: every client would look through three hundred of them for each event."""
    _new_aliaser(self, *arguments, **options)
    self._alias_name_cache = _EVENT_NAMES


EventAliaser.__init__ = _of_known_names  # type: ignore[method-assign]

_look_at_parameters = botocore.hooks.accepts_kwargs


def _takes_any_keyword(function: Any) -> Any:
    """Whether a function takes keywords that it does not name: each new client would have hundreds inspected."""
    code = getattr(function, "__code__", None)
    return _look_at_parameters(function) if code is None else bool(code.co_flags & CO_VARKEYWORDS)


botocore.hooks.accepts_kwargs = _takes_any_keyword

_make_client_class = ClientCreator._create_client_class
_CLIENT_CLASSES: dict[tuple[str, str], type] = {}


def _client_class(self: ClientCreator, service_name: str, service_model: Any) -> type:
    """The class of a service's clients: every client would get one of its own, with all methods made anew."""
    key = service_name, service_model.api_version
    if key not in _CLIENT_CLASSES:
        _CLIENT_CLASSES[key] = _make_client_class(self, service_name, service_model)
    return _CLIENT_CLASSES[key]


ClientCreator._create_client_class = _client_class

_read_service = ClientCreator._load_service_model
_SERVICES: dict[tuple[str, int], ServiceModel] = {}


def _service(self: ClientCreator, service_name: str, api_version: str | None = None) -> ServiceModel:
    """What a service's clients know of it: every client would look through all shapes for errors and endpoints."""
    described = self._loader.load_service_model(service_name, "service-2", api_version=api_version)
    key = service_name, id(described)  # which stays while the model has it
    if key not in _SERVICES:
        _SERVICES[key] = _read_service(self, service_name, api_version)
    return _SERVICES[key]


ClientCreator._load_service_model = _service


def _copied(self: Any, node: dict[str, Any]) -> dict[str, Any]:
    """The handlers of events, of which every client has a copy: in the SDK's way that takes longer than many a call."""
    made = {}
    for name, value in node.items():
        if isinstance(value, NodeList):
            made[name] = NodeList(value.first.copy(), value.middle.copy(), value.last.copy())
        else:
            made[name] = self._recursive_copy(value) if isinstance(value, dict) else value
    return made


_PrefixTrie._recursive_copy = _copied  # type: ignore[method-assign]

_read_revisions = ScriptDirectory.from_config
_REVISIONS: dict[str | None, ScriptDirectory] = {}


def _revisions(config: Config) -> ScriptDirectory:
    """The revisions of Dagster's tables: each new instance would compile, run and sort all of them."""
    folder = config.get_main_option("script_location")
    if folder not in _REVISIONS:
        _REVISIONS[folder] = _read_revisions(config)
    return _REVISIONS[folder]


ScriptDirectory.from_config = staticmethod(_revisions)  # type: ignore[method-assign, assignment]

_make_engine = Engine.__init__
_STATEMENTS: LRUCache[Any, Any] = LRUCache(2_000)


class _SharedStatements:
    """The SQL of statements, for all databases of SQLite: each would have it written anew."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return _STATEMENTS.get(key[1:], default)  # without the dialect, which is one object a database

    def __setitem__(self, key: tuple[Any, ...], made: Any) -> None:
        _STATEMENTS[key[1:]] = made


def _engine(self: Any, *arguments: Any, **options: Any) -> None:
    _make_engine(self, *arguments, **options)
    if self.dialect.name == "sqlite":
        self._compiled_cache = _SharedStatements()


Engine.__init__ = _engine  # type: ignore[method-assign]

_create_tables = MetaData.create_all
_TABLES: dict[MetaData, list[str]] = {}


def _tables(self: MetaData, bind: Any, **options: Any) -> None:
    """The tables of an empty database of SQLite, in the words in which the first one got them."""
    if options or bind.dialect.name != "sqlite":
        _create_tables(self, bind, **options)
        return
    with nullcontext(bind) if isinstance(bind, Connection) else bind.begin() as connection:
        is_empty = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
        if not is_empty or self not in _TABLES:
            _create_tables(self, connection)
        else:
            for words in _TABLES[self]:
                connection.exec_driver_sql(words)
        if is_empty and self not in _TABLES:
            own = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'sqlite_sequence' ORDER BY rowid"
            made = connection.exec_driver_sql(own)
            _TABLES[self] = [words for (words,) in made]


MetaData.create_all = _tables  # type: ignore[method-assign]

_new_instance = dg.DagsterInstance.ephemeral


def _instance_of_one_connection(*arguments: Any, **options: Any) -> dg.DagsterInstance:
    """An instance in memory that asks its records over the connections that it holds anyway.

    Opening one for each question takes a sixth of the time of a sync. The lock is the one that Dagster takes. Which
    tables and columns it has is asked once, where Dagster asks with each event.
    """
    instance = _new_instance(*arguments, **options)
    log: Any = instance.event_log_storage
    runs: Any = instance.run_storage
    log.has_table = cache(log.has_table)
    log._has_asset_key_col_on_connection = cache(log._has_asset_key_col_on_connection)
    runs.has_run_stats_index_cols = cache(runs.has_run_stats_index_cols)
    one_at_a_time = RLock()

    @contextmanager
    def connected() -> Iterator[Any]:
        with log._db_lock, log._held_conn.begin():
            yield log._held_conn

    @contextmanager
    def connected_to_runs() -> Iterator[Any]:
        with one_at_a_time:
            if runs._held_conn.in_transaction():
                yield runs._held_conn
            else:
                with runs._held_conn.begin():
                    yield runs._held_conn

    log._connect, runs.connect = connected, connected_to_runs
    return instance


dg.DagsterInstance.ephemeral = staticmethod(_instance_of_one_connection)  # type: ignore[method-assign]

_new_local_instance = dg.DagsterInstance.local_temp
_EMPTY_HISTORY: list[Path] = []


def _instance_with_tables(tempdir: str | None = None, *arguments: Any, **options: Any) -> dg.DagsterInstance:
    """An instance on disk, with the empty databases of the first one: Dagster takes half a second to make them."""
    folder = Path(tempdir or "")
    if tempdir is None or (folder / "history").exists() or (folder / "schedules").exists():
        return _new_local_instance(tempdir, *arguments, **options)
    if not _EMPTY_HISTORY:
        _EMPTY_HISTORY.append(Path(mkdtemp()))
        atexit.register(shutil.rmtree, _EMPTY_HISTORY[0], ignore_errors=True)
        with _new_local_instance(str(_EMPTY_HISTORY[0])) as made:
            made.get_runs(limit=1)
            made.all_asset_keys()
            made.all_instigator_state()
    for name in ("history", "schedules"):
        shutil.copytree(_EMPTY_HISTORY[0] / name, folder / name)
    return _new_local_instance(tempdir, *arguments, **options)


dg.DagsterInstance.local_temp = staticmethod(_instance_with_tables)  # type: ignore[method-assign]

_cut_job = dg.JobDefinition.as_ephemeral_job


def _cut_once(self: Any, *arguments: Any, **options: Any) -> dg.JobDefinition:
    """A job of some of its assets: each run would choose and describe them anew, a twentieth of the time of a sync."""
    if arguments or any(options[name] for name in options if name != "asset_selection"):
        return _cut_job(self, *arguments, **options)
    kept = vars(self).setdefault("_kept_by_tests", {})
    key = tuple(options["asset_selection"])
    if key not in kept:
        kept[key] = _cut_job(self, **options)
    cut: dg.JobDefinition = kept[key]
    return cut


dg.JobDefinition.as_ephemeral_job = _cut_once  # type: ignore[method-assign]

# Thousands of collected tests and all modules stay to the end: looking through them again and again finds no garbage.
gc.set_threshold(100_000, 20, 50)


def pytest_configure() -> None:
    """The first workers keep to a processor each, and those beyond them go where there is room.

    The threads of a test share an interpreter that only one of them can use: on two processors each hands it to the
    next for twice the system's time.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        processors = dict(enumerate(sorted(os.sched_getaffinity(0))))
        place = int(worker.removeprefix("gw"))
        if place in processors:
            os.sched_setaffinity(0, {processors[place]})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole ways first, each followed by a few of the other files."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    ways = sorted((name for name in files if WHOLE_WAYS in name), key=lambda name: LONGEST_WAY not in name)
    others = iter([name for name in files if WHOLE_WAYS not in name])
    woven = [name for way in ways for name in (way, *islice(others, BETWEEN_WAYS))]
    items[:] = [item for name in (*woven, *others) for item in files[name]]
    gc.freeze()


def pytest_sessionfinish() -> None:
    """All that the tests have left is gone with the process: it need not be looked through once more."""
    gc.freeze()


UMASK = os.umask(0o022)
os.umask(UMASK)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    """A test leaves the umask as it was: files that later ones make would be of others, or not readable to them."""
    yield
    left = os.umask(UMASK)
    assert left == UMASK, f"it left the umask {left:o}, which was {UMASK:o}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Each test has a context of its own: Dagster keeps an instance in it that may end after another one began.

    A worker tells what came of a test and which part of it failed. That it began, was set up, torn down and ended would
    be four messages more, which cost as much as a short test.
    """
    if hasattr(item.config, "workerinput"):
        for report in copy_context().run(runtestprotocol, item, log=False, nextitem=nextitem):
            if report.when == "call" or not report.passed:
                item.ihook.pytest_runtest_logreport(report=report)
    else:
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        copy_context().run(runtestprotocol, item, log=True, nextitem=nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
