"""An account as values, in a few words, for the table of situations: IAM, Identity Center, access points, exports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.center_state import NO_CENTER, CenterState
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.config import OrganizationLink
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import (
    AccessControl,
    AccessPoint,
    Assignee,
    DataObjectReference,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    PushBucket,
    PushPermissionSet,
    PushPrincipal,
    S3Bucket,
    Tag,
    WhatItem,
    WhoEntry,
)
from tests.aws.push.conftest import ACCOUNT, arn, trust
from tests.aws.push.exported import policy, role
from tests.aws.push.pushing import WHEN

HERE, THERE, OTHER = "eu-west-1", "eu-central-1", "999900001111"
RAITO, RAITO_HERE = Tag("creator", "RAITO"), Tag("raito_account", ACCOUNT)
NOBODY: WhoEntry = WhoEntry((), (), (), ())
Part = IamRole | IamPolicy | IamAttachment | PushPermissionSet | AccessPoint | IamUser
PEOPLE = (
    PushPrincipal("USER", "u-ann", "ann"), PushPrincipal("USER", "u-ben", "ben"),
    PushPrincipal("GROUP", "g-analysts", "analysts"),
    PushPrincipal("GROUP", "g-twin-1", "twins"), PushPrincipal("GROUP", "g-twin-2", "twins"),
)  # fmt: skip
LINK = OrganizationLink(profile="there", region=HERE, instance_arn="arn:aws:sso:::instance/i", identity_store_id="d-1")


# -- exports ---------------------------------------------------------------------------------------------------------


def on(path: str, *permissions: str, kind: str = "folder", region: str = HERE, account: str = ACCOUNT) -> WhatItem:
    """Permissions on BUCKET/PATH, `s3:GetObject` where none is given."""
    return WhatItem(DataObjectReference(f"{account}:{region}:{path}", kind), permissions or ("s3:GetObject",))


WHOLE = WhatItem(DataObjectReference(ACCOUNT, "datasource"), ("s3:GetObject",))
A = (on("data/a"),)


def who(*names: str) -> WhoEntry:
    """Users by name, `group:NAME`, `mail:ADDRESS`, or entries of `inheritFrom`."""
    marks = ("group:", "mail:", "role:", "ssorole:", "ID:", "policy:")
    return WhoEntry(
        tuple(name for name in names if not name.startswith(marks)),
        tuple(name.removeprefix("group:") for name in names if name.startswith("group:")),
        tuple(name for name in names if name.startswith(marks[2:])),
        tuple(name.removeprefix("mail:") for name in names if name.startswith("mail:")),
    )


def granted(identifier: str, kind: str | None, people: WhoEntry, **changes: Any) -> AccessControl:
    """An access control on the folder data/a."""
    values: dict[str, Any] = {
        "position": 0, "id": identifier, "name": identifier, "description": "why", "naming_hint": "",
        "type": kind, "external_id": None, "action": "grant", "delete": False, "actual_name": None,
        "who": people, "deleted_who": None, "what": A, "delete_what": (),
        "who_locked": False, "inheritance_locked": False, "what_locked": False, "delete_locked": False, "owners": (),
    }  # fmt: skip
    found = AccessControl(**{**values, **changes})
    if found.external_id and found.actual_name is None:
        found = replace(found, actual_name=found.external_id.partition(":")[2].rpartition("/")[2])
    return found


# -- AWS before ------------------------------------------------------------------------------------------------------


def gives(*resources: str, action: str = "s3:GetObject") -> str:
    """A document as a push writes it."""
    statement = {"Effect": "Allow", "Action": [action], "Resource": [f"arn:aws:s3:::{each}" for each in resources]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


GIVES_A = gives("data/a/*")
OWN = (RAITO,)


def a_role(name: str, *users: str, inline: str | None = GIVES_A, tags: tuple[Tag, ...] = OWN) -> tuple[Part, ...]:
    """A role as a push makes it, or with other tags one of somebody else."""
    body = trust(*users)
    if not users:
        body["Statement"] = [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]
    own = IamAttachment("role", name, "inline", f"Raito_Inline_{name}", None, inline)
    return (role(name, body, tags), *((own,) if inline else ()))


def a_policy(name: str, *whom: str, text: str = GIVES_A, tags: tuple[Tag, ...] = OWN) -> tuple[Part, ...]:
    """A managed policy that principals (`user:NAME`) have."""
    having = (each.split(":") for each in whom)
    attached = (IamAttachment(kind, held, "managed", name, arn(name), None) for kind, held in having)
    return (policy(name, json.loads(text), tags), *attached)


def a_set(
    name: str, *whom: str, inline: str = GIVES_A, tags: tuple[Tag, ...] = (RAITO, RAITO_HERE), **changes: Any
) -> tuple[Part, ...]:
    """A permission set that people of the identity store (`USER u-ann`) have in the account."""
    assigned = tuple(Assignee(*each.split()) for each in whom)
    row = PushPermissionSet(
        f"arn:aws:sso:::permissionSet/i/ps-{name}", name, "why", tags, RAITO in tags, inline, (), (), assigned,
        (ACCOUNT,) if assigned else (),
    )  # fmt: skip
    return (replace(row, **changes),)


def point_arn(name: str, region: str = HERE) -> str:
    return f"arn:aws:s3:{region}:{ACCOUNT}:accesspoint/{name}"


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def a_point(
    name: str, *principals: str, paths: tuple[str, ...] = ("a/*",), bucket: str = "data", tags: tuple[Tag, ...] = OWN
) -> tuple[Part, ...]:
    """An access point; `principals` are users, or ARNs."""
    listed = sorted(each if each.startswith("arn:") else user_arn(each) for each in principals)
    objects = [f"{point_arn(name)}/object/{path}" for path in paths]
    statement = {"Effect": "Allow", "Principal": {"AWS": listed}, "Action": ["s3:GetObject"], "Resource": objects}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}) if principals else None
    return (AccessPoint(name, point_arn(name), None, bucket, ACCOUNT, text, tags),)


def reserved(name: str) -> tuple[Part, ...]:
    """The role of a permission set in the account."""
    long = f"AWSReservedSSO_{name}_0123456789abcdef"
    path = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
    return (replace(role(long, trust("ada"), ()), path=path, arn=f"arn:aws:iam::{ACCOUNT}:role{path}{long}"),)


def user(name: str, *groups: str) -> IamUser:
    return IamUser(f"AIDA{name}", name, user_arn(name), "/", WHEN, groups, None, ())


def consent(bucket: str, region: str) -> PushBucket:
    """A bucket that leaves it to the access points of the account who has access."""
    statement = {
        "Effect": "Allow", "Principal": "*", "Action": "*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
    }  # fmt: skip
    return PushBucket(bucket, region, json.dumps({"Version": "2012-10-17", "Statement": [statement]}), None)


def aws(parts: tuple[Part, ...], *, center: bool = True, shared: bool = False, delegates: bool = True) -> PushState:
    """The account with users ada, bob, cyd, group staff (bob, cyd), group empty, buckets data, far, and the parts."""

    def of(kind: type) -> list[Any]:
        return [each for each in parts if isinstance(each, kind)]

    users = [user("ada"), user("bob", "staff"), user("cyd", "staff"), *of(IamUser)]
    groups = [IamGroup(f"AGPA{name}", name, "arn", "/", WHEN) for name in ("staff", "empty")]
    buckets = [S3Bucket(name, region, WHEN, True, ()) for name, region in (("data", HERE), ("far", THERE))]
    policies = [consent("data", HERE), consent("far", THERE)] if delegates else [PushBucket("data", HERE, None, None)]
    sets = CenterState.of(of(PushPermissionSet), PEOPLE, account_id=ACCOUNT, is_shared=shared)
    return PushState.of(
        ACCOUNT, users, groups, of(IamRole), of(IamPolicy), of(IamAttachment), sets if center else NO_CENTER,
        PointState.of(buckets, of(AccessPoint), dict.fromkeys((HERE, THERE)), policies),
    )  # fmt: skip


# -- the table ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Situation:
    """One row: AWS before, the export, and what a push of it plans and says."""

    name: str
    before: tuple[Part, ...]
    export: AccessControl | tuple[AccessControl, ...]
    steps: tuple[str, ...]
    """`OPERATION KIND RESOURCE` of every row of the plan, in its order; of an ARN the name"""
    errors: tuple[str, ...] = ()
    """a part of each error, of all access controls together"""
    warnings: tuple[str, ...] = ()
    gives: tuple[str, ...] | None = None
    """what planned documents allow, `ACTION RESOURCE`, and the prefix of a listing; None where it is not looked at"""
    options: PushOptions = field(default_factory=PushOptions)
    center: bool = True
    shared: bool = False
    delegates: bool = True
    source: str = ""
    """the data source; without one, objects get no tags that say for whom they are, and nothing is split"""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    def plan(self) -> Plan:
        listed = self.export if isinstance(self.export, tuple) else (self.export,)
        placed = [replace(each, position=position) for position, each in enumerate(listed)]
        options = self.options
        bounds = Bounds(self.source, buckets={"data": HERE, "far": THERE})
        state = aws(self.before, center=self.center, shared=self.shared, delegates=self.delegates)
        return plan_push(placed, state, options, ACCESS_PROVIDER_TYPES.push, bounds)


def allowed(plan: Plan) -> tuple[str, ...]:
    """What the planned documents of a what allow."""
    found: set[str] = set()
    for row in plan.changes:
        if row.after and row.after.startswith("{"):
            value = json.loads(row.after)
            for statement in value.get("PolicyDocument", value).get("Statement", ()):
                if statement["Effect"] == "Allow" and "Resource" in statement:
                    found |= set(_pairs(statement))
    return tuple(sorted(found))


def _pairs(statement: Any) -> Iterator[str]:
    prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", [""])
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    for action in actions:
        for resource in resources:
            short = resource.removeprefix("arn:aws:s3:::").rpartition("accesspoint/")[2]
            yield from (f"{action} {short} {prefix}".rstrip() for prefix in prefixes)
