"""The order of a push: what takes access away comes first; else it follows from what changes need, make and remove.

What takes access away is never kept from being made by a grant that failed. The exception is an object that goes
because another one takes its place: it stays until the other one is there. Who loses access through it is taken out of
it before, by a change of its own.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.documents.effects import Effect


@dataclass
class Waits:
    """What one change waits for: positions of other changes."""

    needed: set[int] = field(default_factory=set)
    """without these it is not tried"""
    after: set[int] = field(default_factory=set)
    """these come first, whatever comes of them"""

    @property
    def all(self) -> set[int]:
        """Everything that comes first."""
        return self.needed | self.after


@dataclass
class _Thing:
    """Who makes, needs, removes and awaits one object of AWS, by position."""

    makers: list[int] = field(default_factory=list)
    users: list[int] = field(default_factory=list)
    removers: list[int] = field(default_factory=list)
    awaiting: list[int] = field(default_factory=list)


def in_order(changes: Sequence[Change]) -> list[Change]:
    """The changes, each after what it waits for; else revocations first, and those alike in the order given."""
    waits = waits_of(changes)
    for wanted in ([each.all for each in waits], [each.needed for each in waits]):
        sorter = TopologicalSorter(dict(enumerate(wanted)))
        try:
            sorter.prepare()
        except CycleError:  # no plan is known that has one
            continue
        return [changes[position] for position in _first_come(sorter, changes)]
    return list(changes)  # the order given is that of the access provider types


def _first_come(sorter: TopologicalSorter[int], changes: Sequence[Change]) -> Iterator[int]:
    ready: list[tuple[bool, int]] = []
    while sorter.is_active():
        for position in sorter.get_ready():
            heapq.heappush(ready, (not changes[position].revokes, position))
        _, first = heapq.heappop(ready)
        yield first
        sorter.done(first)


def waits_of(changes: Sequence[Change]) -> list[Waits]:
    """What each change waits for."""
    waits = [Waits() for _ in changes]
    for thing in _things(changes).values():
        _for_one_thing(waits, changes, thing)
    by_control: dict[str, list[int]] = defaultdict(list)
    for position, change in enumerate(changes):
        by_control[change.row.access_control_id].append(position)
    for positions in by_control.values():
        _within_one_access_control(waits, changes, positions)
    return waits


def _things(changes: Sequence[Change]) -> dict[str, _Thing]:
    things: dict[str, _Thing] = defaultdict(_Thing)
    for position, change in enumerate(changes):
        for name in change.makes:
            things[name].makers.append(position)
        for name in change.needs:
            things[name].users.append(position)
        for name in change.removes:
            things[name].removers.append(position)
        for name in change.awaits:
            things[name].awaiting.append(position)
    return things


def _for_one_thing(waits: Sequence[Waits], changes: Sequence[Change], thing: _Thing) -> None:
    for user in thing.users:
        first = set(thing.makers) - {user}
        if changes[user].revokes:
            waits[user].after |= first
        else:
            waits[user].needed |= first
    granting = {user for user in thing.users if not changes[user].revokes}
    for waiting in thing.awaiting:
        # A provisioning comes before the assignments that need it, and after all that they both bring.
        needing = {user for user in granting if changes[user].needs & changes[waiting].makes}
        waits[waiting].after |= {*thing.makers, *granting} - needing - {waiting}
    for remover in thing.removers:
        for other in {*thing.makers, *thing.users} - {remover}:
            if other < remover or (changes[other].revokes and remover not in waits[other].all):
                waits[remover].after.add(other)
            elif other > remover:
                waits[other].after.add(remover)


def _within_one_access_control(waits: Sequence[Waits], changes: Sequence[Change], positions: Sequence[int]) -> None:
    """Where an object takes the place of another one, nobody is left without access in between."""
    removals = [position for position in positions if changes[position].gives_way]
    others = [position for position in positions if position not in removals]
    grants = {position for position in others if not changes[position].revokes}
    for removal in removals:
        waits[removal].needed |= grants
        if Effect.REMOVES in changes[removal].effect:
            waits[removal].after |= set(others) - grants
