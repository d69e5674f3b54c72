"""What all imports share: the work order, how they fail, how warnings are collected, and how names are looked up."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.database import Database
from raito_pipeline.sandbox.raito.reading import InvalidRecord

MOST_ERRORS = 50
MOST_WARNINGS = 500

Record = TypeVar("Record")


class ImportRejected(Exception):
    """An import that changes nothing. `errors` are all that was found, as they are reported to the client."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(self.errors))


class Stopping(Exception):
    """The server is being stopped; the import is left for its next start."""


@dataclass(frozen=True)
class ImportWork:
    """One import: what was asked for, the way to its files, and how its end is written into its last transaction."""

    database: Database
    store: str
    request: Mapping[str, Any]
    file: Callable[[str], Path | None]
    finish: Callable[[Connection, Mapping[str, Any]], None]
    stopping: threading.Event

    def path(self, key: str) -> Path:
        """The uploaded file of that key; raises ImportRejected where nothing was uploaded under it."""
        path = self.file(key)
        if path is None:
            raise ImportRejected([f"no file was uploaded under the key {key!r}"])
        return path

    def go_on(self) -> None:
        """To be called between batches; raises Stopping once the server stops."""
        if self.stopping.is_set():
            raise Stopping


class Warnings:
    """Collects warnings: the first of them in full, of the others the number."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._more = 0

    def add(self, warning: str, count: int = 1) -> None:
        if len(self._kept) < MOST_WARNINGS:
            self._kept.append(warning)
            count -= 1
        self._more += count

    def listed(self) -> list[str]:
        return [*self._kept, f"and {self._more} more"] if self._more else list(self._kept)


class TagRecord(msgspec.Struct):
    """A tag as import files hold it."""

    key: str
    value: str | None = ""
    source: str | None = ""


def tags_text(tags: list[TagRecord] | None) -> str | None:
    """Tags as comparable text: JSON in a fixed order, None for none at all."""
    if not tags:
        return None
    rows = sorted({(tag.source or "", tag.key, tag.value or "") for tag in tags})
    return json.dumps([{"key": key, "value": value, "source": source} for source, key, value in rows])


def merged_tags(known: str | None, new: str | None, scope: frozenset[str]) -> str | None:
    """The new tags, plus those known ones whose source lies outside the scope; an empty scope covers every source."""
    if not scope or known is None:
        return new
    kept = [tag for tag in json.loads(known) if tag["source"] not in scope]
    return tags_text([TagRecord(**tag) for tag in [*kept, *json.loads(new or "[]")]])


def only_valid(batch: Iterable[Record | InvalidRecord], errors: list[str]) -> list[Record]:
    """The valid records of a batch; what is wrong with the others is added to `errors`, up to a limit."""
    valid: list[Record] = []
    for record in batch:
        if not isinstance(record, InvalidRecord):
            valid.append(record)
        elif len(errors) < MOST_ERRORS:
            errors.append(str(record))
    return valid


def known_data_objects(connection: Connection, data_source: str, names: Iterable[str]) -> dict[str, str]:
    """Full name -> type of those of the names that the data source knows."""
    # CROSS JOIN keeps SQLite from walking through all data objects instead of the names that are wanted.
    rows = connection.execute(
        text(
            "SELECT wanted.value AS name, found.type AS type FROM json_each(:names) AS wanted"
            " CROSS JOIN data_objects AS found ON found.data_source = :store AND found.external_id = wanted.value"
            " AND found.full_name IS NULL"
            " UNION ALL SELECT wanted.value, found.type FROM json_each(:names) AS wanted"
            " CROSS JOIN data_objects AS found ON found.data_source = :store AND found.full_name = wanted.value"
        ),
        {"names": json.dumps(list(names)), "store": data_source},
    )
    return {row.name: row.type for row in rows}


def metadata_of(connection: Connection, data_source: str) -> Mapping[str, Any] | None:
    """The metadata that was set for the data source, None if there is none."""
    value = connection.execute(
        text("SELECT metadata FROM data_sources WHERE id = :store"), {"store": data_source}
    ).scalar_one()
    return json.loads(value) if value else None
