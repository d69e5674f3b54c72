"""Names of CloudTrail events of S3 -> the permission that the call needed.

CloudTrail names the API operation; IAM names the action, and the two differ in the cases of the tables below.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from raito_pipeline.aws.policy.permissions import permissions

GlobalPermission = Literal["read", "write", "admin"]

_ACTIONS = {
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "CreateMultipartUpload": "PutObject",
    "InitiateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "PostObject": "PutObject",
    "RenameObject": "PutObject",
    "DeleteObjects": "DeleteObject",
    "DeleteMultipleObjects": "DeleteObject",
    "GetObjectLockLegalHold": "GetObjectLegalHold",
    "GetObjectLockRetention": "GetObjectRetention",
    "PutObjectLockLegalHold": "PutObjectLegalHold",
    "PutObjectLockRetention": "PutObjectRetention",
}
"""Events whose name is not that of the action. All other events of S3 are called like their action."""

_WITH_VERSION = {
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "GetObjectTorrent": "GetObjectVersionTorrent",
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
"""Actions that are others where the call names a version."""

COPIES = frozenset({"CopyObject", "UploadPartCopy", "RenameObject"})
"""Events that read another object as well: the one of `x-amz-copy-source` (or `x-amz-rename-source`)."""
READ, READ_VERSION = "s3:GetObject", "s3:GetObjectVersion"
"""What they need on that other object, without and with a version of it."""


@dataclass(frozen=True, slots=True)
class EventPermission:
    """The permission that an event needed, and its global one."""

    permission: str
    global_permission: GlobalPermission


@cache
def global_permissions() -> dict[str, GlobalPermission]:
    """The global permission that using each known permission amounts to: column `usage` of the permission table."""
    return {p.name: cast("GlobalPermission", p.usage) for p in permissions()}


@cache
def event_permission(event_name: str, with_version: bool = False) -> EventPermission | None:
    """The permission of an event of S3; None where the event is of no permission that Raito Cloud knows.

    `with_version` says whether the call named a version of the object.
    """
    action = _ACTIONS.get(event_name, event_name)
    if with_version:
        action = _WITH_VERSION.get(action, action)
    permission = f"s3:{action}"
    right = global_permissions().get(permission)
    return EventPermission(permission, right) if right else None


@cache
def plain_event(event_name: str | None) -> EventPermission | None:
    """The same for an event that touches one object, and no version of it; None for one that reads another, too."""
    return event_permission(event_name) if event_name and event_name not in COPIES else None
