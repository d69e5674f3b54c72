"""Where the exchanged files of one sync lie, what is kept of them, and what is removed."""

import logging
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.private import make_private_folder
from raito_pipeline.storage.temporary import make_temporary_folder

logger = logging.getLogger(__name__)

_STAMP = "%Y%m%dT%H%M%S.%fZ"
_STAMPED = re.compile(r"\d{8}T\d{6}\.\d{6}Z-.+")


@dataclass
class ExchangeFolder:
    """A context manager around the files of one stage of one target; entering it gives an empty folder.

    `delete` is `delete-temp-files`, `backup_location` is `file-backup-location` (None = no copies), `maximum_backups`
    is `maximum-backups-per-target` (0 = all are kept), `parent` the folder for temporary files (None = the system's).
    What a killed sync left is removed by the next one, unless `delete` was off. A backup that fails is a warning in the
    log: it never fails the sync.
    """

    target: str
    stage: str
    delete: bool = True
    backup_location: Path | None = None
    maximum_backups: int = 0
    parent: Path | None = None
    path: Path = field(init=False)

    def __enter__(self) -> Path:
        name = f"{_plain(self.target)}-{_plain(self.stage)}"
        place = str(self.parent or tempfile.gettempdir())
        with storage_errors(f"the folder of the files of {self.stage}", "made", place):
            self.path = make_temporary_folder(name, self.parent, kept=not self.delete)
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.backup_location is not None:
            self._back_up(self.backup_location)
        if self.delete:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            logger.info("the files of %s for %s stay in %s", self.stage, self.target, self.path)

    def _back_up(self, location: Path) -> None:
        folder = location / _plain(self.target)
        stamp = datetime.now(UTC).strftime(_STAMP)
        try:
            if not any(self.path.iterdir()):
                return
            make_private_folder(folder)
            shutil.copytree(self.path, folder / f"{stamp}-{_plain(self.stage)}")
            self._remove_old(folder)
        except OSError as problem:
            logger.warning("no backup of the files of %s for %s in %s: %s", self.stage, self.target, folder, problem)

    def _remove_old(self, folder: Path) -> None:
        """Keep the newest backups of this stage."""
        ending = f"-{_plain(self.stage)}"
        kept = sorted(p for p in folder.iterdir() if _STAMPED.fullmatch(p.name) and p.name.endswith(ending))
        for old in kept[: -self.maximum_backups] if self.maximum_backups > 0 else []:
            shutil.rmtree(old)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._") or "unnamed"
