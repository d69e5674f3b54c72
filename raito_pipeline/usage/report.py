"""What the reading of usage is told, and what it tells."""

from dataclasses import dataclass

from raito_pipeline.usage.statements import StatementSettings


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """What is read and kept."""

    statements: StatementSettings
    window_days: int = 90
    """days of usage that are kept: `pipeline: usage-window-days`"""
    look_back_days: int = 2
    """days before the last sync that are listed again: `pipeline: cloudtrail-look-back-days`"""
    concurrency: int = 5
    objects_missing: bool = False
    """true where data objects of the region are not known that do exist: what touches none that is known is read again
    """


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
    """log files that are read again, because data objects that they name may only be missing now"""
    gaps: tuple[str, ...] = ()
    """days of the window without any log file, `YYYY-MM-DD`"""
    first_day: str = ""
    """first day that was listed"""
    problems: tuple[str, ...] = ()
