"""Rows of the push stage: the export, the plan and the results."""

from dataclasses import dataclass
from typing import Annotated

from raito_pipeline.model.access import WhatItem
from raito_pipeline.model.common import Tag
from raito_pipeline.model.tables import Layer, Outside, row


@dataclass(frozen=True, slots=True)
class WhoEntry:
    """Who an access control names, as in the exported file."""

    users: Annotated[tuple[str, ...], "user names"]
    groups: Annotated[tuple[str, ...], "group names"]
    inherit_from: Annotated[tuple[str, ...], "external ids, or `ID:<access control id>`"]
    recipients: Annotated[tuple[str, ...], "e-mail addresses"]


EMPTY_WHO = WhoEntry((), (), (), ())


@row(
    "access_controls",
    by="account",
    key=("id",),
    layer=Layer.FINISH,
    sources=(Outside.RAITO_CLOUD_ACCESS_CONTROLS,),
    after=("identity_store_import", "data_source_import"),
)
class AccessControl:
    """Access controls granted in Raito Cloud, as exported."""

    position: Annotated[int, "position in the export, from 0"]
    id: Annotated[str, "id in Raito Cloud"]
    name: Annotated[str, "name"]
    description: Annotated[str, "description"]
    naming_hint: Annotated[str, "name that the AWS object should get"]
    type: Annotated[str | None, "type asked for; null = the pipeline decides"]
    external_id: Annotated[str | None, "external id in AWS; null = new"]
    action: Annotated[str, "`grant` and others"]
    delete: Annotated[bool, "true where it is to be removed from AWS"]
    actual_name: Annotated[str | None, "name in AWS; null = new"]
    who: Annotated[WhoEntry, "who has access"]
    deleted_who: Annotated[WhoEntry | None, "who lost access since the last push"]
    what: Annotated[tuple[WhatItem, ...], "data objects with permissions"]
    delete_what: Annotated[tuple[WhatItem, ...], "what was taken away since the last push"]
    who_locked: Annotated[bool, "the who may not be changed"]
    inheritance_locked: Annotated[bool, "the inheritance may not be changed"]
    what_locked: Annotated[bool, "the what may not be changed"]
    delete_locked: Annotated[bool, "it may not be deleted"]
    owners: Annotated[tuple[str, ...], "owners as JSON objects (`email`, `accountName`, `groupName`)"]
    unreadable: Annotated[
        tuple[str, ...], "what of it is not as the format of the export says; nothing new is made of it then"
    ] = ()


@dataclass(frozen=True, slots=True, order=True)
class Assignee:
    """Who is assigned to a permission set."""

    principal_type: Annotated[str, "`USER` or `GROUP`"]
    principal_id: Annotated[str, "UserId or GroupId"]


@row(
    "push_permission_sets",
    by="account",
    key=("arn",),
    layer=Layer.FINISH,
    sources=(Outside.AWS_IDENTITY_CENTER,),
    after=("access_controls", "iam_attachments"),
    looks_at=("org_permission_sets",),
    only_for="access_push_plan",
)
class PushPermissionSet:
    """Permission sets as the push of an account finds them, asked for right before it is planned.

    All of the organization by name and tags; whole (`is_whole`) those that Raito made, and who has those that access
    controls name. Empty where no access control has to do with permission sets, and the account has none of Raito:
    Identity Center is not asked then.
    """

    arn: Annotated[str, "permission set ARN"]
    name: Annotated[str, "permission set name"]
    description: Annotated[str, "Description, empty where none is set"]
    tags: Annotated[tuple[Tag, ...], "tags, sorted by key"]
    is_whole: Annotated[bool, "true where its policies and accounts were read, too"]
    inline_policy: Annotated[str, "inline policy as JSON, empty where there is none"]
    policy_arns: Annotated[tuple[str, ...], "ARNs of managed policies of AWS, sorted"]
    references: Annotated[tuple[str, ...], "customer managed policies as path and name (`/readers`), sorted"]
    assigned: Annotated[tuple[Assignee, ...], "who is assigned in this account, sorted"]
    account_ids: Annotated[tuple[str, ...], "accounts where it is provisioned, sorted"]


@row(
    "push_principals",
    by="account",
    key=("principal_type", "principal_id"),
    layer=Layer.FINISH,
    sources=(Outside.AWS_IDENTITY_CENTER,),
    after=("access_controls", "iam_attachments"),
    looks_at=("org_permission_sets",),
    only_for="access_push_plan",
)
class PushPrincipal:
    """People and groups of the identity store that the permission sets of a push are, or were, assigned to."""

    principal_type: Annotated[str, "`USER` or `GROUP`"]
    principal_id: Annotated[str, "UserId or GroupId"]
    name: Annotated[str, "UserName of the user or DisplayName of the group"]


@row(
    "push_buckets",
    by="account",
    key=("name",),
    layer=Layer.FINISH,
    sources=(Outside.AWS_S3,),
    after=("access_controls", "s3_buckets", "s3_bucket_policies"),
    only_for="access_push_plan",
)
class PushBucket:
    """Policies of the buckets that pushed access points open: as the sync has read them, else asked for.

    Empty where no access control is an access point: nothing is asked then.
    """

    name: Annotated[str, "bucket name"]
    region: Annotated[str, "region of the bucket"]
    policy: Annotated[str | None, "bucket policy as JSON text, null where it has none or it was not read"]
    problem: Annotated[str | None, "why the policy was not read; null where it was"]


