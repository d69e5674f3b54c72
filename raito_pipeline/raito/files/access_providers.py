"""Access providers, from AWS to Raito Cloud."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from raito_pipeline.model import AccessProvider, WhatItem
from raito_pipeline.raito.files.tags import tag_elements
from raito_pipeline.raito.files.writer import ImportFile, write_json_array

_DATA_SOURCE = "datasource"
_LOCKS = (
    ("who_locked", "whoLocked"),
    ("inheritance_locked", "inheritanceLocked"),
    ("what_locked", "whatLocked"),
    ("name_locked", "nameLocked"),
    ("delete_locked", "deleteLocked"),
    ("owners_locked", "ownersLocked"),
)


def access_provider_element(row: AccessProvider) -> dict[str, Any]:
    """An access provider as it is imported; locks are there only where something is locked."""
    return {
        "externalId": row.external_id,
        "name": row.name,
        "namingHint": row.naming_hint,
        "type": row.type,
        "access": None,
        "action": row.action,
        "policy": row.policy,
        "who": {
            "users": row.who_users,
            "groups": row.who_groups,
            "accessProviders": row.who_access_providers,
            "recipients": None,
        },
        "notInternalizable": row.not_internalizable,
        **_locks(row),
        "actualName": row.actual_name,
        "what": [what_element(item) for item in row.what],
        "incomplete": row.incomplete,
        "tags": tag_elements(row.tags),
    }


def what_element(item: WhatItem) -> dict[str, Any]:
    """Permissions on one data object, which has no type in the file unless it is the data source."""
    kind = item.data_object.type
    reference = {"fullName": item.data_object.full_name, "type": kind if kind == _DATA_SOURCE else ""}
    return {"dataObject": reference, "permissions": item.permissions}


def _locks(row: AccessProvider) -> dict[str, Any]:
    locks: dict[str, Any] = {}
    for attribute, name in _LOCKS:
        reason = getattr(row, attribute)
        if reason is not None:
            locks[name] = True
            locks[f"{name}Reason"] = reason
    return locks


def write_access_providers(path: Path, rows: Iterable[AccessProvider]) -> ImportFile:
    """Write access providers in the order given."""
    return write_json_array(path, map(access_provider_element, rows))
