"""The embedded estate as its users see it: an organization, its accounts, and how to reach them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Mode = Literal["s3", "glue"]


@dataclass(frozen=True, slots=True)
class EstateSettings:
    """How large the estate is; the numbers are those of each member account, but for the organization."""

    users: int = 40
    groups: int = 8
    roles: int = 60
    policies: int = 40
    keys: int = 5_000
    tables: int = 60
    people: int = 200
    organization_groups: int = 12
    permission_sets: int = 15
    log_days: int = 3
    """days before today with CloudTrail log files"""
    accounts: int = 3
    """member accounts that `raito.yml` names"""
    unlisted: int = 0
    """further member accounts, which only discovery finds"""


@dataclass(frozen=True, slots=True)
class EstateAccount:
    """One account: its id, what `raito.yml` calls it, and a key that may do everything in it."""

    account_id: str
    name: str
    profile: str
    regions: tuple[str, ...]
    mode: Mode
    cloudtrail_bucket: str
    access_key_id: str
    secret_access_key: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    folders: Mapping[str, tuple[str, tuple[str, ...]]] | None = None
    """some buckets with their region and folders (Glue mode: locations of tables) that exist"""
    retired_role: str | None = None


@dataclass(frozen=True, slots=True)
class Estate:
    """The organization."""

    master: EstateAccount
    members: tuple[EstateAccount, ...]
    identity_center_region: str
    instance_arn: str
    identity_store_id: str
    organization_users: tuple[str, ...]
    organization_groups: tuple[str, ...]
    unlisted: tuple[EstateAccount, ...] = ()
    """members that `raito.yml` does not name: each has the role that discovery assumes"""
