"""A small account, told in a few words, and its access providers."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions, OrganizationLink
from raito_pipeline.model import (
    AccessPoint,
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccount,
    OrgAccountAssignment,
    OrgControlPolicy,
    OrgPermissionSet,
    OrgPolicyTarget,
    S3Bucket,
    S3BucketPolicy,
    Tag,
)

ACCOUNT = "111122223333"
WHEN = datetime(2024, 1, 1, tzinfo=UTC)
LINK = OrganizationLink(
    profile="master",
    region="eu-central-1",
    instance_arn="arn:aws:sso:::instance/ssoins-1",
    identity_store_id="d-1",
)
BY_RAITO = (Tag("Creator", "raito"),)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


READ = document(allow("s3:GetObject", "arn:aws:s3:::data/*"))
ALL = document(allow("*", "*"))
SERVICE, RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
ROOT, UNIT = "r-1234", "ou-1234-12345678"
NO_S3 = document(allow("ec2:DescribeInstances", "*"))


def user_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


@dataclass
class Told:
    """An account under construction."""

    users: list[IamUser] = field(default_factory=list)
    groups: list[IamGroup] = field(default_factory=list)
    roles: list[IamRole] = field(default_factory=list)
    policies: list[IamPolicy] = field(default_factory=list)
    attachments: list[IamAttachment] = field(default_factory=list)
    access_points: list[AccessPoint] = field(default_factory=list)
    permission_sets: list[OrgPermissionSet] = field(default_factory=list)
    assignments: list[OrgAccountAssignment] = field(default_factory=list)
    pushed: frozenset[str] = frozenset()
    pushed_ids: frozenset[str] = frozenset()
    bucket_policies: list[S3BucketPolicy] = field(default_factory=list)
    bucket_policy_use: Literal["show", "deny-only", "off"] = "show"
    linked: dict[str, str] = field(default_factory=dict)
    buckets: list[S3Bucket] = field(default_factory=list)
    """more than the three that there always are"""
    place: OrgAccount | None = None
    targets: list[OrgPolicyTarget] = field(default_factory=list)
    controls: list[OrgControlPolicy] = field(default_factory=list)
    data_objects: list[tuple[str, str]] = field(default_factory=list)
    """full names and types"""
    listed: tuple[str, ...] = ()
    """buckets whose keys are all data objects"""
    left_out: bool = True
    """whether there is a bucket that `raito.yml` leaves out"""

    def data_object(self, path: str, kind: str = "file", bucket: str = "eu-west-1:data") -> "Told":
        self.data_objects.append((f"{ACCOUNT}:{bucket}{path if path.startswith(':') else f'/{path}'}", kind))
        return self

    def organization(self, *, management: bool = False, full: bool = True) -> "Told":
        """The account in a unit of an organization; with `full` each level allows everything, as it does at first."""
        path = () if management else (ROOT, UNIT)
        self.place = OrgAccount(ACCOUNT, "o-1234567890", management, path, (RESOURCE, SERVICE))
        if full:
            self.control("FullAWSAccess", ALL, ROOT, UNIT, ACCOUNT)
        return self

    def control(self, name: str, text: str, *nodes: str, kind: str = SERVICE) -> "Told":
        """A control policy that is attached to some nodes."""
        self.controls.append(OrgControlPolicy(f"p-{name}", kind, name, name.startswith("Full"), text))
        self.targets += [OrgPolicyTarget(node, "ROOT", kind, f"p-{name}") for node in nodes]
        return self

    def user(self, name: str, *groups: str, boundary: str | None = None) -> "Told":
        self.users.append(IamUser(f"AIDA{name}", name, user_arn(name), "/", WHEN, groups, boundary, ()))
        return self

    def group(self, name: str) -> "Told":
        self.groups.append(IamGroup(f"AGPA{name}", name, f"arn:aws:iam::{ACCOUNT}:group/{name}", "/", WHEN))
        return self

    def role(
        self,
        name: str,
        *statements: dict[str, Any],
        tags: tuple[Tag, ...] = (),
        text: str = "",
        boundary: str | None = None,
        path: str = "/",
    ) -> "Told":
        arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
        self.roles.append(IamRole(f"AROA{name}", name, arn, path, WHEN, text or document(*statements), boundary, tags))
        return self

    def policy(self, name: str, text: str, *whom: str, tags: tuple[Tag, ...] | None = (), aws: bool = False) -> "Told":
        """A managed policy, attached to `user:NAME`, `group:NAME` or `role:NAME`."""
        arn = f"arn:aws:iam::{'aws' if aws else ACCOUNT}:policy/{name}"
        self.policies.append(IamPolicy(f"ANPA{name}", name, arn, "/", aws, "v1", len(whom), text, tags))
        for entry in whom:
            kind, _, principal = entry.partition(":")
            self.attachments.append(IamAttachment(kind, principal, "managed", name, arn, None))
        return self

    def inline(self, whom: str, name: str, text: str) -> "Told":
        kind, _, principal = whom.partition(":")
        self.attachments.append(IamAttachment(kind, principal, "inline", name, None, text))
        return self

    def point(
        self, name: str, *statements: dict[str, Any], bucket: str = "data", tags: tuple[Tag, ...] | None = ()
    ) -> "Told":
        arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/{name}"
        text = document(*statements) if statements else None
        self.access_points.append(AccessPoint(name, arn, None, bucket, ACCOUNT, text, tags))
        return self

    def bucket(self, name: str) -> "Told":
        self.buckets.append(S3Bucket(name, "eu-west-1", WHEN, True, ()))
        return self

    def bucket_policy(self, bucket: str, *statements: dict[str, Any], text: str = "", **more: Any) -> "Told":
        row = S3BucketPolicy(bucket, WHEN, text or document(*statements), True, (), (), True)
        self.bucket_policies.append(replace(row, **more))
        return self

    def delegates(self, bucket: str = "data") -> "Told":
        """The bucket leaves it to the access points of the account who has access through them."""
        points = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
        arn = f"arn:aws:s3:::{bucket}"
        return self.bucket_policy(bucket, allow("*", [arn, f"{arn}/*"], Principal="*", Condition=points))

    def inputs(self) -> AccessInputs:
        buckets = [
            S3Bucket("data", "eu-west-1", WHEN, True, ()),
            S3Bucket("other", "us-east-1", WHEN, True, ()),
            *([S3Bucket("hidden", "us-east-1", WHEN, False, ())] if self.left_out else []),
            *self.buckets,
        ]
        return AccessInputs(
            ACCOUNT,
            self.users,
            self.groups,
            self.roles,
            self.policies,
            self.attachments,
            buckets,
            self.access_points,
            self.permission_sets,
            self.assignments,
            self.pushed,
            self.pushed_ids,
            org_accounts=[self.place] if self.place else [],
            org_policy_targets=self.targets,
            org_control_policies=self.controls,
            bucket_policies=self.bucket_policies,
            bucket_policy_use=self.bucket_policy_use,
            linked=self.linked,
            look_up=partial(known_paths, data_objects=self.data_objects, listed=self.listed),
        )

    def build(self, options: AccessOptions | None = None) -> dict[str, AccessProvider]:
        rows = build_access_providers(self.inputs(), options or AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
        assert [row.external_id for row in rows] == sorted({row.external_id for row in rows})
        return {row.external_id: row for row in rows}


def what(row: AccessProvider) -> dict[str, tuple[str, ...]]:
    return {item.data_object.full_name: item.permissions for item in row.what}
