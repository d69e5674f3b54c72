"""What a sync that finds nothing new costs in the compose deployment, and with Dagster's own parts in its place.

The three runs of one account of the embedded estate, launched by a code server on a real Postgres behind PgBouncer.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from raito_pipeline.config import load
from raito_pipeline.orchestration.automation.jobs import run_request
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.sandbox.embedded import embedded_estate
from tests.bench.deployment import COMPOSE, cpu_below, cpu_of
from tests.bench.figure import Figure
from tests.bench.quiet import ACCOUNT, LAYERS, cycles
from tests.bench.storage import SMALL, environment
from tests.deploy.pool import pool
from tests.deploy.postgres import NoServer, Postgres, postgres
from tests.ports import answers, end, free_port

_PATIENCE, _SYNCS = 600.0, 2
_ENDS = 5
"""seconds until the process of a run that has ended is gone"""
_PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Parts:
    """Which code server and which storage."""

    name: str
    program: tuple[str, ...]
    storage: Callable[[dict[str, Any]], dict[str, Any]]


PARTS = (
    Parts("Dagster's own code server and storage", ("dagster", "code-server", "start"), lambda own: {"postgres": own}),
    Parts(
        "those of compose",
        ("raito-code-server",),
        lambda own: {"custom": {**_compose()["storage"]["custom"], "config": own}},
    ),
)


def figures() -> Iterator[Figure]:
    """CPU of the runs, of what starts them, and of what keeps their history: of the second sync with each.

    What is read was read twice before, with all accounts and their organization."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres())
            pooled = stack.enter_context(pool(server))
        except NoServer as error:
            yield Figure("a quiet sync in the compose deployment", f"not measured: {error}", "")
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        embedded = stack.enter_context(embedded_estate(folder / "estate", SMALL))
        stack.enter_context(environment(**embedded.environment))
        os.environ.pop("AWS_PROFILE", None)
        _ = list(cycles(folder, embedded, 2))
        grid = make_grid(load(embedded.config_file))
        for number, parts in enumerate(PARTS):
            with _server(folder / str(number), parts, pooled) as running:
                for _ in range(_SYNCS):
                    before = running.cpu(server, pooled)
                    for layer in LAYERS:
                        running.launch(run_request(Request(ACCOUNT, layer, "quiet"), grid))
                    time.sleep(_ENDS)
                    after = running.cpu(server, pooled)
                took = {part: seconds - before[part] for part, seconds in after.items()}
            told = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in took.items())
            goal = "8 s in its runs" if number else ""
            yield Figure(f"CPU of a quiet sync on Postgres, {parts.name}", told, goal)


@dataclass(frozen=True)
class _Running:
    """A code server, and the `DAGSTER_HOME` of its runs."""

    home: Path
    pid: int

    def cpu(self, *databases: Postgres) -> Mapping[str, float]:
        """CPU seconds so far: of its runs, of itself, and of Postgres and PgBouncer."""
        own, runs = cpu_below(self.pid)
        return {"runs": runs, "code server": own, "Postgres": sum(cpu_of(each.pid) for each in databases)}

    def launch(self, request: dg.RunRequest) -> None:
        """Launch a run and wait for its end. Raises `RuntimeError` where it fails."""
        partition = {"dagster/partition": request.partition_key} if request.partition_key else {}
        run_id = str(uuid.uuid4())
        words = [
            "--job",
            str(request.job_name),
            "--run-id",
            run_id,
            "--tags",
            json.dumps({**request.tags, **partition}),
        ]
        command: list[str | Path] = [
            _PROGRAMS / "dagster",
            "job",
            "launch",
            "--workspace",
            self.home / "workspace.yaml",
            *words,
        ]
        subprocess.run(command, env={**os.environ, "DAGSTER_HOME": str(self.home)}, check=True, capture_output=True)
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            until = time.monotonic() + _PATIENCE
            while (run := instance.get_run_by_id(run_id)) is None or not run.is_finished:
                if time.monotonic() > until:
                    raise RuntimeError(f"{request.job_name} does not end")
                time.sleep(0.3)
        if not run.is_success:
            raise RuntimeError(f"{request.job_name}: {run.status.value}")


@contextmanager
def _server(home: Path, parts: Parts, database: Postgres) -> Iterator[_Running]:
    home.mkdir()
    port = free_port()
    own = dict(_compose()["storage"]["custom"]["config"]["postgres_db"])
    own |= {"username": "postgres", "password": database.password, "hostname": "127.0.0.1", "db_name": "postgres"}
    own["port"] = database.port
    at_once = {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"}
    settings = {"telemetry": {"enabled": False}, "run_coordinator": at_once}
    (home / "dagster.yaml").write_text(yaml.safe_dump({"storage": parts.storage({"postgres_db": own}), **settings}))
    reached = {"grpc_server": {"host": "127.0.0.1", "port": port, "location_name": "raito_pipeline"}}
    (home / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [reached]}))
    with dg.DagsterInstance.from_config(str(home)):
        pass  # its tables are there before two processes make them
    program, *words = parts.program
    defs = ["--module-name", "raito_pipeline.definitions", "--attribute", "defs"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [_PROGRAMS / program, *words, "--host", "127.0.0.1", "--port", str(port), *defs],
            env={**os.environ, "DAGSTER_HOME": str(home)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _PATIENCE
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the code server does not answer: {(home / 'log').read_text()[-3_000:]}")
            time.sleep(0.3)
        yield _Running(home, process.pid)
    finally:
        end(process)


def _compose() -> dict[str, Any]:
    return dict(yaml.safe_load((COMPOSE / "dagster.yaml").read_text()))
