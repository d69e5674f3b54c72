"""Where log files come from: S3 (`readers.cloudtrail.CloudTrailLogs`), or whatever has the same methods."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from raito_pipeline.aws.readers.cloudtrail import LogBytes, LogFile


class LogSource(Protocol):
    """Where log files come from (`raito_pipeline.aws.readers.cloudtrail.CloudTrailLogs`)."""

    def layouts(self) -> Sequence[str]: ...
    def search(self, *, everywhere: bool) -> Sequence[str]: ...
    def missing(self) -> str | None: ...
    def files(self, first: date, last: date, layouts: Sequence[str] | None = None) -> Iterator[LogFile]: ...
    def fetch(self, key: str) -> LogBytes: ...
