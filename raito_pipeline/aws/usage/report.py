"""What the reading of usage is told, and what it tells."""

from dataclasses import dataclass
from datetime import timedelta

from raito_pipeline.aws.usage.statements import StatementSettings

WAIT = timedelta(days=2)
"""How long a log file is read again because data objects were not read whole: long enough for what passes. A bucket
that stays denied must not keep usage away for ever; what is known then counts."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Which data objects may exist without being known, because their reading failed or was of an earlier sync.

    A call that matches no more than a bucket or a folder there may be on an object that was not read.
    """

    buckets: frozenset[str] = frozenset()
    """full names of buckets of which some keys may not be known"""
    whole: bool = False
    """true where that may be so of every bucket, and buckets may be missing themselves"""

    def __bool__(self) -> bool:
        return self.whole or bool(self.buckets)


_NOTHING = Incomplete()


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """What is read and kept."""

    statements: StatementSettings
    window_days: int = 90
    """days of usage that are kept: `pipeline: usage-window-days`"""
    look_back_days: int = 2
    """days before the last sync that are listed again: `pipeline: cloudtrail-look-back-days`"""
    concurrency: int = 5
    incomplete: Incomplete = _NOTHING
    """what may be missing among the data objects that are known"""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What one sync of usage did, to be shown in the metadata of its cells."""

    listed: int = 0
    """log files listed in the window"""
    read: int = 0
    """log files read now"""
    bytes_read: int = 0
    """their size, packed"""
    records: int = 0
    new_statements: int = 0
    statements: int = 0
    """statements in the cell now"""
    duplicates: int = 0
    broken: int = 0
    skipped: tuple[tuple[str, int], ...] = ()
    """records without statement, by reason"""
    corrupt: int = 0
    """log files that were read now and could not be understood"""
    waiting: int = 0
    """log files that are read again, because data objects that they are on may only be missing now"""
    gaps: tuple[str, ...] = ()
    """days of the window without any log file, `YYYY-MM-DD`"""
    first_day: str = ""
    """first day that was listed"""
    problems: tuple[str, ...] = ()
