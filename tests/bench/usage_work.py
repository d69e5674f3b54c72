"""One measured piece of work on log files in a process of its own: `python -m tests.bench.usage_work WAY LOGS STORE`.

Ways: `parse` (unpack with isal and parse with msgspec into our records, one file after the other, and nothing else),
`plain` (the same, into dictionaries and lists), `sync`.
Prints a JSON object: CPU seconds, wall seconds, peak of the memory in MB, unpacked bytes, files opened, statements.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from isal import isal_zlib

from raito_pipeline.aws.readers.cloudtrail import LogBytes, LogFile
from raito_pipeline.aws.usage.known import KnownObjects
from raito_pipeline.aws.usage.reading import read_usage
from raito_pipeline.aws.usage.records import decode
from raito_pipeline.aws.usage.statements import UsagePlace
from raito_pipeline.config.groups import UsageOptions, UsageWindowOptions
from raito_pipeline.storage import Store
from tests.bench.process import tell

ACCOUNT, REGION, DAY = "111122223333", "eu-west-1", "2026-03-19"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
_GZIP = 31


class Folder:
    """A local folder of log files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.opened = 0

    def layouts(self) -> tuple[str, ...]:
        return ("AWSLogs/",)

    def search(self, *, everywhere: bool) -> tuple[str, ...]:  # noqa: ARG002 - a folder has no other places
        return ()

    def missing(self) -> None:
        return None

    def files(self, _first: date, _last: date, _layouts: Sequence[str] | None = None) -> Iterator[LogFile]:
        for path in sorted(self._folder.iterdir()):
            yield LogFile(path.name, "etag", path.stat().st_size, DAY, NOW)

    def fetch(self, key: str) -> LogBytes:
        self.opened += 1
        return LogBytes((self._folder / key).read_bytes(), "etag")


def parse(logs: Path, _store: Path) -> dict[str, int]:
    """What unpacking and parsing alone cost, where nothing is made of what we do not need."""
    return _alone(logs, lambda text: decode(text)[0])


def plain(logs: Path, _store: Path) -> dict[str, int]:
    """What unpacking and parsing alone cost, where all of a file becomes plain Python objects."""
    return _alone(logs, lambda text: msgspec.json.decode(text)["Records"])


def _alone(logs: Path, records: Callable[[bytes], list[Any]]) -> dict[str, int]:
    size = found = 0
    for path in sorted(logs.iterdir()):
        text = isal_zlib.decompress(path.read_bytes(), _GZIP)
        size += len(text)
        found += len(records(text))
    return {"bytes": size, "opened": 0, "statements": found}


def sync(logs: Path, store: Path) -> dict[str, int]:
    """From log files to statements in Parquet, as the asset does it."""
    bucket = f"{ACCOUNT}:{REGION}:data"
    known = KnownObjects()
    known.add([bucket, *(f"{bucket}/year=2026/{n}" for n in range(100))], ["bucket", *["folder"] * 100])
    place = UsagePlace(ACCOUNT, REGION, {}, {"data": REGION})
    options = UsageOptions(aws_s3_cloudtrail_bucket="trail")
    source = Folder(logs)
    report = read_usage(
        Store.open(store), source, ACCOUNT, REGION, known, place, options, UsageWindowOptions(), now=NOW
    )
    return {"bytes": 0, "opened": source.opened, "statements": report.statements}


WAYS = {"parse": parse, "plain": plain, "sync": sync}


def main(way: str, logs: str, store: str) -> None:
    """Do the work and print what it took."""
    tell(lambda: WAYS[way](Path(logs), Path(store)))


if __name__ == "__main__":
    main(*sys.argv[1:])
