"""What a stored cell knows about itself: the key-value metadata of its Parquet file, and the notes beside it.

A cell in which nothing is new is not written again by a sync: `_confirmed.json` beside it says which sync read again,
and when. A file in which damaged rows were met is marked by `_damaged.json`, so that the next sync writes it anew.
Each file has an id, which both repeat: they count for that very file only.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class ReadStatus(StrEnum):
    """How the read behind a cell ended. Only `COMPLETE` and `OUT_OF_SCOPE` cells miss nothing."""

    COMPLETE = "complete"
    """everything that was asked for was read; the cell may still be empty"""
    PARTIAL = "partial"
    """something could not be read: the problems say what"""
    DENIED = "denied"
    """AWS refused the read; the cell holds no rows. Only tables that are optional are stored so"""
    THROTTLED = "throttled"
    """AWS throttled the read away; the cell holds no rows"""
    OPTED_OUT = "opted_out"
    """the region is not enabled in the account"""
    OUT_OF_SCOPE = "out_of_scope"
    """`raito.yml` does not ask for this cell"""


REPLACES = "replaces"
"""In `CellInfo.extra`: why the file before could not be used."""
UPGRADES = "upgrades"
"""In `CellInfo.extra`: how the file before, of an older version of the project, was read."""


@dataclass(frozen=True, slots=True)
class CellInfo:
    """A stored cell: where it lies, what it holds, when it was read, and whether the read was complete.

    `sync` is the id of the sync that wrote the cell, or of the last one that confirmed it (`Store.confirm`), `read_at`
    the beginning of the read of that sync, and `run_id` its Dagster run. `schema` is the version of the columns
    (`model.schema.schema_version`), `content` a digest of what the cell holds. `sync`, `file_id`, `schema` and
    `content` are empty in files of versions that did not note them.
    """

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
    sync: str = ""
    file_id: str = ""
    schema: str = ""
    content: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read without anything of the cell missing (tags, say), one line each."""
        return tuple(json.loads(self.extra.get("warnings", "[]")))

    @property
    def replaces(self) -> str | None:
        """Why the file that was there before this one could not be used; None where it could, or none was there."""
        return self.extra.get(REPLACES)

    @property
    def upgrades(self) -> str | None:
        """How the columns of the file before this one were read, where an older version of the project wrote it."""
        return self.extra.get(UPGRADES)

    @property
    def complete(self) -> bool:
        """True where nothing that belongs to the cell is missing: the only state that permits deletions."""
        return self.status in (ReadStatus.COMPLETE, ReadStatus.OUT_OF_SCOPE)

    @property
    def label(self) -> str:
        """The cell as a person names it: `table account/region`."""
        return cell_label(self.table, self.account, self.region)


def cell_label(table: str, account: str, region: str | None) -> str:
    """A cell as messages name it: `table account/region`."""
    return f"{table} {place_of(account, region)}"


def place_of(account: str, region: str | None) -> str:
    """Where a cell is, in messages: `account`, or `account/region`."""
    return account if region is None else f"{account}/{region}"


class CellMissing(LookupError):
    """A cell that was asked for was never written."""

    def __init__(self, table: str, account: str, region: str | None, uri: str) -> None:
        super().__init__(self._text(table, place_of(account, region), uri))
        self.table, self.account, self.region, self.uri = table, account, region, uri

    def _text(self, table: str, place: str, uri: str) -> str:
        return f"{table} of {place} is not there ({uri}): materialize {table} for this partition first"


class CellUnusable(CellMissing):
    """A cell is there and cannot be used: damaged, or written by another version. It counts as not there."""

    def __init__(self, table: str, account: str, region: str | None, uri: str, reason: str) -> None:
        self.reason = reason
        super().__init__(table, account, region, uri)

    def _text(self, table: str, place: str, uri: str) -> str:
        return (
            f"{table} of {place} cannot be used ({uri}): {self.reason}. It counts as never read; the next sync reads "
            f"it anew, or materialize {table} for this partition"
        )


_PREFIX = b"raito_pipeline."


def to_metadata(
    status: ReadStatus,
    problems: tuple[str, ...],
    read_at: datetime,
    extra: Mapping[str, str],
    *,
    run_id: str,
    sync: str,
    file_id: str,
    rows: int,
    schema: str,
    content: str,
) -> dict[str, str]:
    """The Parquet key-value metadata of a cell. `digest` is over the other values: it shows where one was damaged."""
    values = {
        "status": status.value,
        "problems": json.dumps(list(problems)),
        "read_at": read_at.astimezone(UTC).isoformat(),
        "run_id": run_id,
        "sync": sync,
        "file_id": file_id,
        "rows": str(rows),
        "schema": schema,
        "content": content,
        "extra": json.dumps(dict(sorted(extra.items()))),
    }
    values["digest"] = _digest(values)
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
    """Read back what `to_metadata` wrote.

    Raises `KeyError` or `ValueError` where the file was not written by a store, or is not as it was written.
    """
    get = {key.removeprefix(_PREFIX).decode(): value.decode() for key, value in raw.items() if key.startswith(_PREFIX)}
    if "digest" in get and (get.pop("digest") != _digest(get) or int(get["rows"]) != rows):
        raise ValueError("its metadata is not as it was written")
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
        sync=get.get("sync", ""),
        file_id=get.get("file_id", ""),
        schema=get.get("schema", ""),
        content=get.get("content", ""),
    )


def _digest(values: Mapping[str, str]) -> str:
    text = json.dumps(dict(sorted(values.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def to_confirmation(info: CellInfo, sync: str, run_id: str, read_at: datetime) -> bytes:
    """The sidecar that says: the sync `sync` read again at `read_at`, and the file of `info` is still right."""
    values = {
        "sync": sync,
        "run_id": run_id,
        "read_at": read_at.astimezone(UTC).isoformat(),
        "confirms": _identity(info),
    }
    return json.dumps(values, indent=1).encode()


def with_confirmation(info: CellInfo, sidecar: bytes) -> CellInfo:
    """`info` with what a sidecar says of it; unchanged where the sidecar is of another file or unreadable."""
    said = _note_on(info, sidecar, "confirms")
    try:
        read_at = datetime.fromisoformat(said["read_at"])
        return replace(info, sync=str(said["sync"]), run_id=str(said["run_id"]), read_at=read_at)
    except (KeyError, ValueError, TypeError):
        return info


def to_damage_note(info: CellInfo, reason: str) -> bytes:
    """The note that rows of the file of `info` cannot be read, and why."""
    return json.dumps({"damaged": _identity(info), "reason": reason}, indent=1).encode()


def damage_of(info: CellInfo, note: bytes) -> str | None:
    """Why the file of `info` cannot be used, as a note says; None where the note is of another file or unreadable."""
    reason = _note_on(info, note, "damaged").get("reason")
    return None if reason is None else str(reason)


def _note_on(info: CellInfo, note: bytes, what: str) -> dict[str, Any]:
    try:
        said = json.loads(note)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and said.get(what) == _identity(info) else {}


def _identity(info: CellInfo) -> dict[str, str]:
    """What tells the file of a cell from another one in its place; older files have no id."""
    return {"file_id": info.file_id, "run_id": info.run_id, "read_at": info.read_at.astimezone(UTC).isoformat()}
