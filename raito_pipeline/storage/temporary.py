"""Temporary folders that name the process they belong to, so that the next one removes what a killed one left."""

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raito_pipeline.storage.files import LEFT_AFTER
from raito_pipeline.storage.owner import Owner

logger = logging.getLogger(__name__)

_PREFIX = "raito-"


def make_temporary_folder(name: str, parent: Path | None = None, *, kept: bool = False) -> Path:
    """An empty folder `raito-NAME...` in `parent` (None: the system's); first, what killed processes left is removed.

    A `kept` one does not name its owner: it stays until somebody deletes it.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    place.mkdir(parents=True, exist_ok=True)
    remove_left(place)
    owner = "-" if kept else f".{Owner.here().name}."
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{name}{owner}", dir=place))


@contextmanager
def temporary_folder(name: str, parent: Path | None = None) -> Iterator[Path]:
    """Such a folder for the time of a `with` block."""
    folder = make_temporary_folder(name, parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left(place: Path) -> None:
    """Remove the folders in `place` whose owner is provably dead or, of other machines, that are a day old."""
    oldest = time.time() - LEFT_AFTER.total_seconds()
    for folder in place.glob(f"{_PREFIX}*~*"):
        owner = Owner.from_name(folder.name.rpartition(".")[0])
        if owner is None or folder.is_symlink():
            continue
        with contextlib.suppress(OSError):  # another process removes it at the same time, or it is of another user
            elsewhere = owner.machine != Owner.here().machine
            if owner.dead or (elsewhere and folder.stat().st_mtime < oldest):
                shutil.rmtree(folder)
                logger.info("removed %s, which a process that was killed had left", folder)
