"""Rows of the account stage: what IAM of one account holds, as AWS gives it."""

from datetime import datetime
from typing import Annotated

from raito_pipeline.model.common import Tag
from raito_pipeline.model.tables import Layer, Outside, row


@row(
    "iam_users",
    by="account",
    key=("user_id",),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_IAM,),
)
class IamUser:
    """IAM users."""

    user_id: Annotated[str, "UserId, `AIDA...`"]
    user_name: Annotated[str, "UserName"]
    arn: Annotated[str, "user ARN"]
    path: Annotated[str, "path, `/` by default"]
    create_date: Annotated[datetime, "when it was created"]
    group_names: Annotated[tuple[str, ...], "names of its IAM groups, sorted"]
    permissions_boundary_arn: Annotated[str | None, "policy ARN of its permissions boundary"]
    tags: Annotated[tuple[Tag, ...], "tags, sorted by key; empty for users of `aws-user-excludes`"]


@row(
    "iam_groups",
    by="account",
    key=("group_id",),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_IAM,),
)
class IamGroup:
    """IAM groups."""

    group_id: Annotated[str, "GroupId, `AGPA...`"]
    group_name: Annotated[str, "GroupName"]
    arn: Annotated[str, "group ARN"]
    path: Annotated[str, "path, `/` by default"]
    create_date: Annotated[datetime, "when it was created"]


@row(
    "iam_roles",
    by="account",
    key=("role_id",),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_IAM,),
)
class IamRole:
    """IAM roles with their trust policies."""

    role_id: Annotated[str, "RoleId, `AROA...`"]
    role_name: Annotated[str, "RoleName"]
    arn: Annotated[str, "role ARN"]
    path: Annotated[str, "path, `/` by default"]
    create_date: Annotated[datetime, "when it was created"]
    trust_policy: Annotated[str, "AssumeRolePolicyDocument as JSON text"]
    permissions_boundary_arn: Annotated[str | None, "policy ARN of its permissions boundary"]
    tags: Annotated[tuple[Tag, ...], "tags, sorted by key"]


@row(
    "iam_policies",
    by="account",
    key=("arn",),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_IAM,),
)
class IamPolicy:
    """Managed policies: all customer managed ones, and those of AWS that are attached to somebody."""

    policy_id: Annotated[str, "PolicyId, `ANPA...`"]
    policy_name: Annotated[str, "PolicyName"]
    arn: Annotated[str, "policy ARN"]
    path: Annotated[str, "path, `/` by default"]
    aws_managed: Annotated[bool, "true where AWS owns the policy"]
    default_version_id: Annotated[str, "version in force, `v1`; empty where it is not known"]
    attachment_count: Annotated[int, "users, groups and roles that it is attached to"]
    document: Annotated[
        str, "document as JSON text, of the version in force unless `document_version_id` says otherwise"
    ]
    tags: Annotated[
        tuple[Tag, ...] | None,
        "tags, sorted by key; null where they were not read (policies of AWS, not attached)",
    ]
    document_as_of: Annotated[
        str | None,
        "day (`YYYY-MM-DD`) of the kept copy of AWS's own policies that the document is from; null where AWS gave it",
    ] = None
    document_version_id: Annotated[
        str | None,
        "version that the document is of, where that is not surely the one in force; null where it is",
    ] = None


@row(
    "iam_attachments",
    by="account",
    key=("principal_type", "principal_name", "kind", "policy_name", "policy_arn"),
    layer=Layer.ACCOUNT,
    sources=(Outside.AWS_IAM,),
)
class IamAttachment:
    """Which policy each user, group and role has: managed ones by ARN, inline ones with their document."""

    principal_type: Annotated[str, "`user`, `group` or `role`"]
    principal_name: Annotated[str, "name of the user, group or role"]
    kind: Annotated[str, "`managed` or `inline`"]
    policy_name: Annotated[str, "PolicyName"]
    policy_arn: Annotated[str | None, "ARN of a managed policy, null for an inline one"]
    document: Annotated[str | None, "document of an inline policy as JSON text, null for a managed one"]


def is_aws_managed(arn: str) -> bool:
    """True for `arn:<partition>:iam::aws:policy/...`: AWS owns the policy."""
    return arn.split(":", 5)[4:5] == ["aws"]
