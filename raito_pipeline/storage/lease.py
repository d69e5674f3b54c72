"""At most one sync of an account at a time: a lease in the storage that every run of a sync takes.

The lease is *held* by a live run, which renews it every twenty seconds; *reserved* for its sync between two of its
layers; or *free*. It ends by itself when its owner does: at once where the process is provably gone (same machine),
else two minutes after the last sign of life. A run that belongs to no sync joins the one that the lease names last.

A run may have a process for each of its steps: those hold it together, and it ends with the last of them.

A reserved place outlives the process that reserved it, as the next layer may be another process; where that process
itself goes on with the next layer (`reserve_for_process`), the place ends with it like a held one.
"""

import contextlib
import functools
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from raito_pipeline.storage.errors import StorageError
from raito_pipeline.storage.lease_files import LeaseFile, lease_files
from raito_pipeline.storage.owner import Owner

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 20.0
DEAD_AFTER_SECONDS = 120.0
BETWEEN_LAYERS_SECONDS = 600.0
_POLL_SECONDS = 1.0
_UNKNOWN = "unknown"
_SOMEBODY = Owner(_UNKNOWN, _UNKNOWN, 0, 0)
_TAKEN_OVER = "another run took it over, as this one gave no sign of life in time"
State = Literal["held", "reserved", "free"]


@dataclass(frozen=True)
class Holder:
    """Another process of the run that holds a lease."""

    token: str
    owner: Owner


