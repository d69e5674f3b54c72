"""What the footers of local files said, kept in the process: a sensor asks thousands of cells every few seconds."""

import threading
import time
from typing import Final

import pyarrow.fs as pafs

from raito_pipeline.storage.cells import CellInfo

_MOST: Final = 100_000
_SETTLED_NS: Final = 2_000_000_000
"""A file that was changed this recently may be changed again without its time showing it."""


class KnownFooters:
    """By path, for as long as size and modification time (of a local file, in nanoseconds) are the same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int | None, int, CellInfo]] = {}
        self._lock = threading.Lock()

    def get(self, file: pafs.FileInfo) -> CellInfo | None:
        """What the file said, where it is still the same file."""
        kept = self._kept.get(file.path)
        return kept[2] if kept is not None and kept[:2] == (file.size, file.mtime_ns) else None

    def keep(self, file: pafs.FileInfo, info: CellInfo) -> None:
        """Remember what a file said."""
        if file.mtime_ns is None or file.mtime_ns % 1_000_000_000 == 0 or time.time_ns() - file.mtime_ns < _SETTLED_NS:
            return  # whole seconds: S3, or a file system whose times are too coarse to tell two files apart
        with self._lock:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[file.path] = (file.size, file.mtime_ns, info)
