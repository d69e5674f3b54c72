"""Access providers: each element as recorded from a real client."""

from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.model import (
    AccessProvider,
    DataObjectReference,
    WhatItem,
)
from raito_pipeline.raito.files.access_providers import access_provider_element, write_access_providers

from .reading import ACCOUNT, read


def access_provider(**changes: Any) -> AccessProvider:
    values: dict[str, Any] = {
        "external_id": "role:role0020",
        "name": "role0020",
        "naming_hint": "role0020",
        "actual_name": "role0020",
        "type": "aws_role",
        "action": "grant",
        "policy": "{}",
        "who_users": ("user0020", "user0021"),
        "who_groups": (),
        "who_access_providers": None,
        "what": (WhatItem(DataObjectReference(ACCOUNT, "datasource"), ("s3:GetObject",)),),
        "incomplete": False,
        "incomplete_reasons": (),
        "reasons_wider": (),
        "reasons_narrower": (),
        "reasons_who": (),
        "reasons_elsewhere": (),
        "notes": (),
        "not_internalizable": False,
        "who_locked": None,
        "inheritance_locked": None,
        "what_locked": None,
        "name_locked": None,
        "delete_locked": None,
        "owners_locked": None,
        "tags": None,
    }
    return AccessProvider(**{**values, **changes})


def test_an_access_provider_as_recorded(tmp_path: Path) -> None:
    elements = read(write_access_providers(tmp_path / "ap.json", [access_provider()]))
    assert elements == [
        {
            "externalId": "role:role0020",
            "name": "role0020",
            "namingHint": "role0020",
            "type": "aws_role",
            "access": None,
            "action": "grant",
            "policy": "{}",
            "who": {
                "users": ["user0020", "user0021"],
                "groups": [],
                "accessProviders": None,
                "recipients": None,
            },
            "notInternalizable": False,
            "actualName": "role0020",
            "what": [{"dataObject": {"fullName": ACCOUNT, "type": "datasource"}, "permissions": ["s3:GetObject"]}],
            "incomplete": False,
            "tags": None,
        }
    ]


@pytest.mark.parametrize("lock", ["who", "inheritance", "what", "name", "delete", "owners"])
def test_a_lock_is_there_only_where_something_is_locked(lock: str) -> None:
    plain = access_provider_element(access_provider())
    locked = access_provider_element(access_provider(**{f"{lock}_locked": "because"}))
    assert {key: locked[key] for key in locked.keys() - plain.keys()} == {
        f"{lock}Locked": True,
        f"{lock}LockedReason": "because",
    }
