"""Which objects of AWS a push may touch: those that Raito made, and those that Raito Cloud has taken over.

Nothing else is rewritten or deleted: AWS is asked anew for the tags before a role or a policy is touched, unless Raito
Cloud itself names it as the access control's own (its external id in the export).
"""

import threading
from collections.abc import Callable, Mapping

from raito_pipeline.aws.access.external_ids import ACCESS_POINT
from raito_pipeline.aws.push.owners.owner_tags import owner_of, tags_of_request
from raito_pipeline.model import CREATOR, PushChange, Tag, made_by_raito

TagsNow = Callable[[], tuple[Tag, ...] | None]
"""Asks AWS for the tags of one object; None where it is not there."""


class ChangeRefused(Exception):
    """A change that was not tried, because it would touch what Raito did not make, or because it is not valid."""

    def __init__(self, change: PushChange, reason: str) -> None:
        super().__init__(f"{change.operation} of {change.kind} {change.resource}: {reason}")
        self.change, self.reason = change, reason


class ChangedSincePlan(ChangeRefused):
    """AWS has something else than the plan says was there, and something else than it wants: nobody saw it replaced."""

    def __init__(self, change: PushChange) -> None:
        super().__init__(
            change,
            "it was changed since the plan, and is left as it is now. The next push reads it, and plans this access "
            "control anew.",
        )


class Objects:
    """The objects of AWS that one push in one account has to do with. Thread-safe.

    `own_ids` are the external ids that the export names, by the id of the access control. What the push itself makes
    counts as made by Raito.
    """

    def __init__(self, account_id: str, own_ids: Mapping[str, str]) -> None:
        self.account_id = account_id
        self._own_ids = own_ids
        self._made: set[str] = set()
        self._created: set[str] = set()
        self._begun: set[tuple[str, ...]] = set()
        self._written: set[tuple[str, ...]] = set()
        self._only_taken: set[tuple[str, ...]] = set()
        self._ours: set[str] = set()
        self._lock = threading.Lock()

    def is_ours(self, change: PushChange, thing: str, tags: TagsNow) -> bool:
        """True where it may be changed, false where it is gone. Raises `ChangeRefused`, `AwsError`."""
        if self._own_ids.get(change.access_control_id) == thing or thing in self._ours:
            return True
        tags_now = tags()
        if tags_now is None:
            return False
        _must_be_made_by_raito(change, tags_now)
        with self._lock:
            self._ours.add(thing)
        return True

    def external_id(self, change: PushChange) -> str:
        """The external id under which the export names the object of the access control; empty where it names none."""
        return self._own_ids.get(change.access_control_id, "")

    def take_over(self, change: PushChange, thing: str, tags: TagsNow) -> None:
        """Count what exists already as made by this push. Raises `ChangeRefused`, `AwsError`."""
        tags_now = tags()
        _must_be_made_by_raito(change, tags_now)
        wanted = owner_of(tags_of_request(change.after))
        owner = owner_of(tags_now)
        # Of an access point whose tags may not be read, or of the time before these tags, nobody is named.
        unnamed = thing.startswith(ACCESS_POINT) and not any(owner)
        if any(wanted) and owner != wanted and not unnamed:
            raise ChangeRefused(change, "it exists, and its tags do not say that it was made for this access control.")
        with self._lock:
            self._ours.add(thing)
            self._made.add(thing)

    def note_created(self, thing: str) -> None:
        """Count as made by this push, which found nothing of this name."""
        with self._lock:
            self._ours.add(thing)
            self._made.add(thing)
            self._created.add(thing)

    def note_begun(self, place: tuple[str, ...]) -> None:
        """This push is about to write in a place of AWS: what others find there from now on may be of it."""
        with self._lock:
            self._begun.add(place)

    def note_written(self, place: tuple[str, ...]) -> None:
        """What is in a place of AWS is what this push wrote there last."""
        with self._lock:
            self._written.add(place)

    def note_only_taken(self, place: tuple[str, ...]) -> None:
        """What this push was to write in a place of AWS it wrote without what it would have given."""
        with self._lock:
            self._only_taken.add(place)

    def was_only_taken(self, place: tuple[str, ...]) -> bool:
        """True where this push only took access in a place of AWS, though more was to be written there."""
        return place in self._only_taken

    def was_made(self, thing: str) -> bool:
        """True where this push made it, or took over what an earlier one had made."""
        return thing in self._made

    def was_created(self, thing: str) -> bool:
        """True where this push made it, and nothing was there before."""
        return thing in self._created

    def was_written(self, place: tuple[str, ...]) -> bool:
        """True where this push wrote what is there: reads of AWS may lag behind."""
        return place in self._written

    def was_begun(self, place: tuple[str, ...]) -> bool:
        """True where what is there may be what this push writes just now, or wrote: changes are made side by side."""
        return place in self._begun

    def begun_so_far(self) -> int:
        """In how many places this push writes or wrote: as long as that stays, it did nothing new to whoever reads."""
        with self._lock:
            return len(self._begun)

    def has_begun(self, kind: str, name: str) -> bool:
        """True where this push writes or wrote a thing of a kind, or a part of it (`NAME/...`)."""
        with self._lock:
            return any(place[0] == kind and place[1].partition("/")[0] == name for place in self._begun)

    def begun_of(self, kind: str, resource: str) -> list[str]:
        """What this push writes or wrote of a thing that holds several: the last part of their places."""
        with self._lock:
            return [place[2] for place in self._begun if place[:2] == (kind, resource) and len(place) == 3]


def _must_be_made_by_raito(change: PushChange, tags: tuple[Tag, ...] | None) -> None:
    if not made_by_raito(tags):
        tag = f"{CREATOR.key}={CREATOR.value}"
        reason = f"it exists and was not made by Raito: it has no tag {tag}. Nothing was changed."
        raise ChangeRefused(change, reason)