@dataclass(frozen=True)
class LeaseRecord:
    """What a lease file says: whose the lease is or was last. Times are of the storage's clock (UTC).

    `began_at` is when a run of this sync first took it, `acquired_at` when this run did.
    """

    key: str
    sync: str
    run_id: str
    what: str
    owner: Owner
    token: str
    state: State
    began_at: datetime
    acquired_at: datetime
    heartbeat_at: datetime
    reserved_until: datetime | None = None
    reserved_for_process: bool = False
    others: tuple[Holder, ...] = ()
    """processes of the same run that hold it besides `owner`"""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Whoever has one of these holds it."""
        return (self.token, *(holder.token for holder in self.others))

    @property
    def dead(self) -> bool:
        """True where every process that holds it is provably gone."""
        return self.owner.dead and all(holder.owner.dead for holder in self.others)

    def joined_by(self, holder: Holder, now: datetime) -> "LeaseRecord":
        """The same with one more process of its run."""
        return replace(self, heartbeat_at=now, others=(*self.others, holder))

    def left_by(self, token: str) -> "LeaseRecord | None":
        """The same for the processes of its run that still hold it; None where that with `token` was the last."""
        left = [holder for holder in (Holder(self.token, self.owner), *self.others) if holder.token != token]
        if not left:
            return None
        return replace(self, token=left[0].token, owner=left[0].owner, others=tuple(left[1:]))

    def open(self, now: datetime, dead_after: timedelta) -> bool:
        """True while the lease keeps others out: its owner lives, or it is reserved for its sync."""
        if self.state == "held":
            return not self.dead and now - self.heartbeat_at < dead_after
        if self.state == "free" or self.reserved_until is None or now >= self.reserved_until:
            return False
        return not (self.reserved_for_process and self.owner.dead)

    @property
    def doing(self) -> str:
        """What its sync does, in words: between two layers nothing is under way, and a sensor launches the next one."""
        if self.state == "reserved":
            return f"it is between two layers, the last one was {self.what}"
        return f"{self.what} is under way"

    @property
    def left_by_dead(self) -> bool:
        """True where the run that took the lease was provably killed while it held it."""
        return self.state == "held" and self.dead

    def to_json(self) -> bytes:
        """As the file holds it."""
        times = {name: value.isoformat() for name, value in vars(self).items() if isinstance(value, datetime)}
        others = [{"token": holder.token, "owner": holder.owner.fields} for holder in self.others]
        return json.dumps({**vars(self), **times, "owner": self.owner.fields, "others": others}, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes | None) -> "LeaseRecord | None":
        """What a file holds; None where it is not there or was damaged."""
        try:
            return None if content is None else cls._read(json.loads(content))
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a lease file could not be read (%s): whose it is is not known", error)
            return None

    @classmethod
    def of_somebody(cls, key: str, now: datetime) -> "LeaseRecord":
        """The lease that somebody may hold whose name cannot be read: it ends like that of one who lives no more."""
        what = "what is not known, as its lease file was damaged"
        return cls(key, _UNKNOWN, _UNKNOWN, what, _SOMEBODY, "", "held", now, now, now)

    @property
    def is_of_somebody(self) -> bool:
        """Whether it stands in the place of a damaged one."""
        return not self.token

    @classmethod
    def _read(cls, said: dict[str, Any]) -> "LeaseRecord":
        until = said["reserved_until"]
        return cls(
            key=str(said["key"]),
            sync=str(said["sync"]),
            run_id=str(said["run_id"]),
            what=str(said["what"]),
            owner=Owner.from_fields(said["owner"]),
            token=str(said["token"]),
            state=said["state"],
            began_at=datetime.fromisoformat(said["began_at"]),
            acquired_at=datetime.fromisoformat(said["acquired_at"]),
            heartbeat_at=datetime.fromisoformat(said["heartbeat_at"]),
            reserved_until=None if until is None else datetime.fromisoformat(until),
            reserved_for_process=bool(said.get("reserved_for_process", False)),
            others=tuple(Holder(str(o["token"]), Owner.from_fields(o["owner"])) for o in said.get("others", ())),
        )


class SyncUnderWay(Exception):
    """Another run holds the lease of an account, or another sync has reserved it, and did not end in time."""

    def __init__(self, record: LeaseRecord, now: datetime, waited: float, dead_after: float) -> None:
        since = f"{record.began_at:%Y-%m-%d %H:%M:%S} UTC"
        if record.state == "reserved":
            doing = f"{record.doing} (run {record.run_id})"
            remedy = (
                f"Sync again after it; its place is kept until {record.reserved_until:%H:%M:%S} UTC. Where nothing "
                "follows, see whether the sensor continue_sync is on, and what its ticks say"
            )
        else:
            silent = max(0, round((now - record.heartbeat_at).total_seconds()))
            doing = (
                f"run {record.run_id} on {record.owner.host} (process {record.owner.pid}) does {record.what}, "
                f"last sign of life {silent} s ago"
            )
            remedy = (
                f"Wait until it ends, or cancel that run; if it was killed, its lease ends after {dead_after:.0f} s"
            )
        super().__init__(
            f"a sync of {record.key} is under way: {record.sync}, since {since}; {doing}. "
            f"Waited {waited:.0f} s for it; nothing was done. {remedy}."
        )
        self.record = record


class LeaseLost(Exception):
    """The lease that a run took is not its own any more: what it does next could collide with another sync."""

    def __init__(self, key: str, sync: str, reason: str) -> None:
        super().__init__(
            f"the lease of {key} for sync {sync} was lost: {reason}. This run stops before it changes anything more; "
            "sync again."
        )
        self.key, self.sync = key, sync


class Lease:
    """A lease that this process holds and renews in the background; a context manager that releases it.

    `sync` is the id of the sync that the run belongs to. `reserve_seconds` is how long the place of that sync is kept
    after this layer, with `reserve_for_process` no longer than this process lives; nothing is kept where the block was
    interrupted (Ctrl-C, a cancelled run).
    """

    def __init__(self, file: LeaseFile, record: LeaseRecord, token: str, beat_every: float, dead_after: float) -> None:
        self._file, self._record, self._token = file, record, token
        self._beat_every, self._dead_after = beat_every, dead_after
        self.reserve_seconds = 0.0
        self.reserve_for_process = False
        self._alive_at = time.monotonic()
        self._lost: str | None = None
        self._ended = threading.Event()
        self._holders = 1
        self._thread = threading.Thread(target=self._keep, name=f"lease {record.key}", daemon=True)
        self._thread.start()

    @property
    def key(self) -> str:
        """The partition key of the account or organization."""
        return self._record.key

    @property
    def sync(self) -> str:
        """The id of the sync."""
        return self._record.sync

    @property
    def run_id(self) -> str:
        """The run that took it."""
        return self._record.run_id

    def check(self) -> None:
        """Make sure that the lease is still ours; to be called before something is changed outside.

        One that was renewed lately is only read, which costs less.

        Raises `LeaseLost`.
        """
        if self._lost is None and not self._ended.is_set():
            if time.monotonic() - self._alive_at < min(self._beat_every, self._dead_after):
                self._look()
            else:
                self._beat()
        if self._lost is not None:
            raise LeaseLost(self.key, self.sync, self._lost)
        if self._ended.is_set():
            raise LeaseLost(self.key, self.sync, "this run gave it back")

    def release(self, reserve_seconds: float = 0.0) -> None:
        """Give the lease back; its sync's place is kept for `reserve_seconds`. A second call does nothing."""
        if not _forget(self) or self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()

        def give_back(record: LeaseRecord, now: datetime) -> LeaseRecord:
            left = record.left_by(self._token)
            if left is not None:
                return left
            if reserve_seconds <= 0:
                return replace(record, state="free", heartbeat_at=now)
            until, own = now + timedelta(seconds=reserve_seconds), self.reserve_for_process
            return replace(record, state="reserved", heartbeat_at=now, reserved_until=until, reserved_for_process=own)

        try:
            self._change_own(give_back)
        except StorageError as error:
            logger.warning("%s The lease ends by itself after %.0f s.", error, self._dead_after)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = error is not None and not isinstance(error, Exception)
        self.release(0.0 if interrupted else self.reserve_seconds)

    def _keep(self) -> None:
        while not self._ended.wait(self._beat_every) and self._lost is None:
            self._beat()

    def _look(self) -> None:
        """Read whose it is. What cannot be read now was renewed lately: nobody may have taken it since."""
        with contextlib.suppress(StorageError):
            if self._own(self._file.read().before) is None:
                self._lost = _TAKEN_OVER

    def _own(self, content: bytes | None) -> LeaseRecord | None:
        """The lease as this run holds it, by what its file says; None where it is not its own any more.

        One that was damaged is: whoever met it since waits until this run has given no sign of life for long enough.
        """
        record = LeaseRecord.from_json(content)
        if content is not None and (record is None or record.is_of_somebody):
            return self._record if time.monotonic() - self._alive_at < self._dead_after else None
        return record if record is not None and self._token in record.tokens else None

    def _beat(self) -> None:
        try:
            mine = self._change_own(lambda record, now: replace(record, heartbeat_at=now))
        except StorageError as error:
            if time.monotonic() - self._alive_at >= self._dead_after:
                self._lost = f"it could not be renewed for {self._dead_after:.0f} s, {error.reason}"
            return
        self._alive_at = time.monotonic()
        if not mine:
            self._lost = _TAKEN_OVER

    def _change_own(self, change: Callable[[LeaseRecord, datetime], LeaseRecord]) -> bool:
        """Change the file where it is still ours; whether it is."""
        mine = False

        def decide(content: bytes | None, now: datetime) -> bytes | None:
            nonlocal mine
            record = self._own(content)
            mine = record is not None
            return None if record is None else change(record, now).to_json()

        self._file.change(decide)
        return mine


