"""What Raito Cloud asked for between the syncs and is not done yet: one small file in the storage.

Whoever listens puts in (`raito-pipeline listen`), a sensor takes out (`trigger_runs.py`); they may be on different
machines. What asks for the same is joined, as long as no run was launched for it.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from raito_pipeline.raito.jobs import JobType
from raito_pipeline.storage import StorageError
from raito_pipeline.storage.lease_files import LeaseFile, lease_files

logger = logging.getLogger(__name__)

FILE = "_triggers/waiting.json"
MOST_PARTS = 20
"""how many parts of one account's data objects may wait; one more, and all of them are read"""
Kind = Literal["push", "sync", "part"]
"""a push of the access controls that are out of sync; stages of a sync; the data objects below one of them"""


@dataclass(frozen=True)
class Trigger:
    """One thing that was asked for of an account or organization (`owner`, its partition key).

    `stages` are those of a sync that are asked for, none for all. `since` is when the first message asked for it, and
    `messages` how many did (none where it is asked for because messages may have been lost). `taken`: a run was, or is
    about to be, launched for it, so that nothing is joined to it any more.
    """

    owner: str
    kind: Kind
    stages: tuple[JobType, ...] = ()
    parent: str | None = None
    excludes: tuple[str, ...] = ()
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    messages: int = 1
    taken: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def is_whole(self) -> bool:
        """True for a sync of every stage."""
        return self.kind == "sync" and not self.stages

    @property
    def what(self) -> str:
        """What is asked for, in words."""
        if self.kind == "push":
            return "a push of the access controls that are out of sync"
        if self.kind == "part":
            return f"the data objects below {self.parent}"
        return f"a sync ({', '.join(stage.value for stage in self.stages)})" if self.stages else "a sync"

    @property
    def why(self) -> str:
        """Who asks for it, in words."""
        if not self.messages:
            return "messages may have been lost while nobody listened"
        return f"Raito Cloud asked for it{f' {self.messages} times' if self.messages > 1 else ''}"

    def joined(self, other: "Trigger") -> "Trigger | None":
        """Both as one; None where they do not ask for the same, or this one is being done already."""
        same = (self.owner, self.kind, self.parent, self.excludes) == (
            other.owner,
            other.kind,
            other.parent,
            other.excludes,
        )
        if self.taken or not same:
            return None
        both = () if not self.stages or not other.stages else tuple(dict.fromkeys((*self.stages, *other.stages)))
        return replace(self, stages=both, since=min(self.since, other.since), messages=self.messages + other.messages)


class _Waiting(msgspec.Struct, frozen=True):
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True)
class TriggerQueue:
    """The triggers that wait in a storage (a path or an `s3://` address). Each method raises `StorageError`."""

    location: str | Path

    def waiting(self) -> tuple[Trigger, ...]:
        """What waits or is being done, in the order in which it was asked for."""
        with _errors("read"):
            return _read(self._file.read().before)

    def put(self, triggers: Iterable[Trigger]) -> None:
        """Add what is asked for, joined with what waits."""
        added = tuple(triggers)
        if added:
            self._change(lambda waiting: _with(waiting, added))

    def take(self, ids: Collection[str], done: Collection[str]) -> tuple[Trigger, ...]:
        """Take out those that are done, and mark others as taken; gives the taken ones as they are then."""
        if not ids and not done:
            return ()

        def change(waiting: Sequence[Trigger]) -> tuple[Trigger, ...]:
            left = (trigger for trigger in waiting if trigger.id not in done)
            return tuple(replace(each, taken=True) if each.id in ids else each for each in left)

        return tuple(trigger for trigger in self._change(change) if trigger.id in ids)

    def _change(self, change: Callable[[Sequence[Trigger]], tuple[Trigger, ...]]) -> tuple[Trigger, ...]:
        changed: tuple[Trigger, ...] = ()

        def decide(content: bytes | None, _now: datetime) -> bytes | None:
            nonlocal changed
            before = _read(content)
            changed = change(before)
            return None if changed == before else msgspec.json.encode(_Waiting(changed))

        with _errors("changed"):
            self._file.change(decide)
        return changed

    @cached_property
    def _file(self) -> LeaseFile:
        return lease_files(self.location)(FILE)


def _with(waiting: Sequence[Trigger], added: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """What waits, and what is added; an account of which too many parts wait is to be read whole."""
    all_of_them = list(waiting)
    for trigger in added:
        for place, there in enumerate(all_of_them):
            joined = there.joined(trigger)
            if joined is not None:
                all_of_them[place] = joined
                break
        else:
            all_of_them.append(trigger)
    parts = Counter(each.owner for each in all_of_them if each.kind == "part" and not each.taken)
    for owner in (owner for owner, count in parts.items() if count > MOST_PARTS):
        mine = [each for each in all_of_them if each.owner == owner and each.kind == "part" and not each.taken]
        whole = replace(mine[0], kind="sync", stages=(JobType.DATA_SOURCE,), parent=None, excludes=())
        messages = sum(each.messages for each in mine)
        left = [each for each in all_of_them if each not in mine]
        all_of_them = list(_with(left, [replace(whole, messages=messages)]))
    return tuple(all_of_them)


def _read(content: bytes | None) -> tuple[Trigger, ...]:
    """What a file holds. One that cannot be read counts as empty: whoever listens asks again for what waits."""
    try:
        return () if content is None else msgspec.json.decode(content, type=_Waiting).triggers
    except msgspec.DecodeError as error:
        logger.warning("%s could not be read (%s): it counts as empty", FILE, error)
        return ()


@contextmanager
def _errors(action: str) -> Iterator[None]:
    """The error of the file as one of the queue. Raises `StorageError`."""
    try:
        yield
    except StorageError as error:
        raise StorageError("what Raito Cloud asked for", action, error.address, error.reason, error.remedy) from error
