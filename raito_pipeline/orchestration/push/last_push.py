"""What the last push of an account left in AWS: the access controls that it made, as they are now.

It is noted beside the plans, and stays where a later push fails or is of some access controls alone.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.storage import Store
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.files import PLANS, put

_FILE = "last_push.json"


@dataclass(frozen=True)
class BegunPoint:
    """An access point that a push set out to make, and when: it may be there before any read has shown it."""

    arn: str
    at: datetime


@dataclass(frozen=True)
class LastPush:
    """What a push left in AWS: the access controls that it made, under the names that they have there."""

    ended_at: datetime
    plan_id: str
    controls: tuple[AccessControl, ...]
    begun: tuple[BegunPoint, ...] = ()
    """noted before they are made, as a push that is killed says nothing afterwards"""
    unknown: tuple[str, ...] = ()
    """access controls (their ids) of which a note that cannot be read said what was made, and no push has since"""

    @classmethod
    def lost(cls, controls: Iterable[AccessControl]) -> "LastPush":
        """In the place of a note that cannot be read, for a push of a whole export."""
        return cls(datetime.now(UTC), "", (), unknown=tuple(control.id for control in controls))

    @classmethod
    def of(
        cls,
        plan_id: str,
        controls: Iterable[AccessControl],
        results: Iterable[PushResult],
        before: "LastPush | None",
        *,
        whole: bool = True,
    ) -> "LastPush":
        """The access controls that are in AWS as granted; of those that failed, what the push before had made, unless
        something of it was changed all the same.

        Where the push was not of the `whole` export, what it did not name is as the push before left it.
        """
        made = {result.access_control_id: result for result in results}
        earlier: Mapping[str, AccessControl] = {} if before is None else {each.id: each for each in before.controls}
        controls = tuple(controls)
        named = {control.id for control in controls}
        unknown = [each for each in (() if before is None else before.unknown) if each not in named and not whole]
        left = [] if whole else [control for control in earlier.values() if control.id not in named]
        for control in controls:
            result = made.get(control.id)
            if result is None or result.errors:
                is_as_before = control.id in earlier and not control.delete and not (result and result.changes_made)
                left += [earlier[control.id]] if is_as_before else []
                unknown += [control.id] if before is not None and control.id in before.unknown else []
            elif result.external_id is not None:
                made_as = replace(control, external_id=result.external_id, actual_name=result.actual_name)
                left.append(replace(made_as, type=result.type or control.type))
        begun = () if before is None else before.begun
        return cls(datetime.now(UTC), plan_id, tuple(left), begun, tuple(unknown))

    def with_begun(self, arns: Iterable[str]) -> "LastPush":
        """The same with access points that are about to be made."""
        now = datetime.now(UTC)
        return replace(self, begun=(*self.begun, *(BegunPoint(arn, now) for arn in arns)))

    def unread(self, store: Store, account: str) -> tuple[BegunPoint, ...]:
        """The access points that were begun since those of their region were read last."""
        return tuple(each for each in self.begun if not _was_read_since(store, account, each))


@dataclass(frozen=True)
class UnreadableNote:
    """Something was noted, and nobody can read it: it is damaged, or another version of the project wrote it."""

    reason: str


def note_push(store: Store, account: str, last: LastPush) -> None:
    """Note what a push left. Raises `StorageError`."""
    path = _path(store, account)
    with storage_errors(f"the note of the last push of {account}", "written", store.files.scheme + path):
        put(store.files, path, msgspec.json.encode(last))


def last_push(store: Store, account: str) -> LastPush | UnreadableNote | None:
    """What the last push left; None where none was noted. Raises `StorageError`."""
    path = _path(store, account)
    with storage_errors(f"the note of the last push of {account}", "read", store.files.scheme + path):
        content = store.files.read(path)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=LastPush)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return UnreadableNote(f"the note of the last push cannot be read ({error})")


def left_in_aws(store: Store, account: str) -> frozenset[str]:
    """The external ids of what the last push left; none where that cannot be read. Raises `StorageError`."""
    last = last_push(store, account)
    controls = last.controls if isinstance(last, LastPush) else ()
    return frozenset(each.external_id for each in controls if each.external_id)


def note_begun(store: Store, account: str, arns: Iterable[str]) -> None:
    """Note access points that a push is about to make. Raises `StorageError`."""
    wanted = sorted(set(arns))
    last = last_push(store, account) if wanted else None
    if wanted and not isinstance(last, UnreadableNote):
        known = last or LastPush(datetime.now(UTC), "", ())
        note_push(store, account, replace(known, begun=known.unread(store, account)).with_begun(wanted))


def _was_read_since(store: Store, account: str, begun: BegunPoint) -> bool:
    info = store.info("access_points", account, begun.arn.split(":")[3])
    return info is not None and info.read_at > begun.at


def _path(store: Store, account: str) -> str:
    return posixpath.join(store.root, PLANS, f"account={account}", "notes", _FILE)
