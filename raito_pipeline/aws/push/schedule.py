"""The order of a push: what has to wait for what, and everything else at the same time.

Changes of one access control are made one after the other. A change that makes or removes a role or a policy waits for
all earlier changes that name it, and all later ones wait for it. Everything waits for earlier changes only, so there is
never a circle.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from raito_pipeline.model import PushChange


@dataclass(frozen=True, slots=True)
class Step:
    """A change, the change of the same access control before it, and the changes that make or remove what it names.

    All are positions in the list of steps.
    """

    change: PushChange
    before: int | None
    waits_for: frozenset[int]


@dataclass
class _Resource:
    """Who has named a role or policy so far: the last change that made or removed it, and those that used it since."""

    owner: int | None = None
    users: list[int] = field(default_factory=list)


def steps(changes: Iterable[PushChange]) -> tuple[Step, ...]:
    """The changes in the order of the plan, with what each waits for."""
    last: dict[str, int] = {}
    resources: dict[str, _Resource] = {}
    found: list[Step] = []
    for index, change in enumerate(sorted(changes, key=lambda each: each.position)):
        waits: set[int] = set()
        for name, owns in _names(change):
            resource = resources.setdefault(name, _Resource())
            if resource.owner is not None:
                waits.add(resource.owner)
            if owns:
                waits |= set(resource.users)
                resources[name] = _Resource(index)
            else:
                resource.users.append(index)
        control = change.access_control_id
        found.append(Step(change, last.get(control), frozenset(waits)))
        last[control] = index
    return tuple(found)


def _names(change: PushChange) -> Iterator[tuple[str, bool]]:
    """The roles and policies that a change names, and whether it makes or removes them."""
    owns = change.operation in ("create", "delete")
    if change.kind == "attachment":
        yield change.resource, False
        yield f"policy:{_last(change.after or change.before or '')}", False
    elif change.kind == "role":
        yield f"role:{change.resource}", owns
    elif change.kind.startswith("role-"):
        yield f"role:{change.resource.split('/', 1)[0]}", False
    elif change.kind == "policy":
        yield f"policy:{_last(change.resource)}", owns
    elif change.kind == "policy-version":
        yield f"policy:{_last(change.resource)}", False


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def run(found: Sequence[Step], work: Callable[[int], None], concurrency: int) -> None:
    """Call `work` with the position of every step, as soon as what it waits for is done; up to `concurrency` at once.

    `work` keeps what came of a step for itself. An error that it raises ends the run after the work under way, and is
    raised.
    """
    open_waits = {index: _all_waits(step) for index, step in enumerate(found)}
    followers: dict[int, list[int]] = {}
    for index, waits in open_waits.items():
        for earlier in waits:
            followers.setdefault(earlier, []).append(index)
    with ThreadPoolExecutor(max_workers=max(concurrency, 1), thread_name_prefix="push") as pool:
        running = {pool.submit(work, index): index for index, waits in open_waits.items() if not waits}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                _start_followers(pool, work, running, future, open_waits, followers)


def _start_followers(
    pool: ThreadPoolExecutor,
    work: Callable[[int], None],
    running: dict[Future[None], int],
    future: Future[None],
    open_waits: Mapping[int, set[int]],
    followers: Mapping[int, Sequence[int]],
) -> None:
    index = running.pop(future)
    future.result()
    for follower in followers.get(index, ()):
        open_waits[follower].discard(index)
        if not open_waits[follower]:
            running[pool.submit(work, follower)] = follower


def _all_waits(step: Step) -> set[int]:
    return set(step.waits_for) if step.before is None else {*step.waits_for, step.before}
