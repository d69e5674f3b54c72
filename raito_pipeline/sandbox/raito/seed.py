"""Sets up the local Raito Cloud for an estate: identity stores, data sources, links, and some access controls to push.

Ids derive from account ids, so that a `raito.yml` can name them. Seeding twice changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raito_pipeline.sandbox.raito.catalog import AlreadyThere
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

OWNER = {"email": "data-owner@example.com", "accountName": "", "groupName": ""}

Definition = dict[str, Any]


@dataclass(frozen=True)
class SeedBucket:
    """A bucket by name and region, and folders of it (paths without slashes at the ends) that really exist."""

    name: str
    region: str
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeedAccount:
    """An account: names of IAM users and groups that exist, its buckets, and roles of several uses.

    `retired_role` is a role made by Raito (tag `creator` = `RAITO`) that an access control asks to be removed;
    without one there is no such access control. `folder_type` is the type of what `folders` of the buckets are.
    """

    account_id: str
    name: str
    users: tuple[str, ...]
    groups: tuple[str, ...] = ()
    buckets: tuple[SeedBucket, ...] = ()
    retired_role: str | None = None
    folder_type: str = "folder"


@dataclass(frozen=True)
class SeedOrganization:
    """The organization by its master account; user names and group names of Identity Center."""

    account_id: str
    name: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeededIds:
    """What was set up: ids of data sources and identity stores by account id, and of the organization's store."""

    data_sources: Mapping[str, str]
    identity_stores: Mapping[str, str]
    organization_store: str | None = None
    access_controls: Mapping[str, Sequence[str]] = field(default_factory=dict)


def data_source_id(account_id: str) -> str:
    """The fixed id of an account's data source."""
    return f"ds-{account_id}"


def identity_store_id(account_id: str) -> str:
    """The fixed id of an account's identity store."""
    return f"is-{account_id}"


def organization_store_id(account_id: str) -> str:
    """The fixed id of the identity store of an organization, by its master account."""
    return f"is-organization-{account_id}"


def seed_raito_cloud(
    cloud: LocalRaitoCloud,
    accounts: Sequence[SeedAccount],
    organization: SeedOrganization | None = None,
    *,
    access_controls: bool = True,
) -> SeededIds:
    """Creates and links everything for these accounts. Raises NotValid for a name that is empty."""
    organization_store = None
    if organization is not None:
        organization_store = organization_store_id(organization.account_id)
        _identity_store(cloud, organization_store, organization.name, "Identity Center", native=False, master=True)
    defined: dict[str, Sequence[str]] = {}
    for account in accounts:
        source, store = data_source_id(account.account_id), identity_store_id(account.account_id)
        _identity_store(cloud, store, account.name, f"IAM of {account.account_id}", native=True, master=False)
        _data_source(cloud, source, account)
        cloud.catalog.link(source, store)
        if organization_store is not None:
            cloud.catalog.link(source, organization_store)
        definitions = list(access_controls_of(account, organization)) if access_controls else []
        defined[account.account_id] = [cloud.define_access_control(source, one) for one in definitions]
    return SeededIds(
        data_sources={account.account_id: data_source_id(account.account_id) for account in accounts},
        identity_stores={account.account_id: identity_store_id(account.account_id) for account in accounts},
        organization_store=organization_store,
        access_controls=defined,
    )


def access_controls_of(account: SeedAccount, organization: SeedOrganization | None) -> Iterator[Definition]:
    """A handful of access controls of all kinds, as far as the account has what they need."""
    prefix = f"ac-{account.account_id}"
    folders = [(bucket, folder) for bucket in account.buckets for folder in bucket.folders]
    if len(account.users) < 2 or len(folders) < 2:
        return
    first, second = _folder(account, *folders[0]), _folder(account, *folders[1])
    bucket = _what(f"{account.account_id}:{folders[0][0].region}:{folders[0][0].name}", "bucket", "s3:ListBucket")
    readers = f"{prefix}-sales-readers"
    yield _control(
        readers, "Sales readers", "aws_role", {"users": list(account.users[:2])}, [bucket, {**first, **_READ}]
    )
    yield _control(
        f"{prefix}-report-writers",
        "Report writers (nightly)",
        "aws_role",
        {"users": list(account.users[1:3]), "groups": list(account.groups[:1])},
        [{**second, **_WRITE}],
    )
    yield _control(
        f"{prefix}-shared-reports",
        "Shared reports",
        "aws_policy",
        {"users": list(account.users[:1]), "groups": list(account.groups[:1])},
        [{**first, **_READ}],
    )
    yield _control(
        f"{prefix}-archive",
        "Archive, through the sales readers",
        "aws_policy",
        {"inheritFrom": [f"ID:{readers}"]},
        [{**second, **_READ}],
    )
    yield _control(
        f"{prefix}-partners",
        "Partner drop zone",
        "aws_access_point",
        {"users": list(account.users[:1])},
        [{**first, **_READ}],
    )
    if organization is not None and organization.users:
        who = {"users": list(organization.users[:2]), "groups": list(organization.groups[:1])}
        yield _control(f"{prefix}-analysts", "Analysts everywhere", "aws_sso_role", who, [{**first, **_READ}])
    if account.retired_role is not None:
        yield _retired(f"{prefix}-retired", account.retired_role, account.users[:1])


def _retired(identifier: str, role: str, users: Sequence[str]) -> Definition:
    """An access control that was removed in Raito Cloud, and whose role is still there."""
    control = _control(identifier, role, "aws_role", {"users": list(users)}, [])
    return {**control, "externalId": f"role:{role}", "actualName": role, "namingHint": role, "delete": True}


_READ = {"permissions": ["s3:GetObject"]}
_WRITE = {"permissions": ["s3:GetObject", "s3:PutObject"]}


def _folder(account: SeedAccount, bucket: SeedBucket, folder: str) -> Definition:
    return _what(f"{account.account_id}:{bucket.region}:{bucket.name}/{folder}", account.folder_type)


def _what(full_name: str, kind: str, *permissions: str) -> Definition:
    return {"dataObject": {"fullName": full_name, "type": kind}, "permissions": list(permissions)}


def _control(identifier: str, name: str, kind: str, who: Definition, what: Sequence[Definition]) -> Definition:
    return {
        "id": identifier,
        "name": name,
        "description": f"{name}, as defined in Raito Cloud",
        "namingHint": "",
        "type": kind,
        "action": "grant",
        "who": who,
        "what": list(what),
        "owners": [OWNER],
    }


def _identity_store(
    cloud: LocalRaitoCloud, identifier: str, name: str, description: str, *, native: bool, master: bool
) -> None:
    try:
        cloud.catalog.create_identity_store(name, description, native=native, master=master, identifier=identifier)
    except AlreadyThere as error:
        if error.identifier != identifier:
            raise


def _data_source(cloud: LocalRaitoCloud, identifier: str, account: SeedAccount) -> None:
    try:
        cloud.catalog.create_data_source(account.name, f"AWS account {account.account_id}", identifier=identifier)
    except AlreadyThere as error:
        if error.identifier != identifier:
            raise
