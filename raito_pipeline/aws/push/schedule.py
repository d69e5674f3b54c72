"""Runs the changes of a push: each as soon as what it waits for has ended, and several at the same time."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter

from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.order import waits_of


@dataclass(frozen=True, slots=True)
class Step:
    """A change, and the positions of the steps that it needs, and of all that come before it."""

    change: Change
    needed: frozenset[int]
    waits_for: frozenset[int]


def steps(changes: Iterable[Change]) -> tuple[Step, ...]:
    """The changes in the order of the plan, with what each waits for: earlier ones only, so that there is no circle."""
    listed = sorted(changes, key=lambda change: change.row.position)
    return tuple(
        Step(change, _earlier(waits.needed, position), _earlier(waits.all, position))
        for position, (change, waits) in enumerate(zip(listed, waits_of(listed), strict=True))
    )


def _earlier(positions: Iterable[int], than: int) -> frozenset[int]:
    return frozenset(position for position in positions if position < than)


def run(listed: Sequence[Step], work: Callable[[int], None], concurrency: int) -> None:
    """Call `work` with the position of every step, as soon as what it waits for is done; up to `concurrency` at once.

    `work` keeps what came of a step for itself. An error that it raises ends the run after the work under way, and is
    raised.
    """
    sorter = TopologicalSorter({position: step.waits_for for position, step in enumerate(listed)})
    sorter.prepare()
    running: dict[Future[None], int] = {}
    with ThreadPoolExecutor(max_workers=max(concurrency, 1), thread_name_prefix="push") as pool:
        while sorter.is_active():
            running |= {pool.submit(work, position): position for position in sorted(sorter.get_ready())}
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                position = running.pop(future)
                future.result()
                sorter.done(position)
