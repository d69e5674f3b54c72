"""Import of access providers: one file, what it names checked against users, groups and data objects that are known."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.database import access_controls, access_providers, groups, links, users
from raito_pipeline.sandbox.raito.imports.common import (
    MOST_ERRORS,
    ImportRejected,
    ImportWork,
    TagRecord,
    Warnings,
    known_data_objects,
    metadata_of,
    only_valid,
)
from raito_pipeline.sandbox.raito.reading import BrokenFile, batches

ACTIONS = frozenset({"grant", "deny", "mask", "filtered", "purpose", "promise", "share"})


class WhoRecord(msgspec.Struct, rename="camel"):
    """Who has access; null in a list means that it is not known."""

    users: list[str] | None = None
    groups: list[str] | None = None
    access_providers: list[str] | None = None
    recipients: list[str] | None = None


class ReferencedObject(msgspec.Struct, rename="camel"):
    """A reference to a data object."""

    full_name: str
    type: str | None = ""


class WhatRecord(msgspec.Struct, rename="camel"):
    """Permissions on one data object."""

    data_object: ReferencedObject
    permissions: list[str] | None = None


class AccessProviderRecord(msgspec.Struct, rename="camel"):
    """One element of the access provider file."""

    external_id: str
    name: str
    action: str
    type: str | None = None
    naming_hint: str | None = ""
    actual_name: str | None = ""
    policy: str | None = ""
    who: WhoRecord | None = None
    what: list[WhatRecord] | None = None
    access: None = None
    incomplete: bool | None = None
    not_internalizable: bool | None = None
    tags: list[TagRecord] | None = None
    who_locked: bool | None = None
    who_locked_reason: str | None = None
    inheritance_locked: bool | None = None
    inheritance_locked_reason: str | None = None
    what_locked: bool | None = None
    what_locked_reason: str | None = None
    name_locked: bool | None = None
    name_locked_reason: str | None = None
    delete_locked: bool | None = None
    delete_locked_reason: str | None = None
    owners_locked: bool | None = None
    owners_locked_reason: str | None = None


@dataclass(frozen=True)
class _Known:
    """What the names in the file may refer to. `permissions` is by type of data object; None: nothing was declared."""

    users: frozenset[str]
    groups: frozenset[str]
    access_providers: frozenset[str]
    data_objects: Mapping[str, str]
    types: frozenset[str] | None
    permissions: Mapping[str, frozenset[str]] | None


def import_access_providers(work: ImportWork, connection: Connection) -> None:
    """Replaces or merges the access providers, by `deleteUntouched`; nothing changes on ImportRejected."""
    warnings = Warnings()
    removes = bool(work.request.get("deleteUntouched", True))
    records = _read(work, warnings)
    with connection.begin():
        before = _before(connection, work.store)
        known = _known(connection, work.store, records.values(), before)
    rows = {
        record.external_id: _row(work.store, record, known, warnings)
        for record in records.values()
        if _has_known_type(record, known, warnings)
    }
    added = [row for identifier, row in rows.items() if identifier not in before]
    updated = [row for identifier, row in rows.items() if identifier in before and before[identifier] != row["record"]]
    removed = [identifier for identifier in before if identifier not in rows] if removes else []
    with work.database.exclusively(connection):
        _remove(connection, work.store, [*removed, *(row["external_id"] for row in updated)])
        if added or updated:
            connection.execute(insert(access_providers), [*added, *updated])
        work.finish(
            connection,
            {
                "__typename": "AccessProviderImportResult",
                "accessAdded": len(added),
                "accessUpdated": len(updated),
                "accessRemoved": len(removed),
                "warnings": warnings.listed(),
            },
        )


def _read(work: ImportWork, warnings: Warnings) -> dict[str, AccessProviderRecord]:
    errors: list[str] = []
    records: dict[str, AccessProviderRecord] = {}
    try:
        for batch in batches(work.path(work.request["fileKey"]), "access provider", AccessProviderRecord):
            work.go_on()
            for record in only_valid(batch, errors):
                if not record.external_id or not record.name:
                    errors.append(f"access provider {record.external_id or record.name!r} lacks externalId or name")
                elif record.action not in ACTIONS:
                    errors.append(f"access provider {record.external_id}: {record.action!r} is not an action")
                elif record.external_id in records:
                    warnings.add(f"access provider {record.external_id} stands in the file twice; the first one counts")
                else:
                    records[record.external_id] = record
    except BrokenFile as error:
        errors.append(str(error))
    if errors:
        raise ImportRejected(errors[:MOST_ERRORS])
    return records


def _before(connection: Connection, store: str) -> dict[str, str]:
    rows = connection.execute(
        select(access_providers.c.external_id, access_providers.c.record).where(access_providers.c.data_source == store)
    )
    return {row.external_id: row.record for row in rows}


def _known(
    connection: Connection, store: str, records: Iterable[AccessProviderRecord], before: Iterable[str]
) -> _Known:
    records = list(records)
    stores = select(links.c.identity_store).where(links.c.data_source == store)
    controls = select(access_controls.c.external_id).where(
        access_controls.c.data_source == store, access_controls.c.external_id.is_not(None)
    )
    content = metadata_of(connection, store)
    return _Known(
        users=frozenset(
            connection.execute(select(users.c.user_name).where(users.c.identity_store.in_(stores))).scalars()
        ),
        groups=frozenset(
            connection.execute(select(groups.c.name).where(groups.c.identity_store.in_(stores))).scalars()
        ),
        access_providers=frozenset(before)
        | {record.external_id for record in records}
        | frozenset(connection.execute(controls).scalars()),
        data_objects=known_data_objects(
            connection,
            store,
            {item.data_object.full_name for record in records for item in record.what or ()},
        ),
        types=_types(content),
        permissions=_permissions(content),
    )


def _types(content: Mapping[str, Any] | None) -> frozenset[str] | None:
    declared = (content or {}).get("accessProviderTypes")
    return frozenset(kind["type"] for kind in declared) if declared else None


def _permissions(content: Mapping[str, Any] | None) -> Mapping[str, frozenset[str]] | None:
    declared = (content or {}).get("dataObjectTypes")
    if not declared:
        return None
    return {
        kind["name"]: frozenset(entry["permission"].lower() for entry in kind.get("permissions") or [])
        for kind in declared
    }


def _has_known_type(record: AccessProviderRecord, known: _Known, warnings: Warnings) -> bool:
    if known.types is None or record.type is None or record.type in known.types:
        return True
    warnings.add(f"access provider {record.external_id}: the type {record.type!r} is not known; it was left out")
    return False


def _row(store: str, record: AccessProviderRecord, known: _Known, warnings: Warnings) -> dict[str, Any]:
    content = {
        name: value for name, value in msgspec.to_builtins(record).items() if value is not None and name != "access"
    }
    content["who"] = _who(record, known, warnings)
    content["what"] = _what(record, known, warnings)
    return {
        "data_source": store,
        "external_id": record.external_id,
        "name": record.name,
        "type": record.type or "",
        "record": json.dumps(content, sort_keys=True),
    }


def _who(record: AccessProviderRecord, known: _Known, warnings: Warnings) -> dict[str, list[str] | None] | None:
    if record.who is None:
        return None
    sources = (
        ("users", "user", record.who.users, known.users),
        ("groups", "group", record.who.groups, known.groups),
        ("accessProviders", "access provider", record.who.access_providers, known.access_providers),
    )
    who: dict[str, list[str] | None] = {"recipients": record.who.recipients}
    for name, word, wanted, there in sources:
        who[name] = None if wanted is None else [one for one in wanted if one in there]
        for one in wanted or ():
            if one not in there:
                warnings.add(f"access provider {record.external_id}: {word} {one!r} in who is not known; left out")
    return who


def _what(record: AccessProviderRecord, known: _Known, warnings: Warnings) -> list[dict[str, Any]]:
    items = []
    for item in record.what or ():
        name, wanted = item.data_object.full_name, item.data_object.type or ""
        kind = known.data_objects.get(name)
        if kind is None or wanted not in ("", kind):
            described = f"{name!r} of type {wanted!r}" if wanted else repr(name)
            warnings.add(
                f"access provider {record.external_id}: data object {described} in what is not known; left out"
            )
            continue
        permissions = _allowed(record, item.permissions or [], kind, known, warnings)
        items.append({"dataObject": {"fullName": name, "type": kind}, "permissions": permissions})
    return items


def _allowed(
    record: AccessProviderRecord, permissions: list[str], kind: str, known: _Known, warnings: Warnings
) -> list[str]:
    if known.permissions is None:
        return permissions
    there = known.permissions.get(kind, frozenset())
    for permission in permissions:
        if permission.lower() not in there:
            warnings.add(
                f"access provider {record.external_id}: permission {permission!r} is not one of a {kind}; left out"
            )
    return [permission for permission in permissions if permission.lower() in there]


def _remove(connection: Connection, store: str, identifiers: list[str]) -> None:
    for start in range(0, len(identifiers), 500):
        connection.execute(
            delete(access_providers).where(
                access_providers.c.data_source == store,
                access_providers.c.external_id.in_(identifiers[start : start + 500]),
            )
        )
