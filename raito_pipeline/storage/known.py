"""What the footers of files said, kept in the process: a sensor asks thousands of cells every few seconds."""

import threading
from typing import Final

from raito_pipeline.storage.cells import CellInfo
from raito_pipeline.storage.versions import OlderColumns

_MOST: Final = 100_000
Said = tuple[CellInfo, OlderColumns | None]
"""what a file says of itself, and how its columns differ from those of its table"""


class KnownFooters:
    """By address, for as long as the version of the file is the same (`CellFile.version`)."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Said]] = {}
        self._lock = threading.Lock()

    def get(self, uri: str, version: str | None) -> Said | None:
        """What the file said, where it is still the same file."""
        kept = self._kept.get(uri)
        return kept[1] if kept is not None and version is not None and kept[0] == version else None

    def keep(self, uri: str, version: str | None, said: Said) -> None:
        """Remember what a file said."""
        if version is None:
            return
        with self._lock:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[uri] = (version, said)
