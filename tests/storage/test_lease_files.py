"""The small file of a lease: changed by one at a time, on a folder and on S3."""

import fcntl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import StorageError
from raito_pipeline.storage.lease_files import LeaseFile, lease_files

NAME = "_leases/account=111122223333.json"


@pytest.fixture
def file(location: str) -> LeaseFile:
    return lease_files(location)(NAME)


def test_what_is_decided_is_what_it_holds(file: LeaseFile) -> None:
    first = file.change(lambda before, _now: b"one" if before is None else None)
    second = file.change(lambda before, _now: (before or b"") + b" two")

    assert (first.before, first.after) == (None, b"one")
    assert (second.before, second.after) == (b"one", b"one two")
    assert file.read().before == b"one two"


def test_what_is_left_as_it_is_is_not_written(file: LeaseFile) -> None:
    change = file.change(lambda _before, _now: None)

    assert (change.before, change.after, file.read().before) == (None, None, None)


def test_what_is_removed_is_not_there_and_begins_anew(file: LeaseFile) -> None:
    file.remove()
    file.change(lambda _before, _now: b"one")
    file.remove()

    assert file.read().before is None
    assert file.change(lambda before, _now: b"two" if before is None else None).after == b"two"


def test_nothing_is_left_of_what_is_removed(tmp_path: Path) -> None:
    file = lease_files(tmp_path)(NAME)
    file.change(lambda _before, _now: b"one")
    file.remove()

    assert list((tmp_path / NAME).parent.iterdir()) == []


def test_who_waits_for_a_file_that_is_removed_meanwhile_locks_the_one_that_is_there_then(tmp_path: Path) -> None:
    file, path = lease_files(tmp_path)(NAME), (tmp_path / NAME).with_suffix(".lock")
    file.change(lambda _before, _now: b"one")
    with path.open() as lock, ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waits = pool.submit(file.change, lambda before, _now: before)
        time.sleep(0.05)  # until it waits; where it does not yet, it finds no file
        path.unlink()
        fcntl.flock(lock, fcntl.LOCK_UN)
        waits.result()

    assert path.exists()


def test_the_time_is_that_of_the_storage_and_goes_on(file: LeaseFile) -> None:
    times = [file.change(lambda _before, now: now.isoformat().encode()).now for _ in range(2)]

    assert times[0] <= times[1]
    assert abs(datetime.now(UTC) - times[1]) < timedelta(minutes=5)
    assert times[0].tzinfo is not None


def test_of_several_at_once_each_sees_what_the_one_before_it_decided(file: LeaseFile) -> None:
    turn = threading.Barrier(3)

    def add(_number: int) -> None:
        turn.wait()
        file.change(lambda before, _now: str(int(before or b"0") + 1).encode())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add, range(3)))

    assert file.read().before == b"3"


def test_a_decision_that_fails_leaves_the_file_as_it_is(file: LeaseFile) -> None:
    file.change(lambda _before, _now: b"one")

    def refuse(_before: bytes | None, _now: datetime) -> bytes:
        raise KeyError("not now")

    with pytest.raises(KeyError):
        file.change(refuse)
    assert file.read().before == b"one"
    assert file.change(lambda _before, _now: b"two").before == b"one", "nobody holds it any more"


def test_a_folder_that_cannot_be_written_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder is needed")
    file = lease_files(tmp_path / "data")(NAME)

    with pytest.raises(StorageError, match=r"the lease could not be taken or renewed .*_leases") as error:
        file.change(lambda _before, _now: b"one")
    assert str(tmp_path / "data") in error.value.address


def test_a_file_that_cannot_be_read_is_not_one_that_nobody_holds(tmp_path: Path) -> None:
    place = tmp_path / NAME
    place.parent.mkdir(parents=True)
    place.symlink_to(place)  # the system gives an error for it
    file = lease_files(tmp_path)(NAME)

    with pytest.raises(StorageError, match="the lease could not be taken or renewed"):
        file.change(lambda _before, _now: b"one")
    assert place.is_symlink()


def test_s3_that_denies_is_said_with_the_rights_that_are_needed(aws: EmulatedAws, s3_location: str) -> None:
    file = lease_files(s3_location)(NAME)
    aws.faults.add(Fault(kind="deny", service="s3", operation="PutObject"))

    with pytest.raises(StorageError, match=r"s3:PutObject") as error:
        file.change(lambda _before, _now: b"one")
    assert error.value.address.startswith("s3://")
