"""What the options of an account ask of the IAM reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from raito_pipeline.aws.readers.iam_rows import PrincipalType, is_aws_managed
from raito_pipeline.config.patterns import NamePattern, matches_any
from raito_pipeline.model import Tag

EntityType = Literal["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
PolicyVersion = tuple[str, str]
"""A policy id and a version of it, `("ANPA...", "v3")`: what they name never changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IamSettings:
    """How to read the IAM of one account.

    `user_excludes` (`aws-user-excludes`) and `managed_policy_excludes` (`aws-access-managed-policy-excludes`) match
    whole names. The `skip_*` flags are the options `aws-access-skip-*`: what they make unnecessary is not asked.
    `remembered_policy_tags` and `remembered_policy_documents` are what an earlier read found, by policy id and version.
    """

    user_excludes: tuple[NamePattern, ...] = ()
    managed_policy_excludes: tuple[NamePattern, ...] = ()
    concurrency: int = 5
    skip_iam: bool = False
    skip_user_inline_policies: bool = False
    skip_group_inline_policies: bool = False
    skip_managed_policies: bool = False
    skip_aws_managed_policies: bool = False
    remembered_policy_tags: Mapping[PolicyVersion, tuple[Tag, ...]] = field(default_factory=dict)
    remembered_policy_documents: Mapping[PolicyVersion, str] = field(default_factory=dict)

    def excludes_user(self, user_name: str) -> bool:
        """True for users that are imported by name only: no tags, no inline policies."""
        return matches_any(self.user_excludes, user_name)

    def excludes_policy(self, policy_name: str) -> bool:
        """True for managed policies that are never imported."""
        return matches_any(self.managed_policy_excludes, policy_name)

    def wants_inline(self, kind: PrincipalType, name: str) -> bool:
        """Whether the inline policies of a user, group or role can matter."""
        if self.skip_iam:
            return False
        if kind == "user":
            return not (self.skip_user_inline_policies or self.excludes_user(name))
        return not (kind == "group" and self.skip_group_inline_policies)

    @property
    def wants_policies(self) -> bool:
        """Whether managed policies can matter."""
        return not (self.skip_iam or self.skip_managed_policies)

    def wants_policy(self, arn: str) -> bool:
        """Whether a managed policy, by its ARN, can matter."""
        return self.wants_policies and not (self.skip_aws_managed_policies and is_aws_managed(arn))

    @property
    def details_filter(self) -> list[EntityType]:
        """The `Filter` of `GetAccountAuthorizationDetails` that leaves out what nobody needs."""
        wanted: list[EntityType] = ["User", "Group", "Role"]
        if self.wants_policies:
            wanted.append("LocalManagedPolicy")
        if self.wants_policies and not self.skip_aws_managed_policies:
            wanted.append("AWSManagedPolicy")
        return wanted
