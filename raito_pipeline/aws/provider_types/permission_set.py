"""Permission sets of IAM Identity Center: who by assignments, what by the policies of their reserved role."""

from collections.abc import Iterator

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.permission_sets import TYPE, permission_set_providers
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import AccessProviderType, Target
from raito_pipeline.aws.provider_types.iam_rights import no_rights, read_iam
from raito_pipeline.aws.push.pushed_types import Organization, PushedType
from raito_pipeline.aws.push.types.permission_set_changes import (
    Assign,
    AttachReference,
    CreatePermissionSet,
    CreatePermissionSetPolicy,
    DeletePermissionSet,
    DeletePermissionSetPolicy,
    DescribePermissionSet,
    DetachReference,
    ProvisionPermissionSet,
    TagPermissionSet,
    Unassign,
    UpdatePermissionSetPolicy,
)
from raito_pipeline.aws.push.types.permission_sets import (
    PERMISSION_SET_NAMES,
    delete_permission_set,
    kept_permission_set_name,
    plan_permission_set,
)
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import CREATOR
from raito_pipeline.model.provider_types import TypeDescription


def _read_rights(target: Target) -> Iterator[Right]:
    yield from read_iam(target)
    if not isinstance(target, AccountTarget):
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


_INSTANCE, _SETS, _ACCOUNTS = "arn:aws:sso:::instance/*", "arn:aws:sso:::permissionSet/*/*", "arn:aws:sso:::account/*"
_READ_FOR_A_PUSH = (
    "sso:DescribeAccountAssignmentCreationStatus",
    "sso:DescribeAccountAssignmentDeletionStatus",
    "sso:DescribePermissionSet",
    "sso:DescribePermissionSetProvisioningStatus",
    "sso:GetInlinePolicyForPermissionSet",
    "sso:ListAccountAssignments",
    "sso:ListAccountsForProvisionedPermissionSet",
    "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso:ListManagedPoliciesInPermissionSet",
    "sso:ListPermissionSets",
    "sso:ListTagsForResource",
)
_CHANGES = (
    "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:CreateAccountAssignment",
    "sso:DeleteAccountAssignment",
    "sso:DeleteInlinePolicyFromPermissionSet",
    "sso:DeletePermissionSet",
    "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
    "sso:DetachManagedPolicyFromPermissionSet",
    "sso:ProvisionPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:TagResource",
    "sso:UpdatePermissionSet",
)
_IN_ACCOUNTS = ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment", "sso:ProvisionPermissionSet")


def _push_rights(target: Organization) -> Iterator[Right]:
    """What Raito made is changed, and nothing else: AWS itself sees to it, by the tag."""
    del target
    yield Right("ReadBeforeAPush", _READ_FOR_A_PUSH, (_INSTANCE, _SETS, _ACCOUNTS))
    yield Right("PushInTheInstance", ("sso:CreatePermissionSet", *_CHANGES), (_INSTANCE,))
    will_have, has = ((f"aws:{of}Tag/{CREATOR.key}", CREATOR.value) for of in ("Request", "Resource"))
    yield Right("CreatePermissionSets", ("sso:CreatePermissionSet",), (_SETS,), will_have)
    yield Right("PushPermissionSets", _CHANGES, (_SETS,), has)
    yield Right("PushInAccounts", _IN_ACCOUNTS, (_ACCOUNTS,))


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
    push=PushedType(
        order=1,
        naming=PERMISSION_SET_NAMES,
        affixes=lambda options: (options.aws_sso_role_prefix, options.aws_sso_role_suffix),
        kept_name=kept_permission_set_name,
        named=external_ids.permission_set_name,
        plan=plan_permission_set,
        delete=delete_permission_set,
        creates=CreatePermissionSet,
        deletes=DeletePermissionSet,
        others=(
            DescribePermissionSet,
            TagPermissionSet,
            CreatePermissionSetPolicy,
            UpdatePermissionSetPolicy,
            DeletePermissionSetPolicy,
            Assign,
            Unassign,
            AttachReference,
            DetachReference,
            ProvisionPermissionSet,
        ),
        rights=no_rights,
        organization_rights=_push_rights,
    ),
)
