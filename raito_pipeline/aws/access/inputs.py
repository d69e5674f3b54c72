"""What access providers are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from raito_pipeline.aws.policy.claims import NO_PATHS, KnownPaths, WantedPaths
from raito_pipeline.model import (
    AccessPoint,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccount,
    OrgAccountAssignment,
    OrgControlPolicy,
    OrgPermissionSet,
    OrgPolicyTarget,
    S3Bucket,
    S3BucketPolicy,
)

LookUp = Callable[[WantedPaths], KnownPaths]
"""which of the paths that policies name are data objects"""


def nothing_known(_wanted: WantedPaths) -> KnownPaths:
    """No data object is known."""
    return NO_PATHS


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
    pushed: frozenset[str] = frozenset()
    """external ids of what the last push made or kept and no import shows: that is Raito's where tags were not read"""
    bucket_policies: Sequence[S3BucketPolicy] = ()
    """of the buckets whose policies count; none where `bucket-policies` is off"""
    bucket_policy_use: Literal["show", "deny-only", "off"] = "show"
    """what they are read for (`bucket-policies`)"""
    linked: Mapping[str, str] = field(default_factory=dict)
    """the other accounts of `raito.yml`: account ids with the names of their targets"""
    org_accounts: Sequence[OrgAccount] = ()
    org_policy_targets: Sequence[OrgPolicyTarget] = ()
    org_control_policies: Sequence[OrgControlPolicy] = ()
    look_up: LookUp = nothing_known
    """asked once for what the policies of the account name of the keys of its buckets"""

    @property
    def organization(self) -> OrgAccount | None:
        """Where the account stands in its organization; None where that is not known."""
        return next((row for row in self.org_accounts if row.account_id == self.account_id), None)
