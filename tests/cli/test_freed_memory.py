"""Memory between the layers of a sync: what was freed goes back to the system."""

import inspect
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import raito_pipeline.cli.freed_memory

GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give back by themselves")
_RESIDENT = """
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

"""
_GIVEN_BACK = """
small = [bytes(5_000) for _ in range(12_000)]
keeps_the_rest = [bytes(5_000) for _ in range(10)]
held = resident()
del small
before = resident()
give_back()
print(held - resident() > 40_000, before >= resident())
"""


_KEPT = """
above, large = [], []
for _ in range(500):
    large.append(b"x" * 100_000)
    above.append(b"x" * 5_000)
held = resident()
del large
print(held - resident() > 40_000)
"""
_PLACES = """
import ctypes, sys, threading
barrier = threading.Barrier(4)

def take():
    taken = bytes(5_000)
    barrier.wait()

threads = [threading.Thread(target=take) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
print(open(sys.argv[1]).read().count("<heap nr"))
"""
"""In how many places glibc keeps memory, after four threads took some at once."""


def printed(script: str, *arguments: str) -> list[str]:
    """What a script prints in a process of its own, that begins with the functions of the module."""
    source = inspect.getsource(raito_pipeline.cli.freed_memory)
    ended = subprocess.run(
        [sys.executable, "-c", source + script, *arguments], capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@GLIBC
def test_what_was_freed_below_what_is_in_use_is_given_back() -> None:
    assert printed(_RESIDENT + _GIVEN_BACK) == ["True", "True"]


@GLIBC
def test_what_is_large_is_given_back_at_once() -> None:
    assert printed(_RESIDENT + _KEPT) == ["False"]
    assert printed("print(keep_little())" + _RESIDENT + _KEPT) == ["True", "True"]


@GLIBC
def test_threads_take_memory_from_one_place(tmp_path: Path) -> None:
    assert int(*printed(_PLACES, str(tmp_path / "places"))) > 1
    assert printed("keep_little()" + _PLACES, str(tmp_path / "places")) == ["1"]


@GLIBC
def test_the_command_run_keeps_little(tmp_path: Path) -> None:
    begun = f"from raito_pipeline.cli import main; main(['run', '--config-file', {str(tmp_path / 'none.yml')!r}])"
    ended = subprocess.run(
        [sys.executable, "-c", begun + _PLACES, str(tmp_path / "places")], capture_output=True, text=True, check=False
    )
    assert ended.stdout == "1\n"


def test_a_c_library_without_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raito_pipeline.cli.freed_memory.ctypes, "CDLL", lambda _name: object())

    assert not raito_pipeline.cli.freed_memory.keep_little()
    assert not raito_pipeline.cli.freed_memory.give_back()
