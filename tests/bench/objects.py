"""Listing a large bucket: CPU against plain pagination of the same pages, LIST calls, and peak memory."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure
from tests.bench.process import work

SIZES = (10_000, 100_000, 1_000_000)
WORKERS = 5
_START_SECONDS = 20


def figures() -> Iterator[Figure]:
    """All figures of data objects, measured one after the other."""
    with served(100_000) as port:
        plain, ours = min_cpu("paginate", port), min_cpu("sync", port)
    ratio = ours["cpu"] / plain["cpu"]
    yield Figure(
        "CPU of 100,000 keys to uploaded data objects / plain botocore pagination",
        f"{ratio:.2f} ({ours['cpu']:.1f} s / {plain['cpu']:.1f} s)",
        "<= 1.5, then 0.5",
    )
    peaks = {}
    for size in SIZES:
        with served(size) as port:
            measured = _work("sync", port)
            again = _work("again", port)
        peaks[size] = measured["peak"]
        least = size // 1000
        yield Figure(
            f"LIST calls of the first and second sync, {size:,} keys in one bucket, {WORKERS} workers",
            f"{measured['calls']:,} and {again['calls']:,} in {measured['wall']:.1f} and "
            f"{again['wall'] - measured['wall']:.1f} s; {measured['cpu']:.1f} s of CPU",
            f"<= {least * 21 // 20:,}",
        )
    shown = ", ".join(f"{size:,}: {peak:.0f} MB" for size, peak in peaks.items())
    yield Figure("peak memory of the process by keys", shown, "within 10 % from 100,000 on")


def min_cpu(way: str, port: int) -> dict[str, Any]:
    """The best of three: whatever else the machine does only ever adds."""
    return min((_work(way, port) for _ in range(3)), key=lambda measured: measured["cpu"])


def _work(way: str, port: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return work("tests.bench.object_work", way, str(port), folder, str(WORKERS))


@contextmanager
def served(keys: int) -> Iterator[int]:
    """A server with a bucket of so many keys; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "tests.bench.object_server", str(port_file), str(keys)]
        process = subprocess.Popen(command)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not (port_file.exists() and port_file.read_text()):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the server of the benchmark did not start")
                time.sleep(0.05)
            yield int(port_file.read_text())
        finally:
            process.terminate()
            process.wait()
