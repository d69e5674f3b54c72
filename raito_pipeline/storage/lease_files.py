"""The small file that says who holds a lease, changed by one process at a time: on a local folder and on S3.

All times in it are of one clock, that of the storage (the header `Date` of S3, the modification time of a file that was
touched just now), so that hosts whose clocks differ judge each other alike.
"""

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from raito_pipeline.storage.errors import StorageError, storage_errors
from raito_pipeline.storage.private import file_mode, make_private_folder, open_private
from raito_pipeline.storage.s3 import S3Files, code_of, date_of, is_lost_race

Decide = Callable[[bytes | None, datetime], bytes | None]
"""Takes what the file holds (None: it is not there) and the time; gives what it is to hold (None: as it is)."""
_ATTEMPTS = 20


@dataclass(frozen=True)
class FileChange:
    """What a file held, what it holds now (None: it was left as it is), and when that was."""

    before: bytes | None
    after: bytes | None
    now: datetime


class LeaseFile(Protocol):
    """One file. Raises `StorageError`."""

    address: str

    def change(self, decide: Decide) -> FileChange:
        """Let `decide` replace what the file holds, as if no other process changed it meanwhile."""

    def read(self) -> FileChange:
        """What the file holds, and the time."""

    def remove(self) -> None:
        """Remove the file, where it is there."""


class LocalLeaseFile:
    """A file in a folder; whoever changes it holds a lock on the file of the same name that ends in `.lock`."""

    def __init__(self, root: str, name: str) -> None:
        self._root = Path(root)
        self._path = self._root / name
        self.address = str(self._path)

    def change(self, decide: Decide) -> FileChange:
        """See `LeaseFile`."""
        with storage_errors("the lease", "taken or renewed", self.address), self._locked() as now:
            before = self._content()
            after = decide(before, now)
            if after is not None:
                new = self._path.with_suffix(".new")  # one at a time: the lock is held
                with open_private(new, self._root) as sink:
                    sink.write(after)
                new.replace(self._path)
            return FileChange(before, after, now)

    def read(self) -> FileChange:
        """See `LeaseFile`. Takes no lock: the file is replaced whole."""
        with storage_errors("the lease", "read", self.address):
            return FileChange(self._content(), None, datetime.now(UTC))

    def remove(self) -> None:
        """See `LeaseFile`. The file that is locked goes, too: who waits for it locks the one that is there then."""
        with storage_errors("the lease", "removed", self.address), self._locked():
            self._path.unlink(missing_ok=True)
            self._lock_path.unlink(missing_ok=True)

    def _content(self) -> bytes | None:
        """What the file holds; None where it is not there."""
        try:  # whether it is there is not asked: Python says no where the system gives an error
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    @contextmanager
    def _locked(self) -> Iterator[datetime]:
        make_private_folder(self._path.parent, self._root)
        lock = self._lock()
        try:
            os.utime(lock)  # of a network file system: its server's clock
            yield datetime.fromtimestamp(os.fstat(lock).st_mtime, UTC)
        finally:
            os.close(lock)

    def _lock(self) -> int:
        """The file that is locked, open; another one where it was removed while this process waited for it."""
        while True:
            lock = os.open(self._lock_path, os.O_CREAT | os.O_RDWR, file_mode(self._root))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(lock), self._lock_path.stat()):
                    return lock
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(lock)
                raise
            os.close(lock)

    @property
    def _lock_path(self) -> Path:
        return self._path.with_suffix(".lock")


class S3LeaseFile:
    """An object, created with `If-None-Match: *` and replaced with `If-Match`: of several that try, one succeeds.

    What this process met last is tried first: where it is as it was, a change is one call. Where it is not, S3 refuses,
    and it is read. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """

    def __init__(self, files: S3Files, name: str) -> None:
        self._files = files
        self._path = f"{files.root}/{name}"
        self._key = files.key(self._path)
        self.address = files.scheme + self._path
        self._met: _Met | None = None

    def change(self, decide: Decide) -> FileChange:
        """See `LeaseFile`."""
        with storage_errors("the lease", "taken or renewed", self.address):
            for _ in range(_ATTEMPTS):
                met = self._met
                after = decide(met.content, met.now) if met is not None else None
                if met is None or after is None:  # what somebody else has may have ended since
                    met = self._get()
                    after = decide(met.content, met.now)
                if after is None or self._put(after, met):
                    return FileChange(met.content, after, met.now)
                if met is self._met:
                    time.sleep(random.uniform(0.05, 0.3))
                self._met = None
        reason = f"other processes changed it {_ATTEMPTS} times while this one tried"
        raise StorageError("the lease", "taken or renewed", self.address, reason)

    def read(self) -> FileChange:
        """See `LeaseFile`."""
        with storage_errors("the lease", "read", self.address):
            met = self._get()
            return FileChange(met.content, None, met.now)

    def remove(self) -> None:
        """See `LeaseFile`."""
        with storage_errors("the lease", "removed", self.address):
            self._files.delete(self._path)
        self._met = None

    def _get(self) -> "_Met":
        try:
            answer = self._files.ask("get_object", Key=self._key)
        except ClientError as missing:
            if code_of(missing) != "NoSuchKey":
                raise
            self._met = _Met(None, None, date_of(missing.response), time.monotonic())
        else:
            self._met = _Met(answer["Body"].read(), answer["ETag"], date_of(answer), time.monotonic())
        return self._met

    def _put(self, content: bytes, met: "_Met") -> bool:
        condition: Mapping[str, Any] = {"IfNoneMatch": "*"} if met.etag is None else {"IfMatch": met.etag}
        try:
            answer = self._files.ask("put_object", Key=self._key, Body=content, **condition)
        except ClientError as error:
            if is_lost_race(error):
                return False
            self._met = None
            raise
        except BotoCoreError:
            self._met = None  # it may have been written
            raise
        self._met = _Met(content, answer["ETag"], date_of(answer), time.monotonic())
        return True


@dataclass(frozen=True)
class _Met:
    """What the object held, its ETag, and when that was: by the clock of S3 and by that of this process."""

    content: bytes | None
    etag: str | None
    at: datetime
    monotonic: float

    @property
    def now(self) -> datetime:
        """The time of S3 now, in whole seconds as it gives them."""
        return self.at + timedelta(seconds=int(time.monotonic() - self.monotonic))


def lease_files(location: str | Path) -> Callable[[str], LeaseFile]:
    """The files below the root of a store, by name (with their folder); those on S3 share their connections."""
    if str(location).startswith("s3://"):
        files = S3Files(str(location))
        return lambda name: S3LeaseFile(files, name)
    return lambda name: LocalLeaseFile(str(Path(location).absolute()), name)
