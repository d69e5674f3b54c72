"""Rows of the account stage from the answers of IAM: pure, and the same for both ways of reading.

Users, groups, roles and policies have the same members in `GetAccountAuthorizationDetails` as in the single get
calls (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html), so one builder a row type serves both.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Literal
from urllib.parse import unquote

from raito_pipeline.aws.readers.reading import UnreadElement, tags_of
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser, is_aws_managed

PrincipalType = Literal["user", "group", "role"]
Answer = Mapping[str, Any]
PAGE = 1000
"""Items a page that every listing of IAM is asked for: the most that it gives."""


@dataclass(slots=True)
class AccountRows:
    """The rows of one account while they are gathered, unsorted; `*_unread` is what could not be read of a table."""

    users: list[IamUser] = field(default_factory=list)
    groups: list[IamGroup] = field(default_factory=list)
    roles: list[IamRole] = field(default_factory=list)
    policies: list[IamPolicy] = field(default_factory=list)
    attachments: list[IamAttachment] = field(default_factory=list)
    users_unread: list[UnreadElement] = field(default_factory=list)
    roles_unread: list[UnreadElement] = field(default_factory=list)
    policies_unread: list[UnreadElement] = field(default_factory=list)
    attachments_unread: list[UnreadElement] = field(default_factory=list)


def merged(parts: Iterable[AccountRows]) -> AccountRows:
    """The rows of all parts together."""
    whole = AccountRows()
    for part in parts:
        for name in AccountRows.__slots__:
            getattr(whole, name).extend(getattr(part, name))
    return whole


def policy_text(document: object) -> str:
    """A policy document as JSON text, whatever stage of decoding it is in.

    botocore has unquoted and parsed it where it is valid JSON, and left it as it came where it is not. The text is
    compact, with the members in the order of the document.
    """
    if isinstance(document, str):
        return unquote(document)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # an escape that is half of a character stays an escape: the text could not be stored
        return json.dumps(document, separators=(",", ":"))
    return text


def user_row(answer: Answer, group_names: Iterable[str], *, with_tags: bool) -> IamUser:
    """An IAM user of a `UserDetail`, or of a `User` as `GetUser` answers it."""
    return IamUser(
        user_id=answer["UserId"],
        user_name=answer["UserName"],
        arn=answer["Arn"],
        path=answer["Path"],
        create_date=answer["CreateDate"].astimezone(UTC),
        group_names=tuple(sorted(set(group_names))),
        permissions_boundary_arn=_boundary(answer),
        tags=tags_of(answer.get("Tags")) if with_tags else (),
    )


def group_row(answer: Answer) -> IamGroup:
    """An IAM group of a `GroupDetail` or `Group`."""
    return IamGroup(
        group_id=answer["GroupId"],
        group_name=answer["GroupName"],
        arn=answer["Arn"],
        path=answer["Path"],
        create_date=answer["CreateDate"].astimezone(UTC),
    )


def role_row(answer: Answer) -> IamRole:
    """An IAM role of a `RoleDetail`, or of a `Role` as `GetRole` answers it."""
    return IamRole(
        role_id=answer["RoleId"],
        role_name=answer["RoleName"],
        arn=answer["Arn"],
        path=answer["Path"],
        create_date=answer["CreateDate"].astimezone(UTC),
        trust_policy=policy_text(answer.get("AssumeRolePolicyDocument", "")),
        permissions_boundary_arn=_boundary(answer),
        tags=tags_of(answer.get("Tags")),
    )


def policy_row(answer: Answer, document: str, as_of: str | None = None, other_version: str | None = None) -> IamPolicy:
    """A managed policy of a `ManagedPolicyDetail` or `Policy`, its tags not read yet.

    `as_of` is the day of the kept copy that the document is from, `other_version` the version that it is of where that
    is not the one in force.
    """
    return IamPolicy(
        policy_id=answer["PolicyId"],
        policy_name=answer["PolicyName"],
        arn=answer["Arn"],
        path=answer["Path"],
        aws_managed=is_aws_managed(answer["Arn"]),
        default_version_id=answer["DefaultVersionId"],
        attachment_count=answer.get("AttachmentCount", 0),
        document=document,
        tags=None,
        document_as_of=as_of,
        document_version_id=other_version,
    )


def managed_attachment(kind: PrincipalType, principal: str, policy_name: str, policy_arn: str) -> IamAttachment:
    """A managed policy attached to a user, group or role."""
    return IamAttachment(kind, principal, "managed", policy_name, policy_arn, None)


def inline_attachment(kind: PrincipalType, principal: str, policy_name: str, document: object) -> IamAttachment:
    """An inline policy of a user, group or role."""
    return IamAttachment(kind, principal, "inline", policy_name, None, policy_text(document))


def _boundary(answer: Answer) -> str | None:
    return (answer.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
