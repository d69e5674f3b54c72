"""A real Dagster: `dagster dev` as a process of its own on an embedded estate, and what a person does in its UI."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import requests
import yaml

from raito_pipeline.sandbox.embedded import Embedded
from raito_pipeline.storage import Store
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
LOCATION, REPOSITORY = "raito_pipeline", "__repository__"
PATIENCE = 300.0
"""Seconds that a step may take on a machine with much else to do."""
_STATUS = {"+": "SUCCESS", "-": "FAILURE", "x": "CANCELED"}
T = TypeVar("T")

_LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_TERMINATE = """mutation ($id: String!) { terminateRun(runId: $id) {
  __typename ... on TerminateRunFailure { message } ... on PythonError { message } } }"""
_RELOAD = """mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
  __typename ... on WorkspaceLocationEntry { loadStatus locationOrLoadError { __typename } } } }"""
_READY = (
    "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }"
)
_TICKS = """query ($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor { sensorState {
  ticks(limit: 5) { status skipReason runKeys error { message } } } } } }"""


@dataclass
class Daemon:
    """Where a Dagster runs, and its process while it does."""

    embedded: Embedded
    folder: Path
    port: int
    environment: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    _log: list[Any] = field(default_factory=list)

    # -- the process -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until its code location is loaded."""
        log = (self.folder / "dagster-dev.log").open("ab")
        command = [sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=dict(self.environment), stdout=log, stderr=log, start_new_session=True
        )
        self.wait(self._ready, "the code location is loaded")

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill it with everything that it started, as a machine that loses its power does."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        with suppress(ProcessLookupError):  # what it left
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def _ready(self) -> bool:
        try:
            entries = self.ask(_READY)["workspaceOrError"]["locationEntries"]
        except requests.RequestException:
            return False
        loaded = [entry["locationOrLoadError"] for entry in entries if entry["loadStatus"] == "LOADED"]
        assert all(found["__typename"] == "RepositoryLocation" for found in loaded), loaded
        return bool(loaded) and len(loaded) == len(entries)

    # -- the UI ----------------------------------------------------------------------------------------------------

    def ask(self, query: str, **variables: Any) -> Any:
        """What GraphQL answers, as the UI asks it."""
        body = {"query": query, "variables": variables}
        answer = requests.post(f"http://127.0.0.1:{self.port}/graphql", json=body, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, job: str, partition: str, tables: Sequence[str] = ()) -> str:
        """Launch a run of one partition of a job, or of some tables; gives its id."""
        selector: dict[str, Any] = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "jobName": job}
        if tables:
            selector["assetSelection"] = [{"path": [table]} for table in tables]
        tags = [{"key": "dagster/partition", "value": partition}]
        if "|" in partition:
            account, region = partition.split("|")
            tags += [
                {"key": "dagster/partition/account", "value": account},
                {"key": "dagster/partition/region", "value": region},
            ]
        params = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}, "runConfigData": {}}
        answer = self.ask(_LAUNCH, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def materialize(self, tables: Sequence[str], partition: str) -> str:
        """Materialize cells, as the button does; gives the id of the run."""
        return self.launch("__ASSET_JOB", partition, tables)

    def backfill_job(self, job: str, partitions: Sequence[str]) -> str:
        """Launch a job for several partitions; gives the id of the backfill."""
        repository = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY}
        selector = {"partitionSetName": f"{job}_partition_set", "repositorySelector": repository}
        answer = self.ask(_BACKFILL, params={"selector": selector, "partitionNames": list(partitions)})
        assert answer["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["launchPartitionBackfill"]["backfillId"])

    def backfill_assets(self, tables: Sequence[str], partitions: Sequence[str]) -> str:
        """Materialize assets for the partitions of their roots; gives the id of the backfill."""
        params = {"assetSelection": [{"path": [table]} for table in tables], "partitionNames": list(partitions)}
        answer = self.ask(_BACKFILL, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        answer = self.ask(_TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def reload(self) -> None:
        """Load the code location anew, as after a change of `raito.yml`."""
        answer = self.ask(_RELOAD, name=LOCATION)
        assert answer["reloadRepositoryLocation"]["__typename"] == "WorkspaceLocationEntry", answer
        self.wait(self._ready, "the code location is loaded again")

    def said(self) -> str:
        """What the newest ticks of `continue_sync` said, the newest first."""
        selector = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "sensorName": "continue_sync"}
        ticks = self.ask(_TICKS, s=selector)["sensorOrError"]["sensorState"]["ticks"]
        return "\n".join(str(tick["error"] or tick["skipReason"] or tick["runKeys"]) for tick in ticks)

    # -- what is there ---------------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The stored tables."""
        return Store.open(self.embedded.directory / "data")

    def runs(self) -> list[dg.DagsterRun]:
        """Every run of the instance, the oldest first."""
        with dg.DagsterInstance.from_config(str(self.folder)) as instance:
            return [record.dagster_run for record in instance.get_run_records(ascending=True)]

    def layers(self, owner: str, sync: str | None = None) -> list[str]:
        """The runs of an account (or organization), or of one sync of it, as they were created: `LAYER STATUS`."""
        mine = [run for run in self.runs() if run.tags.get("raito/account") == owner]
        wanted = [run for run in mine if sync in (None, run.tags.get("raito/sync"))]
        return [f"{run.tags.get('raito/layer', '?')} {run.status.value}" for run in wanted]

    def syncs(self, owner: str) -> list[str]:
        """The ids of the syncs of an account, as their first runs were created."""
        mine = [run.tags for run in self.runs() if run.tags.get("raito/account") == owner]
        return list(dict.fromkeys(tags["raito/sync"] for tags in mine if tags.get("raito/layer") == "account"))

    def status(self, run_id: str) -> str:
        """The status of a run."""
        return next(run.status.value for run in self.runs() if run.run_id == run_id)

    def wait(self, condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
        """Wait until a condition holds, and give what it gave."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"dagster dev ended:\n{self.log()[-3000:]}")
            found = condition()
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"not so after {patience:.0f} s: {what}\n{self.log()[-3000:]}")

    def wait_for_layers(self, owner: str, sync: str, expected: str, patience: float = PATIENCE) -> None:
        """Wait until the runs of a sync are these: `account + regions - finish +`."""
        words = expected.split()
        runs = [f"{layer} {_STATUS[mark]}" for layer, mark in zip(words[::2], words[1::2], strict=True)]
        try:
            self.wait(lambda: self.layers(owner, sync) == runs, f"{owner}: {runs}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthere is: {self.layers(owner, sync)}\n{self.said()}") from error

    def wait_for_words(self, part: str) -> None:
        """Wait until a tick of `continue_sync` says this."""
        self.wait(lambda: part in self.said(), f"continue_sync says {part!r}")

    def log(self) -> str:
        """What `dagster dev` printed."""
        return (self.folder / "dagster-dev.log").read_text("utf-8", errors="replace")

    def configure(self, **options: str | bool | int | None) -> None:
        """Set options of the `raito.yml`; None takes one away."""
        file = self.embedded.config_file
        content = yaml.safe_load(file.read_text("utf-8"))
        for name, value in options.items():
            content.pop(name.replace("_", "-"), None)
            if value is not None:
                content[name.replace("_", "-")] = value
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


@contextmanager
def daemon_on(embedded: Embedded, folder: Path, **options: str | bool | int | None) -> Iterator[Daemon]:
    """A Dagster on an estate, with its files as a checkout has them; started, and ended at the end."""
    folder.mkdir()
    text = (ROOT / "dagster.yaml").read_text("utf-8").replace("base_dir: .dagster", f"base_dir: {folder}/.dagster")
    (folder / "dagster.yaml").write_text(text, encoding="utf-8")
    (folder / "workspace.yaml").write_text((ROOT / "workspace.yaml").read_text("utf-8"), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in ("AWS_PROFILE", "DAGSTER_HOME")}
    environment = {**kept, **embedded.environment, "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(folder)}
    daemon = Daemon(embedded, folder, free_port(), environment)
    daemon.configure(**options)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
