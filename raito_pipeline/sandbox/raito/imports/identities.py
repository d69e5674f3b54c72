"""Import of an identity store: a file of users and a file of groups."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.database import groups, users
from raito_pipeline.sandbox.raito.imports.common import (
    ImportRejected,
    ImportWork,
    TagRecord,
    Warnings,
    merged_tags,
    only_valid,
    tags_text,
)
from raito_pipeline.sandbox.raito.reading import BrokenFile, batches


class UserRecord(msgspec.Struct, rename="camel"):
    """One element of the users file."""

    external_id: str
    name: str | None = ""
    user_name: str | None = ""
    email: str | None = ""
    group_external_ids: list[str] | None = None
    tags: list[TagRecord] | None = None
    is_machine: bool | None = None


class GroupRecord(msgspec.Struct, rename="camel"):
    """One element of the groups file."""

    external_id: str
    name: str
    display_name: str | None = ""
    description: str | None = ""
    parent_group_external_ids: list[str] | None = None
    tags: list[TagRecord] | None = None


Element = TypeVar("Element", UserRecord, GroupRecord)
Rows = dict[str, dict[str, Any]]


def import_identities(work: ImportWork, connection: Connection) -> None:
    """Takes in users and groups, by `deleteUntouched` and `replaceGroups`; nothing changes on ImportRejected."""
    warnings = Warnings()
    user_records, group_records = _read(work, warnings)
    with connection.begin():
        known_users, known_groups = (
            _known(connection, users, work.store),
            _known(connection, groups, work.store),
        )
    new_groups = _group_rows(work, group_records, known_groups, warnings)
    all_groups = set(new_groups) if _deletes_groups(work) else set(new_groups) | set(known_groups)
    new_users = _user_rows(work, user_records, known_users, all_groups, warnings)
    with work.database.exclusively(connection):
        user_counts = _apply(connection, users, work.store, known_users, new_users, remove=_deletes(work))
        group_counts = _apply(connection, groups, work.store, known_groups, new_groups, remove=_deletes_groups(work))
        result = {
            "__typename": "IdentityStoreImportResult",
            **{f"users{name}": count for name, count in user_counts.items()},
            **{f"groups{name}": count for name, count in group_counts.items()},
            "warnings": warnings.listed(),
        }
        work.finish(connection, result)


def _deletes(work: ImportWork) -> bool:
    return bool(work.request.get("deleteUntouched", True))


def _deletes_groups(work: ImportWork) -> bool:
    return _deletes(work) and bool(work.request.get("groupsFileKey"))


def _read(work: ImportWork, warnings: Warnings) -> tuple[dict[str, UserRecord], dict[str, GroupRecord]]:
    errors: list[str] = []
    group_key = work.request.get("groupsFileKey")
    group_records = _file(work, group_key, "groups", GroupRecord, errors, warnings) if group_key else {}
    user_records = _file(work, work.request["usersFileKey"], "users", UserRecord, errors, warnings)
    if errors:
        raise ImportRejected(errors)
    return user_records, group_records


def _file(
    work: ImportWork, key: str, file: str, record: type[Element], errors: list[str], warnings: Warnings
) -> dict[str, Element]:
    elements: dict[str, Element] = {}
    try:
        for batch in batches(work.path(key), file, record):
            work.go_on()
            for element in only_valid(batch, errors):
                if not element.external_id:
                    errors.append(f"{file} file: an element without externalId ({element.name or 'no name'})")
                elif element.external_id in elements:
                    warnings.add(f"{file} file: {element.external_id} stands there twice; the first one counts")
                else:
                    elements[element.external_id] = element
    except BrokenFile as error:
        errors.append(str(error))
    return elements


def _known(connection: Connection, table: Table, store: str) -> Rows:
    rows = connection.execute(select(table).where(table.c.identity_store == store)).mappings()
    return {row["external_id"]: dict(row) for row in rows}


def _scope(work: ImportWork) -> frozenset[str]:
    return frozenset(work.request.get("tagSourcesScope") or ())


def _group_rows(work: ImportWork, records: Mapping[str, GroupRecord], known: Rows, warnings: Warnings) -> Rows:
    there = set(records) if _deletes(work) else set(records) | set(known)
    rows: Rows = {}
    for identifier, record in records.items():
        parents = _only_known(record.parent_group_external_ids, there, f"group {record.name}", warnings)
        rows[identifier] = {
            "identity_store": work.store,
            "external_id": identifier,
            "name": record.name,
            "display_name": record.display_name or "",
            "description": record.description or "",
            "parents": json.dumps(sorted(parents)),
            "tags": merged_tags(known.get(identifier, {}).get("tags"), tags_text(record.tags), _scope(work)),
        }
    return rows


def _user_rows(
    work: ImportWork, records: Mapping[str, UserRecord], known: Rows, there: set[str], warnings: Warnings
) -> Rows:
    rows: Rows = {}
    for identifier, record in records.items():
        before = known.get(identifier, {})
        member_of = _only_known(record.group_external_ids, there, f"user {record.user_name or identifier}", warnings)
        if not work.request.get("replaceGroups", True):
            member_of |= {group for group in json.loads(before.get("groups", "[]")) if group in there}
        rows[identifier] = {
            "identity_store": work.store,
            "external_id": identifier,
            "name": record.name or "",
            "user_name": record.user_name or record.name or "",
            "email": record.email or "",
            "is_machine": bool(record.is_machine),
            "tags": merged_tags(before.get("tags"), tags_text(record.tags), _scope(work)),
            "groups": json.dumps(sorted(member_of)),
        }
    return rows


def _only_known(wanted: Iterable[str] | None, there: set[str], whose: str, warnings: Warnings) -> set[str]:
    kept = set()
    for group in dict.fromkeys(wanted or ()):
        if group in there:
            kept.add(group)
        else:
            warnings.add(f"{whose}: group {group} is not known; the membership was left out")
    return kept


def _apply(connection: Connection, table: Table, store: str, known: Rows, new: Rows, *, remove: bool) -> dict[str, int]:
    added = [row for identifier, row in new.items() if identifier not in known]
    updated = [row for identifier, row in new.items() if identifier in known and known[identifier] != row]
    removed = [identifier for identifier in known if identifier not in new] if remove else []
    _remove(connection, table, store, [*removed, *(row["external_id"] for row in updated)])
    if added or updated:
        connection.execute(insert(table), [*added, *updated])
    return {"Added": len(added), "Updated": len(updated), "Removed": len(removed)}


def _remove(connection: Connection, table: Table, store: str, identifiers: list[str]) -> None:
    for start in range(0, len(identifiers), 500):
        connection.execute(
            delete(table).where(
                table.c.identity_store == store, table.c.external_id.in_(identifiers[start : start + 500])
            )
        )
