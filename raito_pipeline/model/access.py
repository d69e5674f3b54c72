"""Rows of the access stage: access points as read, and access providers as Raito Cloud sees them."""

from dataclasses import dataclass
from typing import Annotated

from raito_pipeline.model.common import Tag
from raito_pipeline.model.tables import Layer, Outside, row


@row(
    "access_points",
    by="account_region",
    key=("arn",),
    layer=Layer.REGIONS,
    sources=(Outside.AWS_S3,),
    after=("s3_buckets",),
)
class AccessPoint:
    """S3 access points of one region."""

    name: Annotated[str, "access point name"]
    arn: Annotated[str, "access point ARN"]
    alias: Annotated[str | None, "alias that stands for it as a bucket name, `...-s3alias`"]
    bucket: Annotated[str, "bucket that it opens"]
    bucket_account_id: Annotated[str | None, "account of the bucket, null where AWS does not say"]
    policy: Annotated[str | None, "policy as JSON text, null where it has none"]
    tags: Annotated[tuple[Tag, ...] | None, "tags, sorted by key; null where they were not read"]
    network_origin: Annotated[str | None, "`Internet`, or `VPC` where only calls from `vpc_id` go through it"] = None
    vpc_id: Annotated[str | None, "VPC that alone may use it"] = None


_WHAT_DECIDES = (
    "iam_users",
    "iam_groups",
    "iam_roles",
    "iam_policies",
    "iam_attachments",
    "s3_buckets",
    "s3_bucket_policies",
    "access_points",
    "org_users",
    "org_groups",
    "org_permission_sets",
    "org_account_assignments",
    "org_accounts",
    "org_policy_targets",
    "org_control_policies",
)
"""the tables that decide who may do what in an account"""

_GIVES_NAMES = ("data_objects",)
"""the table in which single keys and beginnings of keys are looked up: what it lacks has no name in what is shown, and
a reason says so, but nobody has less access and no access provider goes because of it"""

INCOMPLETE_BY = {
    "narrower": "may be given more in AWS than is shown",
    "wider": "may be given less in AWS than is shown",
    "who": "have somebody who cannot be named",
}
"""The codes of reasons that make access providers incomplete, with what such access providers are or have; the reasons
are in the columns `reasons_<code>`."""


@dataclass(frozen=True, slots=True, order=True)
class DataObjectReference:
    """A data object as an access provider or a usage statement names it."""

    full_name: Annotated[str, "full name of the data object"]
    type: Annotated[
        str, "`datasource` for the account, `file` for a single key, else empty where the type is not known"
    ]


@dataclass(frozen=True, slots=True, order=True)
class WhatItem:
    """Permissions on one data object."""

    data_object: Annotated[DataObjectReference, "data object"]
    permissions: Annotated[tuple[str, ...], "permissions such as `s3:GetObject`, sorted"]


@row(
    "access_providers",
    by="account",
    key=("external_id",),
    layer=Layer.FINISH,
    reads=_WHAT_DECIDES,
    after=_GIVES_NAMES,
    looks_at=("access_push_targets",),
    columns_from={
        "name": (
            "iam_roles.role_name",
            "iam_policies.policy_name",
            "iam_attachments.principal_name",
            "access_points.name",
            "s3_bucket_policies.bucket",
            "org_permission_sets.name",
        ),
        "policy": (
            "iam_policies.document",
            "iam_attachments.document",
            "access_points.policy",
            "s3_bucket_policies.policy",
        ),
        "who_users": (
            "iam_roles.trust_policy",
            "iam_attachments.principal_name",
            "access_points.policy",
            "s3_bucket_policies.policy",
            "org_account_assignments.principal_name",
        ),
        "who_groups": ("iam_attachments.principal_name", "org_account_assignments.principal_name"),
        "who_access_providers": (
            "iam_attachments.principal_name",
            "access_points.policy",
            "s3_bucket_policies.policy",
        ),
        "what": (
            "iam_policies.document",
            "iam_attachments.document",
            "access_points.policy",
            "org_control_policies.document",
            "s3_bucket_policies.policy",
            "s3_buckets.name",
            "s3_buckets.region",
        ),
        "tags": ("iam_roles.tags", "iam_policies.tags", "access_points.tags", "org_permission_sets.tags"),
    },
)
class AccessProvider:
    """Access that AWS gives, as it is imported into Raito Cloud."""

    external_id: Annotated[
        str,
        "`role:NAME`, `ssorole:NAME`, `policy:NAME`, `accesspoint:ARN`, `bucketpolicy:BUCKET`, `user:NAME|inline:...|`",
    ]
    name: Annotated[str, "name that people see"]
    naming_hint: Annotated[str, "name that Raito Cloud would give it again"]
    actual_name: Annotated[str, "name in AWS"]
    type: Annotated[str, "`aws_role`, `aws_sso_role`, `aws_policy`, `aws_access_point` or `aws_bucket_policy`"]
    action: Annotated[str, "always `grant`"]
    policy: Annotated[str, "policy documents that it was read from, as text"]
    who_users: Annotated[tuple[str, ...] | None, "user names, sorted; null = unknown"]
    who_groups: Annotated[tuple[str, ...] | None, "group names, sorted; null = unknown"]
    who_access_providers: Annotated[tuple[str, ...] | None, "external ids of access providers, sorted; null = none"]
    what: Annotated[tuple[WhatItem, ...], "data objects with their permissions, sorted"]
    incomplete: Annotated[bool, "true where something about S3 could not be represented (wider, narrower or who)"]
    incomplete_reasons: Annotated[tuple[str, ...], "why it is incomplete: document, statement, element, why"]
    reasons_wider: Annotated[tuple[str, ...], "those by which what is shown may be more than is given"]
    reasons_narrower: Annotated[tuple[str, ...], "those by which more may be given than is shown"]
    reasons_who: Annotated[tuple[str, ...], "those by which somebody has it who cannot be named"]
    reasons_elsewhere: Annotated[
        tuple[str, ...],
        "what it says about other services, buckets of others and settings; does not make it incomplete",
    ]
    notes: Annotated[
        tuple[str, ...],
        "how calls have to be made, such as over TLS, and what is left to others; does not make it incomplete",
    ]
    not_internalizable: Annotated[bool, "true where Raito Cloud may not take it over"]
    who_locked: Annotated[str | None, "reason why the who is locked; null = not locked"]
    inheritance_locked: Annotated[str | None, "reason why the inheritance is locked; null = not locked"]
    what_locked: Annotated[str | None, "reason why the what is locked; null = not locked"]
    name_locked: Annotated[str | None, "reason why the name is locked; null = not locked"]
    delete_locked: Annotated[str | None, "reason why deleting is locked; null = not locked"]
    owners_locked: Annotated[str | None, "reason why the owners are locked; null = not locked"]
    tags: Annotated[tuple[Tag, ...] | None, "tags, sorted by key; null = none"]


