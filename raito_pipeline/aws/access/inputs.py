"""What access providers are made of, and how."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from raito_pipeline.config import Locks
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import (
    AccessPoint,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccountAssignment,
    OrgPermissionSet,
    S3Bucket,
)


@dataclass(frozen=True)
class AccessInputs:
    """The stored tables of one account and of its organization."""

    account_id: str
    users: Sequence[IamUser]
    groups: Sequence[IamGroup]
    roles: Sequence[IamRole]
    policies: Sequence[IamPolicy]
    attachments: Sequence[IamAttachment]
    buckets: Sequence[S3Bucket]
    access_points: Sequence[AccessPoint]
    permission_sets: Sequence[OrgPermissionSet] = ()
    assignments: Sequence[OrgAccountAssignment] = ()


@dataclass(frozen=True)
class AccessSettings:
    """What `raito.yml` says about access: filters, locks, names and owners."""

    partition: str = "aws"
    regions: Sequence[str] | None = None
    """regions whose buckets are data objects; None = all"""
    folder_depth: int | None = None
    """as in `policy.Scope`"""
    organization: bool = False
    role_excludes: Sequence[NamePattern] = ()
    managed_policy_excludes: Sequence[NamePattern] = ()
    skip_user_inline_policies: bool = False
    skip_group_inline_policies: bool = False
    skip_managed_policies: bool = False
    skip_aws_managed_policies: bool = False
    skip_access_points: bool = False
    locks: Locks = field(default_factory=Locks)
    name_tag: str | None = None
    """key of the tag that names an access provider"""
    owner_tag: str | None = None
    """key of the tag that holds its owners"""
