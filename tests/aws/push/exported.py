"""Access controls as exports have them, an account as tables have it, and the plan of both: for tests of plans."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import (
    AccessControl,
    DataObjectReference,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    PushTarget,
    Tag,
    WhatItem,
    WhoEntry,
)
from tests.aws.push.conftest import ACCOUNT, arn, document

WHEN = datetime(2024, 1, 1, tzinfo=UTC)
BY_RAITO = (Tag("creator", "RAITO"),)
READS = json.dumps(document("s3:GetBucketAcl"))
FOLDER = WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:data/a", "folder"), ("s3:GetObject",))
HAS_B = (IamAttachment("user", "ada", "managed", "b", arn("b"), None),)


def control(identifier: str, **changes: Any) -> AccessControl:
    values: dict[str, Any] = {
        "position": 0, "id": identifier, "name": identifier, "description": "why", "naming_hint": "",
        "type": "aws_role", "external_id": None, "action": "grant", "delete": False, "actual_name": None,
        "who": WhoEntry(("ada",), (), (), ()), "deleted_who": None, "what": (FOLDER,), "delete_what": (),
        "who_locked": False, "inheritance_locked": False, "what_locked": False, "delete_locked": False, "owners": (),
    }  # fmt: skip
    return AccessControl(**{**values, **changes})


def policy_control(identifier: str, **changes: Any) -> AccessControl:
    return control(identifier, type="aws_policy", **changes)


def who(*users: str, groups: tuple[str, ...] = (), inherit: tuple[str, ...] = ()) -> WhoEntry:
    return WhoEntry(users, groups, inherit, ())


def role(name: str, trust_policy: Any, tags: tuple[Tag, ...] = BY_RAITO) -> IamRole:
    return IamRole(
        f"AROA{name}", name, f"arn:aws:iam::{ACCOUNT}:role/{name}", "/", WHEN, json.dumps(trust_policy), None, tags
    )


def policy(name: str, text: Any, tags: tuple[Tag, ...] = BY_RAITO, *, aws: bool = False) -> IamPolicy:
    owner = "aws" if aws else ACCOUNT
    return IamPolicy(
        f"ANPA{name}", name, f"arn:aws:iam::{owner}:policy/{name}", "/", aws, "v1", 0, json.dumps(text), tags
    )


def state(
    roles: tuple[IamRole, ...] = (), policies: tuple[IamPolicy, ...] = (), attachments: tuple[IamAttachment, ...] = ()
) -> PushState:
    users = [
        IamUser(f"AIDA{n}", n, f"arn:aws:iam::{ACCOUNT}:user/{n}", "/", WHEN, groups, None, ())
        for n, groups in (("ada", ()), ("bob", ("staff",)), ("cyd", ("staff",)))
    ]
    groups = [IamGroup("AGPAstaff", "staff", "arn", "/", WHEN)]
    return PushState.of(ACCOUNT, users, groups, roles, policies, attachments)


def plan(*controls: AccessControl, there: PushState | None = None, options: PushOptions | None = None) -> Plan:
    placed = [replace(each, position=position) for position, each in enumerate(controls)]
    return plan_push(placed, there or state(), options or PushOptions(), ACCESS_PROVIDER_TYPES.push)


def steps(made: Plan) -> list[tuple[str, str, str]]:
    assert [change.position for change in made.changes] == list(range(len(made.changes)))
    return [(change.operation, change.kind, change.resource) for change in made.changes]


def only(made: Plan) -> PushTarget:
    (target,) = made.targets
    return target


def applied(made: Plan) -> PushState:
    """The account after the plan of new roles and policies."""
    roles, policies, attachments = [], [], []
    for change in made.changes:
        after = change.after or ""
        if (change.operation, change.kind) == ("create", "role"):
            roles.append(role(change.resource, json.loads(after)["AssumeRolePolicyDocument"]))
        elif change.kind == "role-inline-policy":
            name, _, inline = change.resource.partition("/")
            attachments.append(IamAttachment("role", name, "inline", inline, None, after))
        elif (change.operation, change.kind) == ("create", "policy"):
            policies.append(policy(change.resource, json.loads(after)["PolicyDocument"]))
        elif change.operation == "attach":
            kind, _, name = change.resource.partition(":")
            attachments.append(IamAttachment(kind, name, "managed", after.rpartition("/")[2], after, None))
    return state(tuple(roles), tuple(policies), tuple(attachments))
