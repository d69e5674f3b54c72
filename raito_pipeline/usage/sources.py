"""Where log files come from, as the reading of usage sees it: a folder or S3, it does not matter here."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Protocol


class LogFile(Protocol):
    """A log file as it is listed (`raito_pipeline.aws.cloudtrail.LogFile`)."""

    @property
    def key(self) -> str: ...
    @property
    def etag(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def day(self) -> str: ...
    @property
    def last_modified(self) -> datetime: ...


class LogBytes(Protocol):
    """The contents of a log file, or why there are none (`raito_pipeline.aws.cloudtrail.LogBytes`)."""

    @property
    def packed(self) -> bytes: ...
    @property
    def etag(self) -> str: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def gone(self) -> bool: ...


class LogSource(Protocol):
    """Where log files come from (`raito_pipeline.aws.cloudtrail.CloudTrailLogs`)."""

    def layouts(self) -> Sequence[str]: ...
    def files(self, first: date, last: date) -> Iterator[LogFile]: ...
    def fetch(self, key: str) -> LogBytes: ...
