"""What one import works with, and what it does to what Raito Cloud holds."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.config import AccountTarget, OrganizationTarget
from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.recording.guard import Verdict
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.deletions import Elements
from raito_pipeline.raito.exchange import ExchangeFolder
from raito_pipeline.raito.jobs import Task
from raito_pipeline.storage import CellMissing, Store

Target = AccountTarget | OrganizationTarget


@dataclass(frozen=True)
class Count:
    """What Raito Cloud holds before an import (None: not known, as before the first one), and what is sent."""

    owner: str
    """id of the data source or identity store"""
    held: Elements | None
    sent: Elements
    certain: bool = True
    """false after a run that was killed and an import that failed: Raito Cloud may have taken in what was sent"""
    lost: str = ""
    """why it may hold more than `held`, which nobody knows any more"""

    def afterwards(self, *, removed: bool) -> Elements:
        """What Raito Cloud holds after the import, in which what was not sent was `removed`, or was not."""
        return self.sent if removed or self.held is None else self.held.with_(self.sent)

    def note(self, row: ImportResult) -> ImportResult:
        """The row of the import with what its counters are expected to be."""
        after = self.afterwards(removed=row.delete_untouched)
        if self.held is None or not self.certain:
            return replace(row, held=len(after) if row.delete_untouched else None)
        added, removed = len(self.sent.less(self.held)), len(self.held.less(after))
        return replace(row, held=len(after), expected_added=added, expected_removed=removed)


@dataclass(frozen=True)
class Work:
    """What an upload works with: one cell, its target, its task in Raito Cloud, and a folder for its files."""

    services: Services
    store: Store
    cell: Cell
    target: Target
    task: Task
    verdict: Verdict
    folder: Path
    subtree: Subtree | None = None
    """the only data objects to send; None = all"""
    log_files: list[tuple[str, str]] = field(default_factory=list)
    """keys and ETags of the log files whose statements are stored at the time of the upload"""
    sent: str = ""
    """what tells what is sent from what was sent before"""
    count: Count | None = None
    """what the import does to what Raito Cloud holds; None where that is not counted"""

    @property
    def account(self) -> AccountTarget:
        """The target of an account's upload."""
        assert isinstance(self.target, AccountTarget)
        return self.target

    @property
    def may_delete(self) -> bool:
        """Whether Raito Cloud may remove what the file lacks: asked for, and nothing is missing."""
        return self.target.delete_untouched and self.verdict.complete

    @property
    def replace_groups(self) -> bool:
        """Whether the members of a group are those of the file alone: asked for, and nothing is missing."""
        return self.target.replace_groups and self.verdict.complete


class NothingToSend(CellMissing):
    """No region of an account was ever read: there is nothing that could be sent."""

    def __init__(self, table: str, account: str, verdict: Verdict) -> None:
        LookupError.__init__(self, f"nothing was sent, because nothing was ever read: {verdict.text or 'no regions'}")
        self.table, self.account, self.region, self.uri = table, account, None, ""


def stored_regions(work: Work, table: str) -> list[str]:
    """The regions of the account whose cell of `table` was ever written: what there is to send."""
    regions = partitions.regions(work.services.options)
    scope = [r for r in regions if partitions.in_scope(work.services.options, work.cell.account, r)]
    return [region for region in scope if work.store.info(table, work.cell.account, region) is not None]


def exchange_folder(target: Target, stage: str) -> ExchangeFolder:
    """A folder for the files of one stage of a target, kept and copied as `raito.yml` says."""
    backups = Path(target.file_backup_location) if target.file_backup_location else None
    if backups is not None and backups.parts[:1] == ("~",):
        backups = backups.expanduser()
    return ExchangeFolder(target.name, stage, target.delete_temp_files, backups, target.maximum_backups_per_target)
