"""At most one sync of an account at a time: who waits, who is refused, who joins, and what ends by itself."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import StorageError
from raito_pipeline.storage.lease import Lease, LeaseLost, Leases, SyncUnderWay
from raito_pipeline.storage.owner import Owner

from .processes import PROCESSES, hold

ACCOUNT, OTHER = "111122223333", "444455556666"


@contextmanager
def _held(location: str, kept_for_process: Mapping[str, bool | None]) -> Iterator[int]:
    """A process that holds leases, or has their places kept (see `hold`), by its id; it is killed at the end."""
    here, there = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=hold, args=(dict(os.environ), location, kept_for_process, there))
    process.start()
    assert process.pid is not None
    try:
        assert here.poll(60)
        assert here.recv() == "held"
        yield process.pid
    finally:
        process.kill()
        process.join()


@pytest.fixture
def leases(location: str) -> Leases:
    return Leases(location)


def _take(leases: Leases, sync: str | None, run: str, **more: object) -> Lease:
    return leases.acquire(ACCOUNT, sync, run, "layer regions", **more)  # type: ignore[arg-type]


def _refused(leases: Leases, sync: str | None, run: str, **more: object) -> str:
    with pytest.raises(SyncUnderWay) as refused:
        _take(leases, sync, run, **more)
    return str(refused.value)


def test_a_second_sync_is_refused_while_the_first_runs_and_goes_on_after_it(leases: Leases) -> None:
    with _take(leases, "sync-1", "run-1") as lease:
        assert lease.sync == "sync-1"
        words = _refused(leases, "sync-2", "run-2")
        for part in (ACCOUNT, "sync-1", "run-1", "layer regions", f"process {os.getpid()}", "cancel that run"):
            assert part in words
        _refused(leases, None, "run-3")
        _refused(leases, None, "run-3", begins=True)
        lease.check()
    for _ in range(2):
        with _take(leases, "sync-2", "run-2") as lease:
            assert lease.sync == "sync-2"
    assert leases.under_way(ACCOUNT) is None


def test_accounts_do_not_wait_for_each_other(leases: Leases) -> None:
    with _take(leases, "sync-1", "run-1"), leases.acquire("444455556666", "sync-1", "run-2", "layer regions") as other:
        other.check()


def test_two_live_runs_of_one_sync_do_not_hold_it_at_once(leases: Leases) -> None:
    with _take(leases, "sync-1", "run-1"):
        assert "run-1" in _refused(leases, "sync-1", "run-2")
    with _take(leases, "sync-1", "run-2") as lease:
        assert lease.run_id == "run-2"


def test_between_its_layers_a_sync_keeps_its_place(leases: Leases) -> None:
    first = _take(leases, "sync-1", "run-1")
    began = leases.under_way(ACCOUNT)
    assert began is not None
    first.release(reserve_seconds=600)
    words = _refused(leases, "sync-2", "run-2")
    assert "between two layers" in words
    assert "see whether the sensor continue_sync is on" in words
    assert "Its place" not in words
    _refused(leases, None, "run-2", begins=True)
    with _take(leases, "sync-1", "run-3"):
        now = leases.under_way(ACCOUNT)
        assert now is not None
        assert (now.state, now.began_at) == ("held", began.began_at)
    with _take(leases, "sync-2", "run-4") as after_the_last_layer:
        assert after_the_last_layer.sync == "sync-2"


def test_a_reserved_place_ends_by_itself(leases: Leases) -> None:
    _take(leases, "sync-1", "run-1").release(reserve_seconds=1.5)
    _refused(leases, "sync-2", "run-2")
    with _take(leases, "sync-2", "run-2", wait_seconds=10) as lease:
        assert lease.sync == "sync-2"


def test_a_run_of_no_sync_joins_the_last_one_or_begins_its_own(leases: Leases) -> None:
    assert leases.last_sync(ACCOUNT) is None
    with _take(leases, None, "run-1") as lease:
        assert lease.sync == "run-1"
    _take(leases, "sync-2", "run-2").release(reserve_seconds=600)
    with _take(leases, None, "run-3") as lease:
        assert lease.sync == "sync-2"
    with _take(leases, None, "run-4") as lease:
        assert lease.sync == "sync-2"
    with _take(leases, None, "run-5", begins=True) as lease:
        assert lease.sync == "run-5"
    assert leases.last_sync(ACCOUNT) == "run-5"


def test_a_run_that_takes_it_again_in_its_process_has_it_until_the_outermost_block_ends(leases: Leases) -> None:
    with _take(leases, "sync-1", "run-1") as outer:
        with _take(leases, "sync-1", "run-1") as inner:
            assert inner is outer
        outer.check()
        assert leases.under_way(ACCOUNT) is not None
    assert leases.under_way(ACCOUNT) is None


def test_the_block_says_how_long_the_place_is_kept_and_an_interrupted_one_keeps_none(leases: Leases) -> None:
    with _take(leases, "sync-1", "run-1") as lease:
        lease.reserve_seconds = 600
    with pytest.raises(ValueError, match="a layer that fails"), _take(leases, "sync-1", "run-2") as lease:
        lease.reserve_seconds = 600
        raise ValueError("a layer that fails")
    kept = leases.under_way(ACCOUNT)
    assert kept is not None
    assert kept.state == "reserved"
    with pytest.raises(KeyboardInterrupt), _take(leases, "sync-1", "run-3") as lease:
        lease.reserve_seconds = 600
        raise KeyboardInterrupt
    assert leases.under_way(ACCOUNT) is None


def test_a_run_waits_for_the_one_before_it(leases: Leases) -> None:
    first = _take(leases, "sync-1", "run-1")
    threading.Timer(1.0, first.release).start()
    began = time.monotonic()
    with _take(leases, "sync-2", "run-2", wait_seconds=120) as lease:
        assert lease.sync == "sync-2"
    assert 0.9 < time.monotonic() - began < 60


def test_a_lease_whose_process_was_killed_ends_at_once_on_this_machine(location: str) -> None:
    leases = Leases(location)
    with _held(location, {ACCOUNT: None}) as child:
        assert f"process {child}" in _refused(leases, "sync-2", "run-2")
        assert leases.look(ACCOUNT).left_by_dead is None
    left = leases.look(ACCOUNT).left_by_dead
    assert left is not None
    assert (left.run_id, left.owner.pid) == ("run-1", child)
    with _take(leases, None, "run-2") as lease:
        assert lease.sync == "sync-1"
        assert leases.look(ACCOUNT).left_by_dead is None


def test_the_processes_of_one_run_hold_it_together_until_the_last_of_them_ends(location: str) -> None:
    leases = Leases(location)
    with _held(location, {ACCOUNT: None}) as child:
        with _take(leases, None, "run-1", begins=True) as ours:
            assert ours.sync == "sync-1"
        assert f"process {child}" in _refused(leases, "sync-2", "run-2")
        ours = _take(leases, None, "run-1")
    assert leases.look(ACCOUNT).left_by_dead is None
    assert "is under way" in _refused(leases, "sync-2", "run-2")
    ours.check()
    ours.release(reserve_seconds=600)
    # The next process of the run may not know yet to which sync the first one settled.
    with _take(leases, None, "run-1", begins=True) as next_step:
        assert next_step.sync in ("sync-1", "run-1")
    _take(leases, "sync-2", "run-2").release()


def test_a_place_that_is_kept_for_a_process_ends_with_it_and_one_for_the_sync_does_not(location: str) -> None:
    leases = Leases(location)
    with _held(location, {ACCOUNT: True, OTHER: False}):
        for account in (ACCOUNT, OTHER):
            with pytest.raises(SyncUnderWay, match="between two layers"):
                leases.acquire(account, "sync-2", "run-2", "layer regions")
    for account, ended in ((ACCOUNT, True), (OTHER, False)):
        assert (leases.under_way(account) is None) == ended
        assert leases.look(account).left_by_dead is None


def test_of_many_that_try_at_once_one_gets_it(leases: Leases) -> None:
    def attempt(number: int) -> None:
        barrier.wait()
        try:
            taken.append(_take(leases, f"sync-{number}", f"run-{number}"))
        except SyncUnderWay:
            refused.append(number)

    for _ in range(3):
        barrier, taken, refused = threading.Barrier(8), list[Lease](), list[int]()
        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(taken), len(refused)) == (1, 7)
        taken[0].check()
        taken[0].release()


class _ElsewhereLease:
    """What a run on another machine would write: the file is changed as that machine would change it."""

    def __init__(self, location: str) -> None:
        name = f"_leases/account={ACCOUNT}.json"
        self._client = boto3.Session().client("s3") if location.startswith("s3://") else None
        self._bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self._key, self._path = f"{prefix}/{name}", Path(location) / name

    def _content(self) -> bytes:
        if self._client is None:
            return self._path.read_bytes()
        return bytes(self._client.get_object(Bucket=self._bucket, Key=self._key)["Body"].read())

    def write(self, content: bytes) -> None:
        if self._client is None:
            self._path.write_bytes(content)
        else:
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=content)

    def change(self, **fields: object) -> None:
        self.write(json.dumps({**json.loads(self._content()), **fields}).encode())


def test_a_lease_of_another_machine_ends_two_minutes_after_its_last_sign_of_life(leases: Leases, location: str) -> None:
    _take(leases, "sync-1", "run-1").release()
    there, elsewhere = _ElsewhereLease(location), {"host": "other", "machine": "0123456789", "pid": 1, "started": 1}
    for silent, held in ((100, True), (130, False)):
        at = (datetime.now(UTC) - timedelta(seconds=silent)).isoformat()
        there.change(state="held", owner=elsewhere, token="of-other", heartbeat_at=at)
        assert (leases.under_way(ACCOUNT) is not None) is held
        if held:
            assert "on other" in _refused(leases, "sync-2", "run-2")
    with _take(leases, "sync-2", "run-2") as lease:
        assert lease.sync == "sync-2"


def test_a_lease_is_renewed_while_it_is_held(location: str) -> None:
    leases, beats = Leases(location, heartbeat_seconds=0.1, dead_after_seconds=120), set()
    with _take(leases, "sync-1", "run-1") as lease:
        for _ in range(1_000):
            held = leases.under_way(ACCOUNT)
            assert held is not None
            beats.add(held.heartbeat_at)
            if len(beats) == 3:
                break
            time.sleep(0.05)
        assert len(beats) == 3
        _refused(leases, "sync-2", "run-2")
        lease.check()


def test_a_lease_that_was_taken_over_is_noticed_before_anything_is_changed(leases: Leases, location: str) -> None:
    lease = _take(leases, "sync-1", "run-1")
    _ElsewhereLease(location).change(token="of-another-run", sync="sync-2")
    for _ in range(2):
        with pytest.raises(
            LeaseLost, match=r"lease of 111122223333 for sync sync-1 was lost: another run took it over"
        ):
            lease.check()
    lease.release(reserve_seconds=600)
    taken = leases.under_way(ACCOUNT)
    assert taken is not None
    assert (taken.sync, taken.state) == ("sync-2", "held")


def test_a_lease_that_was_given_back_is_no_lease(leases: Leases) -> None:
    lease = _take(leases, "sync-1", "run-1")
    lease.release()
    with pytest.raises(LeaseLost, match="gave it back"):
        lease.check()


DAMAGED = (b"", b"{", b"[]", b"{}", b"\xff")


def test_a_damaged_lease_file_is_somebodys_until_nobody_gave_a_sign_of_life_for_long_enough(
    leases: Leases, location: str
) -> None:
    quick, there = Leases(location, heartbeat_seconds=60, dead_after_seconds=0), _ElsewhereLease(location)
    _take(leases, "sync-1", "run-1").release()
    for number, damage in enumerate(DAMAGED):
        there.write(damage)
        assert leases.last_sync(ACCOUNT) is None
        for _ in range(2):
            assert "its lease file was damaged" in _refused(leases, "sync-2", "run-2")
        assert leases.last_sync(ACCOUNT) is None
        with quick.acquire(ACCOUNT, None, f"run-{number}", "layer regions") as lease:
            assert lease.sync == f"run-{number}"
            lease.check()


@pytest.mark.parametrize("met_by_another", [True, False])
def test_who_holds_a_lease_puts_its_damaged_file_right(leases: Leases, location: str, met_by_another: bool) -> None:
    there = _ElsewhereLease(location)
    with _take(leases, "sync-1", "run-1") as lease:
        for damage in DAMAGED:
            there.write(damage)
            if met_by_another:
                _refused(leases, "sync-2", "run-2")
            lease.check()
            lease._beat()
            assert "run run-1" in _refused(leases, "sync-2", "run-2")
            lease.check()


def test_a_storage_that_fails_for_a_while_does_not_lose_a_lease(aws: EmulatedAws, s3_location: str) -> None:
    leases = Leases(s3_location, heartbeat_seconds=60, dead_after_seconds=120)
    with _take(leases, "sync-1", "run-1") as lease:
        aws.faults.add(Fault(kind="deny", service="s3", operation="PutObject"))
        lease.check()
        aws.faults.clear()
        lease.check()
    quick = Leases(s3_location, heartbeat_seconds=60, dead_after_seconds=0.2)
    with _take(quick, "sync-2", "run-2") as lease:
        aws.faults.add(Fault(kind="deny", service="s3", operation="PutObject"))
        time.sleep(0.3)
        with pytest.raises(LeaseLost, match="could not be renewed"):
            lease.check()


def test_a_storage_that_refuses_says_where_and_what_to_do(aws: EmulatedAws, s3_location: str) -> None:
    aws.faults.add(Fault(kind="deny", service="s3", operation="PutObject"))
    with pytest.raises(StorageError, match=r"the lease could not be taken.*account=111122223333\.json.*s3:PutObject"):
        _take(Leases(s3_location), "sync-1", "run-1")


def test_times_on_s3_are_of_its_clock_not_of_this_machine(s3_location: str) -> None:
    """The header `Date` has whole seconds, which the clock of this machine would give once in a million."""
    with _take(Leases(s3_location), "sync-1", "run-1"):
        record = Leases(s3_location).under_way(ACCOUNT)
    assert record is not None
    assert (record.acquired_at.microsecond, record.acquired_at.utcoffset()) == (0, timedelta(0))


def test_an_owner_is_dead_only_where_that_is_proven() -> None:
    here = Owner.here()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    assert not here.dead
    assert Owner(here.host, here.machine, ended.pid, here.started).dead
    assert Owner(here.host, here.machine, os.getpid(), here.started + 1).dead
    assert not Owner(here.host, "0123456789", ended.pid, here.started).dead
    assert Owner.from_name(f".any.{here.name}") == here
    assert Owner.from_fields(json.loads(json.dumps(here.fields))) == here
    assert Owner.from_name("a~b") is None
