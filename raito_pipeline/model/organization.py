"""Rows of the organization stage: what IAM Identity Center holds."""

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
    tags: Annotated[tuple[Tag, ...], "tags, sorted by key"]
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
