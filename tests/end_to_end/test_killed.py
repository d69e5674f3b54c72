"""A sync that is killed at any moment: the next one converges, and no table is ever half written."""

import os
import subprocess
import sys
import time

import pyarrow.parquet as pq

from raito_pipeline.sandbox.compare import compare
from tests.end_to_end.conftest import World

MOMENTS = (1.0, 2.0, 2.8, 3.5, 4.2, 4.9, 5.6, 6.3, 7.0, 8.0)
"""Seconds after the start; a whole sync of one account takes about ten."""


def test_a_sync_that_is_killed_ten_times_converges(world: World) -> None:
    embedded = world.embedded
    (embedded.directory / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    environment = {**os.environ, "DAGSTER_HOME": str(embedded.directory)}
    command = [sys.executable, "-m", "raito_pipeline.cli", "run", "--only-targets", "aws-organization,marketing"]
    killed = 0
    for moment in MOMENTS:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        killed += process.poll() is None
        process.kill()
        process.wait()
        for file in (embedded.directory / "data").rglob("data.parquet"):
            pq.read_table(file, partitioning=None)
    assert killed > len(MOMENTS) // 2

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    own = [line for line in comparison.lines if line.account.startswith(("marketing", "organization"))]
    assert own
    assert [line for line in own if not line.equal] == []
    mark = embedded.aws.calls.mark
    before = world.counts()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [call.operation for call in embedded.aws.calls.since(mark) if call.writes] == []
    assert world.counts() == before
