"""Syncs of a real daemon: launched by clicking, healed by hand, cancelled, killed; one daemon for all."""

import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from raito_pipeline.model import ImportResult, Layer
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.embedded import embedded_estate
from raito_pipeline.storage.lease import LeaseRecord, Leases
from tests.end_to_end.conftest import SMALL
from tests.end_to_end.daemon import Daemon, daemon_on

ACCOUNT = "210000000012"
WHOLE = "account + regions + finish +"
OUTDATED = """
query Q($key: String!, $path: [String!]!) {
  assetNodeOrError(assetKey: {path: $path}) {
    ... on AssetNode {
      staleStatusByPartition(partitions: [$key])
      staleCausesByPartition(partitions: [$key]) { reason }
    }
  }
}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon on one small account and its organization."""
    folder = tmp_path_factory.mktemp("daemon")
    with (
        embedded_estate(folder / "estate", SMALL) as embedded,
        daemon_on(embedded, folder / "dagster", only_targets="aws-organization,marketing") as daemon,
    ):
        yield daemon


@pytest.fixture(scope="module")
def first_sync(running: Daemon) -> str:
    """A sync that ended: whoever needs one to have been there has it in whatever order the tests run."""
    sync = running.launch("sync_account", ACCOUNT)
    running.wait_for_layers(ACCOUNT, sync, WHOLE)
    return sync


@pytest.fixture
def daemon(running: Daemon) -> Iterator[Daemon]:
    """The daemon, without any fault."""
    running.embedded.aws.faults.clear()
    yield running
    running.embedded.aws.faults.clear()


def _import(daemon: Daemon) -> ImportResult:
    (row,) = daemon.store.rows(ImportResult, ACCOUNT, table="data_source_import")
    return row


def _slow(daemon: Daemon, seconds: float) -> None:
    daemon.embedded.aws.faults.add(Fault(kind="delay", account=ACCOUNT, service="iam", delay=seconds, times=1))


def _holder(daemon: Daemon, run_id: str) -> LeaseRecord | None:
    """The lease of the account, once a run has it."""
    found = Leases(daemon.embedded.directory / "data").under_way(ACCOUNT)
    return found if found is not None and found.run_id == run_id and found.state == "held" else None


def _outdated(daemon: Daemon, tables: Sequence[str]) -> dict[str, Any]:
    """The tables that the UI calls outdated for the account, with why."""
    shown = {table: daemon.ask(OUTDATED, key=ACCOUNT, path=[table])["assetNodeOrError"] for table in tables}
    return {table: each for table, each in shown.items() if each["staleStatusByPartition"] != ["FRESH"]}


def test_an_account_that_is_synced_by_clicking_is_three_runs(daemon: Daemon, first_sync: str) -> None:
    daemon.wait_for_layers(ACCOUNT, first_sync, WHOLE)

    assert _import(daemon).delete_untouched is True
    assert daemon.embedded.raito.counts()["dataSources"][f"ds-{ACCOUNT}"]["dataObjects"]
    assert _outdated(daemon, Layer.FINISH.tables) == {}


@pytest.mark.slow_daemon
def test_a_second_sync_by_clicking_changes_nothing(daemon: Daemon, first_sync: str) -> None:
    counts = daemon.embedded.raito.counts()

    second = daemon.launch("sync_account", ACCOUNT)

    daemon.wait_for_layers(ACCOUNT, second, WHOLE)
    assert daemon.embedded.raito.counts() == counts
    assert daemon.layers(ACCOUNT, first_sync) == daemon.layers(ACCOUNT, second)
    assert (_import(daemon).added, _import(daemon).removed) == (0, 0)


@pytest.mark.slow_daemon
def test_a_red_cell_that_is_made_by_hand_makes_the_last_layer_run_again(daemon: Daemon) -> None:
    region = daemon.embedded.estate.members[0].regions[1]
    daemon.embedded.aws.faults.add(
        Fault(kind="deny", account=ACCOUNT, region=region, service="s3", operation="ListObjectsV2")
    )
    sync = daemon.launch("sync_account", ACCOUNT)
    daemon.wait(lambda: len(daemon.layers(ACCOUNT, sync)) == 3, "the last layer follows regions that failed")
    daemon.wait_for_words(f"{ACCOUNT} waits for data_objects {region}, because it failed in run")
    assert daemon.layers(ACCOUNT, sync)[:2] == ["account SUCCESS", "regions FAILURE"]
    assert _import(daemon).delete_untouched is False
    daemon.embedded.aws.faults.clear()

    daemon.materialize(Layer.REGIONS.tables, f"{ACCOUNT}|{region}")

    daemon.wait(lambda: daemon.layers(ACCOUNT, sync)[4:] == ["finish SUCCESS"], "the last layer runs again")
    assert daemon.layers(ACCOUNT, sync)[3] == "cells SUCCESS"
    assert _import(daemon).delete_untouched is True
    daemon.wait_for_words("wait for nothing")


@pytest.mark.slow_daemon
@pytest.mark.usefixtures("first_sync")  # its regions stand on the buckets of the sync before it
def test_a_killed_run_has_failed_and_its_sync_goes_on(daemon: Daemon) -> None:
    _slow(daemon, 20)
    sync = daemon.launch("sync_account", ACCOUNT)
    holder = daemon.wait(lambda: _holder(daemon, sync), "the first layer works")
    os.kill(holder.owner.pid, signal.SIGKILL)
    daemon.wait_for_layers(ACCOUNT, sync, "account - regions + finish +")
    daemon.wait_for_words(f"{ACCOUNT} waits for {Layer.ACCOUNT.tables[0]}, because run {sync[:8]} did not make it")
    assert _import(daemon).delete_untouched is False


@pytest.mark.slow_daemon
def test_a_cancelled_run_stops_its_sync_and_the_next_one_is_whole(daemon: Daemon) -> None:
    _slow(daemon, 20)
    sync = daemon.launch("sync_account", ACCOUNT)
    daemon.wait(lambda: _holder(daemon, sync), "the first layer works")
    daemon.cancel(sync)
    daemon.wait_for_layers(ACCOUNT, sync, "account x")
    daemon.wait_for_words(f"{ACCOUNT} stops at account, because run {sync[:8]} was cancelled")

    again = daemon.launch("sync_account", ACCOUNT)

    daemon.wait_for_layers(ACCOUNT, again, WHOLE)
    assert daemon.layers(ACCOUNT, sync) == ["account CANCELED"]
    assert _import(daemon).delete_untouched is True
