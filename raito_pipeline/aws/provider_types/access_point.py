"""S3 access points: who and what by their own policy."""

from collections.abc import Iterator

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.points import TYPE, access_point_providers
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, Target
from raito_pipeline.aws.provider_types.iam_rights import no_rights
from raito_pipeline.aws.push.account.point_state import name_in_arn
from raito_pipeline.aws.push.names import ACCESS_POINT as NAMES
from raito_pipeline.aws.push.pushed_types import PushedType
from raito_pipeline.aws.push.types.access_point_changes import (
    CreateAccessPoint,
    CreatePointPolicy,
    DelegateToAccessPoints,
    DeleteAccessPoint,
    DeletePointPolicy,
    TagAccessPoint,
    UpdatePointPolicy,
)
from raito_pipeline.aws.push.types.access_points import (
    delete_access_point,
    kept_point_name,
    plan_access_point,
)
from raito_pipeline.config import AccountTarget
from raito_pipeline.model.provider_types import TypeDescription


def _read_rights(target: Target) -> Iterator[Right]:
    if not isinstance(target, AccountTarget) or target.skip_data_access_sync or target.aws_access_skip_s3_access_points:
        return
    yield Right("ListAccount", ("s3:ListAccessPoints",), ("*",))
    places = (f"arn:aws:s3:{region}:{target.account_id}:accesspoint/*" for region in target.regions)
    yield Right("ReadAccessPoints", ("s3:GetAccessPointPolicy", "s3:ListTagsForResource"), tuple(places))


def _push_rights(target: AccountTarget) -> Iterator[Right]:
    account = f"arn:aws:iam::{target.account_id}"
    places = (f"arn:aws:s3:{region}:{target.account_id}:accesspoint/*" for region in target.regions)
    yield Right(
        "PushAccessPoints",
        (
            "s3:CreateAccessPoint",
            "s3:DeleteAccessPoint",
            "s3:DeleteAccessPointPolicy",
            "s3:GetAccessPoint",
            "s3:GetAccessPointPolicy",
            "s3:ListTagsForResource",
            "s3:PutAccessPointPolicy",
            "s3:TagResource",
        ),
        tuple(places),
    )
    more = ("s3:GetBucketLocation", "s3:PutBucketPolicy") if target.aws_access_point_delegation else ()
    yield Right("DelegateToAccessPoints", ("s3:GetBucketPolicy", *more), ("arn:aws:s3:::*",))
    # Who of a refused policy does not exist, and the roles that Identity Center has just made.
    yield Right("FindPrincipals", ("iam:GetRole", "iam:GetUser"), (f"{account}:role/*", f"{account}:user/*"))
    yield Right("ListRoles", ("iam:ListRoles",), ("*",))


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
    push=PushedType(
        order=9,
        naming=NAMES,
        affixes=lambda options: (options.aws_access_point_prefix, options.aws_access_point_suffix),
        kept_name=kept_point_name,
        plan=plan_access_point,
        delete=delete_access_point,
        creates=CreateAccessPoint,
        deletes=DeleteAccessPoint,
        others=(TagAccessPoint, CreatePointPolicy, UpdatePointPolicy, DeletePointPolicy, DelegateToAccessPoints),
        rights=_push_rights,
        organization_rights=no_rights,
        named=name_in_arn,
    ),
)
