"""What the daemon's sensors and schedules cost among many accounts: CPU of a tick, with the runs of a cycle behind it.

No AWS and no run: the records of runs are put into the instance as a cycle leaves them. The instance is one on SQLite.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from raito_pipeline.config import load
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.jobs import run_request
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.partitioning.grid import Grid, make_grid
from raito_pipeline.orchestration.runs.tags import BEGUN_TAG
from tests.bench.figure import Figure
from tests.bench.partitions import others

_LAYERS = (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH)


def figures() -> Iterator[Figure]:
    """Ticks among 100, 1,000 and 5,000 accounts."""
    for accounts in (100, 1_000, 5_000):
        yield from _ticks(accounts)


def _ticks(accounts: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
        file = Path(folder) / "raito.yml"
        login = "domain: acme\napi-user: somebody@acme.example\napi-secret: none\ncron: 5 * * * *\ntargets:\n"
        file.write_text(login + others(accounts))
        options = load(file)
        grid = make_grid(options)

        def code_location() -> Callable[[], tuple[float, int]]:
            """A tick of `continue_sync` of a new process."""
            repository = build_definitions(options).get_repository_def()
            sensor = repository.get_sensor_def("continue_sync")

            def tick() -> tuple[float, int]:
                context = dg.build_sensor_context(instance, repository_def=repository, sensor_name=sensor.name)
                began = time.process_time()
                requests = sensor.evaluate_tick(context).run_requests or ()
                return time.process_time() - began, len(requests)

            return tick

        repository = build_definitions(options).get_repository_def()
        schedule = repository.get_schedule_def("sync_accounts_by_cron")
        at = dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC), repository_def=repository)
        began = time.process_time()
        requested = len(schedule.evaluate_tick(at).run_requests or ())
        yield Figure(f"{accounts:,} accounts: the schedule", _said(time.process_time() - began, requested), "60 s")
        _add(instance, grid, _LAYERS[0])
        ended = code_location()()
        yield Figure(f"{accounts:,} accounts: continue_sync, the first layers have ended", _said(*ended), "60 s")
        for layer in _LAYERS[1:]:
            _add(instance, grid, layer)
        tick = code_location()
        yield Figure(f"{accounts:,} accounts: continue_sync, first tick of a process", _said(*tick()), "60 s")
        yield Figure(f"{accounts:,} accounts: continue_sync, in the minute after", _said(*tick()), "60 s")
        _grow_old(Path(folder) / "history" / "runs.db")
        tick()
        yield Figure(f"{accounts:,} accounts: continue_sync, nothing new (every 5 s)", _said(*tick()), "1 s")


def _said(seconds: float, requests: int) -> str:
    return f"{seconds:.2f} s of CPU, {requests:,} runs requested"


def _add(instance: dg.DagsterInstance, grid: Grid, layer: Layer) -> None:
    """The runs of a layer of all accounts, as a cycle leaves them."""
    for number, owner in enumerate(grid.account.get_partition_keys()):
        request = run_request(Request(owner, layer, "cycle-1"), grid)
        tags = {**request.tags, BEGUN_TAG: "true"}
        run_id = f"{_LAYERS.index(layer):08}-0000-4000-8000-{number:012}"
        run = dg.DagsterRun(job_name=str(request.job_name), run_id=run_id, tags=tags, status=_ENDED)
        instance.run_storage.add_run(run)


def _grow_old(file: Path) -> None:
    """Let the runs have changed some minutes ago: what changed in the last one is read again by each tick."""
    with closing(sqlite3.connect(file)) as records, records:
        records.execute("update runs set update_timestamp = ?", [str(datetime.now(UTC) - timedelta(minutes=10))[:26]])


_ENDED = dg.DagsterRunStatus.SUCCESS
