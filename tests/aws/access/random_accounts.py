"""Random accounts: people, roles, policies and buckets, with the statements that are easy to misread.

An account is a plain value that can be taken apart (`smaller`), so that a failing one is shown as small as it gets.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.model import (
    AccessPoint,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccount,
    OrgControlPolicy,
    OrgPolicyTarget,
    S3Bucket,
    S3BucketPolicy,
    Tag,
)
from tests.aws.access.world import CORPORATE_ADDRESSES, VPC_ENDPOINT

ACCOUNT, FOREIGN = "111122223333", "444455556666"
WHEN = datetime(2024, 1, 1, tzinfo=UTC)
REGION = "eu-west-1"
Statement = dict[str, Any]

BUCKETS = ("data", "data-1", "data-12", "team1", "team10", "logs")
LEFT_OUT = ("hidden",)
KEYS = ("k", "x/k", "x/y/k", "x/y/z/k", "xy/k", "home/k", "home/ann/k", "home/bob/k", "x/k.csv")
_TAGS = {"ann": (Tag("team", "x"),)}
USERS, GROUPS, ROLES = ("ann", "bob", "cid", "dot", "eve"), ("staff", "admins"), ("reader", "writer", "batch")


def arn(kind: str, name: str, account: str = ACCOUNT) -> str:
    """The ARN of a user, group or role."""
    return f"arn:aws:iam::{account}:{kind}/{name}"


def _data_objects() -> Iterator[tuple[str, str]]:
    """All keys of all buckets are known: as files, in their folders."""
    for bucket in BUCKETS:
        for key in KEYS:
            parts = key.split("/")
            yield f"{ACCOUNT}:{REGION}:{bucket}/{key}", "file"
            for depth in range(1, len(parts)):
                yield f"{ACCOUNT}:{REGION}:{bucket}/{'/'.join(parts[:depth])}", "folder"


DATA_OBJECTS = tuple(_data_objects())
"""full names and types"""


@dataclass
class Features:
    """Which parts of AWS an account makes use of."""

    conditions: bool = False
    short_arns: bool = False
    """`arn:aws:s3:*`"""
    assume_rights: bool = False
    """identity policies about `sts:AssumeRole`"""
    boundaries: bool = False
    bucket_policies: bool = False
    control_policies: bool = False
    points: bool = False
    """access points"""
    on_points: float = 0.08
    """how many of the resources of identity policies are access points, where there are any"""


@dataclass
class RandomAccount:
    """Documents are lists of statements; `old` holds the ids of those in the 2008 version of the language."""

    seed: int
    groups_of: dict[str, list[str]] = field(default_factory=dict)
    trusts: dict[str, list[Statement]] = field(default_factory=dict)
    inline: dict[str, list[Statement]] = field(default_factory=dict)
    """by `user:ann|name`"""
    managed: dict[str, list[Statement]] = field(default_factory=dict)
    attached: dict[str, list[str]] = field(default_factory=dict)
    """managed policy to `user:ann`, `group:staff`, `role:reader`"""
    boundaries: dict[str, str] = field(default_factory=dict)
    """`user:ann` to a managed policy"""
    bucket_policies: dict[str, list[Statement]] = field(default_factory=dict)
    service_control: list[list[Statement]] = field(default_factory=list)
    """one policy a level, root first"""
    points: dict[str, list[Statement]] = field(default_factory=dict)
    """by `bucket:name`"""
    resource_control: list[list[Statement]] = field(default_factory=list)
    old: set[str] = field(default_factory=set)

    def text(self, name: str, statements: list[Statement]) -> str:
        """The document of a name."""
        version = "2008-10-17" if name in self.old else "2012-10-17"
        return json.dumps({"Version": version, "Statement": statements})

    @property
    def principals(self) -> list[str]:
        """Users and roles: `user:ann`, `role:reader`."""
        return [*(f"user:{name}" for name in self.groups_of), *(f"role:{name}" for name in self.trusts)]

    def inputs(self) -> AccessInputs:
        """The stored tables of the account."""
        edges = {who: _policy_arn(name) for who, name in self.boundaries.items()}
        return AccessInputs(
            account_id=ACCOUNT,
            users=[
                IamUser(
                    f"AIDA{name}",
                    name,
                    arn("user", name),
                    "/",
                    WHEN,
                    tuple(groups),
                    edges.get(f"user:{name}"),
                    _TAGS.get(name, ()),
                )
                for name, groups in self.groups_of.items()
            ],
            groups=[IamGroup(f"AGPA{name}", name, arn("group", name), "/", WHEN) for name in GROUPS],
            roles=[
                IamRole(
                    f"AROA{name}",
                    name,
                    arn("role", name),
                    "/",
                    WHEN,
                    self.text("", trust),
                    edges.get(f"role:{name}"),
                    (),
                )
                for name, trust in self.trusts.items()
            ],
            policies=[
                IamPolicy(f"ANPA{name}", name, _policy_arn(name), "/", False, "v1", 1, self.text(name, statements), ())
                for name, statements in self.managed.items()
            ],
            attachments=[*self._inline(), *self._attached()],
            buckets=[
                *(S3Bucket(name, REGION, WHEN, True, ()) for name in BUCKETS),
                # Without one, patterns of keys in any bucket are about data objects alone.
                *(S3Bucket(name, REGION, WHEN, False, ()) for name in LEFT_OUT if self.seed % 2),
            ],
            access_points=[
                AccessPoint(name, point_arn(name), None, bucket, ACCOUNT, self.text("", statements), ())
                for bucket, name, statements in ((*key.split(":"), listed) for key, listed in self.points.items())
            ],
            bucket_policies=[
                S3BucketPolicy(bucket, WHEN, self.text("", statements), True, (), (), True)
                for bucket, statements in self.bucket_policies.items()
            ],
            **self._organization(),
            look_up=partial(known_paths, data_objects=DATA_OBJECTS, listed=BUCKETS),
        )

    def _organization(self) -> dict[str, Any]:
        """The account below a root and units, with one service control policy a level; resource ones at the root."""
        if not self.service_control and not self.resource_control:
            return {}
        levels = self.service_control or [[{"Effect": "Allow", "Action": "*", "Resource": "*"}]]
        nodes = [*("r-1", "ou-1", "ou-2")[: len(levels) - 1], ACCOUNT]
        kinds = ("RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY")
        attached = [(node, kinds[1], f"p-{node}", each) for node, each in zip(nodes, levels, strict=True)]
        # Each level has `RCPFullAWSAccess`, which cannot be taken away.
        attached += [(node, kinds[0], "p-full", _full()) for node in nodes]
        attached += [(nodes[0], kinds[0], f"p-rcp{number}", each) for number, each in enumerate(self.resource_control)]
        return {
            "org_accounts": [OrgAccount(ACCOUNT, "o-1", False, tuple(nodes[:-1]), kinds)],
            "org_policy_targets": [OrgPolicyTarget(node, "OU", kind, policy) for node, kind, policy, _ in attached],
            "org_control_policies": [
                OrgControlPolicy(policy, kind, policy, False, self.text("", each))
                for policy, (kind, each) in {policy: (kind, each) for _, kind, policy, each in attached}.items()
            ],
        }

    def _inline(self) -> Iterator[IamAttachment]:
        for key, statements in self.inline.items():
            who, _, name = key.partition("|")
            kind, _, principal = who.partition(":")
            yield IamAttachment(kind, principal, "inline", name, None, self.text(key, statements))

    def _attached(self) -> Iterator[IamAttachment]:
        for name, whom in self.attached.items():
            for who in whom:
                kind, _, principal = who.partition(":")
                yield IamAttachment(kind, principal, "managed", name, _policy_arn(name), None)


def point_arn(name: str) -> str:
    """The ARN of an access point."""
    return f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/{name}"


def _policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


# -- statements ------------------------------------------------------------------------------------------------------

_ACTIONS = (
    "s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:Get*", "s3:*", "s3:*", "*", "S3:getobject",
    "s3:?etObject", "s3:*Object", "s3:List*", "s3:Put*", "s3:GetObject*", "s3:ListAllMyBuckets", "ec2:*", "s3:Nonsense",
    "kms:Decrypt", "s3:GetBucketLocation", "s3:*Tagging", "sts:AssumeRole", "s*:Get*", "*:GetObject",
)  # fmt: skip
_NOT_ACTIONS = ("s3:Put*", "s3:Delete*", "iam:*", "s3:*", "s3:GetObject", "s3:List*", "ec2:*", "*:Get*")
_WHOLE = ("*", "*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:*:s3:::*")
_SHORT = ("arn:aws:s3:*", "arn:aws:*", "arn:aws:s3:::*", "arn:*")
_ODD = (
    "arn:aws-cn:s3:::data", "arn:aws:sqs:::data", "data", f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/p",
    f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/p/object/*", "arn:aws:iam::111122223333:role/*", "arn:aws:s3:::nobody",
    "arn:aws:s3:::hidden", "arn:aws:s3:::hidden/*", "arn:aws:s3:::*/x/*", "arn:aws:s3:::*/k",
)  # fmt: skip
_NAMES = (
    "data", "data", "data-1", "data-*", "data*", "team1", "team1*", "team?", "logs", "*", "?ogs", "data-1?",
    "lo${aws:PrincipalTag/none, 'gs'}",
)  # fmt: skip
_BELOW = (
    "*", "*", "*", "x/*", "x*", "x/y/*", "*/k", "k", "home/${aws:username}/*", "home/ann/*", "?/*", "*.csv", "x/*/*",
    "home/*", "x/?/*", "${aws:PrincipalTag/team}/*", "x/k", "x/y/z/k", "xy/*", "x/y*",
)  # fmt: skip
_CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"Null": {"aws:MultiFactorAuthPresent": "true"}},
    {"IpAddress": {"aws:SourceIp": CORPORATE_ADDRESSES}},
    {"NotIpAddress": {"aws:SourceIp": [CORPORATE_ADDRESSES]}},
    {"StringEquals": {"aws:SourceVpce": VPC_ENDPOINT}},
    {"StringNotEquals": {"aws:SourceVpce": VPC_ENDPOINT}},
    {"StringNotEqualsIfExists": {"aws:SourceVpce": VPC_ENDPOINT}},
    {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    {"StringEquals": {"aws:ResourceAccount": FOREIGN}},
    {"StringNotEquals": {"aws:ResourceAccount": [ACCOUNT]}},
    {"StringEquals": {"s3:ResourceAccount": [FOREIGN, ACCOUNT]}},
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
    {"StringEquals": {"aws:username": "ann"}},
    {"StringNotEquals": {"aws:username": ["ann", "bob"]}},
    {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/r*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": arn("user", "ann")}},
    {"ArnLike": {"aws:PrincipalArn": [arn("user", "*")]}},
    {"StringLike": {"s3:prefix": "x/*"}},
    {"StringEquals": {"s3:prefix": ["", "x/"], "s3:delimiter": "/"}},
    {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    {"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}},
    {"StringEquals": {"aws:RequestedRegion": [REGION, "us-east-1"]}},
    {"StringNotEquals": {"aws:RequestedRegion": REGION}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}},
    {"ForAnyValue:StringLike": {"aws:CalledVia": "athena.*"}},
    {"ForAllValues:StringLike": {"aws:PrincipalArn": arn("user", "*")}},
    {"StringEquals": {"aws:PrincipalTag/team": "x"}},
    {"StringEqualsIfExists": {"aws:PrincipalTag/team": "x"}},
    {"Null": {"aws:SourceIp": "false"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"Bool": {"aws:SecureTransport": "true"}, "IpAddress": {"aws:SourceIp": CORPORATE_ADDRESSES}},
    {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    {"Bool": {"aws:ViaAWSService": "false"}},
    {"Bool": {"aws:ViaAWSService": "true"}},
    {"StringEquals": {"aws:CalledViaFirst": ["athena.amazonaws.com", "glue.amazonaws.com"]}},
    {"StringEquals": {"aws:PrincipalType": "User"}},
)  # fmt: skip

_TRUSTED = ("sts:AssumeRole",) * 4 + ("sts:*", "STS:assumerole", "sts:TagSession", "sts:AssumeRole*")


def _some(random: Random, values: tuple[str, ...]) -> Any:
    count = random.choice((1, 1, 1, 2, 3))
    return random.choice(values) if count == 1 else random.sample(values, count)


_ON_POINT = ("", "/object/*", "/object/*", "/object/x/*", "/object/home/${aws:username}/*", "/object/x*", "/object/k")
"""what follows the ARN of an access point in identity policies"""


def _resource(random: Random, features: Features) -> str:
    kind = random.random()
    if features.points and kind > 1 - features.on_points:
        return f"{point_arn(random.choice(('p0', 'p0', 'p1', 'p*')))}{random.choice(_ON_POINT)}"
    if kind < 0.04 and features.short_arns:
        return random.choice(_SHORT)
    if kind < 0.2:
        return random.choice(_WHOLE)
    if kind < 0.3:
        return random.choice(_ODD)
    if kind < 0.5:
        return f"arn:aws:s3:::{random.choice(_NAMES)}"
    return f"arn:aws:s3:::{random.choice(_NAMES)}/{random.choice(_BELOW)}"


def _resources(random: Random, features: Features) -> Any:
    listed = [_resource(random, features) for _ in range(random.choice((1, 1, 2, 3)))]
    return listed[0] if len(listed) == 1 and random.random() < 0.5 else listed


def identity_statement(random: Random, features: Features, *, denies: float = 0.25) -> Statement:
    """A statement of an identity policy."""
    statement: Statement = {"Effect": "Deny" if random.random() < denies else "Allow"}
    if random.random() < 0.85:
        statement["Action"] = _some(random, _ACTIONS)
    else:
        statement["NotAction"] = _some(random, _NOT_ACTIONS)
    statement["Resource" if random.random() < 0.88 else "NotResource"] = _resources(random, features)
    if features.conditions and random.random() < 0.25:
        statement["Condition"] = deepcopy(random.choice(_CONDITIONS))
    if random.random() < 0.1:
        statement["Sid"] = "Named"
    return statement


def _document(random: Random, features: Features, **more: Any) -> list[Statement]:
    return [identity_statement(random, features, **more) for _ in range(random.choice((1, 1, 2, 2, 3, 4)))]


def _ceiling(random: Random, features: Features) -> list[Statement]:
    """A boundary or control policy: mostly one that lets much through."""
    wide: Statement = {"Effect": "Allow", "Action": random.choice(("*", "s3:*", "s3:Get*")), "Resource": "*"}
    return [wide, *_document(random, features, denies=0.5)] if random.random() < 0.7 else _document(random, features)


def _principal(random: Random, kinds: tuple[str, ...]) -> Any:
    pool = {
        "user": [arn("user", name) for name in USERS],
        "role": [arn("role", name) for name in ROLES],
        "root": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"],
        "foreign": [
            FOREIGN,
            f"arn:aws:iam::{FOREIGN}:root",
            arn("role", "reader", FOREIGN),
            arn("user", "ann", FOREIGN),
        ],
        "all": ["*"],
        "session": [f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/session"],
        "gone": ["AIDAJQABLZS4A3QDU576Q"],
        "group": [arn("group", "staff")],
    }
    names = [random.choice(pool[random.choice(kinds)]) for _ in range(random.choice((1, 1, 2, 3)))]
    if names == ["*"] and random.random() < 0.5:
        return "*"
    if random.random() < 0.06:
        return {"Service": "ec2.amazonaws.com"} if random.random() < 0.5 else {"AWS": names, "Federated": "cognito"}
    return {"AWS": names[0] if len(names) == 1 else names}


def trust_statement(random: Random, features: Features) -> Statement:
    """A statement of a trust policy."""
    kinds = ("user", "user", "user", "role", "root", "foreign", "all", "gone")
    statement: Statement = {
        "Effect": "Deny" if random.random() < 0.12 else "Allow",
        "Principal": _principal(random, kinds),
        "Action": random.choice(_TRUSTED),
    }  # fmt: skip
    if features.conditions and random.random() < 0.2:
        statement["Condition"] = random.choice(
            (*deepcopy(_CONDITIONS[:8]), {"StringEquals": {"sts:ExternalId": "e"}}, *deepcopy(_CONDITIONS[15:22]))
        )
    return statement


def _bucket_statement(random: Random, features: Features, bucket: str) -> Statement:
    statement = identity_statement(random, features, denies=0.45)
    part = "Resource" if "Resource" in statement else "NotResource"
    statement[part] = random.choice(
        (
            f"arn:aws:s3:::{bucket}",
            f"arn:aws:s3:::{bucket}/*",
            [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            f"arn:aws:s3:::{bucket}*",
            f"arn:aws:s3:::{bucket}/{random.choice(_BELOW)}",
        )
    )
    kinds = ("user", "user", "role", "role", "root", "foreign", "all", "all", "session", "gone", "group")
    kind = "NotPrincipal" if statement["Effect"] == "Deny" and random.random() < 0.15 else "Principal"
    statement[kind] = _principal(random, kinds)
    if kind == "NotPrincipal" and isinstance(statement[kind], dict) and random.random() < 0.6:
        names = statement[kind].get("AWS", [])
        names = [names] if isinstance(names, str) else list(names)
        statement[kind] = {"AWS": [*names, f"arn:aws:iam::{ACCOUNT}:root"]}
    return statement


def _point_statement(random: Random, features: Features, name: str) -> Statement:
    statement = identity_statement(random, features, denies=0.2)
    part = "Resource" if "Resource" in statement else "NotResource"
    below = ("*", "*", "x/*", "x*", "k", "home/${aws:username}/*")
    objects = f"{point_arn(name)}/object/{random.choice(below)}"
    statement[part] = random.choice((point_arn(name), objects, objects, [point_arn(name), objects]))
    statement["Principal"] = _principal(random, ("user", "user", "role", "root", "foreign", "all"))
    return statement


def _delegation(random: Random, bucket: str, name: str) -> Statement:
    """A bucket leaves it to its access points."""
    condition = random.choice(
        (
            {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
            {"StringEquals": {"s3:DataAccessPointAccount": FOREIGN}},
            {"ArnEquals": {"s3:DataAccessPointArn": point_arn(name)}},
            {"StringLike": {"s3:DataAccessPointArn": point_arn("*")}},
        )
    )
    objects = f"arn:aws:s3:::{bucket}/*"
    return {
        "Effect": "Allow",
        "Principal": random.choice(("*", {"AWS": "*"}, {"AWS": arn("user", "ann")}, {"AWS": ACCOUNT})),
        "Action": random.choice(("*", "s3:*", "s3:GetObject")),
        "Resource": random.choice((objects, [f"arn:aws:s3:::{bucket}", objects])),
        "Condition": condition,
    }


# -- accounts --------------------------------------------------------------------------------------------------------


def random_account(seed: int, features: Features) -> RandomAccount:
    """An account of five users, two groups and three roles; the same for the same seed and features."""
    random = Random(seed)
    account = RandomAccount(seed)
    for user in USERS:
        account.groups_of[user] = sorted(random.sample(GROUPS, random.choice((0, 1, 1, 2))))
    for role in ROLES:
        account.trusts[role] = [trust_statement(random, features) for _ in range(random.choice((1, 1, 2)))]
    everybody = [*account.principals, *(f"group:{name}" for name in GROUPS)]
    for who in everybody:
        for name in ("one", "two")[: random.choice((0, 0, 1, 1, 2))]:
            account.inline[f"{who}|{name}"] = _document(random, features)
    for number in range(random.randint(2, 5)):
        account.managed[f"p{number}"] = _document(random, features)
        account.attached[f"p{number}"] = sorted(random.sample(everybody, random.choice((0, 1, 1, 2, 3))))
    if features.assume_rights:
        _assume_rights(random, account)
    if features.boundaries:
        _boundaries(random, features, account)
    if features.bucket_policies:
        for bucket in random.sample(BUCKETS, random.choice((0, 1, 2))):
            account.bucket_policies[bucket] = [
                _bucket_statement(random, features, bucket) for _ in range(random.choice((1, 2, 3)))
            ]
    if features.points:
        for number in range(random.choice((0, 1, 2))):
            bucket, name = random.choice(BUCKETS[:4]), f"p{number}"
            account.points[f"{bucket}:{name}"] = [
                _point_statement(random, features, name) for _ in range(random.choice((1, 2)))
            ]
            if random.random() < 0.6:
                account.bucket_policies.setdefault(bucket, []).append(_delegation(random, bucket, name))
    if features.control_policies and random.random() < 0.6:
        account.service_control = [_ceiling(random, features) for _ in range(random.choice((1, 1, 2, 3)))]
        if random.random() < 0.4:
            account.resource_control = [_resource_control(random, features)]
    names = [*account.inline, *account.managed]
    account.old = {name for name in names if random.random() < 0.08}
    return account


def _assume_rights(random: Random, account: RandomAccount) -> None:
    for who in account.principals:
        if random.random() < 0.2:
            effect = "Deny" if random.random() < 0.3 else "Allow"
            resource = random.choice(("*", arn("role", random.choice(ROLES)), arn("role", "*"), arn("role", "r*")))
            account.inline[f"{who}|assume"] = [{"Effect": effect, "Action": "sts:AssumeRole", "Resource": resource}]


def _boundaries(random: Random, features: Features, account: RandomAccount) -> None:
    for number in range(random.choice((0, 1, 2))):
        account.managed[f"edge{number}"] = _ceiling(random, features)
        account.attached.setdefault(f"edge{number}", [])
        for who in random.sample(account.principals, random.choice((1, 2, 3))):
            account.boundaries[who] = f"edge{number}"


def _full() -> list[Statement]:
    return [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]


def _resource_control(random: Random, features: Features) -> list[Statement]:
    return [{**identity_statement(random, features, denies=1), "Principal": "*"}]


# -- smaller ones ----------------------------------------------------------------------------------------------------


def smallest(account: RandomAccount, has_fault: Callable[[RandomAccount], bool]) -> RandomAccount:
    """The account without everything that its fault does not need."""
    shrinking = True
    while shrinking:
        shrinking = False
        for less in smaller(account):
            if has_fault(less):
                account, shrinking = less, True
                break
    return account


def smaller(account: RandomAccount) -> Iterator[RandomAccount]:
    """The account with one thing less, in every way."""
    for part in ("inline", "managed", "bucket_policies", "points", "trusts"):
        for name, statements in getattr(account, part).items():
            if part != "trusts" and not (part == "managed" and name in account.boundaries.values()):
                yield _without(account, part, name, None)
            for index in range(len(statements)):
                if len(statements) > 1:
                    yield _without(account, part, name, index)
                for kept in _simpler(statements[index]):
                    yield _with(account, part, name, index, kept)
    for part in ("service_control", "resource_control"):
        for index in range(len(getattr(account, part))):
            less = deepcopy(account)
            del getattr(less, part)[index]
            yield less
    for index, level in enumerate(account.service_control):
        for statement in range(len(level)):
            less = deepcopy(account)
            del less.service_control[index][statement]
            yield less
    for who in account.boundaries:
        less = deepcopy(account)
        del less.boundaries[who]
        yield less
    for policy, whom in account.attached.items():
        for one in whom:
            less = deepcopy(account)
            less.attached[policy].remove(one)
            yield less
    for user, groups in account.groups_of.items():
        if groups:
            less = deepcopy(account)
            less.groups_of[user] = groups[1:]
            yield less


def _simpler(statement: Statement) -> Iterator[Statement]:
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        value = statement.get(element)
        if isinstance(value, list) and len(value) > 1:
            for index in range(len(value)):
                yield {**statement, element: value[:index] + value[index + 1 :]}
    for element in ("Sid", "Condition"):
        if element in statement:
            yield {key: value for key, value in statement.items() if key != element}


def _without(account: RandomAccount, part: str, name: str, index: int | None) -> RandomAccount:
    less = deepcopy(account)
    documents = getattr(less, part)
    if index is not None:
        del documents[name][index]
        return less
    del documents[name]
    if part == "managed":
        less.attached.pop(name, None)
    return less


def _with(account: RandomAccount, part: str, name: str, index: int, statement: Statement) -> RandomAccount:
    less = deepcopy(account)
    getattr(less, part)[name][index] = statement
    return less