@dataclass(frozen=True)
class _Wish:
    """What a run asks for."""

    key: str
    sync: str | None
    run_id: str
    what: str
    begins: bool
    token: str

    def record(self, current: LeaseRecord | None, now: datetime) -> LeaseRecord:
        """The lease as this run would hold it."""
        last = None if current is None or self.begins or current.is_of_somebody else current.sync
        sync = self.sync or last or self.run_id
        began = current.began_at if current is not None and current.sync == sync else now
        return LeaseRecord(self.key, sync, self.run_id, self.what, Owner.here(), self.token, "held", began, now, now)

    def may_follow(self, current: LeaseRecord) -> bool:
        """Whether this run belongs to the sync of a lease that is reserved."""
        ours = self.sync == current.sync or self.run_id == current.run_id or (self.sync is None and not self.begins)
        return current.state == "reserved" and ours

    def joins(self, current: LeaseRecord, now: datetime, dead_after: timedelta) -> bool:
        """Whether another process of this very run holds the lease."""
        return current.state == "held" and current.run_id == self.run_id and current.open(now, dead_after)


@dataclass(frozen=True)
class LeaseLook:
    """What a lease said at a time."""

    record: LeaseRecord | None
    under_way: LeaseRecord | None
    """who held or had reserved it; None where it was free"""

    @property
    def left_by_dead(self) -> LeaseRecord | None:
        """The lease of a run that was provably killed while it held it, and that nobody took since; else None."""
        return self.record if self.record is not None and self.record.left_by_dead else None

    def held_by(self, run_id: str) -> bool:
        """Whether a live process of this run held it."""
        return self.under_way is not None and self.under_way.state == "held" and self.under_way.run_id == run_id


