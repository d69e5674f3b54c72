"""Permission sets of IAM Identity Center: who by assignments, what by the policies of their reserved role."""

from collections.abc import Iterator

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.permission_sets import TYPE, permission_set_providers
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, Target
from raito_pipeline.aws.provider_types.iam_rights import read_iam
from raito_pipeline.aws.push.pushed_types import NotPushedYet
from raito_pipeline.config import OrganizationTarget
from raito_pipeline.model.provider_types import TypeDescription


def _read_rights(target: Target) -> Iterator[Right]:
    yield from read_iam(target)
    if isinstance(target, OrganizationTarget):
        yield Right("FindIdentityCenter", ("sso:ListInstances",), ("*",))
        yield Right(
            "ReadPermissionSets",
            (
                "sso:DescribePermissionSet",
                "sso:ListAccountAssignments",
                "sso:ListPermissionSetsProvisionedToAccount",
                "sso:ListTagsForResource",
            ),
            ("arn:aws:sso:::instance/*", "arn:aws:sso:::permissionSet/*/*", "arn:aws:sso:::account/*"),
        )


PERMISSION_SET = AccessProviderType(
    name="permission set",
    description=TypeDescription(
        type=TYPE,
        label="AWS Permission Set",
        can_be_created=True,
        can_be_assumed=True,
        assumable_in_who=False,
        common_parent=None,
        identity_store="aws-organization",
        organization_only=True,
    ),
    external_id_prefix=external_ids.PERMISSION_SET,
    read=permission_set_providers,
    keeps_named=False,
    read_rights=_read_rights,
    push=NotPushedYet("permission sets"),
)
