"""Syncs of a daemon that wait for the clock, are killed with their daemon, or are backfills: `make test-daemon`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raito_pipeline.model import Layer
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.embedded import embedded_estate
from tests.end_to_end.daemon import Daemon, daemon_on

pytestmark = [pytest.mark.slow_daemon, pytest.mark.timeout(1_800)]
ACCOUNT, OTHER = "210000000012", "210000000023"
ORG_WHOLE, WHOLE = ["organization SUCCESS"], "account + regions + finish +"
PATIENCE = 300.0


@contextmanager
def _daemon(tmp_path: Path, targets: str = "aws-organization,marketing") -> Iterator[Daemon]:
    with (
        embedded_estate(tmp_path / "estate") as embedded,
        daemon_on(embedded, tmp_path / "dagster", only_targets=targets) as daemon,
    ):
        yield daemon


def _soon(daemon: Daemon) -> datetime:
    """Set `cron` to a minute that is about to come, and load it; gives that minute.

    The daemon looks once a minute for schedules, and a schedule starts when it is first seen.
    """
    at = (datetime.now(UTC) + timedelta(seconds=150)).replace(second=0, microsecond=0)
    daemon.configure(cron=f"{at.minute} * * * *")
    daemon.reload()
    assert datetime.now(UTC) < at, "loading took longer than a minute"
    return at


def _newest(daemon: Daemon, count: int) -> str:
    """The id of the sync number `count`, once it was launched."""
    return daemon.wait(lambda: daemon.syncs(ACCOUNT)[count - 1 : count], f"sync {count} begins", PATIENCE)[0]


def test_three_syncs_by_cron_and_one_that_is_left_out_while_another_is_open(tmp_path: Path) -> None:
    with _daemon(tmp_path) as daemon:
        for count in (1, 2, 3):
            at = _soon(daemon)
            sync = _newest(daemon, count)
            assert sync == f"cron-{at:%Y%m%dT%H%M}"
            daemon.wait_for_layers(ACCOUNT, sync, WHOLE, PATIENCE)
            counts = daemon.embedded.raito.counts()
            if count == 1:
                first = counts
        assert counts == first

        # a schedule that is faster than its sync, which is slow until the tick was seen
        faults = daemon.embedded.aws.faults
        faults.add(Fault(kind="delay", account=ACCOUNT, delay=50))
        open_sync = daemon.launch("sync_account", ACCOUNT)
        daemon.wait(lambda: daemon.status(open_sync) == "STARTED", "the sync is under way")
        at = _soon(daemon)
        left_out = f"sync_accounts_by_cron skipped: no new sync of {ACCOUNT}, because its last one is not over"
        daemon.wait(lambda: left_out in daemon.log(), f"the schedule skips the tick of {at:%H:%M}", PATIENCE)
        faults.clear()
        daemon.wait_for_layers(ACCOUNT, open_sync, WHOLE, PATIENCE)
        assert daemon.syncs(ACCOUNT)[-1] == open_sync


def test_a_daemon_that_was_down_goes_on_where_it_was(tmp_path: Path) -> None:
    with _daemon(tmp_path) as daemon:
        # A slow machine kills the run that is under way: what it did not read is there from the sync before.
        daemon.wait_for_layers(ACCOUNT, daemon.launch("sync_account", ACCOUNT), WHOLE, PATIENCE)
        sync = daemon.launch("sync_account", ACCOUNT)
        daemon.wait(lambda: daemon.layers(ACCOUNT, sync)[:1] == ["account SUCCESS"], "the first layer ended")
        daemon.stop()
        left = daemon.layers(ACCOUNT, sync)
        time.sleep(12)  # more than two ticks
        assert daemon.layers(ACCOUNT, sync) == left
        assert "finish SUCCESS" not in left

        daemon.start()

        daemon.wait(lambda: daemon.layers(ACCOUNT, sync)[-1] == "finish SUCCESS", "the sync ends", PATIENCE)
        assert [run.split()[0] for run in daemon.layers(ACCOUNT, sync)] == ["account", "regions", "finish"]


def test_a_machine_that_lost_its_power_in_the_middle_of_a_run(tmp_path: Path) -> None:
    with _daemon(tmp_path) as daemon:
        daemon.wait_for_layers(ACCOUNT, daemon.launch("sync_account", ACCOUNT), WHOLE, PATIENCE)
        daemon.embedded.aws.faults.add(Fault(kind="delay", account=ACCOUNT, service="iam", delay=30, times=1))
        sync = daemon.launch("sync_account", ACCOUNT)
        daemon.wait(lambda: daemon.layers(ACCOUNT, sync) == ["account STARTED"], "the first layer works", PATIENCE)
        daemon.kill()
        assert daemon.layers(ACCOUNT, sync) == ["account STARTED"]

        daemon.start()

        daemon.wait_for_layers(ACCOUNT, sync, "account - regions + finish +", PATIENCE)


def test_backfills_of_the_job_and_of_all_assets_are_three_runs_an_account(tmp_path: Path) -> None:
    with _daemon(tmp_path, "aws-organization,marketing,finance") as daemon:
        daemon.backfill_job("sync_account", [ACCOUNT, OTHER])
        for account in (ACCOUNT, OTHER):
            (sync,) = daemon.wait(lambda account=account: daemon.syncs(account), "the backfill begins", PATIENCE)
            daemon.wait_for_layers(account, sync, WHOLE, PATIENCE)

        daemon.backfill_assets([*Layer.ACCOUNT.tables, *Layer.REGIONS.tables, *Layer.FINISH.tables], [ACCOUNT, OTHER])
        for account in (ACCOUNT, OTHER):
            sync = daemon.wait(lambda account=account: daemon.syncs(account)[1:], "the backfill begins", PATIENCE)[0]
            daemon.wait_for_layers(account, sync, WHOLE, 2 * PATIENCE)
        time.sleep(15)  # nothing more comes
        assert len(daemon.runs()) == 2 * 3 * 2
