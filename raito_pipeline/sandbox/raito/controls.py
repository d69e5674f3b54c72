"""Access controls that are defined in the local Raito Cloud: definition, export as a file, and what a push answered."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection, Row

from raito_pipeline.sandbox.raito.database import Database, access_controls, data_sources
from raito_pipeline.sandbox.raito.jobs import NotThere, NotValid

_WHO_LISTS = ("users", "groups", "inheritFrom", "recipients")
_LOCKS = ("whoLocked", "inheritanceLocked", "whatLocked", "deleteLocked")
_KNOWN = frozenset(
    {"id", "name", "description", "namingHint", "type", "externalId", "action", "delete", "actualName"}
    | {"who", "deletedWho", "what", "deleteWhat", "owners", *_LOCKS}
)


class Controls:
    """The access controls of every data source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def define(self, data_source: str, definition: Mapping[str, Any]) -> str:
        """Adds an access control or changes it, in the form of one element of the exported file; gives its id.

        `id` and `name` are needed; `externalId` and `actualName` say what it already stands for in AWS. What equals
        the present definition changes nothing. Raises NotValid or NotThere (data source).
        """
        content = _checked(definition)
        with self._database.write() as connection:
            if connection.execute(select(data_sources.c.id).where(data_sources.c.id == data_source)).first() is None:
                raise NotThere("data source", data_source)
            row = self._find(connection, data_source, content["id"])
            if row is None:
                self._insert(connection, data_source, content)
            elif row.definition != content:
                connection.execute(
                    update(access_controls)
                    .where(access_controls.c.data_source == data_source, access_controls.c.id == content["id"])
                    .values(definition=content, revision=row.revision + 1, removed=False)
                )
        return str(content["id"])

    def export(self, connection: Connection, data_source: str, *, only_out_of_sync: bool) -> bytes:
        """The exported file as YAML, and the note of what it held, in a transaction of the caller."""
        rows = [
            row
            for row in self._rows(connection, data_source)
            if not row.removed and (out_of_sync(row) or not only_out_of_sync)
        ]
        for row in rows:
            connection.execute(
                update(access_controls)
                .where(access_controls.c.data_source == data_source, access_controls.c.id == row.id)
                .values(exported=row.definition, exported_revision=row.revision)
            )
        seconds = int(time.time())
        content = {
            "lastCalculated": seconds,
            "fileBuildTime": seconds,
            "accessProviders": [exported(row) for row in rows],
        }
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()

    def answer(self, connection: Connection, data_source: str, control: str, answer: Mapping[str, Any]) -> bool:
        """Takes in what a push says of one access control; gives whether it now has a new actual name.

        Without errors the exported definition counts as real. A control that was to be deleted is then gone.
        Raises NotThere for an id that was never defined, or is gone already.
        """
        row = self._find(connection, data_source, control)
        if row is None or row.removed:
            raise NotThere("access control", control)
        errors = list(answer.get("errors") or [])
        values: dict[str, Any] = {"errors": errors, "warnings": list(answer.get("warnings") or [])}
        if not errors:
            content = row.exported or row.definition
            values |= {
                "synced": content,
                "synced_revision": row.exported_revision if row.exported_revision is not None else row.revision,
                "actual_name": answer.get("actualName") or "",
                "external_id": answer.get("externalId"),
                "actual_type": answer.get("type"),
                "removed": bool(content.get("delete")) and bool(row.definition.get("delete")),
            }
        connection.execute(
            update(access_controls)
            .where(access_controls.c.data_source == data_source, access_controls.c.id == control)
            .values(values)
        )
        return bool(values.get("actual_name")) and values["actual_name"] != row.actual_name

    def listed(self, data_source: str) -> Sequence[Row[Any]]:
        """All access controls of a data source in order of definition, those that are gone included."""
        with self._database.read() as connection:
            return self._rows(connection, data_source)

    @staticmethod
    def _rows(connection: Connection, data_source: str) -> Sequence[Row[Any]]:
        return connection.execute(
            select(access_controls)
            .where(access_controls.c.data_source == data_source)
            .order_by(access_controls.c.number)
        ).all()

    @staticmethod
    def _find(connection: Connection, data_source: str, control: str) -> Row[Any] | None:
        return connection.execute(
            select(access_controls).where(access_controls.c.data_source == data_source, access_controls.c.id == control)
        ).first()

    @staticmethod
    def _insert(connection: Connection, data_source: str, content: Mapping[str, Any]) -> None:
        number = connection.execute(select(func.coalesce(func.max(access_controls.c.number), 0) + 1)).scalar_one()
        connection.execute(
            insert(access_controls).values(
                data_source=data_source,
                id=content["id"],
                number=number,
                definition=dict(content),
                revision=1,
                actual_name=content.get("actualName") or "",
                external_id=content.get("externalId"),
                errors=[],
                warnings=[],
            )
        )


