"""Roles of IAM: who by the trust policy, what by inline policies."""

from collections.abc import Iterator

from raito_pipeline.aws.access import external_ids
from raito_pipeline.aws.access.roles import TYPE, role_providers
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import AccessProviderType
from raito_pipeline.aws.provider_types.iam_rights import no_rights, read_iam
from raito_pipeline.aws.push.names import IAM
from raito_pipeline.aws.push.pushed_types import PushedType
from raito_pipeline.aws.push.types.role_changes import (
    CreateInlinePolicy,
    CreateRole,
    DeleteInlinePolicy,
    DeleteRole,
    SetBoundary,
    TagRole,
    UpdateInlinePolicy,
    UpdateTrust,
)
from raito_pipeline.aws.push.types.roles import delete_role, kept_role_name, plan_role
from raito_pipeline.config import AccountTarget
from raito_pipeline.model.provider_types import TypeDescription


def _push_rights(target: AccountTarget) -> Iterator[Right]:
    yield Right(
        "PushRoles",
        (
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:PutRolePolicy",
            "iam:RemoveRoleFromInstanceProfile",
            "iam:TagRole",
            "iam:UpdateAssumeRolePolicy",
        ),
        (f"arn:aws:iam::{target.account_id}:role/*",),
    )
    if target.aws_role_boundary is not None:
        yield Right("BoundRoles", ("iam:PutRolePermissionsBoundary",), (f"arn:aws:iam::{target.account_id}:role/*",))
    # A role is deleted after what is attached to it was detached.
    yield Right("AttachRole", ("iam:DetachRolePolicy",), (f"arn:aws:iam::{target.account_id}:role/*",))


ROLE = AccessProviderType(
    name="role",
    description=TypeDescription(
        type=TYPE,
        label="AWS Role",
        can_be_created=True,
        can_be_assumed=True,
        assumable_in_who=False,
        common_parent=None,
        identity_store=None,
        organization_only=False,
    ),
    external_id_prefix=external_ids.ROLE,
    read=role_providers,
    keeps_named=False,
    read_rights=read_iam,
    push=PushedType(
        order=0,
        naming=IAM,
        affixes=lambda options: (options.aws_role_prefix, options.aws_role_suffix),
        kept_name=kept_role_name,
        plan=plan_role,
        delete=delete_role,
        creates=CreateRole,
        deletes=DeleteRole,
        others=(TagRole, SetBoundary, UpdateTrust, CreateInlinePolicy, UpdateInlinePolicy, DeleteInlinePolicy),
        named=str,
        rights=_push_rights,
        organization_rights=no_rights,
    ),
)
