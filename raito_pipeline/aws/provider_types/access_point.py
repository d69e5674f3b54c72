"""S3 access points: who and what by their own policy."""

from collections.abc import Iterator

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.points import TYPE, access_point_providers
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, Target
from raito_pipeline.aws.push.pushed_types import NotPushedYet
from raito_pipeline.config import OrganizationTarget
from raito_pipeline.model.provider_types import TypeDescription


def _read_rights(target: Target) -> Iterator[Right]:
    if (
        isinstance(target, OrganizationTarget)
        or target.skip_data_access_sync
        or target.aws_access_skip_s3_access_points
    ):
        return
    yield Right("ListAccount", ("s3:ListAccessPoints",), ("*",))
    places = (f"arn:aws:s3:{region}:{target.account_id}:accesspoint/*" for region in target.regions)
    yield Right("ReadAccessPoints", ("s3:GetAccessPointPolicy",), tuple(places))


ACCESS_POINT = AccessProviderType(
    name="access point",
    description=TypeDescription(
        type=TYPE,
        label="AWS S3 Access Point",
        can_be_created=True,
        can_be_assumed=False,
        assumable_in_who=True,
        common_parent="bucket",
        identity_store=None,
        organization_only=False,
    ),
    external_id_prefix=external_ids.ACCESS_POINT,
    read=access_point_providers,
    keeps_named=False,
    read_rights=_read_rights,
    push=NotPushedYet("S3 access points"),
)
