"""The stored files that this process met and cannot use: each is warned of once, and told by the cell written next."""

import threading
from dataclasses import dataclass, field

_Version = tuple[str, int, str | None]
"""address, size in bytes, what tells it from others in its place"""


@dataclass
class UnusableFiles:
    """Files that cannot be used, by their address. Thread-safe."""

    _warned: set[_Version] = field(default_factory=set)
    _reasons: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, uri: str, size: int, version: str | None, reason: str) -> bool:
        """Note why a version of a file cannot be used; false where it was noted before."""
        with self._lock:
            met = (uri, size, version)
            if met in self._warned:
                return False
            self._warned.add(met)
            self._reasons[uri] = reason
            return True

    def replaced(self, uri: str) -> str | None:
        """Why the file that is replaced now could not be used; None where it could, or was replaced since."""
        with self._lock:
            return self._reasons.pop(uri, None)


UNUSABLE_FILES = UnusableFiles()
"""Those of this process."""
OLDER_FILES = UnusableFiles()
"""Files that can be used and are of an older version of the project: those of this process."""
