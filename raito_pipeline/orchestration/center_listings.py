"""What pushes of one sync read of Identity Center for all accounts of an organization: once a process, not once each.

Nothing is safer by being read again a moment later: whose a permission set is, is asked anew before it is touched.
After a push that changed permission sets the next account reads them itself.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from raito_pipeline.aws.readers.push_center import CenterListing


@dataclass(frozen=True)
class CenterListings:
    """The listings of the organizations, by their keys. Thread-safe: who asks while one is read waits for it."""

    _kept: dict[str, tuple[str, CenterListing]] = field(default_factory=dict)
    _changes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _reading: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, organization: str, sync: str, read: Callable[[], CenterListing]) -> CenterListing:
        """What `read` gives, or gave before in the same sync. Raises what it raises, and keeps nothing then."""
        with self._lock:
            reading = self._reading[organization]
        with reading:
            with self._lock:
                of, kept = self._kept.get(organization, ("", None))
                changes = self._changes[organization]
            if kept is not None and of == sync:
                return kept
            listing = read()
            with self._lock:
                if self._changes[organization] == changes:
                    self._kept[organization] = (sync, listing)
            return listing

    def forget(self, organization: str) -> None:
        """Keep nothing of an organization: permission sets were, or may have been, changed."""
        with self._lock:
            self._changes[organization] += 1
            self._kept.pop(organization, None)
