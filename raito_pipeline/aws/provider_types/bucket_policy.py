"""Policies of S3 buckets: imported as they are, and never written."""

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.bucket_policies import TYPE, bucket_policy_providers
from raito_pipeline.aws.provider_types.declaration import AccessProviderType
from raito_pipeline.aws.provider_types.iam_rights import no_rights
from raito_pipeline.aws.push.pushed_types import NotPushedYet
from raito_pipeline.model.provider_types import TypeDescription

BUCKET_POLICY = AccessProviderType(
    name="bucket policy",
    description=TypeDescription(
        type=TYPE,
        label="AWS S3 Bucket Policy",
        can_be_created=False,
        can_be_assumed=False,
        assumable_in_who=True,
        common_parent=None,
        identity_store=None,
        organization_only=False,
    ),
    external_id_prefix=external_ids.BUCKET_POLICY,
    read=bucket_policy_providers,
    keeps_named=False,
    # Their Denies count for every type: what reading them needs stands in `aws/least_policy.py`.
    read_rights=no_rights,
    push=NotPushedYet("bucket policies", why="bucket policies are read only, and a push changes none"),
)
