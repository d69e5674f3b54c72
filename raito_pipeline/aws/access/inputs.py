"""What access providers are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    S3BucketPolicy,
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
    pushed_permission_sets: frozenset[str] = frozenset()
    """names of those that the last push made or kept: the organization may have been read before it"""
    bucket_policies: Sequence[S3BucketPolicy] = ()
    """of the buckets whose policies count; none where `bucket-policies` is off"""
    organization_id: str | None = None
    """id of its organization, `o-...`; None where it is not known"""
