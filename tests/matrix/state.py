"""What a sync leaves behind, in a form that two moments can be compared in: the tables, and Raito Cloud."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

_VOLATILE = {"read_at", "file_key"}
"""Columns that differ from sync to sync: when a log file was read, and which of two files brought an event first."""
READ_TABLES = (
    "org_users", "org_groups", "org_permission_sets", "org_account_assignments",
    "iam_users", "iam_groups", "iam_roles", "iam_policies", "iam_attachments",
    "s3_buckets", "data_objects", "access_points", "access_providers", "cloudtrail_files", "usage_statements",
)  # fmt: skip
GROWING_TABLES = frozenset({"cloudtrail_files", "usage_statements"})
_KEYS = {
    "users": ("identity_store", "external_id"),
    "groups": ("identity_store", "external_id"),
    "data_objects": ("data_source", "external_id"),
    "access_providers": ("data_source", "external_id"),
    "usage_statements": ("data_source", "external_id"),
}
Cells = dict[str, "StoredCell"]
Content = dict[str, dict[str, str]]


@dataclass(frozen=True)
class StoredCell:
    """A stored cell: how its read ended, and its rows as texts."""

    status: str
    rows: frozenset[str]


def stored_cells(data: Path) -> Cells:
    """The cells of the tables that reading makes, by `table/place`."""
    return dict(_cells(data))


def _cells(data: Path) -> Iterator[tuple[str, StoredCell]]:
    for table in READ_TABLES:
        for file in sorted((data / table).rglob("data.parquet")):
            footer = pq.read_metadata(file).metadata or {}
            rows = pq.read_table(file, partitioning=None).to_pylist()
            status = footer[b"raito_pipeline.status"].decode()
            yield file.parent.relative_to(data).as_posix(), StoredCell(status, frozenset(map(_text, rows)))


def _text(row: Mapping[str, object]) -> str:
    return json.dumps(
        {name: value for name, value in row.items() if name not in _VOLATILE}, sort_keys=True, default=str
    )


def raito_content(database: Path) -> Content:
    """Everything that imports brought into the local Raito Cloud, by kind and key."""
    found: Content = {}
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        for table, keys in _KEYS.items():
            rows = (dict(row) for row in connection.execute(f'select * from "{table}"'))
            found[table] = {"/".join(str(row[key]) for key in keys): _text(row) for row in rows}
    return found


def lost(before: Content, after: Content) -> list[str]:
    """What Raito Cloud held before and holds no more, or holds otherwise; what came is no loss."""
    return [
        f"Raito Cloud: {kind} {key} {'is gone' if key not in after[kind] else 'has changed'}"
        for kind, entries in before.items()
        for key, text in entries.items()
        if after[kind].get(key) != text
    ]


def shorter(before: Cells, after: Cells) -> list[str]:
    """Cells that lack rows or have others than before; those that only grow may have new ones."""
    wrong = []
    for name, cell in before.items():
        now = after.get(name)
        if now is None:
            wrong.append(f"table {name} is gone")
        elif missing := cell.rows - now.rows:
            wrong.append(f"table {name} ({now.status}) lacks {len(missing)} rows, as {min(missing)[:200]}")
        elif now.rows - cell.rows and name.split("/")[0] not in GROWING_TABLES:
            wrong.append(f"table {name} ({now.status}) has new rows, as {min(now.rows - cell.rows)[:200]}")
    return wrong
