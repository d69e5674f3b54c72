"""A piece of work in a process of its own, so that nothing else is in its CPU time and its memory."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def work(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module of the benchmarks; gives the JSON object that it prints."""
    command = [sys.executable, "-m", module, *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    measured: dict[str, Any] = json.loads(answer.stdout)
    return measured


def tell(piece: Callable[[], dict[str, int]]) -> None:
    """Do the work of this process, and print what it gave and took: CPU and wall seconds, peak of the memory in MB."""
    cpu, wall = time.process_time(), time.monotonic()
    measured = piece()
    took = {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}
    # Not `ru_maxrss`: a new process takes that over from the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    print(json.dumps({**measured, **took, "peak": int(status["VmHWM"].split()[0]) / 1024}))
