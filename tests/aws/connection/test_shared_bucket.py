"""A limit that processes share: whoever names the same file counts together, and a wrong file harms nobody."""

import os
import stat
import struct
import tempfile
import threading
import time
from pathlib import Path

import pytest

from raito_pipeline.aws.connection.limits import TokenBucket
from raito_pipeline.aws.connection.shared_bucket import OfThisMachine, limits_folder

from .test_limits import Clock


def bucket(file: Path, clock: Clock, rate: float = 10) -> TokenBucket:
    """A bucket as another process would have it: with a descriptor of its own."""
    return TokenBucket(rate, clock=clock, sleep=lambda _: None, memory=OfThisMachine(file))


def test_two_that_name_the_same_file_wait_behind_each_other(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "sso-admin.limit"
    one, other, apart = bucket(file, clock), bucket(file, clock), bucket(tmp_path / "another.limit", clock)
    assert [round(each.wait(), 3) for each in (one, other, one, other)] == [0, 0.1, 0.2, 0.3]
    assert apart.wait() == 0
    clock.now += 60
    assert [round(each.wait(), 3) for each in (other, one)] == [0, 0.1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_aws_refused_to_one_slows_the_other_down(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "sso-admin.limit"
    one, other = bucket(file, clock), bucket(file, clock)
    one.slow_down()
    assert [round(each.wait(), 3) for each in (one, other)] == [0, 0.2]


def test_callers_at_the_same_time_get_a_pass_each(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "sso-admin.limit"
    waited: list[float] = []

    def ask() -> None:
        mine = bucket(file, clock)
        for _ in range(25):
            waited.append(mine.wait())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [round(each, 1) for each in sorted(waited)] == [round(number / 10, 1) for number in range(100)]


@pytest.mark.parametrize(
    "content",
    [
        b"half of it",
        struct.pack("<4d", 1.0, time.monotonic() + 1e6, 10.0, 0.0),  # of a time before the machine was started
        struct.pack("<4d", -1e9, 0.0, 10.0, 0.0),
        struct.pack("<4d", 1.0, 0.0, float("nan"), 0.0),
        struct.pack("<4d", 1.0, 0.0, 0.0, 0.0),
    ],
    ids=["too short", "later than now", "fewer than none", "no number", "no rate"],
)
def test_a_file_that_cannot_be_right_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sso-admin.limit"
    file.write_bytes(content)
    mine = bucket(file, Clock())
    assert [round(mine.wait(), 3) for _ in range(2)] == [0, 0.1]


def test_without_its_file_a_process_keeps_the_limit_for_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = bucket(tmp_path / "not there" / "sso-admin.limit", Clock())
    assert [round(mine.wait(), 3) for _ in range(3)] == [0, 0.1, 0.2]
    assert len([record for record in caplog.records if "this process alone" in record.getMessage()]) == 1


def test_the_folder_is_for_its_user_alone_and_files_of_yesterday_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = limits_folder()
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    old, new = folder / "a.limit", folder / "b.limit"
    for file, age in ((old, 100_000), (new, 10)):
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
    assert limits_folder() == folder
    assert [file.name for file in folder.iterdir()] == ["b.limit"]

    folder.chmod(0o777)
    assert limits_folder() is None
    new.unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert limits_folder() is None