_PLANNED_ON = (
    "access_controls",
    "iam_users",
    "iam_groups",
    "iam_roles",
    "iam_policies",
    "iam_attachments",
    "s3_buckets",
    "access_points",
    "access_providers",
    "push_permission_sets",
    "push_principals",
    "push_buckets",
)
_LOOKED_AT = ("access_push_results", "s3_bucket_policies")
"""what came of the last push: whose first push it is now; and what a Deny keeps from somebody whom a bucket lets in"""


@row(
    "access_push_plan",
    by="account",
    key=("position",),
    layer=Layer.FINISH,
    reads=_PLANNED_ON,
    looks_at=_LOOKED_AT,
    columns_from={
        "access_control_id": ("access_controls.id",),
        "access_control_name": ("access_controls.name",),
        "resource": ("access_controls.actual_name", "access_controls.naming_hint"),
        "before": (
            "iam_policies.document",
            "iam_attachments.document",
            "iam_roles.trust_policy",
            "push_permission_sets.inline_policy",
            "access_points.policy",
            "push_buckets.policy",
        ),
        "after": ("access_controls.who", "access_controls.what"),
    },
)
class PushChange:
    """One change that the push will make in AWS, in the order in which it is made."""

    position: Annotated[int, "order, from 0"]
    access_control_id: Annotated[str, "access control that asks for it"]
    access_control_name: Annotated[str, "its name"]
    operation: Annotated[
        str, "`create`, `update`, `delete`, `attach`, `detach`, `tag`, `provision`, `none` or `refuse`"
    ]
    kind: Annotated[
        str, "`role`, `role-trust`, `policy`, `policy-version`, `attachment`, `permission-set`, `assignment`, ..."
    ]
    resource: Annotated[str, "ARN (or name) of what is changed"]
    before: Annotated[str | None, "state before, as text (JSON documents); null = did not exist"]
    after: Annotated[str | None, "state after, as text (JSON documents); null = will not exist"]
    why: Annotated[str, "why, in a sentence"]
    beside: Annotated[
        tuple[str, ...] | None,
        "what it brings to people, or takes along, beside `before` and `after`: documents by their fingerprint, names; "
        "what AWS has beyond that when the change is made was changed since the plan. Null = nothing is compared",
    ] = None


@row(
    "access_push_results",
    by="account",
    key=("access_control_id",),
    layer=Layer.FINISH,
    reads=("access_push_plan", "access_push_targets", "access_controls"),
    looks_at=(
        *_PLANNED_ON,
        "s3_bucket_policies",
    ),  # a plan that was approved is made once more, to see whether it is still the same
    sinks=(Outside.RAITO_CLOUD,),
)
class PushResult:
    """What came of each access control; the feedback to Raito Cloud."""

    access_control_id: Annotated[str, "id in Raito Cloud"]
    access_control_name: Annotated[str, "its name"]
    type: Annotated[str, "type in AWS"]
    actual_name: Annotated[str, "name in AWS, empty after a deletion"]
    external_id: Annotated[str | None, "external id in AWS, null after a deletion or an error"]
    changes_made: Annotated[int, "changes made in AWS"]
    changes_failed: Annotated[int, "changes that AWS refused or that were not tried after a failure"]
    errors: Annotated[tuple[str, ...], "errors, sent as feedback"]
    warnings: Annotated[tuple[str, ...], "warnings, sent as feedback"]


@row(
    "access_push_targets",
    by="account",
    key=("access_control_id",),
    layer=Layer.FINISH,
    reads=_PLANNED_ON,
    looks_at=_LOOKED_AT,
)
class PushTarget:
    """What the plan makes of each access control: its AWS object, and why it is refused where it is."""

    position: Annotated[int, "position in the export, from 0"]
    access_control_id: Annotated[str, "id in Raito Cloud"]
    access_control_name: Annotated[str, "its name"]
    type: Annotated[str, "type in AWS"]
    actual_name: Annotated[str, "name in AWS, empty after a deletion"]
    external_id: Annotated[str | None, "external id in AWS, null after a deletion or where it is refused"]
    errors: Annotated[tuple[str, ...], "why it is refused, or what of its who and what cannot be made"]
    warnings: Annotated[tuple[str, ...], "what a person should know about the plan"]
    refused: Annotated[bool, "true where nothing is changed for it; else all but what `errors` names is made"]


@row(
    "access_push_orphans",
    by="account",
    key=("external_id",),
    layer=Layer.FINISH,
    reads=("access_controls", "iam_roles", "iam_policies"),
)
class PushOrphan:
    """What Raito made in the account and no access control of the export names: nobody grants it any more."""

    external_id: Annotated[str, "its external id, such as `role:NAME`"]
    type: Annotated[str, "type in AWS"]
    resource: Annotated[str, "name or ARN in AWS"]
    data_source: Annotated[str | None, "data source that it was made for, by its tag; null where no tag says it"]
    access_control_id: Annotated[str | None, "access control that it was made for, by its tag; null as above"]
    removed: Annotated[bool, "true where the plan removes it"]
    why_kept: Annotated[str, "why it stays; empty where it is removed"]