def out_of_sync(row: Row[Any]) -> bool:
    """Whether AWS may differ from what is defined: never pushed, changed since, or the last push failed."""
    return bool(row.synced_revision != row.revision or row.errors)


def state(row: Row[Any]) -> str:
    """REMOVED, FAILED, SYNCED, CHANGED or NEW."""
    if row.removed:
        return "REMOVED"
    if row.errors:
        return "FAILED"
    if row.synced_revision == row.revision:
        return "SYNCED"
    return "NEW" if row.synced_revision is None else "CHANGED"


def exported(row: Row[Any]) -> dict[str, Any]:
    """One element of `accessProviders` of the exported file."""
    definition = row.definition
    who = {name: list((definition.get("who") or {}).get(name) or []) for name in _WHO_LISTS}
    return {
        "id": row.id,
        "name": definition["name"],
        "description": definition.get("description") or "",
        "namingHint": definition.get("namingHint") or "",
        "type": definition.get("type"),
        "externalId": row.external_id,
        "action": definition.get("action") or "grant",
        "delete": bool(definition.get("delete")),
        # Never an empty text: clients take that for a name.
        "actualName": row.actual_name or None,
        "who": who,
        "deletedWho": definition.get("deletedWho") or _deleted_who(row.synced, who),
        "what": _what(definition),
        "deleteWhat": definition.get("deleteWhat") or _deleted_what(row.synced, definition),
        **{lock: bool(definition.get(lock)) for lock in _LOCKS},
        "owners": definition.get("owners") or [],
    }


def _what(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "dataObject": {
                "fullName": item["dataObject"]["fullName"],
                "type": item["dataObject"].get("type") or "",
            },
            "permissions": list(item.get("permissions") or []),
        }
        for item in definition.get("what") or []
    ]


def _deleted_who(synced: Mapping[str, Any] | None, who: Mapping[str, list[str]]) -> dict[str, list[str]] | None:
    """Who had access at the last successful push and has it no more; None if nobody."""
    before = (synced or {}).get("who") or {}
    gone = {name: [one for one in before.get(name) or [] if one not in who[name]] for name in _WHO_LISTS}
    return gone if any(gone.values()) else None


def _deleted_what(synced: Mapping[str, Any] | None, definition: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Data objects of the last successful push that the access control names no more; None if there are none."""
    kept = {item["dataObject"]["fullName"] for item in _what(definition)}
    gone = [item for item in _what(synced or {}) if item["dataObject"]["fullName"] not in kept]
    return gone or None


def _checked(definition: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(definition) - _KNOWN)
    if unknown:
        raise NotValid(f"an access control has no field {', '.join(unknown)}")
    for needed in ("id", "name"):
        if not isinstance(definition.get(needed), str) or not definition[needed]:
            raise NotValid(f"an access control needs {needed}")
    for item in definition.get("what") or []:
        if not isinstance(item, Mapping) or not (item.get("dataObject") or {}).get("fullName"):
            raise NotValid(f"access control {definition['id']}: an element of what names no data object")
    # Through JSON, so that what is compared later is what SQLite gives back.
    content: dict[str, Any] = json.loads(json.dumps(dict(definition)))
    return content