class Leases:
    """The leases in a storage (a path or an `s3://` address). Raises `StorageError` where that fails."""

    def __init__(
        self,
        location: str | Path,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        dead_after_seconds: float = DEAD_AFTER_SECONDS,
    ) -> None:
        self.location = location
        self._files = functools.cache(lease_files(location))
        self._beat_every, self._dead_after = heartbeat_seconds, dead_after_seconds

    def acquire(
        self, key: str, sync: str | None, run_id: str, what: str, wait_seconds: float = 0.0, begins: bool = False
    ) -> Lease:
        """Take the lease of an account or organization (its partition key) for a run.

        `sync` is the sync that the run belongs to; without one it begins a sync of its own (`begins`, or where there
        never was one: the run id is its id) or joins the last one. `what` says what the run does, for others. Waits up
        to `wait_seconds` for the run that holds it, and for another sync that has reserved it. A run that takes the
        lease again in the same process gets the same one, and one in another process holds it with the first.
        Raises `SyncUnderWay`.
        """
        file = self._file(key)
        again = _held_here(file.address, run_id)
        if again is not None:
            return again
        wish = _Wish(key, sync, run_id, what, begins, uuid.uuid4().hex)
        began = time.monotonic()
        while True:
            record, current, now = self._try(file, wish)
            if record is not None:
                return _remember(file.address, Lease(file, record, wish.token, self._beat_every, self._dead_after))
            waited = time.monotonic() - began
            if waited >= wait_seconds:
                assert current is not None
                raise SyncUnderWay(current, now, waited, self._dead_after)
            time.sleep(min(_POLL_SECONDS, wait_seconds - waited))

    def last_sync(self, key: str) -> str | None:
        """The id of the sync that held the lease last, under way or not; None where there never was one."""
        record = self._read(key)[0]
        return record.sync if record is not None and not record.is_of_somebody else None

    def look(self, key: str) -> LeaseLook:
        """What the lease says now, for one read of its file."""
        record, now = self._read(key)
        return LeaseLook(record, record if record is not None and record.open(now, self._dead_time) else None)

    def under_way(self, key: str) -> LeaseRecord | None:
        """Who holds or has reserved the lease now; None where it is free."""
        return self.look(key).under_way

    def remove(self, key: str) -> None:
        """Know nothing more of who had the lease; for an account of which nothing is stored any more."""
        self._file(key).remove()

    @property
    def _dead_time(self) -> timedelta:
        return timedelta(seconds=self._dead_after)

    def _file(self, key: str) -> LeaseFile:
        return self._files(f"_leases/account={key}.json")

    def _read(self, key: str) -> tuple[LeaseRecord | None, datetime]:
        state = self._file(key).read()
        return LeaseRecord.from_json(state.before), state.now

    def _try(self, file: LeaseFile, wish: _Wish) -> tuple[LeaseRecord | None, LeaseRecord | None, datetime]:
        """The lease where it could be taken, else None; who had it; and when that was."""

        def decide(content: bytes | None, now: datetime) -> bytes | None:
            current = LeaseRecord.from_json(content)
            if current is None and content is not None:
                return LeaseRecord.of_somebody(wish.key, now).to_json()
            own = current is not None and wish.token in current.tokens  # written by an attempt whose answer was lost
            if current is not None and not own and wish.joins(current, now, self._dead_time):
                return current.joined_by(Holder(wish.token, Owner.here()), now).to_json()
            if current is None or own or wish.may_follow(current) or not current.open(now, self._dead_time):
                return wish.record(current, now).to_json()
            return None

        change = file.change(decide)
        after, before = LeaseRecord.from_json(change.after), LeaseRecord.from_json(change.before)
        if after is not None and after.is_of_somebody:
            return None, after, change.now.astimezone(UTC)
        return after, before, change.now.astimezone(UTC)


_held: dict[str, Lease] = {}
_held_lock = threading.Lock()


def _held_here(address: str, run_id: str) -> Lease | None:
    with _held_lock:
        lease = _held.get(address)
        if lease is None or lease.run_id != run_id:
            return None
        lease._holders += 1
        return lease


def _remember(address: str, lease: Lease) -> Lease:
    with _held_lock:
        _held[address] = lease
        return lease


def _forget(lease: Lease) -> bool:
    """One holder less; True where it was the last one."""
    with _held_lock:
        lease._holders -= 1
        if lease._holders > 0:
            return False
        if _held.get(lease._file.address) is lease:
            del _held[lease._file.address]
        return True
