"""`python -m tests.matrix`: the whole matrix, or part of it, with what went wrong; it takes an hour on two cores.

    python -m tests.matrix [--account finance|research] [--operation NAME] [--every N] [--minutes M]

Gives status 1 where a case failed.
"""

import argparse
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.matrix.faulty_sync import Case, FaultySyncs, faulty_syncs

_SETTLE_AFTER = 20


def main() -> int:
    """Run the cases that were asked for, with a sync without fault after each twenty."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("--account", choices=("finance", "research"), default="finance")
    parser.add_argument("--operation", help="only this operation of AWS")
    parser.add_argument("--every", type=int, default=1, help="only each N-th case")
    parser.add_argument("--minutes", type=float, default=120.0, help="end after this time")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, faulty_syncs(Path(folder), given.account) as syncs:
        wanted = [case for case in syncs.cases() if given.operation in (None, case.operation)][:: given.every]
        print(f"{len(syncs.operations)} operations, {len(syncs.cases())} cases, {len(wanted)} of them asked for")
        return 1 if _run(syncs, wanted, time.monotonic() + 60 * given.minutes) else 0


def _run(syncs: FaultySyncs, wanted: list[Case], deadline: float) -> list[str]:
    wrong: list[str] = []
    done: Counter[str] = Counter()
    for number, case in enumerate(wanted, start=1):
        wrong += _shown(syncs.run(case))
        done[case.fault] += 1
        if number % _SETTLE_AFTER == 0 or number == len(wanted) or time.monotonic() > deadline:
            wrong += _shown(syncs.settle())
        if time.monotonic() > deadline:
            break
    print(f"{done.total()} cases ({dict(done)}), {len(syncs.unmet)} not met, {len(wrong)} lines of what went wrong")
    return wrong


def _shown(lines: list[str]) -> list[str]:
    for line in lines[:5]:
        print(f"  {line[:300]}", flush=True)
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
