"""Memory between the layers of a sync: what was freed goes back to the system."""

import inspect
import platform
import subprocess
import sys

import pytest

from raito_pipeline.cli.freed_memory import give_back

_SCRIPT = """
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

small = [bytes(5_000) for _ in range(12_000)]
keeps_the_rest = [bytes(5_000) for _ in range(10)]
held = resident()
del small
before = resident()
give_back()
print(held - resident() > 40_000, before >= resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc keeps what others give back by themselves")
def test_what_was_freed_below_what_is_in_use_is_given_back() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import ctypes\n" + inspect.getsource(give_back) + _SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.split(), ended.stderr) == (["True", "True"], "")
