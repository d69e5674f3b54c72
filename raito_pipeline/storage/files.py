"""Where the files of a store lie: a local folder, or S3 (`s3.py`). Each file is written whole or not at all.

Several writers of one file do not disturb each other: each writes under a name of its own, and the last one to end
wins. What a writer that was killed left behind is removed by the next one, and only if its owner is provably dead or
it is a day old.
"""

import contextlib
import logging
import posixpath
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow.fs as pafs

from raito_pipeline.storage.owner import Owner
from raito_pipeline.storage.private import make_private_folder, open_private

logger = logging.getLogger(__name__)

_LISTINGS = 100
"""how often a folder is listed where files vanish meanwhile: each writer renames one file a cell"""
LEFT_AFTER = timedelta(hours=24)
"""How old a temporary file of an unknown or living owner must be to count as left behind."""
_TEMPORARY = ".data.parquet."


class Sink(Protocol):
    """A file that is being written: `stream` takes its bytes; then one of `commit` and `discard` is called."""

    stream: Any

    def commit(self) -> None:
        """Put the file in its place."""

    def discard(self) -> None:
        """Leave nothing behind. Raises nothing."""


class Files(Protocol):
    """Files below a root. Paths are those of `filesystem`; errors are those of the system (see `errors.py`)."""

    scheme: str

    @property
    def filesystem(self) -> pafs.FileSystem:
        """The file system of pyarrow, to read."""

    def sink(self, path: str) -> Sink:
        """Begin to write a file; removes what killed writers of it left."""

    def listing(self, folder: str) -> dict[str, pafs.FileInfo]:
        """The files of a folder by name; empty where it is not there."""

    def delete(self, path: str) -> None:
        """Delete a file that is there."""


def put(files: Files, path: str, content: bytes) -> None:
    """Write a small file whole."""
    sink = files.sink(path)
    try:
        sink.stream.write(content)
        sink.commit()
    except BaseException:
        sink.discard()
        raise


class LocalFiles:
    """A local folder, `root`: what is written below it is for its owner, and for whom the folder itself is opened."""

    scheme = ""

    def __init__(self, root: Path) -> None:
        self.filesystem = pafs.LocalFileSystem()
        self._root = root

    def sink(self, path: str) -> "_LocalSink":
        """Begin to write a file, under a temporary name that says whose it is."""
        folder = posixpath.dirname(path)
        make_private_folder(Path(folder), self._root)
        self._remove_left(folder)
        return _LocalSink(self.filesystem, path, self._root)

    def listing(self, folder: str) -> dict[str, pafs.FileInfo]:
        """The files of a folder by name; empty where it is not there."""
        selector = pafs.FileSelector(folder, allow_not_found=True)
        for tried in range(1, _LISTINGS + 1):
            try:
                found = self.filesystem.get_file_info(selector)
            except FileNotFoundError:
                # A writer renamed its temporary file between the names of the folder and the look at each of them.
                if tried == _LISTINGS:
                    raise
            else:
                return {info.base_name: info for info in found if info.type == pafs.FileType.File}
        raise AssertionError("unreachable")

    def delete(self, path: str) -> None:
        """Delete a file that is there."""
        self.filesystem.delete_file(path)

    def _remove_left(self, folder: str) -> None:
        oldest = datetime.now(UTC) - LEFT_AFTER
        for name, info in self.listing(folder).items():
            if name.startswith(_TEMPORARY) and _is_left(name, info, oldest):
                logger.info("removed %s, which a writer that was killed had left", info.path)
                with contextlib.suppress(OSError):  # another writer may remove it at the same time
                    self.filesystem.delete_file(info.path)


def _is_left(name: str, info: pafs.FileInfo, oldest: datetime) -> bool:
    owner = Owner.from_name(name.removeprefix(_TEMPORARY).rpartition(".")[0])
    return (owner is not None and owner.dead) or (info.mtime is not None and info.mtime < oldest)


class _LocalSink:
    def __init__(self, filesystem: pafs.FileSystem, path: str, root: Path) -> None:
        self._filesystem, self._path = filesystem, path
        name = f"{_TEMPORARY}{Owner.here().name}.{uuid.uuid4().hex}"
        self._temporary = posixpath.join(posixpath.dirname(path), name)
        open_private(Path(self._temporary), root).close()
        self.stream: Any = filesystem.open_output_stream(self._temporary)

    def commit(self) -> None:
        """Give the file its name: a rename, which replaces what was there."""
        self.stream.close()
        self._filesystem.move(self._temporary, self._path)

    def discard(self) -> None:
        """Remove the temporary file."""
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(OSError):
            self._filesystem.delete_file(self._temporary)
