"""The inline policies of one user or group: imported as one policy, and a managed policy once Raito Cloud has it.

Inline policies of roles are part of the role.
"""

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.policies import TYPE, group_inline_providers, user_inline_providers
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, SameAs
from raito_pipeline.aws.provider_types.iam_rights import read_iam

USER_INLINE_POLICIES = AccessProviderType(
    name="inline policies of a user",
    description=SameAs(TYPE),
    external_id_prefix=external_ids.USER,
    read=user_inline_providers,
    keeps_named=False,
    read_rights=read_iam,
    push=SameAs(TYPE),
)

GROUP_INLINE_POLICIES = AccessProviderType(
    name="inline policies of a group",
    description=SameAs(TYPE),
    external_id_prefix=external_ids.GROUP,
    read=group_inline_providers,
    keeps_named=False,
    read_rights=read_iam,
    push=SameAs(TYPE),
)
