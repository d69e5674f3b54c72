"""The services of `deploy/compose/` as processes of this machine, on a real Postgres, with their CPU time.

The commands, the variables and `dagster.yaml` are those of compose; what is replaced are the names of hosts, the ports
and the folders.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import requests
import yaml

from tests.deploy.postgres import Postgres
from tests.ports import answers, end, free_port

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
SERVICES = ("code", "webserver", "daemon", "listen")
LOCATION = "raito_pipeline"
_TICKS = os.sysconf("SC_CLK_TCK")
T = TypeVar("T")
_READY = (
    "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }"
)
_RELOAD = """mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
  __typename ... on WorkspaceLocationEntry { loadStatus locationOrLoadError { __typename } } } }"""
_START = """mutation ($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }"""
_SENSOR = """query ($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor { sensorState {
  ticks(limit: 3) { status skipReason runKeys error { message } } } } } }"""


@dataclass
class Deployment:
    """Where the services run: their folder (`DAGSTER_HOME`), ports and environment, and their processes."""

    folder: Path
    ports: Mapping[str, int]
    environment: Mapping[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)
    """CPU seconds of services that were ended"""

    # -- processes ---------------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a service with the command that compose has for it."""
        command = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"][name]["command"]
        replaced = {"0.0.0.0": "127.0.0.1", "4000": str(self.ports["code"]), "3000": str(self.ports["webserver"])}
        replaced["/dagster/workspace.yaml"] = str(self.folder / "workspace.yaml")
        program, *arguments = (replaced.get(word, word) for word in command)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(Path(sys.executable).parent / program), *arguments],
                cwd=self.folder,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if name == "code":
            self.wait(lambda: answers(self.ports["code"]), "the code location answers")
        if name == "webserver":
            self.wait(self._ready, "the UI shows the code location")

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """End a service with a signal, and what it leaves behind."""
        self._ended[name] = self.cpu()[name]
        end(self.processes.pop(name), number)

    def _ready(self) -> bool:
        try:
            entries = self.ask(_READY)["workspaceOrError"]["locationEntries"]
        except requests.RequestException:
            return False
        return bool(entries) and all(
            (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in entries
        )

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far: of the runs, and of each service without them."""
        found = dict(self._ended)
        for name, process in self.processes.items():
            own, ended = cpu_below(process.pid)
            found[name] = self._ended.get(name, 0) + own + (0 if name == "code" else ended)
            if name == "code":
                found["runs"] = ended
        return found

    # -- the UI ------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address of the UI, with a slash at the end."""
        return f"http://127.0.0.1:{self.ports['webserver']}/"

    def ask(self, query: str, **variables: Any) -> Any:
        """What GraphQL answers, as the UI asks it. Raises `RuntimeError`."""
        body = {"query": query, "variables": variables}
        answer = requests.post(f"{self.url}graphql", json=body, timeout=120).json()
        if "errors" in answer:
            raise RuntimeError(json.dumps(answer["errors"])[:2_000])
        return answer["data"]

    def reload(self) -> None:
        """Load the code location anew, as after a change of `raito.yml`."""
        self.ask(_RELOAD, name=LOCATION)
        self.wait(self._ready, "the code location is loaded again")

    def settle(self) -> None:
        """Wait until the server of what was loaded before has ended: what its runs took is not counted after that."""
        self.wait(lambda: self._servers() == 1, "one server of the code location is left")

    def _servers(self) -> int:
        servers = 0
        for each in _below(self.processes["code"].pid):
            with suppress(OSError):
                servers += b"\0api\0grpc\0" in Path(f"/proc/{each}/cmdline").read_bytes()
        return servers

    def turn_on(self, sensor: str) -> None:
        """Turn a sensor on, as a person does in the UI."""
        self.ask(_START, s=self._selector(sensor))

    def ticks(self, sensor: str) -> str:
        """What the newest ticks of a sensor said."""
        ticks = self.ask(_SENSOR, s=self._selector(sensor))["sensorOrError"]["sensorState"]["ticks"]
        return "\n".join(str(tick["error"] or tick["skipReason"] or tick["runKeys"]) for tick in ticks)

    def _selector(self, sensor: str) -> dict[str, str]:
        return {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "sensorName": sensor}

    # -- its history -------------------------------------------------------------------------------------------------

    def runs(self) -> list[dg.RunRecord]:
        """Every run, the oldest first."""
        with dg.DagsterInstance.from_config(str(self.folder)) as instance:
            return list(instance.get_run_records(ascending=True))

    def wait(self, condition: Callable[[], T], what: str, patience: float = 600) -> T:
        """Wait until a condition holds, and give what it gave. Raises `RuntimeError`."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended:\n{self.log(name)}")
            found = condition()
            if found:
                return found
            time.sleep(1)
        raise RuntimeError(f"not so after {patience:.0f} s: {what}\n{self.log('daemon')}")

    def log(self, name: str) -> str:
        """The end of what a service printed."""
        file = self.folder / f"{name}.log"
        return file.read_text("utf-8", errors="replace")[-3_000:] if file.exists() else ""


@contextmanager
def deployment(folder: Path, database: Postgres, more: Mapping[str, str]) -> Iterator[Deployment]:
    """The services, none of them started; ended at the end. Its variables are set here too, to read its history.

    `database` keeps their history; `more` are variables beside those that compose sets (and in place of some).
    """
    ports = {name: free_port() for name in ("code", "webserver")}
    folder.mkdir()
    (folder / "dagster.yaml").write_text((COMPOSE / "dagster.yaml").read_text())
    workspace = (COMPOSE / "workspace.yaml").read_text()
    workspace = workspace.replace("host: code", "host: 127.0.0.1").replace("port: 4000", f"port: {ports['code']}")
    (folder / "workspace.yaml").write_text(workspace)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RAITO_", "DAGSTER_"))}
    reached = {"HOST": "127.0.0.1", "PORT": str(database.port), "DB": "postgres", "USERNAME": "postgres"}
    own = {
        "PYTHONPATH": str(ROOT),
        "DAGSTER_HOME": str(folder),
        "DAGSTER_LOGS_FOLDER": str(folder / "logs"),
        "DAGSTER_PG_PASSWORD": database.password,
        **{f"DAGSTER_PG_{name}": value for name, value in reached.items()},
    }
    os.environ.update(own)  # to read its history here, too
    made = Deployment(folder, ports, {**kept, **more, **own})
    try:
        yield made
    finally:
        for name in list(made.processes):
            made.end(name)


def cpu_below(pid: int) -> tuple[float, float]:
    """CPU seconds of a process and those below it that are there, and of those below it that have ended."""
    own = ended = 0.0
    for each in (pid, *_below(pid)):
        with suppress(OSError, ValueError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            own += (int(fields[11]) + int(fields[12])) / _TICKS
            ended += (int(fields[13]) + int(fields[14])) / _TICKS
    return own, ended


def _below(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from _below(child)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of all below it, ended or not."""
    return sum(cpu_below(pid))
