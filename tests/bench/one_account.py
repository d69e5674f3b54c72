"""`raito-pipeline run` of one large account in a process of its own: memory, CPU, and what its time goes to.

The account is that of the reference figures in docs/performance.md: 500 users, 500 roles, 300 policies, 80,000 log
records, and keys of one bucket, with 30 ms added to each call of AWS.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from tests.bench.figure import Figure

KEYS = (100_000, 1_000_000)
_TICK = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.05
_START_SECONDS = 600


@dataclass(frozen=True)
class Sample:
    """A process at a time (seconds since 1970): CPU seconds so far, and its peak memory in MB."""

    at: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Stage:
    """One step of a sync: when it began and ended, in seconds since 1970."""

    name: str
    began: float
    ended: float


@dataclass(frozen=True)
class MeasuredSync:
    """One sync by the command: its stages, its samples, and the calls of AWS that came meanwhile."""

    began: float
    ended: float
    samples: tuple[Sample, ...]
    stages: tuple[Stage, ...]
    calls: tuple[Mapping[str, Any], ...]

    @property
    def wall(self) -> float:
        """Seconds from the start of the process to its end."""
        return self.ended - self.began

    @property
    def cpu(self) -> float:
        """CPU seconds of the process."""
        return self.samples[-1].cpu

    @property
    def peak(self) -> float:
        """Most memory of the process, in MB."""
        return self.samples[-1].peak

    def listed(self) -> int:
        """LIST calls of the large bucket and of the logs."""
        return sum(call["operation"] == "ListObjectsV2" for call in self.calls)

    def timeline(self) -> Iterator[str]:
        """A line a stage: when it began, its seconds, its CPU, seconds with calls of AWS under way, the peak so far."""
        first = self.stages[0].began if self.stages else self.ended
        last = max((stage.ended for stage in self.stages), default=self.ended)
        start, end = Stage("start of the command, checks", self.began, first), Stage("end", last, self.ended)
        for stage in (start, *self.stages, end):
            waited = covered(self.calls, stage.began, stage.ended)
            count = sum(stage.began <= call["time"] < stage.ended for call in self.calls)
            cpu = self._cpu(stage.ended) - self._cpu(stage.began)
            yield (
                f"{stage.began - self.began:6.1f} s  {stage.name:<34} {stage.ended - stage.began:5.1f} s, "
                f"CPU {cpu:4.1f} s, AWS under way {waited:5.1f} s ({count} calls), "
                f"peak {self._peak(stage.ended):.0f} MB"
            )

    def _peak(self, at: float) -> float:
        return max((sample.peak for sample in self.samples if sample.at <= at), default=0.0)

    def _cpu(self, at: float) -> float:
        return max((sample.cpu for sample in self.samples if sample.at <= at), default=0.0)


def covered(calls: Iterable[Mapping[str, Any]], began: float, ended: float) -> float:
    """For how many seconds of a time at least one call was under way."""
    total, until = 0.0, began
    for call in sorted(calls, key=lambda each: float(each["time"])):
        start, end = max(float(call["time"]), until), min(float(call["time"]) + float(call["seconds"]), ended)
        if end > start:
            total += end - start
            until = end
    return total


@contextmanager
def one_account(keys: int) -> Iterator[tuple[Path, dict[str, str]]]:
    """The account with so many keys, in a process of its own; its folder, and the environment to sync it in."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        server = subprocess.Popen([sys.executable, "-m", "tests.bench.one_account_server", text, str(keys)])
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not (folder / "environment.json").exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the account of the benchmark did not start")
                time.sleep(0.1)
            (folder / "home").mkdir()
            (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
            given: dict[str, str] = json.loads((folder / "environment.json").read_text())
            yield folder, {**os.environ, **given, "DAGSTER_HOME": str(folder / "home")}
        finally:
            server.terminate()
            server.wait()


def sync(folder: Path, environment: Mapping[str, str]) -> MeasuredSync:
    """One sync by `raito-pipeline run`. Raises `RuntimeError` where it fails."""
    mark = _calls(environment, 0)["mark"]
    began = time.time()
    process = subprocess.Popen(
        [sys.executable, "-m", "raito_pipeline.cli", "run", "--json"],
        env={**environment, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    samples: list[Sample] = []
    sampling = threading.Thread(target=lambda: samples.extend(_sampled(process.pid)))
    sampling.start()
    output, _ = process.communicate()
    ended = time.time()
    sampling.join()
    if process.returncode not in (0, 3):
        raise RuntimeError(f"the sync ended with {process.returncode}: {output[-3_000:]}")
    calls = tuple(_calls(environment, mark)["calls"])
    return MeasuredSync(began, ended, tuple(samples), tuple(_stages(environment["DAGSTER_HOME"], began)), calls)


def _sampled(pid: int) -> Iterator[Sample]:
    while True:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        if "VmHWM:" not in status:  # it has ended
            return
        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        yield Sample(time.time(), (int(fields[11]) + int(fields[12])) / _TICK, peak)
        time.sleep(_SAMPLE_SECONDS)


def _calls(environment: Mapping[str, str], since: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"{environment['CALLS']}?since={since}") as answer:
        said: dict[str, Any] = json.loads(answer.read())
    return said


def _stages(home: str, since: float) -> Iterator[Stage]:
    with dg.DagsterInstance.from_config(home) as instance:
        runs = instance.get_run_records(ascending=True)
        for run in runs:
            for step in instance.get_run_step_stats(run.dagster_run.run_id):
                if step.start_time and step.end_time and step.start_time >= since:
                    yield Stage(step.step_key, step.start_time, step.end_time)


def _sent_again(folder: Path, environment: Mapping[str, str]) -> Iterator[Figure]:
    """What a sync that finds nothing new sends to Raito Cloud, and what it sends with `unchanged-imports-hours`."""
    yield Figure(f"imports of {KEYS[0]:,} keys sent in the second sync", f"{_sent(folder) / 1e6:.1f} MB", "")
    remembering = {**environment, "RAITO_PIPELINE_UNCHANGED_IMPORTS_HOURS": "24"}
    for _ in range(2):  # the first notes what it sent
        sync(folder, remembering)
    yield Figure("the same with unchanged-imports-hours: 24", f"{_sent(folder) / 1e6:.1f} MB", "0 MB")


def _sent(folder: Path) -> int:
    """Bytes of the imports that the last sync sent."""
    files = [file for table in (folder / "data").glob("*_import") for file in table.rglob("*.parquet")]
    return sum(sum(pq.ParquetFile(file).read(["bytes"]).column("bytes").to_pylist()) for file in files)


def figures() -> Iterator[Figure]:
    """The command with one large account: two syncs of each number of keys."""
    peaks: dict[int, float] = {}
    for keys in KEYS:
        with one_account(keys) as (folder, environment):
            first, second = sync(folder, environment), sync(folder, environment)
            again = list(_sent_again(folder, environment)) if keys == KEYS[0] else []
        peaks[keys] = max(first.peak, second.peak)
        for name, done in (("first", first), ("second", second)):
            measured = f"{done.peak:.0f} MB, {done.cpu:.1f} s of CPU, {done.wall:.0f} s, {done.listed()} LIST calls"
            yield Figure(f"`raito-pipeline run`, {keys:,} keys, {name} sync", measured, "<= 230 MB; 115 s / 5")
        if keys == KEYS[0]:
            yield Figure("what the first sync waits on", "\n".join(first.timeline()), "")
        yield from again
    ratio = peaks[KEYS[1]] / peaks[KEYS[0]]
    yield Figure(f"peak memory, {KEYS[1]:,} keys / {KEYS[0]:,}", f"{ratio:.2f}", "<= 1.1")
