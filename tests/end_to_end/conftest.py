"""The whole way in one process: an embedded estate in a temporary folder, and syncs of it as the command makes them."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import LayerResult, layers, run_sync
from raito_pipeline.sandbox.aws.call_log import Call
from raito_pipeline.sandbox.aws.estate import EstateSettings
from raito_pipeline.sandbox.embedded import Embedded, embedded_estate
from raito_pipeline.storage import Store
from tests.built import Built
from tests.forked import Forked, forker

SMALL = EstateSettings(
    users=12, groups=4, roles=42, policies=10, keys=60, tables=8, people=8, organization_groups=3, permission_sets=4,
    log_days=1,
)  # fmt: skip
"""An estate that has some of everything: a sync of it takes two thirds of the time of one that `make run` makes."""
SMALLEST = replace(SMALL, accounts=1)
"""The same with the first of its accounts."""


@dataclass
class World:
    """A running estate, and the Dagster instance that remembers what was done to it."""

    embedded: Embedded
    instance: dg.DagsterInstance
    _marks: list[int] = field(default_factory=list)
    built: Built = field(default_factory=Built)

    @property
    def store(self) -> Store:
        """The tables."""
        return Store.open(self.embedded.directory / "data")

    @property
    def accounts(self) -> list[str]:
        """The ids of the member accounts."""
        return [account.account_id for account in self.embedded.estate.members]

    def options(self, **overrides: str) -> Options:
        """The configuration of the estate."""
        given = {name.replace("_", "-"): value for name, value in overrides.items()}
        return load(self.embedded.config_file, overrides=given)

    def sync(self, options: Options | None = None, only: Sequence[str] = ()) -> tuple[LayerResult, ...]:
        """One sync of everything, or of the partitions `only`."""
        chosen = options or self.options()
        definitions = self.built.definitions(Services(chosen))
        wanted = layers(chosen, make_grid(chosen), f"test-{datetime.now(UTC):%H%M%S%f}")
        picked = [layer for layer in wanted if not only or any(key in layer.place for key in only)]
        self._marks.append(self.embedded.aws.calls.mark)
        return run_sync(definitions, self.instance, picked, lambda _layer, _result: None)

    def materialize(self, tables: Sequence[str], partition_key: str) -> dg.ExecuteInProcessResult:
        """Materialize single cells, as a person does in the UI."""
        chosen = self.options()
        job = self.built.definitions(Services(chosen)).resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            asset_selection=[dg.AssetKey(table) for table in tables],
            partition_key=partition_key,
            instance=self.instance,
            raise_on_error=False,
        )

    def calls(self) -> list[Call]:
        """The AWS calls of the last sync."""
        return self.embedded.aws.calls.since(self._marks[-1])

    def counts(self) -> dict[str, Any]:
        """Everything that Raito Cloud holds, counted."""
        return self.embedded.raito.counts()


ACCOUNT, ORGANIZATION = "210000000012", "210000000001"


@pytest.fixture(scope="session")
def kept_syncs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of a world in which everything was synced until nothing was new; made once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if shared.name.startswith("popen-") else shared
    folder = shared / "kept-syncs"
    with (shared / "kept-syncs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _keep_syncs(shared / "kept-syncs.new")
            (shared / "kept-syncs.new").rename(folder)
    return folder


def _keep_syncs(folder: Path) -> None:
    with started(folder) as world:
        # The organization's last: it knows then which permission sets Raito made.
        for place in (ACCOUNT, ORGANIZATION, ACCOUNT):
            assert failures(world.sync(only=[place])) == []
        for name, kept in _histories(world.instance):
            with closing(sqlite3.connect(folder / name)) as copy:
                kept.backup(copy)


def _histories(instance: dg.DagsterInstance) -> Iterator[tuple[str, sqlite3.Connection]]:
    """The databases in memory of an instance, each with a name for its file."""
    storages: dict[str, Any] = {"events.db": instance.event_log_storage, "runs.db": instance.run_storage}
    for name, storage in storages.items():
        yield name, storage._held_conn.connection.dbapi_connection


@contextmanager
def synced_before(folder: Path, kept: Path) -> Iterator[World]:
    """A world of its own that goes on after the syncs of `kept_syncs`."""
    shutil.copytree(kept / "estate", folder / "estate")
    with started(folder) as world:
        for name, history in _histories(world.instance):
            with closing(sqlite3.connect(kept / name)) as copy:
                copy.backup(history)
        yield world


@pytest.fixture
def synced_world(tmp_path: Path, kept_syncs: Path) -> Iterator[World]:
    """A small estate of which the account and the organization were synced until nothing was new."""
    with synced_before(tmp_path, kept_syncs) as world:
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small fresh estate that nothing was synced from yet."""
    with started(tmp_path) as world:
        yield world


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """Processes of their own that need not import anything."""
    with forker(tmp_path_factory.mktemp("forked")) as forked:
        yield forked


@contextmanager
def started(folder: Path, sizes: EstateSettings | None = SMALLEST, *, events_on_disk: bool = False) -> Iterator[World]:
    """A fresh estate for the tests of a whole module, in a folder of its own.

    `sizes` is how large it is (None = as `make run` has it).

    Dagster records in memory, as its SQLite files take half of the time of a sync; `events_on_disk` has them written.
    """
    make_instance = dg.DagsterInstance.local_temp if events_on_disk else dg.DagsterInstance.ephemeral
    with (
        pytest.MonkeyPatch.context() as patch,
        embedded_estate(folder / "estate", sizes) as embedded,
        make_instance(str(folder)) as instance,
    ):
        for name, value in embedded.environment.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield World(embedded, instance)


def failures(results: Sequence[LayerResult]) -> list[str]:
    """What failed, one line each."""
    return [line for result in results for line in (*result.failures, *result.skipped)]
