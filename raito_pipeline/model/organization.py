"""Rows of the organization stage: what IAM Identity Center holds, and the control policies of AWS Organizations."""

from typing import Annotated

from raito_pipeline.model.common import Tag
from raito_pipeline.model.tables import Layer, Outside, row


@row(
    "org_users",
    by="organization",
    key=("identity_store_id", "user_id"),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_IDENTITY_CENTER,),
)
class OrgUser:
    """People of the identity stores of the organization."""

    identity_store_id: Annotated[str, "AWS identity store, `d-...`"]
    user_id: Annotated[str, "UserId"]
    user_name: Annotated[str, "UserName, as people sign in; the UserId where there is none"]
    display_name: Annotated[str, "DisplayName, empty where none is set"]
    email: Annotated[str | None, "primary e-mail address, else one for work, else any; null where there is none"]
    group_ids: Annotated[tuple[str, ...], "GroupIds that the user is a member of, sorted"]


@row(
    "org_groups",
    by="organization",
    key=("identity_store_id", "group_id"),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_IDENTITY_CENTER,),
)
class OrgGroup:
    """Groups of the identity stores of the organization."""

    identity_store_id: Annotated[str, "AWS identity store, `d-...`"]
    group_id: Annotated[str, "GroupId"]
    display_name: Annotated[str, "DisplayName; the GroupId where there is none"]
    description: Annotated[str, "Description, empty where none is set"]


@row(
    "org_permission_sets",
    by="organization",
    key=("arn",),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_IDENTITY_CENTER,),
)
class OrgPermissionSet:
    """Permission sets that are provisioned in at least one account of `raito.yml`."""

    instance_arn: Annotated[str, "ARN of the Identity Center instance"]
    arn: Annotated[str, "permission set ARN"]
    name: Annotated[str, "permission set name"]
    description: Annotated[str, "Description, empty where none is set"]
    tags: Annotated[tuple[Tag, ...] | None, "tags, sorted by key; null where they were not read"]
    account_ids: Annotated[tuple[str, ...], "accounts of `raito.yml` where it is provisioned, sorted"]


@row(
    "org_account_assignments",
    by="organization",
    key=("account_id", "permission_set_arn", "principal_type", "principal_id"),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_IDENTITY_CENTER,),
)
class OrgAccountAssignment:
    """Who is assigned to which permission set in which account."""

    account_id: Annotated[str, "account that the assignment gives access to"]
    permission_set_arn: Annotated[str, "permission set ARN"]
    principal_type: Annotated[str, "`USER` or `GROUP`"]
    principal_id: Annotated[str, "UserId or GroupId"]
    principal_name: Annotated[
        str | None, "UserName of the user or DisplayName of the group, null where the store does not know it"
    ]


@row(
    "org_accounts",
    by="organization",
    key=("account_id",),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_ORGANIZATIONS,),
    optional=True,
)
class OrgAccount:
    """Accounts of `raito.yml` in their organization, each with where it stands there.

    An account stands here only where all of its control policies are known (`org_policy_targets`).
    """

    account_id: Annotated[str, "account"]
    organization_id: Annotated[str, "organization, `o-...`"]
    management: Annotated[bool, "true for the management account, to which no control policy applies"]
    path: Annotated[
        tuple[str, ...], "the root and the organizational units above it, from the root down; empty for the management"
    ]
    policy_types: Annotated[
        tuple[str, ...], "`SERVICE_CONTROL_POLICY`, `RESOURCE_CONTROL_POLICY`: those that are enabled, sorted"
    ]


@row(
    "org_policy_targets",
    by="organization",
    key=("target_id", "policy_type", "policy_id"),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_ORGANIZATIONS,),
    optional=True,
)
class OrgPolicyTarget:
    """Which control policy is attached to which root, organizational unit and account.

    What applies to an account is attached to it, or to something in its `path` (`org_accounts`). At each of these
    levels one service control policy has to allow a call, and none may deny it.
    """

    target_id: Annotated[str, "`r-...`, `ou-...` or the account"]
    target_type: Annotated[str, "`ROOT`, `ORGANIZATIONAL_UNIT` or `ACCOUNT`"]
    policy_type: Annotated[str, "`SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`"]
    policy_id: Annotated[str, "policy, `p-...`"]


@row(
    "org_control_policies",
    by="organization",
    key=("policy_id",),
    layer=Layer.ORGANIZATION,
    sources=(Outside.AWS_ORGANIZATIONS,),
    optional=True,
)
class OrgControlPolicy:
    """Service and resource control policies that apply to an account of `raito.yml`."""

    policy_id: Annotated[str, "policy, `p-...`"]
    policy_type: Annotated[str, "`SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`"]
    name: Annotated[str, "policy name"]
    aws_managed: Annotated[bool, "true for `FullAWSAccess` and its like"]
    document: Annotated[str, "document as JSON text"]
