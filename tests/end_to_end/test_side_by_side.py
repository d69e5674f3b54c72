"""`raito-pipeline run --accounts-at-once 2` on the embedded estate: two accounts overlap, and all is as one by one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.cli.summary import SyncSummary
from raito_pipeline.model import TABLES, Layer
from raito_pipeline.sandbox.aws.faults import Fault

from .conftest import SMALL, World, started

pytestmark = [pytest.mark.slow_daemon, pytest.mark.timeout(900)]
ACCOUNTS = ("210000000012", "210000000023")
LEFT_OUT = ("--skip-data-access-sync", "--skip-data-usage-sync")


def command(world: World, *words: str) -> SyncSummary:
    """The command in a process of its own, on the organization and two accounts."""
    targets = "--only-targets=aws-organization,marketing,finance"
    ended = subprocess.run(
        [sys.executable, "-m", "raito_pipeline.cli", "run", "--json", targets, *LEFT_OUT, *words],
        env={**os.environ, **world.embedded.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout, ended.stderr
    summary = SyncSummary.of_json(ended.stdout)
    assert summary.status == ended.returncode
    return summary


def tables(world: World) -> dict[tuple[str, str, str | None], list[Any]]:
    """What was read from AWS, by cell."""
    found = {}
    for name in (*Layer.ACCOUNT.tables, *Layer.REGIONS.tables):
        for account in ACCOUNTS:
            regional = TABLES[name].partitioned_by != "account"
            for region in world.store.regions(name, account) if regional else [None]:
                rows = world.store.dataset(name, account, region).to_table().to_pylist()
                found[name, account, region] = sorted(rows, key=str)
    return found


def test_two_accounts_overlap_and_the_result_is_that_of_one_after_the_other(tmp_path: Path) -> None:
    with started(tmp_path, SMALL) as world:
        world.embedded.aws.latency_seconds = 0.02
        together = command(world, "--accounts-at-once", "2")
        calls = world.embedded.aws.calls.since(0)
        times = {account: [call.time for call in calls if call.account == account] for account in ACCOUNTS}
        read, counts = tables(world), world.counts()
        world.embedded.aws.latency_seconds = 0.0
        apart = command(world)

        assert (together.status, apart.status) == (0, 0)
        assert max(min(each) for each in times.values()) < min(max(each) for each in times.values())
        assert {(each.place, each.name) for each in together.layers} == {(e.place, e.name) for e in apart.layers}
        assert [each.id for each in together.places] == [each.id for each in apart.places]
        assert tables(world) == read
        assert world.counts() == counts

        world.embedded.aws.faults.add(Fault(kind="deny", account=ACCOUNTS[0], service="iam"))
        failing = command(world, "--accounts-at-once", "2")
        outcomes = {each.id: each.outcome for each in failing.places}
        assert (failing.status, outcomes[ACCOUNTS[0]], outcomes[ACCOUNTS[1]]) == (1, "failed", "complete")
