"""A code server as compose has it: its runs are forks of a process that has loaded what every run needs."""

import importlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from raito_pipeline.deploy import code_server
from tests.ports import answers, end, free_port

PROGRAM = Path(sys.executable).parent / "raito-code-server"
PATIENCE = 120.0
DEFINITIONS = """
import json, os, sys, time
from pathlib import Path
import dagster as dg

LOADED = sorted({"raito_pipeline.component", "raito_pipeline.definitions"} & set(sys.modules))

@dg.op
def say():
    parent = Path(f"/proc/{os.getppid()}/cmdline").read_text()
    Path(os.environ["SAID"]).write_text(json.dumps({"loaded": LOADED, "parent": parent}))
    time.sleep(600)

@dg.job(executor_def=dg.in_process_executor)
def waits():
    say()

defs = dg.Definitions(jobs=[waits])
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    at_once = {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"}
    (tmp_path / "dagster.yaml").write_text(
        yaml.safe_dump({"telemetry": {"enabled": False}, "run_coordinator": at_once})
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@pytest.fixture
def port(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[int]:
    """The port of a running code server."""
    del instance  # its tables are there before two processes make them
    (tmp_path / "project.py").write_text(DEFINITIONS)
    number = free_port()
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [PROGRAM, "--host", "127.0.0.1", "--port", str(number), "--python-file", tmp_path / "project.py"],
            env={**os.environ, "DAGSTER_HOME": str(tmp_path), "SAID": str(tmp_path / "said.json")},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait(lambda: answers(number), tmp_path / "log")
        yield number
    finally:
        end(server)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, runs begin as Dagster has them")
def test_a_run_has_everything_loaded_but_no_project_and_is_ended_as_any_other(
    port: int, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": {"host": "127.0.0.1", "port": port}}]}))
    command = [sys.executable, "-m", "dagster", "job", "launch", "--workspace", workspace, "--job", "waits"]
    subprocess.run(command, env={**os.environ, "DAGSTER_HOME": str(tmp_path)}, check=True, capture_output=True)
    said = tmp_path / "said.json"
    wait(lambda: said.exists() and bool(said.read_text()), tmp_path / "log")
    (run,) = instance.get_runs()

    assert instance.run_launcher.terminate(run.run_id)
    wait(lambda: status(instance, run) is dg.DagsterRunStatus.CANCELED, tmp_path / "log")

    told = json.loads(said.read_text())
    assert told["loaded"] == ["raito_pipeline.component"]
    assert "multiprocessing.forkserver" in told["parent"]


def test_a_project_that_asks_for_new_processes_has_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is its module loaded before the runs are forked: each of them loads what it is then."""
    monkeypatch.setattr(multiprocessing, "get_context", multiprocessing.get_context)  # as it was, afterwards
    server: Any = importlib.import_module("multiprocessing.forkserver")
    monkeypatch.setattr(server._forkserver, "_preload_modules", [])
    code_server.fork_runs()

    asked = {name: asks_for_spawn(name) for name in ("dagster.server", "project", "dagster_of_ours")}

    assert asked == {"dagster.server": "forkserver", "project": "spawn", "dagster_of_ours": "spawn"}
    assert server._forkserver._preload_modules == ["dagster.server", code_server.PRELOADED]


def asks_for_spawn(module: str) -> str:
    """What a module of this name is given."""
    names: dict[str, Any] = {"__name__": module}
    exec("import multiprocessing\ngiven = multiprocessing.get_context('spawn').get_start_method()", names)
    return str(names["given"])


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus | None:
    """How a run stands now."""
    now = instance.get_run_by_id(run.run_id)
    return now and now.status


def wait(until: Callable[[], bool], log: Path) -> None:
    """Wait until something is so; else fail with what the server said."""
    last = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < last, log.read_text()[-3_000:]
        time.sleep(0.2)
