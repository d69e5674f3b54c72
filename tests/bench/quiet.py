"""What a sync that has nothing new costs Dagster: CPU of its three runs, events and bytes, and whether that grows.

CPU: each run in a process of its own, as launchers start it. Growth: ten cycles of the estate's three accounts in this
process. Both on an instance on SQLite; what Postgres keeps is measured by `make rehearsal`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from raito_pipeline.config import load
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.jobs import run_request
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.partitioning.grid import Grid, make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import layers, run_sync
from raito_pipeline.sandbox.embedded import Embedded, embedded_estate
from tests.bench.figure import Figure
from tests.bench.storage import SMALL, environment

CYCLES, SYNCS_A_DAY = 10, 1_000 * 24
ACCOUNT = "210000000012"
LAYERS = (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH)


@dataclass(frozen=True)
class KeptCycle:
    """What the instance keeps of one cycle of all accounts, and what the cycle asked of AWS."""

    events: int
    event_bytes: int
    bytes: int
    aws_calls: int
    aws_writes: int


def figures() -> Iterator[Figure]:
    """CPU of the runs of a quiet sync, then what ten cycles leave."""
    with _estate() as (folder, embedded):
        kept = list(cycles(folder, embedded, CYCLES))
        accounts = len(embedded.estate.members)
        for number in (1, 2, 3, CYCLES):
            each = kept[number - 1]
            yield Figure(
                f"cycle {number} of {accounts} accounts and their organization",
                f"{each.events:,} events of {each.event_bytes / 1e3:,.0f} kB, {each.bytes / 1e3:,.0f} kB on disk; "
                f"{each.aws_calls} AWS calls, {each.aws_writes} writing",
                "" if number < 3 else "as cycle 3, 0 writing",
            )
        a_day = kept[-1].event_bytes / accounts * SYNCS_A_DAY
        yield Figure(
            "events of 1,000 accounts hourly, a day (cycle 10 of an account x 24,000)", f"{a_day / 1e9:.1f} GB", "1 GB"
        )
        yield from _runs(folder, embedded)


@contextmanager
def _estate() -> Iterator[tuple[Path, Embedded]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with embedded_estate(folder / "estate", SMALL) as embedded, environment(**embedded.environment):
            os.environ.pop("AWS_PROFILE", None)
            yield folder, embedded


def cycles(folder: Path, embedded: Embedded, count: int) -> Iterator[KeptCycle]:
    """Syncs of all accounts and their organization, in this process. Raises `RuntimeError` where one fails."""
    home = folder / "cycles"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        options = load(embedded.config_file)
        grid, before = make_grid(options), _size(home)
        for number in range(count):
            mark = embedded.aws.calls.mark
            wanted = list(layers(options, grid, f"cycle-{number}"))
            results = run_sync(build_definitions(options, Services(options)), instance, wanted, lambda *_: None)
            failed = [line for result in results for line in (*result.failures, *result.skipped)]
            if failed:
                raise RuntimeError(f"cycle {number} failed: {failed}")
            logs = [log for result in results for log in instance.all_logs(result.run_id or "")]
            calls, size = embedded.aws.calls.since(mark), _size(home)
            events = sum(len(dg.serialize_value(log)) for log in logs)
            yield KeptCycle(len(logs), events, size - before, len(calls), sum(call.writes for call in calls))
            before = size


def _runs(folder: Path, embedded: Embedded) -> Iterator[Figure]:
    """The runs of one more sync, each in a process of its own that loads the code location."""
    home = folder / "runs"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    grid = make_grid(load(embedded.config_file))
    variables = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": os.pathsep.join(["", *sys.path]).strip(":")}
    loaded = _cpu(["-c", "import dagster._grpc.server, raito_pipeline.definitions"], variables)
    total = 0.0
    for layer in LAYERS:
        seconds = _cpu(_execute(grid, layer), variables)
        total += seconds
        yield Figure(f"CPU of the run of the layer {layer.value}, nothing new", f"{seconds:.1f} s", "")
    yield Figure("of each of them, Dagster and the project are loaded", f"{loaded:.1f} s", "")
    yield Figure("CPU of a quiet sync of an account of three regions", f"{total:.1f} s", "8 s")


def _execute(grid: Grid, layer: Layer) -> list[str]:
    request = run_request(Request(ACCOUNT, layer, "quiet"), grid)
    tags = {**request.tags, **({"dagster/partition": request.partition_key} if request.partition_key else {})}
    where = ["--module-name", "raito_pipeline.definitions", "--attribute", "defs"]
    return ["-m", "dagster", "job", "execute", *where, "--job", str(request.job_name), "--tags", json.dumps(tags)]


def _cpu(arguments: list[str], variables: Mapping[str, str]) -> float:
    """CPU seconds of a process. Raises `RuntimeError` with what it said, where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments], env=dict(variables), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3_000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
