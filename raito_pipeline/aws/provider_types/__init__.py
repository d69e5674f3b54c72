"""The access provider types: one object a type, and one line here. Everything that depends on the type derives from it.

The metadata for Raito Cloud, the import, names, plan, order and limits of a push, and the least IAM policy.
"""

from raito_pipeline.aws.provider_types.access_point import ACCESS_POINT
from raito_pipeline.aws.provider_types.bucket_policy import BUCKET_POLICY
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, BadType, ProviderTypes, SameAs
from raito_pipeline.aws.provider_types.inline_policies import GROUP_INLINE_POLICIES, USER_INLINE_POLICIES
from raito_pipeline.aws.provider_types.managed_policy import MANAGED_POLICY
from raito_pipeline.aws.provider_types.permission_set import PERMISSION_SET
from raito_pipeline.aws.provider_types.role import ROLE

ACCESS_PROVIDER_TYPES = ProviderTypes(
    ROLE,
    MANAGED_POLICY,
    USER_INLINE_POLICIES,
    GROUP_INLINE_POLICIES,
    ACCESS_POINT,
    PERMISSION_SET,
    BUCKET_POLICY,
)

__all__ = ["ACCESS_PROVIDER_TYPES", "AccessProviderType", "BadType", "ProviderTypes", "SameAs"]
