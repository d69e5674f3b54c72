"""What a stored cell knows about itself, kept in the key-value metadata of its Parquet file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class ReadStatus(StrEnum):
    """How the read behind a cell ended. Only `COMPLETE` and `OUT_OF_SCOPE` cells miss nothing."""

    COMPLETE = "complete"
    """everything that was asked for was read; the cell may still be empty"""
    PARTIAL = "partial"
    """something could not be read: the problems say what"""
    DENIED = "denied"
    """AWS refused the mandatory read; the cell holds no rows"""
    THROTTLED = "throttled"
    """AWS throttled the read away; the cell holds no rows"""
    OPTED_OUT = "opted_out"
    """the region is not enabled in the account"""
    OUT_OF_SCOPE = "out_of_scope"
    """`raito.yml` does not ask for this cell"""


@dataclass(frozen=True, slots=True)
class CellInfo:
    """A stored cell: where it lies, what it holds, when it was read, and whether the read was complete."""

    table: str
    account: str
    region: str | None
    uri: str
    status: ReadStatus
    problems: tuple[str, ...]
    read_at: datetime
    rows: int
    bytes: int
    run_id: str
    extra: Mapping[str, str]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read without anything of the cell missing (tags, say), one line each."""
        return tuple(json.loads(self.extra.get("warnings", "[]")))

    @property
    def complete(self) -> bool:
        """True where nothing that belongs to the cell is missing: the only state that permits deletions."""
        return self.status in (ReadStatus.COMPLETE, ReadStatus.OUT_OF_SCOPE)

    @property
    def label(self) -> str:
        """The cell as a person names it: `table account/region`."""
        place = self.account if self.region is None else f"{self.account}/{self.region}"
        return f"{self.table} {place}"


class CellMissing(LookupError):
    """A cell that was asked for was never written."""

    def __init__(self, table: str, account: str, region: str | None, uri: str) -> None:
        place = account if region is None else f"{account}/{region}"
        super().__init__(f"{table} of {place} is not there ({uri}): materialize {table} for this partition first")
        self.table, self.account, self.region, self.uri = table, account, region, uri


_PREFIX = b"raito_pipeline."


def to_metadata(
    status: ReadStatus, problems: tuple[str, ...], read_at: datetime, run_id: str, extra: Mapping[str, str]
) -> dict[str, str]:
    """The Parquet key-value metadata of a cell."""
    values = {
        "status": status.value,
        "problems": json.dumps(list(problems)),
        "read_at": read_at.astimezone(UTC).isoformat(),
        "run_id": run_id,
        "extra": json.dumps(dict(sorted(extra.items()))),
    }
    return {f"{_PREFIX.decode()}{key}": value for key, value in values.items()}


def from_metadata(
    raw: Mapping[bytes, bytes],
    *,
    table: str,
    account: str,
    region: str | None,
    uri: str,
    rows: int,
    size: int,
) -> CellInfo:
    """Read back what `to_metadata` wrote. Raises `KeyError` where the file was not written by a store."""
    get = {key.removeprefix(_PREFIX).decode(): value.decode() for key, value in raw.items() if key.startswith(_PREFIX)}
    return CellInfo(
        table=table,
        account=account,
        region=region,
        uri=uri,
        status=ReadStatus(get["status"]),
        problems=tuple(json.loads(get["problems"])),
        read_at=datetime.fromisoformat(get["read_at"]),
        rows=rows,
        bytes=size,
        run_id=get["run_id"],
        extra=json.loads(get["extra"]),
    )
