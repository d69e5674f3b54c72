"""Syncs of `raito-pipeline run` in processes that are killed, where each kill hit, and what a killed one may not leave.

Everything is imported once, by a process that forks one for each sync: it begins as fast as a machine can.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from raito_pipeline.aws.connection.shared_bucket import limits_folder
from raito_pipeline.sandbox.embedded import Embedded
from raito_pipeline.storage.lease import Leases

_FORKER = """
import json, os, signal, sys, time
import raito_pipeline.cli.run
from raito_pipeline.cli import main

out = os.dup(1)
for line in sys.stdin:
    command, files, after = json.loads(line)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        for number, file in enumerate(files, start=1):
            os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        status = 70
        try:
            status = main(command)
            sys.stdout.flush(), sys.stderr.flush()
        finally:
            os._exit(status)
    ended = (0, 0)
    while ended == (0, 0) and (after is None or time.monotonic() - began < after):
        time.sleep(0.005)
        ended = os.waitpid(child, os.WNOHANG)
    at = time.time()
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(ended[1])
    status = None if killed else os.waitstatus_to_exitcode(ended[1])
    os.write(out, (json.dumps([status, time.monotonic() - began, at]) + chr(10)).encode())
"""


@dataclass(frozen=True)
class Ended:
    """A sync that ended by itself with `status` (None: it was killed), after `seconds`, at a time (Unix seconds).

    `printed` is what it printed on stdout, `noted` what on stderr.
    """

    status: int | None
    seconds: float
    at: float
    printed: str
    noted: str

    @property
    def killed(self) -> bool:
        """True where it was killed."""
        return self.status is None


@dataclass(frozen=True)
class Syncs:
    """Makes one sync after the other on an estate."""

    command: Sequence[str]
    files: Sequence[Path]
    process: "subprocess.Popen[str]"

    def run(self, kill_after: float | None = None) -> Ended:
        """One sync, killed after so many seconds unless it has ended by then."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = [list(self.command), [str(file) for file in self.files], kill_after]
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        status, seconds, at = json.loads(self.process.stdout.readline())
        printed, noted = (file.read_text("utf-8", errors="replace") for file in self.files)
        return Ended(status, seconds, at, printed, noted)


@contextmanager
def syncs_of(home: Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Syncs]:
    """Syncs by `command`, recorded in the Dagster instance in `home`, whose temporary files lie in `home/tmp`."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    given = {**environment, "DAGSTER_HOME": str(home), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", _FORKER], env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Syncs(command, (home / "stdout", home / "stderr"), process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass(frozen=True)
class Hit:
    """What a kill hit: the layer, and the last thing that it was doing (`before` the first, or `between` two)."""

    layer: str
    doing: str


def hit(instance: dg.DagsterInstance, began: float, at: float) -> Hit:
    """What the sync that began and was killed at these times (Unix seconds) was doing, as its runs recorded it."""
    records = [r for r in instance.get_run_records() if began <= r.create_timestamp.timestamp() <= at]
    if not records:
        return Hit("before", "check")
    run = max(records, key=lambda record: record.create_timestamp).dagster_run
    events = [entry for entry in instance.all_logs(run.run_id) if entry.timestamp <= at and entry.is_dagster_event]
    layer = run.tags.get("raito/layer", "?")
    names = {entry.get_dagster_event().event_type for entry in events}
    if names & {dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE}:
        return Hit(f"after {layer}", "between")
    steps = [entry for entry in events if entry.step_key]
    if not steps:
        return Hit(layer, "start")
    last = steps[-1].get_dagster_event()
    if last.event_type in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
        return Hit(layer, f"after {last.step_key}")
    made = [str(e.asset_materialization.label) for e in steps if e.asset_materialization is not None]
    return Hit(layer, f"{last.step_key} after {made[-1]}" if made else str(last.step_key))


def waited_for_lease(instance: dg.DagsterInstance) -> float:
    """The longest time, in seconds, that a run took from its start to its first step: what it waited for the lease."""
    longest = 0.0
    for record in instance.get_run_records():
        events = [e for e in instance.all_logs(record.dagster_run.run_id) if e.is_dagster_event]
        at = {e.get_dagster_event().event_type: e.timestamp for e in reversed(events)}
        begun, step = at.get(dg.DagsterEventType.RUN_START), at.get(dg.DagsterEventType.STEP_START)
        last = max((e.timestamp for e in events), default=0.0)
        if begun is not None:
            longest = max(longest, (step or last) - begun)
    return longest


def left_over(
    embedded: Embedded, home: Path, stores: Sequence[str], owners: Sequence[str], temporary: Path
) -> list[str]:
    """What no sync may leave behind, one line each: open jobs, temporary files, leases, runs that seem to run.

    `stores` are ids of data sources and identity stores, `owners` partition keys, `home` is that of Dagster.
    """
    found = [f"job {line} in Raito Cloud" for line in open_jobs(embedded, stores)]
    data = embedded.directory / "data"
    found += [f"file {path.relative_to(data)}" for path in data.rglob("*") if _temporary(path)]
    found += [f"noted jobs in {path.name}" for path in (data / "_jobs").glob("*")]
    shared = limits_folder()  # it stays: all processes of a user keep their limits in it together
    assert shared is not None
    found += [f"temporary {path.name}" for path in temporary.glob("raito-*") if path.name != shared.name]
    leases = Leases(data)
    found += [f"lease of {owner}" for owner in owners if leases.under_way(owner) is not None]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return found + [f"run {run.run_id} {run.status.value}" for run in instance.get_runs() if not run.is_finished]


def _temporary(path: Path) -> bool:
    return path.is_file() and (path.name.startswith(".data.parquet.") or path.suffix in (".new", ".tmp"))


def open_jobs(embedded: Embedded, stores: Sequence[str]) -> list[str]:
    """The jobs of data sources or identity stores that have not ended."""
    marks = ",".join("?" for _ in stores)
    query = (
        f"select id, status from jobs where (data_source in ({marks}) or identity_store in ({marks})) "
        "and status not in ('COMPLETED', 'FAILED')"
    )
    with closing(sqlite3.connect(embedded.directory / "raito-cloud.sqlite")) as database:
        return [f"{job} {status}" for job, status in database.execute(query, (*stores, *stores))]


def require_whole(data: Path) -> None:
    """Read every table: none is ever half written."""
    for file in data.rglob("data.parquet"):
        pq.read_table(file, partitioning=None)
