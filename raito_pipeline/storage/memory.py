"""What a process knows of the objects of a store on S3, so that it asks for each of them once.

A run has a memory of its own that it trusts (`Memory(trusted=True)`): a run sees one version of each object, what it
writes itself included. The lease of its account keeps others from changing that meanwhile. What belongs to no run asks
again each time, and gives the ETag of what it knows, so that nothing is sent twice.
"""

import threading
from dataclasses import dataclass, field
from typing import Final

_MOST_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was read or written: its ETag, its size in bytes, and its last bytes (of a small one: all)."""

    etag: str
    size: int
    tail: bytes

    @property
    def whole(self) -> bool:
        """Whether all of it is here."""
        return len(self.tail) == self.size


@dataclass
class Memory:
    """Objects and folders by their address. Thread-safe; the oldest go where all together are too large."""

    trusted: bool = False
    """whether what is known is taken for true without asking again"""
    pending: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    """notes that are not written yet: by the address of their object, by cell, by name"""
    _objects: dict[str, StoredObject | None] = field(default_factory=dict)
    _folders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _bytes: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def knows(self, address: str) -> bool:
        """Whether anything is known of an object, be it that it is not there."""
        return address in self._objects

    def get(self, address: str) -> StoredObject | None:
        """An object as it was last met; None for one that was not there, or is not known."""
        return self._objects.get(address)

    def keep(self, address: str, stored: StoredObject | None) -> None:
        """Remember an object, or that it is not there."""
        with self.lock:
            self.forget(address)
            self._objects[address] = stored
            self._bytes += len(stored.tail) if stored is not None else 0
            while self._bytes > _MOST_BYTES:
                self.forget(next(iter(self._objects)))

    def forget(self, address: str) -> None:
        """Know nothing of an object any more."""
        with self.lock:
            if address in self._objects:
                gone = self._objects.pop(address)
                self._bytes -= len(gone.tail) if gone is not None else 0

    def folders(self, address: str) -> tuple[str, ...] | None:
        """The folders in a folder, where they are known and trusted."""
        return self._folders.get(address) if self.trusted else None

    def keep_folders(self, address: str, names: tuple[str, ...]) -> None:
        """Remember the folders in a folder."""
        with self.lock:
            self._folders[address] = names

    def forget_folders(self) -> None:
        """Something was removed, or a new folder may have come."""
        with self.lock:
            self._folders.clear()


_RUNS: Final = 8


@dataclass
class RunMemories:
    """The memories of the last runs of this process: whatever opens the store of one run shares one."""

    _kept: dict[str, Memory] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, run_id: str) -> Memory:
        """The memory of a run; one of its own for each that asks without an id."""
        with self._lock:
            if run_id not in self._kept or not run_id:
                self._kept[run_id] = Memory(trusted=True)
                while len(self._kept) > _RUNS:
                    del self._kept[next(iter(self._kept))]
            return self._kept[run_id]


RUN_MEMORIES = RunMemories()
"""Those of this process."""
LAST_MET = Memory()
"""What this process met last, whichever run it was for: it is asked for again, by its ETag."""
