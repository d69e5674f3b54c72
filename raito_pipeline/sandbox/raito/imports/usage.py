"""Import of usage: files of statements; each statement is taken in once, by its external id."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.imports.common import ImportRejected, ImportWork, Warnings, known_data_objects
from raito_pipeline.sandbox.raito.reading import BrokenFile, InvalidRecord, batches

_STAGE = """
CREATE TEMP TABLE staged (
    external_id TEXT PRIMARY KEY, user TEXT, role TEXT, success INTEGER, start_time INTEGER, bytes INTEGER, record TEXT
) WITHOUT ROWID
"""
_STAGE_EDGES = """
CREATE TEMP TABLE staged_edges (
    user TEXT, data_object TEXT, permission TEXT, statements INTEGER, first_used INTEGER, last_used INTEGER,
    PRIMARY KEY (user, data_object, permission)
) WITHOUT ROWID
"""
_COUNT_EDGE = """
ON CONFLICT (user, data_object, permission) DO UPDATE SET statements = statements + 1,
    first_used = min(first_used, excluded.first_used), last_used = max(last_used, excluded.last_used)
"""


class UsedObject(msgspec.Struct, rename="camel"):
    """A reference to a data object."""

    full_name: str
    type: str | None = ""


class AccessedRecord(msgspec.Struct, rename="camel"):
    """One data object that a statement touched."""

    data_object: UsedObject
    permissions: list[str] | None = None
    global_permission: str | None = ""


class StatementRecord(msgspec.Struct, rename="camel"):
    """One element of a usage file. Times are Unix seconds."""

    external_id: str
    accessed_data_objects: list[AccessedRecord] | None = None
    user: str | None = ""
    role: str | None = ""
    success: bool | None = False
    status: str | None = ""
    query: str | None = ""
    start_time: int = 0
    end_time: int = 0
    bytes: int = 0
    rows: int = 0
    credits: float = 0
    error: str | None = ""


class _Counts:
    def __init__(self) -> None:
        self.read = 0
        self.failed = 0
        self.warnings = Warnings()

    def fail(self, why: str) -> None:
        self.failed += 1
        self.warnings.add(why)


def import_usage(work: ImportWork, connection: Connection) -> None:
    """Adds the statements that are new; one that is known counts as skipped, one that cannot be used as failed.

    A file that is no JSON array fails the whole import, and nothing changes.
    """
    counts = _Counts()
    with connection.begin():
        connection.exec_driver_sql(_STAGE)
        connection.exec_driver_sql(_STAGE_EDGES)
        for key in work.request.get("fileKeys") or []:
            _stage(work, connection, key, counts)
        _count_edges(connection)
    with work.database.exclusively(connection):
        added, edges = _apply(work, connection)
        work.finish(
            connection,
            {
                "__typename": "DataUsageImportResult",
                "statementsAdded": added,
                "statementsFailed": counts.failed,
                "statementsSkipped": counts.read - counts.failed - added,
                "edgesCreatedOrUpdated": edges,
                "edgesRemoved": 0,
                "warnings": counts.warnings.listed(),
            },
        )


def _stage(work: ImportWork, connection: Connection, key: str, counts: _Counts) -> None:
    statement = "INSERT OR IGNORE INTO staged VALUES (?, ?, ?, ?, ?, ?, ?)"
    try:
        for batch in batches(work.path(key), "usage", StatementRecord):
            work.go_on()
            counts.read += len(batch)
            names = {
                accessed.data_object.full_name
                for record in batch
                if not isinstance(record, InvalidRecord)
                for accessed in record.accessed_data_objects or ()
            }
            known = known_data_objects(connection, work.store, names)
            new = _without_known(connection, work.store, batch)
            rows = [row for record in new if (row := _row(record, known, counts)) is not None]
            if rows:
                connection.exec_driver_sql(statement, rows)
    except BrokenFile as error:
        raise ImportRejected([str(error)]) from None


def _row(record: StatementRecord | InvalidRecord, known: dict[str, str], counts: _Counts) -> tuple[Any, ...] | None:
    if isinstance(record, InvalidRecord):
        counts.fail(str(record))
        return None
    if not record.external_id or record.start_time <= 0:
        counts.fail(f"statement {record.external_id!r} lacks its externalId or startTime")
        return None
    used = [accessed for accessed in record.accessed_data_objects or () if _is_known(accessed, known)]
    if not used:
        names = ", ".join(accessed.data_object.full_name for accessed in record.accessed_data_objects or ()) or "none"
        counts.fail(f"statement {record.external_id}: no data object of it is known ({names})")
        return None
    if len(used) < len(record.accessed_data_objects or ()):
        counts.warnings.add(f"statement {record.external_id}: some of its data objects are not known")
    content = msgspec.structs.replace(record, accessed_data_objects=used)
    return (
        record.external_id,
        record.user or "",
        record.role or "",
        bool(record.success),
        record.start_time,
        record.bytes,
        msgspec.json.encode(content).decode(),
    )


def _is_known(accessed: AccessedRecord, known: dict[str, str]) -> bool:
    kind = known.get(accessed.data_object.full_name)
    return kind is not None and accessed.data_object.type in ("", None, kind)


def _without_known(
    connection: Connection, store: str, batch: list[StatementRecord | InvalidRecord]
) -> list[StatementRecord | InvalidRecord]:
    """A statement that was taken in once is skipped, whatever has become of its data objects since."""
    wanted = [record.external_id for record in batch if not isinstance(record, InvalidRecord)]
    known = frozenset(
        connection.execute(
            text(
                "SELECT known.external_id FROM json_each(:wanted) AS wanted CROSS JOIN usage_statements AS known"
                " ON known.data_source = :store AND known.external_id = wanted.value"
            ),
            {"wanted": json.dumps(wanted), "store": store},
        ).scalars()
    )
    return [record for record in batch if isinstance(record, InvalidRecord) or record.external_id not in known]


def _count_edges(connection: Connection) -> None:
    rows = connection.exec_driver_sql("SELECT user, start_time, record FROM staged")
    for batch in rows.partitions(5000):
        edges = list(_edges(batch))
        if edges:
            connection.exec_driver_sql(f"INSERT INTO staged_edges VALUES (?, ?, ?, 1, ?, ?) {_COUNT_EDGE}", edges)


def _edges(rows: Sequence[Any]) -> Iterable[tuple[str, str, str, int, int]]:
    for row in rows:
        for accessed in json.loads(row.record)["accessedDataObjects"]:
            for permission in accessed.get("permissions") or [accessed.get("globalPermission") or ""]:
                yield row.user, accessed["dataObject"]["fullName"], permission, row.start_time, row.start_time


def _apply(work: ImportWork, connection: Connection) -> tuple[int, int]:
    """Gives the numbers of statements and edges that were written."""
    added = connection.exec_driver_sql(
        'INSERT INTO usage_statements (data_source, external_id, "user", role, success, start_time, bytes, record)'
        " SELECT ?, * FROM staged",
        (work.store,),
    ).rowcount
    edges = connection.exec_driver_sql(
        'INSERT INTO usage_edges (data_source, "user", data_object, permission, statements, first_used, last_used)'
        " SELECT ?, * FROM staged_edges WHERE true"
        ' ON CONFLICT (data_source, "user", data_object, permission) DO UPDATE SET'
        " statements = statements + excluded.statements,"
        " first_used = min(first_used, excluded.first_used), last_used = max(last_used, excluded.last_used)",
        (work.store,),
    ).rowcount
    connection.execute(
        text(
            "UPDATE data_sources SET"
            " usage_first_used = (SELECT min(x) FROM (SELECT usage_first_used AS x"
            "   UNION ALL SELECT min(start_time) FROM staged)),"
            " usage_last_used = (SELECT max(x) FROM (SELECT usage_last_used AS x"
            "   UNION ALL SELECT max(start_time) FROM staged))"
            " WHERE id = :store"
        ),
        {"store": work.store},
    )
    return added, edges
