"""A sync that is killed at any moment: the next one converges, and no table is ever half written."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

from raito_pipeline.sandbox.compare import compare
from tests.end_to_end.conftest import World

CHANCE = random.Random(20)
MOMENTS = [CHANCE.uniform(0.1, 4.0) for _ in range(20)]
"""Seconds after the start; a whole sync of one account takes about six."""
COMMAND = ["run", "--only-targets", "aws-organization,marketing"]
KILLER = """
import json, os, signal, sys, time
from pathlib import Path
import pyarrow.parquet as pq
# Everything is imported once; each sync is a process of its own that begins at once.
from raito_pipeline.cli import main, run

moments, command, data = json.loads(sys.argv[1])
killed = 0
for moment in moments:
    child = os.fork()
    if child == 0:
        os._exit(main(command))
    time.sleep(moment)
    running = os.waitpid(child, os.WNOHANG) == (0, 0)
    if running:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    killed += running
    for file in Path(data).rglob("data.parquet"):
        pq.read_table(file, partitioning=None)
print(killed, file=sys.stderr)
"""
ACCOUNT = "210000000012"


def _statements(world: World) -> dict[str, dict[str, Any]]:
    """The usage statements of all regions by event id, less the file that an event was first found in."""
    found: dict[str, dict[str, Any]] = {}
    for region in world.embedded.estate.members[0].regions:
        for row in world.store.dataset("usage_statements", ACCOUNT, region).to_table().to_pylist():
            found[row["external_id"]] = {name: value for name, value in row.items() if name != "file_key"}
    return found


def _in_raito_cloud(world: World) -> set[str]:
    with closing(sqlite3.connect(world.embedded.directory / "raito-cloud.sqlite")) as database:
        query = "select external_id from usage_statements where data_source = ?"
        return {row[0] for row in database.execute(query, (f"ds-{ACCOUNT}",))}


def _read_usage_anew(world: World) -> None:
    for table in ("usage_statements", "cloudtrail_files"):
        shutil.rmtree(world.embedded.directory / "data" / table)
    for region in world.embedded.estate.members[0].regions:
        assert world.materialize(["cloudtrail_files", "usage_statements"], f"{ACCOUNT}|{region}").success


def test_a_sync_that_is_killed_twenty_times_converges(world: World) -> None:
    embedded = world.embedded
    (embedded.directory / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    environment = {**os.environ, "DAGSTER_HOME": str(embedded.directory)}
    asked = json.dumps([MOMENTS, COMMAND, str(embedded.directory / "data")])
    killer = subprocess.run(
        [sys.executable, "-c", KILLER, asked], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    killed = int(killer.stderr.split()[-1])
    assert killed > len(MOMENTS) // 2

    command = [sys.executable, "-m", "raito_pipeline.cli", *COMMAND]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    # Two of its access controls are of types that a push refuses, so the sync is partial at best.
    assert ended.returncode == 3, ended.stdout + ended.stderr
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    own = [line for line in comparison.lines if line.account.startswith(("marketing", "organization"))]
    assert own
    assert [line for line in own if not line.equal] == []
    mark = embedded.aws.calls.mark
    before = world.counts()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 3, again.stdout + again.stderr
    assert [call.operation for call in embedded.aws.calls.since(mark) if call.writes] == []
    assert world.counts() == before

    statements = _statements(world)
    assert _in_raito_cloud(world) == statements.keys()
    _read_usage_anew(world)
    assert _statements(world) == statements
