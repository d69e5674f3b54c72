"""What the reading of usage is told, and what it tells."""

from dataclasses import dataclass
from datetime import timedelta

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


NOTHING_INCOMPLETE = Incomplete()


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
