"""Import of a data source: one file of data objects, of any size.

The file is staged in a temporary table first, checked and compared there, and only the difference is then written,
so that memory stays flat and other clients wait as little as possible.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.imports.common import (
    MOST_ERRORS,
    ImportRejected,
    ImportWork,
    TagRecord,
    Warnings,
    merged_tags,
    metadata_of,
    only_valid,
    tags_text,
)
from raito_pipeline.sandbox.raito.reading import BrokenFile, batches

ROOT_TYPE = "datasource"
_EXAMPLES = 20

_STAGE = """
CREATE TEMP TABLE staged (
    external_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, name TEXT NOT NULL, full_name TEXT, type TEXT NOT NULL,
    description TEXT NOT NULL, parent TEXT NOT NULL, data_type TEXT, tags TEXT
) WITHOUT ROWID
"""
_COLUMNS = "name, full_name, type, description, parent, data_type, tags"
_DIFFERS = " OR ".join(f"known.{column} IS NOT staged.{column}" for column in _COLUMNS.split(", "))
_KNOWN_TOO = "data_objects AS known ON known.data_source = ? AND known.external_id = staged.external_id"


class DataObjectRecord(msgspec.Struct, rename="camel"):
    """One element of the data source file."""

    external_id: str
    name: str
    full_name: str
    type: str
    description: str | None = ""
    parent_external_id: str | None = ""
    tags: list[TagRecord] | None = None
    data_type: str | None = None


def import_data_objects(work: ImportWork, connection: Connection) -> None:
    """Replaces or merges the data objects, by `deleteUntouched`; nothing changes on ImportRejected."""
    warnings = Warnings()
    removes = bool(work.request.get("deleteUntouched", True))
    with connection.begin():
        connection.exec_driver_sql(_STAGE)
        _stage(work, connection, warnings)
        _check_first(work, connection, removes=removes)
        _drop_unknown_types(work, connection, warnings)
        _drop_orphans(work, connection, warnings, removes=removes)
        _keep_foreign_tags(work, connection)
        counts = _compare(work, connection, removes=removes)
    with work.database.exclusively(connection):
        _apply(work, connection, counts)
        work.finish(
            connection,
            {
                "__typename": "DataSourceImportResult",
                **{f"dataObjects{name}": count for name, count in counts.items()},
                "warnings": warnings.listed(),
            },
        )


def _stage(work: ImportWork, connection: Connection, warnings: Warnings) -> None:
    errors: list[str] = []
    statement = f"INSERT OR IGNORE INTO staged (external_id, seq, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    sequence = 0
    try:
        for batch in batches(work.path(work.request["fileKey"]), "data source", DataObjectRecord):
            work.go_on()
            rows = list(_rows(only_valid(batch, errors), sequence, errors))
            if rows and not errors:
                inserted = connection.exec_driver_sql(statement, rows).rowcount
                if inserted != len(rows):
                    _warn_of_doubles(connection, rows, warnings)
            sequence += len(batch)
    except BrokenFile as error:
        errors.append(str(error))
    if errors:
        raise ImportRejected(errors[:MOST_ERRORS])


def _rows(records: list[DataObjectRecord], before: int, errors: list[str]) -> Iterator[tuple[Any, ...]]:
    for sequence, record in enumerate(records, before + 1):
        if not (record.external_id and record.full_name and record.type):
            if len(errors) < MOST_ERRORS:
                errors.append(f"data source file: {record} lacks externalId, fullName or type")
            continue
        yield (
            record.external_id,
            sequence,
            record.name,
            record.full_name if record.full_name != record.external_id else None,
            record.type,
            record.description or "",
            record.parent_external_id or "",
            record.data_type,
            tags_text(record.tags),
        )


def _warn_of_doubles(connection: Connection, rows: list[tuple[Any, ...]], warnings: Warnings) -> None:
    for row in rows:
        first = connection.exec_driver_sql("SELECT seq FROM staged WHERE external_id = ?", (row[0],)).scalar_one()
        if first != row[1]:
            warnings.add(f"data object {row[0]} stands in the file twice; the first one counts")


def _check_first(work: ImportWork, connection: Connection, *, removes: bool) -> None:
    """A whole file begins with the data source itself; a part of one may rely on what is known."""
    first = connection.exec_driver_sql("SELECT external_id, type, parent FROM staged ORDER BY seq LIMIT 1").first()
    if first is not None and first.type == ROOT_TYPE and not first.parent:
        return
    known = connection.exec_driver_sql(
        "SELECT 1 FROM data_objects WHERE data_source = ? AND type = ? LIMIT 1", (work.store, ROOT_TYPE)
    ).first()
    if removes or known is None:
        met = "an empty file" if first is None else f"{first.external_id} of type {first.type}"
        raise ImportRejected(
            [f"the first data object has to be the data source (type {ROOT_TYPE}, no parent), found {met}"]
        )


def _drop_unknown_types(work: ImportWork, connection: Connection, warnings: Warnings) -> None:
    content = metadata_of(connection, work.store)
    if content is None:
        warnings.add("no metadata is set for this data source; types were not checked")
        return
    known = {kind["name"] for kind in content.get("dataObjectTypes") or []} | {ROOT_TYPE}
    types = connection.exec_driver_sql("SELECT type, count(*) AS number FROM staged GROUP BY type").all()
    for row in types:
        if row.type not in known:
            connection.exec_driver_sql("DELETE FROM staged WHERE type = ?", (row.type,))
            warnings.add(f"{row.number} data objects of the unknown type {row.type!r} were left out", row.number)


def _drop_orphans(work: ImportWork, connection: Connection, warnings: Warnings, *, removes: bool) -> None:
    """Leaves out what has no parent before it, and then what stood below that."""
    known = (
        "0" if removes else "EXISTS (SELECT 1 FROM data_objects WHERE data_source = ? AND external_id = staged.parent)"
    )
    parameters = () if removes else (work.store,)
    orphans = (
        "SELECT staged.external_id AS id, staged.parent AS parent FROM staged"
        " LEFT JOIN staged AS above ON above.external_id = staged.parent"
        f" WHERE (above.seq IS NULL OR above.seq >= staged.seq) AND NOT ({known})"
        f" AND NOT (staged.type = '{ROOT_TYPE}' AND staged.parent = '')"
    )
    while True:
        work.go_on()
        connection.exec_driver_sql("CREATE TEMP TABLE orphans AS " + orphans, parameters)
        number = connection.exec_driver_sql("SELECT count(*) FROM orphans").scalar_one()
        for row in connection.exec_driver_sql(f"SELECT id, parent FROM orphans LIMIT {_EXAMPLES}"):
            warnings.add(f"data object {row.id}: its parent {row.parent!r} does not come before it; it was left out")
        if number > _EXAMPLES:
            warnings.add(f"{number - _EXAMPLES} more data objects without their parent were left out")
        connection.exec_driver_sql("DELETE FROM staged WHERE external_id IN (SELECT id FROM orphans)")
        connection.exec_driver_sql("DROP TABLE orphans")
        if number == 0:
            return


def _keep_foreign_tags(work: ImportWork, connection: Connection) -> None:
    """Tags of sources that this sync does not answer for stay as they are."""
    scope = frozenset(work.request.get("tagSourcesScope") or ())
    if not scope:
        return
    merge: Callable[[str | None, str | None], str | None] = lambda known, new: merged_tags(known, new, scope)  # noqa: E731
    driver: Any = connection.connection.driver_connection
    driver.create_function("merged_tags", 2, merge)
    connection.exec_driver_sql(
        "UPDATE staged SET tags = merged_tags(known.tags, staged.tags) FROM data_objects AS known"
        " WHERE known.data_source = ? AND known.external_id = staged.external_id AND known.tags IS NOT NULL",
        (work.store,),
    )


def _compare(work: ImportWork, connection: Connection, *, removes: bool) -> dict[str, int]:
    """Notes in `todo` what differs, so that the writing transaction does nothing but write."""
    connection.exec_driver_sql("CREATE TEMP TABLE todo (external_id TEXT PRIMARY KEY, what TEXT) WITHOUT ROWID")
    work.go_on()
    added = connection.exec_driver_sql(
        f"INSERT INTO todo SELECT staged.external_id, 'write' FROM staged LEFT JOIN {_KNOWN_TOO}"
        " WHERE known.external_id IS NULL",
        (work.store,),
    ).rowcount
    work.go_on()
    updated = connection.exec_driver_sql(
        f"INSERT INTO todo SELECT staged.external_id, 'write' FROM staged JOIN {_KNOWN_TOO} WHERE {_DIFFERS}",
        (work.store,),
    ).rowcount
    removed = 0
    if removes:
        work.go_on()
        removed = connection.exec_driver_sql(
            "INSERT INTO todo SELECT known.external_id, 'remove' FROM data_objects AS known WHERE known.data_source = ?"
            " AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.external_id = known.external_id)",
            (work.store,),
        ).rowcount
    return {"Added": added, "Updated": updated, "Removed": removed}


def _apply(work: ImportWork, connection: Connection, counts: dict[str, int]) -> None:
    if counts["Removed"]:
        connection.exec_driver_sql(
            "DELETE FROM data_objects WHERE data_source = ?"
            " AND external_id IN (SELECT external_id FROM todo WHERE what = 'remove')",
            (work.store,),
        )
    if counts["Added"] or counts["Updated"]:
        connection.exec_driver_sql(
            f"INSERT OR REPLACE INTO data_objects (data_source, external_id, {_COLUMNS})"
            f" SELECT ?, external_id, {_COLUMNS} FROM todo JOIN staged USING (external_id) WHERE what = 'write'",
            (work.store,),
        )
