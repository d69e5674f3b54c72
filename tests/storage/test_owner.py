"""Whose something is: a process is dead only where that is proven."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from raito_pipeline.storage.owner import Owner

HERE = Owner.here()


def test_this_process_lives() -> None:
    assert HERE.pid == os.getpid()
    assert not HERE.dead


def test_a_process_that_ended_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert replace(HERE, pid=process.pid, started=1).dead


@pytest.mark.parametrize(
    "owner",
    [
        replace(HERE, machine="another", pid=2**22 + 1),  # the numbers of another machine say nothing here
        replace(HERE, started=0),  # a system that does not tell when it started
        replace(HERE, pid=2**70),
    ],
)
def test_what_is_not_proven_is_not_dead(owner: Owner) -> None:
    assert not owner.dead


@pytest.mark.skipif(sys.platform != "linux", reason="start times are read from /proc")
def test_a_number_that_another_process_has_now_is_a_dead_one() -> None:
    assert replace(HERE, started=HERE.started + 1).dead


@pytest.mark.parametrize("before", ["", ".data.parquet.", "raito-usage-x."])
def test_an_owner_is_read_back_from_the_end_of_a_name(before: str) -> None:
    assert Owner.from_name(f"{before}{HERE.name}") == HERE
    assert Owner.from_fields(HERE.fields) == HERE


@pytest.mark.parametrize("name", ["", "data.parquet", "a~b~c~d", "host~machine~12", "a~b~-1~2", "~~"])
def test_a_name_without_an_owner(name: str) -> None:
    assert Owner.from_name(name) is None
