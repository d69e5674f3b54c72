"""Runs of a daemon that are killed at random moments, alone or with it: nothing hangs, and a next sync converges."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.sandbox.compare import compare
from raito_pipeline.sandbox.embedded import embedded_estate
from raito_pipeline.storage.lease import LeaseRecord, Leases
from tests.end_to_end.changes import change_something
from tests.end_to_end.daemon import Daemon, daemon_on
from tests.end_to_end.killed import left_over, require_whole

ACCOUNT, ORGANIZATION = "210000000012", "210000000001_eu-west-1"
STORES = (f"ds-{ACCOUNT}", f"is-{ACCOUNT}", "is-organization-210000000001")
LAYERS = ("account", "regions", "finish")
WITH_ITS_DAEMON = {4, 8}
"""The numbers of the kills that hit the whole daemon, which is started again."""
PATIENCE = 400.0


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon on one account and its organization, whose temporary files lie in a folder of their own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with embedded_estate(tmp_path / "estate") as embedded:
        for name, value in embedded.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        with daemon_on(embedded, tmp_path / "dagster", only_targets="aws-organization,marketing") as daemon:
            yield daemon


def _runs(daemon: Daemon, sync: str) -> list[dg.DagsterRun]:
    mine = [run for run in daemon.runs() if run.tags.get("raito/account") == ACCOUNT]
    return [run for run in mine if sync in (run.run_id, run.tags.get("raito/sync"))]


def _over(daemon: Daemon, sync: str) -> list[str]:
    """The layers of a sync with their ends once its last one has ended, else nothing."""
    runs = _runs(daemon, sync)
    ended = runs and runs[-1].tags.get("raito/layer") == "finish" and all(run.is_finished for run in runs)
    return [f"{run.tags['raito/layer']} {run.status.value}" for run in runs] if ended else []


def _sync(daemon: Daemon) -> list[str]:
    """A whole sync that nobody kills."""
    sync = daemon.launch("sync_account", ACCOUNT)
    return daemon.wait(lambda: _over(daemon, sync), "the sync ends", PATIENCE)


def _lengths(daemon: Daemon) -> dict[str, float]:
    """How long the newest run of each layer took, in seconds."""
    with dg.DagsterInstance.from_config(str(daemon.folder)) as instance:
        records = [r for r in instance.get_run_records(ascending=True) if r.end_time and r.start_time]
    return {r.dagster_run.tags["raito/layer"]: (r.end_time or 0) - (r.start_time or 0) for r in records}


def _at_work(daemon: Daemon, layer: str) -> LeaseRecord | None:
    """The lease of the account while a run of a layer holds it."""
    held = Leases(daemon.embedded.directory / "data").under_way(ACCOUNT)
    return held if held is not None and held.state == "held" and held.what == f"layer {layer}" else None


def _kill(daemon: Daemon, layer: str, moment: float, *, with_daemon: bool) -> tuple[str, float] | None:
    """Begin a sync and kill its run of a layer so many seconds after it began; gives the sync and when that was.

    None where the run was faster.
    """
    sync = daemon.launch("sync_account", ACCOUNT)
    began = daemon.wait(lambda: _at_work(daemon, layer), f"{layer} works", PATIENCE)
    time.sleep(moment)
    held = _at_work(daemon, layer)
    if held is None or held.run_id != began.run_id:
        daemon.wait(lambda: _over(daemon, sync), "the sync that was faster ends", PATIENCE)
        return None
    at = time.monotonic()
    with suppress(ProcessLookupError):
        os.kill(held.owner.pid, signal.SIGKILL)
    if with_daemon:
        daemon.kill()
        daemon.start()
    return sync, at


@pytest.mark.slow_daemon
@pytest.mark.timeout(5_400)
def test_runs_that_are_killed_at_ten_moments_and_two_of_them_with_their_daemon(daemon: Daemon, tmp_path: Path) -> None:
    organization = daemon.launch("sync_organization", ORGANIZATION)
    daemon.wait(lambda: daemon.status(organization) == "SUCCESS", "the organization is synced", PATIENCE)
    assert _sync(daemon) == ["account SUCCESS", "regions SUCCESS", "finish SUCCESS"]
    lengths, chance, kills = _lengths(daemon), random.Random(10), 0

    while kills < 10:
        layer, with_daemon = LAYERS[kills % 3], kills in WITH_ITS_DAEMON
        change_something(daemon.embedded, kills + 1)
        moment = chance.uniform(0.0, lengths[layer])
        killed = _kill(daemon, layer, moment, with_daemon=with_daemon)
        if killed is None:
            continue
        kills += 1
        sync, at = killed
        ends = daemon.wait(lambda sync=sync: _over(daemon, sync), f"the sync goes on after {layer}", PATIENCE)
        what = f"{layer} {'and its daemon' if with_daemon else ''} at {moment:.1f} s"
        print(f"{kills:2} killed {what}: over after {time.monotonic() - at:.1f} s, {ends}")
        assert [end.split()[0] for end in ends] == list(LAYERS)
        assert f"{layer} FAILURE" in ends
        require_whole(daemon.embedded.directory / "data")

    began = time.monotonic()
    assert _sync(daemon) == ["account SUCCESS", "regions SUCCESS", "finish SUCCESS"]
    print(f"converged in {time.monotonic() - began:.1f} s")
    embedded = daemon.embedded
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    own = [line for line in comparison.lines if line.account.startswith(("marketing", "organization"))]
    assert own
    assert [line for line in own if not line.equal] == []
    assert left_over(embedded, daemon.folder, STORES, (ACCOUNT, ORGANIZATION), tmp_path / "tmp") == []
    mark, before = embedded.aws.calls.mark, embedded.raito.counts()
    assert _sync(daemon) == ["account SUCCESS", "regions SUCCESS", "finish SUCCESS"]
    assert [call.operation for call in embedded.aws.calls.since(mark) if call.writes] == []
    assert embedded.raito.counts() == before
