"""Files and folders that nobody but their owner opens: they say who may reach which data.

Whoever wants others to read the tables opens the folder of the storage (`chmod g+rx`): what is written below it from
then on is as open as it is, and never more.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_READ = stat.S_IRGRP | stat.S_IROTH
_LIST = _READ | stat.S_IXGRP | stat.S_IXOTH


def make_private_folder(folder: Path, like: Path | None = None) -> None:
    """Make a folder, and those above it that are not there, for their owner alone.

    Below `like`, where it is there, others may list them who may list it. Raises `OSError`.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    mode = stat.S_IRWXU | _opened(like, _LIST)
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        each.chmod(mode)


def open_private(path: Path, like: Path | None = None, *, buffering: int = -1) -> BinaryIO:
    """Open a file to write it anew, for its owner alone; others may read it who may read `like`.

    `buffering` is that of `open`. Raises `OSError`.
    """
    mode = file_mode(like)
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode)
    os.fchmod(descriptor, mode)
    return os.fdopen(descriptor, "wb", buffering)


def file_mode(like: Path | None) -> int:
    """The permissions of a file below `like` (None: of one that only its owner opens)."""
    return stat.S_IRUSR | stat.S_IWUSR | _opened(like, _READ)


def _opened(like: Path | None, bits: int) -> int:
    """Those of the permission bits that a folder gives to others; none where it is not there."""
    try:
        return 0 if like is None else like.stat().st_mode & bits
    except FileNotFoundError:
        return 0