@row(
    "access_basis",
    by="account",
    key=("external_id", "data_object", "permission", "document", "statement"),
    layer=Layer.FINISH,
    reads=("access_providers", *_WHAT_DECIDES),
    after=_GIVES_NAMES,
    looks_at=("access_push_targets",),
    columns_from={
        "external_id": ("access_providers.external_id",),
        "data_object": ("access_providers.what",),
        "permission": ("access_providers.what",),
        "document": ("iam_policies.policy_name", "iam_attachments.policy_name", "access_points.policy"),
        "statement": ("iam_policies.document", "iam_attachments.document", "access_points.policy"),
    },
)
class AccessBasis:
    """What each claim of an access provider rests on: every document and statement that gives it.

    Each permission on a data object in the what of an access provider has at least one row. Where a claim is narrower
    than its statement (a Deny or a ceiling took a part away), the statement is still the one that gives it.
    """

    external_id: Annotated[str, "external id of the access provider"]
    data_object: Annotated[str, "full name of the data object"]
    permission: Annotated[str, "permission such as `s3:GetObject`"]
    document: Annotated[str, "document that gives it, as reasons name it: `policy NAME`, `inline policy NAME`, ..."]
    statement: Annotated[str, "statement of the document: its number, and its `Sid` where it has one"]


@row(
    "effective_access",
    by="account",
    key=("principal_type", "principal_account", "principal_id", "data_object", "permission", "via_roles"),
    layer=Layer.FINISH,
    reads=_WHAT_DECIDES,
    after=_GIVES_NAMES,
    looks_at=("access_providers", "access_push_targets"),
    columns_from={
        "principal_id": ("iam_users.user_id", "iam_roles.role_id", "org_users.user_id"),
        "principal_name": ("iam_users.user_name", "iam_roles.role_name", "org_users.user_name"),
        "data_object": ("s3_buckets.name", "s3_buckets.region", "iam_policies.document", "iam_attachments.document"),
        "permission": ("iam_policies.document", "iam_attachments.document", "access_points.policy"),
        "via_roles": ("iam_roles.trust_policy", "org_account_assignments.permission_set_arn"),
        "conditions": ("iam_policies.document", "iam_attachments.document", "iam_roles.trust_policy"),
    },
)
class EffectiveAccess:
    """Who really reaches what: users, roles and people of the organization, by all policies together.

    One row a principal, data object, permission and way: by itself, or by assuming roles. Everything that limits
    whoever makes the call is taken into account: Denies anywhere, boundaries, policies of resources. A permission on
    the account is one on all of its buckets; it stands there and not at each bucket, unless they differ. The root user
    of the account is not in it.
    """

    principal_type: Annotated[str, "`user` or `role` of IAM, or `org_user`: a person of the organization"]
    principal_account: Annotated[
        str | None, "account that the user or role is of; null for a person of the organization"
    ]
    principal_id: Annotated[str, "UserId or RoleId of IAM, or UserId of the identity store"]
    principal_name: Annotated[str, "name of the user, role or person"]
    data_object: Annotated[str, "full name of the data object"]
    data_object_kind: Annotated[str, "`account`, `bucket`, `file`, or `folder` for what else lies below a bucket"]
    bucket: Annotated[str | None, "name of the bucket; null where it is the account, which is all of its buckets"]
    permission: Annotated[str, "permission such as `s3:GetObject`"]
    via_roles: Annotated[
        tuple[str, ...], "roles of the account that it has to assume for it, in order; none = it has it itself"
    ]
    through: Annotated[
        tuple[str, ...], "external ids of the access providers that give it: of the roles, then of the policies"
    ]
    certainty: Annotated[str, "`certain`, or `conditional`: see `conditions`"]
    conditions: Annotated[tuple[str, ...], "what it depends on, sorted; none where it is certain"]
