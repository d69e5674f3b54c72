"""Where the files of a store lie: a local folder, or S3 (`s3.py`). Each file is written whole or not at all.

Several writers of one file do not disturb each other: each writes under a name of its own, and the last one to end
wins. What a writer that was killed left behind is removed by the next one, and only if its owner is provably dead or
it is a day old.
"""

import contextlib
import logging
import posixpath
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.fs as pafs

from raito_pipeline.storage.owner import Owner
from raito_pipeline.storage.private import make_private_folder, open_private

logger = logging.getLogger(__name__)

_LISTINGS = 100
"""how often a folder is listed where files vanish meanwhile: each writer renames one file a cell"""
LEFT_AFTER = timedelta(hours=24)
"""How old a temporary file of an unknown or living owner must be to count as left behind."""
_TEMPORARY = ".data.parquet."
NOTES = "_notes"
"""the folder of what is noted of tables, where that is not beside them"""
PLANS = "_plans"
"""the folder of the plans of pushes, and of what is noted of the last one"""


class Sink(Protocol):
    """A file that is being written: `stream` takes its bytes; then one of `commit` and `discard` is called."""

    stream: Any

    @property
    def unsent(self) -> bytes | None:
        """All that was written so far where none of it has left this process yet, and each write costs; else None."""

    def commit(self) -> None:
        """Put the file in its place."""

    def discard(self) -> None:
        """Leave nothing behind. Raises nothing."""


class CellFile(Protocol):
    """The file of a cell, as it was when it was looked for."""

    size: int
    version: str | None
    """tells the file from any other in its place; None where that cannot be told"""

    def open(self) -> pa.NativeFile:
        """Its bytes, to read in any order. Raises `FileNotFoundError` where it is gone."""

    def note(self, name: str) -> bytes:
        """What is noted of the cell under a name; empty where nothing is."""


class Files(Protocol):
    """Files below a root, which paths begin with; errors are those of the system and of boto3 (see `errors.py`)."""

    scheme: str
    costly: bool
    """whether each call is paid for"""

    def remembering(self, run_id: str) -> "Files":
        """The same files for a run, which sees one version of each."""

    def cell(self, path: str) -> CellFile | None:
        """The file of a cell; None where it is not there."""

    def read(self, path: str) -> bytes | None:
        """A small file whole; None where it is not there."""

    def sink(self, path: str) -> Sink:
        """Begin to write a file; removes what killed writers of it left."""

    def listing(self, folder: str) -> dict[str, pafs.FileInfo]:
        """The files of a folder by name; empty where it is not there."""

    def below(self, folder: str) -> list[pafs.FileInfo]:
        """All files below a folder, at any depth; none where it is not there."""

    def folders(self, folder: str) -> tuple[str, ...]:
        """The names of the folders in a folder; none where it is not there."""

    def delete(self, path: str) -> None:
        """Delete a file that is there."""

    def add_note(self, path: str, name: str, content: bytes) -> None:
        """Note something of the cell whose file is at `path`, at the latest with `flush`."""

    def flush(self) -> None:
        """Write what was noted and is not written yet."""


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
    costly = False

    def __init__(self, root: Path) -> None:
        self.filesystem = pafs.LocalFileSystem()
        self._root = root

    def remembering(self, run_id: str) -> "LocalFiles":  # noqa: ARG002  # as `Files` has it
        """The same: what is on a disk is asked for quickly, and the process knows what footers said (`known.py`)."""
        return self

    def cell(self, path: str) -> "LocalCellFile | None":
        """The file of a cell with the notes beside it; None where it is not there."""
        there = self.listing(posixpath.dirname(path))
        info = there.get(posixpath.basename(path))
        return None if info is None else LocalCellFile(self, info, frozenset(there))

    def read(self, path: str) -> bytes | None:
        """A small file whole; None where it is not there."""
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None

    def below(self, folder: str) -> list[pafs.FileInfo]:
        """All files below a folder, at any depth; none where it is not there."""
        infos = self._infos(folder, recursive=True)
        return [info for info in infos if info.type == pafs.FileType.File]

    def folders(self, folder: str) -> tuple[str, ...]:
        """The names of the folders in a folder; none where it is not there."""
        infos = self._infos(folder)
        return tuple(posixpath.basename(each.path.rstrip("/")) for each in infos)

    def add_note(self, path: str, name: str, content: bytes) -> None:
        """Write a note beside the file of a cell."""
        put(self, posixpath.join(posixpath.dirname(path), name), content)

    def flush(self) -> None:
        """Nothing waits."""

    def sink(self, path: str) -> "_LocalSink":
        """Begin to write a file, under a temporary name that says whose it is."""
        folder = posixpath.dirname(path)
        make_private_folder(Path(folder), self._root)
        self._remove_left(folder)
        return _LocalSink(self.filesystem, path, self._root)

    def listing(self, folder: str) -> dict[str, pafs.FileInfo]:
        """The files of a folder by name; empty where it is not there."""
        for tried in range(1, _LISTINGS + 1):
            try:
                infos = self._infos(folder)
            except FileNotFoundError:
                # A writer renamed its temporary file between the names of the folder and the look at each of them.
                if tried == _LISTINGS:
                    raise
            else:
                return {info.base_name: info for info in infos if info.type == pafs.FileType.File}
        raise AssertionError("unreachable")

    def _infos(self, folder: str, *, recursive: bool = False) -> list[pafs.FileInfo]:
        """What a folder holds; nothing where it is not there. Raises `OSError` where that cannot be told."""
        infos = self.filesystem.get_file_info(pafs.FileSelector(folder, allow_not_found=True, recursive=recursive))
        if not infos:
            with contextlib.suppress(FileNotFoundError):
                Path(folder).stat()  # below a file, Arrow says as well that it is not there
        return infos

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


_SETTLED_NS = 2_000_000_000
"""A file that was changed this recently may be changed again without its time showing it."""


class LocalCellFile(CellFile):
    """A file in a folder, with the names of those beside it."""

    def __init__(self, files: LocalFiles, info: pafs.FileInfo, beside: frozenset[str]) -> None:
        self._files, self._info, self._beside = files, info, beside
        self.size = info.size or 0

    @property
    def version(self) -> str | None:  # type: ignore[override]  # asked for when it is needed: a file settles
        """Size and time of the last change in nanoseconds; None where the time is too coarse or too fresh."""
        changed = self._info.mtime_ns
        if changed is None or changed % 1_000_000_000 == 0 or time.time_ns() - changed < _SETTLED_NS:
            return None
        return f"{self._info.size} {changed}"

    def open(self) -> pa.NativeFile:
        """See `CellFile`."""
        return self._files.filesystem.open_input_file(self._info.path)

    def note(self, name: str) -> bytes:
        """See `CellFile`."""
        if name not in self._beside:
            return b""
        return self._files.read(posixpath.join(posixpath.dirname(self._info.path), name)) or b""


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
        self.unsent = None

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
