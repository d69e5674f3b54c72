"""What a security engineer would try: one case each, with its documents, and everything that is shown of them.

`Shown` is who, what, the codes of the reasons, and a part of the words. Rows that a case does not name are not there.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import AccessProvider, OrgAccount, OrgControlPolicy, OrgPolicyTarget, S3BucketPolicy
from tests.aws.access.comparison import rows_of

from .conftest import ACCOUNT, WHEN, Told, allow, deny, document, trust, user_arn

DATA, OTHER = "arn:aws:s3:::data", "arn:aws:s3:::other"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
FOREIGN = "444455556666"
ANN, BOB = {"AWS": user_arn("ann")}, {"AWS": user_arn("bob")}
GET, PUT, LIST = "s3:GetObject", "s3:PutObject", "s3:ListBucket"
READS = document(allow(GET, f"{DATA}/*"))
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
DENY_ALL_BUT = {"Effect": "Deny", "Resource": "*"}
NAMES = {ACCOUNT: "account"}


@dataclass(frozen=True)
class Shown:
    """An access provider in few words."""

    who: str = ""
    """`user:ann group:staff role:reader`, sorted"""
    what: dict[str, str] = field(default_factory=dict)
    """`data/folder` or `account` to the permissions, by blanks"""
    codes: str = ""
    """of the reasons, sorted"""
    says: str = ""
    """what stands in one of the reasons"""


@dataclass(frozen=True)
class NastyCase:
    """An account, and what is shown of it."""

    name: str
    account: Callable[[Told], Any]
    shown: dict[str, Shown]
    options: dict[str, Any] = field(default_factory=dict)
    bucket: str | None = None
    """policy of the bucket `data`"""
    service: tuple[str, ...] = ()
    """service control policies, one a level from the root down"""
    resource: str | None = None
    """a resource control policy at the root"""


def people() -> Told:
    return Told().group("staff").user("ann", "staff").user("bob")


def role_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values) if len(values) > 1 else values[0]}}}


def ann_may(*statements: dict[str, Any]) -> Callable[[Told], Any]:
    """An account in which ann has one inline policy."""
    return lambda told: told.inline("user:ann", "own", document(*statements))


ANNS = "user:ann|inline:own|"


def anns(what: dict[str, str], codes: str = "", says: str = "") -> dict[str, Shown]:
    return {ANNS: Shown("user:ann", what, codes, says)}


CONDITIONS = [
    NastyCase(
        "an empty Condition restricts nothing", ann_may(allow(GET, f"{DATA}/*", Condition={})), anns({"data": GET})
    ),
    NastyCase(
        "TLS is asked for: given to everybody who uses TLS",
        ann_may(allow(GET, f"{DATA}/*", **when("Bool", "aws:SecureTransport", "true"))),
        anns({"data": GET}),
    ),
    NastyCase(
        "without TLS only: for nobody who is well",
        ann_may(allow(GET, f"{DATA}/*", **when("Bool", "aws:SecureTransport", "false"))),
        anns({}, "narrower", "aws:SecureTransport"),
    ),
    NastyCase(
        "the account's own resources are all that are shown",
        ann_may(allow(GET, f"{DATA}/*", **when("StringEquals", "aws:ResourceAccount", ACCOUNT))),
        anns({"data": GET}),
    ),
    NastyCase(
        "resources of another account are not here",
        ann_may(allow(GET, f"{DATA}/*", **when("StringEquals", "s3:ResourceAccount", FOREIGN))),
        anns({}),
    ),
    NastyCase(
        "a Deny on whatever is not of the account denies nothing here",
        ann_may(allow(GET, f"{DATA}/*"), deny(GET, "*") | when("StringNotEquals", "aws:ResourceAccount", ACCOUNT)),
        anns({"data": GET}),
    ),
    NastyCase(
        "through a VPC endpoint only",
        ann_may(allow(GET, f"{DATA}/*", **when("StringEquals", "aws:SourceVpce", "vpce-1"))),
        anns({}, "narrower", "aws:SourceVpce"),
    ),
    NastyCase(
        "denied but from the office: claimed, with a warning",
        ann_may(allow(GET, f"{DATA}/*"), deny("*", "*") | when("NotIpAddress", "aws:SourceIp", "192.0.2.0/24")),
        anns({"data": GET}, "wider", "aws:SourceIp"),
    ),
    NastyCase(
        "from the office only",
        ann_may(allow(GET, f"{DATA}/*", **when("IpAddress", "aws:SourceIp", "192.0.2.0/24"))),
        anns({}, "narrower", "aws:SourceIp"),
    ),
    NastyCase(
        "ForAllValues holds for a key that the call does not have",
        ann_may(allow(GET, f"{DATA}/*"), deny("*", "*") | when("ForAllValues:StringEquals", "aws:TagKeys", "a")),
        anns({"data": GET}, "wider", "aws:TagKeys"),
    ),
    NastyCase(
        "Null: calls without MFA are denied",
        ann_may(allow(GET, f"{DATA}/*"), deny("*", "*") | when("Null", "aws:MultiFactorAuthPresent", "true")),
        anns({"data": GET}, "wider", "aws:MultiFactorAuthPresent"),
    ),
    NastyCase(
        "IfExists holds for a key that the call does not have, and is no certainty",
        ann_may(allow(GET, f"{DATA}/*", **when("StringEqualsIfExists", "aws:SourceVpce", "vpce-1"))),
        anns({}, "narrower", "aws:SourceVpce"),
    ),
    NastyCase(
        "an operator that nobody knows is no permission",
        ann_may(allow(GET, f"{DATA}/*", **when("StringSounds", "aws:username", "ann"))),
        anns({}, "narrower", "StringSounds"),
    ),
    NastyCase(
        "s3:prefix limits what is listed to a folder",
        ann_may(allow(LIST, DATA, **when("StringLike", "s3:prefix", "team/*")), allow(GET, f"{DATA}/team/*")),
        anns({"data/team": GET}, "narrower", "s3:prefix"),
    ),
    NastyCase(
        "S3 Access Grants and Lake Formation give access that no policy shows: not read, documented",
        ann_may(allow(["s3:GetDataAccess", "lakeformation:GetDataAccess"], "*")),
        anns({}, "elsewhere narrower", "s3:GetDataAccess"),
    ),
    NastyCase(
        "KMS decides too, and is not read: what S3 gives is claimed, the key is another service",
        ann_may(allow([GET, "kms:Decrypt"], [f"{DATA}/*", "arn:aws:kms:*:*:key/*"])),
        anns({"data": GET}, "elsewhere", "kms:Decrypt"),
    ),
]

PATTERNS = [
    NastyCase("actions in capitals", ann_may(allow("S3:GETOBJECT", f"{DATA}/*")), anns({"data": GET})),
    NastyCase(
        "s3:*Object",
        ann_may(allow("s3:*Object", f"{DATA}/*")),
        anns({"data": "s3:DeleteObject s3:GetObject s3:PutObject s3:ReplicateObject s3:RestoreObject"}),
    ),
    NastyCase("s3:?etObject", ann_may(allow("s3:?etObject", f"{DATA}/*")), anns({"data": GET})),
    NastyCase(
        "a star at the end of a bucket's name reaches the buckets and objects of others",
        ann_may(allow([GET, LIST], "arn:aws:s3:::o*")),
        anns({"other": f"{GET} {LIST}"}),
    ),
    NastyCase(
        "a folder without its slash is also other folders",
        ann_may(allow(GET, f"{DATA}/team1*")),
        anns({}, "narrower", f"{DATA}/team1*"),
    ),
    NastyCase(
        "a Deny of a folder without its slash: the bucket stays, and is less than the whole",
        ann_may(allow(GET, f"{DATA}/*"), deny(GET, f"{DATA}/team1*")),
        anns({"data": GET}, "wider", f"{DATA}/team1*"),
    ),
    NastyCase(
        "a Deny of everything of S3 by a short ARN",
        ann_may(allow(GET, f"{DATA}/*"), deny("s3:*", "arn:aws:s3:*")),
        anns({}),
    ),
    NastyCase(
        "no key is empty: whatever has a character is all of the bucket, and not all of a folder",
        ann_may(
            allow([GET, PUT], f"{DATA}/?*"),
            allow("s3:GetObjectTagging", f"{DATA}/??*"),
            allow("s3:GetObjectAcl", f"{DATA}/a/?*"),
            deny(PUT, f"{DATA}/*?"),
        ),
        anns({"data": GET}, "narrower", "data/??*"),
    ),
    NastyCase(
        "a Deny with NotAction",
        ann_may(allow([GET, PUT], f"{DATA}/*"), DENY_ALL_BUT | {"NotAction": [GET, "iam:*"]}),
        anns({"data": GET}),
    ),
    NastyCase(
        "a Deny with NotResource",
        ann_may(
            allow(GET, [f"{DATA}/*", f"{OTHER}/*"]),
            {"Effect": "Deny", "Action": "*", "NotResource": [DATA, f"{DATA}/*"]},
        ),
        anns({"data": GET}),
    ),
    NastyCase(
        "look-alikes of another alphabet are other names",
        ann_may(allow(GET, "arn:aws:s3:::dаta/*"), allow("s3:GetObjеct", f"{DATA}/*")),
        anns({}, "narrower"),
    ),
    NastyCase(
        "the home folder of whoever has it, by one user",
        ann_may(allow(GET, f"{DATA}/home/${{aws:username}}/*")),
        anns({"data/home/ann": GET}),
    ),
    NastyCase(
        "the home folders of a group are not one folder",
        lambda told: told.inline("group:staff", "own", document(allow(GET, f"{DATA}/home/${{aws:username}}/*"))),
        {"group:staff|inline:own|": Shown("group:staff", {}, "narrower", "${aws:username}")},
    ),
    NastyCase(
        "in the version of 2008 a variable is a name with a dollar",
        lambda told: told.inline(
            "user:ann",
            "own",
            json.dumps({"Version": "2008-10-17", "Statement": [allow(GET, f"{DATA}/${{aws:username}}/*")]}),
        ),
        anns({"data/${aws:username}": GET}),
    ),
    NastyCase(
        "object lambda and multi-region access points are no buckets",
        ann_may(
            allow("s3-object-lambda:GetObject", f"arn:aws:s3-object-lambda:eu-west-1:{ACCOUNT}:accesspoint/p"),
            allow(GET, f"arn:aws:s3::{ACCOUNT}:accesspoint/m.mrap/object/*"),
        ),
        anns({}, "elsewhere narrower", "m.mrap"),
    ),
    *(
        NastyCase(
            f"a document that AWS would not have stored: {kind}",
            lambda told, text=text: told.inline("user:ann", "own", text),
            anns({}, "narrower", says),
        )
        for kind, text, says in (
            ("a byte order mark", "\ufeff" + READS, "not JSON"),
            ("a comment", READS.replace("{", "{ // all\n", 1), "not JSON"),
            ("a key twice", READS.replace('"Effect"', '"Effect": "Deny", "Effect"'), "Effect is given twice"),
        )
    ),
]

LIMITS = [
    NastyCase(
        "MFA is forced by a policy of the group: what a member has elsewhere is claimed with a warning",
        lambda told: told.policy(
            "ForceMfa", document(DENY_ALL_BUT | {"NotAction": "iam:*", "Condition": NO_MFA}), "group:staff"
        ).policy("reads", READS, "user:ann", "user:bob"),
        {"policy:reads": Shown("user:ann user:bob", {"data": GET}, "wider", "aws:MultiFactorAuthPresent")},
    ),
    NastyCase(
        "a boundary that denies S3",
        lambda told: (
            told.policy("edge", document(allow("*", "*"), deny("s3:*", "*")))
            .policy("reads", READS, "user:cid")
            .user("cid", boundary=f"arn:aws:iam::{ACCOUNT}:policy/edge")
        ),
        {"policy:reads": Shown("user:cid")},
    ),
    NastyCase(
        "a boundary that is a policy of AWS",
        lambda told: (
            told.policy("edge", document(allow("s3:Get*", "*")), aws=True)
            .inline("user:cid", "own", document(allow([GET, PUT], f"{DATA}/*")))
            .user("cid", boundary="arn:aws:iam::aws:policy/edge")
        ),
        {"user:cid|inline:own|": Shown("user:cid", {"data": GET})},
    ),
    NastyCase(
        "a Deny in a policy that is not imported is a Deny",
        lambda told: told.policy("guard", document(deny("s3:*", "*")), "user:ann").inline("user:ann", "own", READS),
        {ANNS: Shown("user:ann")},
        {"aws_access_managed_policy_excludes": (NamePattern("guard"),)},
    ),
]

TRUSTS = [
    NastyCase(
        "trust on the root, for users who may assume it",
        lambda told: (
            told.role("r", trust(ROOT))
            .inline("role:r", "own", READS)
            .inline("user:ann", "own", document(allow("sts:AssumeRole", role_arn("r"))))
        ),
        {"role:r": Shown("user:ann", {"data": GET}), ANNS: Shown("user:ann", {}, "elsewhere")},
    ),
    NastyCase(
        "trust on the root, and nobody may assume it",
        lambda told: told.role("r", trust(ROOT)).inline("role:r", "own", READS),
        {"role:r": Shown("", {"data": GET})},
    ),
    NastyCase(
        "trust in everybody is everybody of the account, and strangers",
        lambda told: told.role("r", trust("*")).inline("role:r", "own", READS),
        {"role:r": Shown("user:ann user:bob", {"data": GET}, "who", "*")},
    ),
    NastyCase(
        "a Deny without MFA of all but one whose account it does not name is one of her, too",
        lambda told: told.role(
            "r", trust(ANN), {"Effect": "Deny", "NotPrincipal": ANN, "Action": "sts:AssumeRole", "Condition": NO_MFA}
        ).inline("role:r", "own", READS),
        {"role:r": Shown("user:ann", {"data": GET}, "wider", "aws:MultiFactorAuthPresent")},
    ),
    NastyCase(
        "NotPrincipal spares nobody who has a boundary",
        lambda told: (
            told.user("eve", boundary=f"arn:aws:iam::{ACCOUNT}:policy/edge")
            .policy("edge", document(allow("*", "*")))
            .role(
                "r",
                trust({"AWS": user_arn("eve")}),
                {
                    "Effect": "Deny",
                    "NotPrincipal": {"AWS": [user_arn("eve"), ACCOUNT]},
                    "Action": "sts:AssumeRole",
                    "Condition": NO_MFA,
                },
            )
            .inline("role:r", "own", READS)
        ),
        {"role:r": Shown("user:eve", {"data": GET}, "wider", "aws:MultiFactorAuthPresent")},
    ),
    NastyCase(
        "trust in everybody of the account: a role among them is no user",
        lambda told: (
            told.role("q", trust(BOB))
            .role("r", trust("*", **when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:*")))
            .inline("role:r", "own", READS)
        ),
        {"role:r": Shown("user:ann user:bob", {"data": GET}, "who", "trust policy: role q may assume it")},
    ),
    NastyCase(
        "trust in one user, by a condition on everybody",
        lambda told: told.role("r", trust("*", **when("ArnEquals", "aws:PrincipalArn", user_arn("ann")))).inline(
            "role:r", "own", READS
        ),
        {"role:r": Shown("user:ann", {"data": GET})},
    ),
    NastyCase(
        "trust in the organization",
        lambda told: told.role("r", trust("*", **when("StringEquals", "aws:PrincipalOrgID", "o-1"))).inline(
            "role:r", "own", READS
        ),
        {"role:r": Shown("", {"data": GET}, "who", "aws:PrincipalOrgID")},
    ),
    NastyCase(
        "a user who may not assume a role that trusts her",
        lambda told: (
            told.role("r", trust({"AWS": [user_arn("ann"), user_arn("bob")]}))
            .inline("role:r", "own", READS)
            .inline("user:ann", "own", document(deny("sts:*", "*")))
        ),
        {"role:r": Shown("user:bob", {"data": GET}), ANNS: Shown("user:ann")},
    ),
    NastyCase(
        "a chain of roles",
        lambda told: (
            told.role("first", trust(ANN))
            .inline("role:first", "own", document(allow("sts:AssumeRole", role_arn("second"))))
            .role("second", trust({"AWS": role_arn("first")}))
            .inline("role:second", "own", READS)
        ),
        {"role:second": Shown("", {"data": GET}, "who", "by way of roles: ann")},
    ),
    NastyCase(
        "a role that trusts itself",
        lambda told: told.role("r", trust({"AWS": role_arn("r")})).inline("role:r", "own", READS),
        {"role:r": Shown("", {"data": GET})},
    ),
    NastyCase(
        "an external id against the confused deputy",
        lambda told: told.role("r", trust({"AWS": FOREIGN}, **when("StringEquals", "sts:ExternalId", "e"))).inline(
            "role:r", "own", READS
        ),
        {"role:r": Shown("", {"data": GET}, "who", "sts:ExternalId")},
    ),
    NastyCase(
        "sts:TagSession alone lets nobody in",
        lambda told: told.role("r", trust(ANN, "sts:TagSession")).inline("role:r", "own", READS),
        {"role:r": Shown("", {"data": GET})},
    ),
    NastyCase(
        "a principal by its unique id was deleted",
        lambda told: told.role("r", trust({"AWS": "AIDAJQABLZS4A3QDU576Q"})).inline("role:r", "own", READS),
        {"role:r": Shown("", {"data": GET})},
    ),
    NastyCase(
        "a group is no principal",
        lambda told: told.role("r", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:group/staff"})).inline(
            "role:r", "own", READS
        ),
        {"role:r": Shown("", {"data": GET}, "who", "group/staff")},
    ),
    NastyCase(
        "people of an identity provider",
        lambda told: told.role(
            "r", trust({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/x"}, "sts:AssumeRoleWithSAML")
        ).inline("role:r", "own", READS),
        {"role:r": Shown("", {"data": GET}, "who", "saml-provider/x")},
    ),
    NastyCase(
        "a role that is linked to a service",
        lambda told: told.role("AWSServiceRoleForX", trust({"Service": "x.amazonaws.com"})).inline(
            "role:AWSServiceRoleForX", "own", READS
        ),
        {"role:AWSServiceRoleForX": Shown("", {"data": GET}, "who", "x.amazonaws.com")},
    ),
]


def both(told: Told) -> Told:
    """ann and bob may read the bucket by policies of their own."""
    return told.policy("reads", READS, "user:ann", "user:bob")


def nobody(told: Told) -> Told:
    """Nobody may read the bucket by policies of their own."""
    return told


def by_bucket(who: str, what: dict[str, str], codes: str = "", says: str = "") -> dict[str, Shown]:
    return {"bucketpolicy:data": Shown(who, what, codes, says)}


def reads(who: str = "user:ann user:bob", codes: str = "", says: str = "") -> dict[str, Shown]:
    return {"policy:reads": Shown(who, {"data": GET}, codes, says)}


def gives(principal: Any, **more: Any) -> dict[str, Any]:
    return allow(GET, f"{DATA}/*", Principal=principal, **more)


def denies(principal: Any, action: Any = "s3:*", **more: Any) -> dict[str, Any]:
    return deny(action, [DATA, f"{DATA}/*"]) | {"Principal": principal, **more}


def denies_all_but(*arns: str) -> dict[str, Any]:
    return deny("s3:*", [DATA, f"{DATA}/*"]) | {"NotPrincipal": {"AWS": list(arns)}}


POINT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/p"
AT_POINT = allow(GET, f"{POINT}/object/*", Principal=ANN)
DELEGATES = allow("*", [DATA, f"{DATA}/*"], Principal="*", **when("StringEquals", "s3:DataAccessPointAccount", ACCOUNT))

BUCKETS = [
    NastyCase(
        "a Deny of the bucket for all but one: NotPrincipal",
        both,
        reads("user:ann"),
        bucket=document(denies_all_but(user_arn("ann"), ROOT["AWS"])),
    ),
    NastyCase(
        "NotPrincipal without the account denies whom it names, too",
        both,
        {"policy:reads": Shown("user:ann user:bob")},
        bucket=document(denies_all_but(user_arn("ann"))),
    ),
    NastyCase(
        "a Deny of the bucket for one user",
        both,
        reads("user:bob"),
        bucket=document(denies(ANN)),
    ),
    NastyCase(
        "a Deny of the bucket for the account",
        both,
        {"policy:reads": Shown("user:ann user:bob")},
        bucket=document(denies(ROOT)),
    ),
    NastyCase(
        "a Deny of the bucket without TLS",
        both,
        reads(),
        bucket=document(denies("*", **when("Bool", "aws:SecureTransport", "false"))),
    ),
    NastyCase(
        "a Deny of the bucket outside of a VPC endpoint",
        both,
        reads(codes="wider", says="aws:SourceVpce"),
        bucket=document(denies("*", **when("StringNotEquals", "aws:SourceVpce", "vpce-1"))),
    ),
    NastyCase(
        "a lock-out: all but one role by ARN",
        both,
        {"policy:reads": Shown("user:ann user:bob")},
        bucket=document(denies("*", **when("ArnNotEquals", "aws:PrincipalArn", role_arn("admin")))),
    ),
    NastyCase(
        "a role of another account in a bucket policy",
        nobody,
        by_bucket("", {}, "who", FOREIGN),
        bucket=document(gives({"AWS": role_arn("reader", FOREIGN)})),
    ),
    NastyCase(
        "a bucket policy gives to a user", nobody, by_bucket("user:ann", {"data": GET}), bucket=document(gives(ANN))
    ),
    NastyCase(
        "a bucket policy gives to everybody",
        nobody,
        by_bucket("user:ann user:bob", {"data": GET}, "who", "*"),
        bucket=document(gives("*")),
    ),
    NastyCase(
        "everybody, if the condition says who",
        nobody,
        by_bucket("", {}, "narrower who", "aws:PrincipalArn"),
        bucket=document(gives("*", **when("ArnLike", "aws:PrincipalArn", role_arn("*", "*")))),
    ),
    NastyCase(
        "everybody, if the condition says that it is somebody of the account: nobody else",
        nobody,
        by_bucket("user:bob", {"data": GET}),
        bucket=document(gives("*", **when("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/b*"))),
    ),
    NastyCase(
        "everybody of the account",
        nobody,
        by_bucket("user:ann user:bob", {"data": GET}),
        bucket=document(gives({"AWS": "*"}, **when("StringEquals", "aws:PrincipalAccount", ACCOUNT))),
    ),
    NastyCase(
        "everybody of the account or of another one",
        nobody,
        by_bucket("user:ann user:bob", {"data": GET}, "who", "aws:PrincipalAccount"),
        bucket=document(gives("*", **when("StringEquals", "aws:PrincipalAccount", ACCOUNT, FOREIGN))),
    ),
    NastyCase(
        "everybody of the account, or whose account is not said",
        nobody,
        by_bucket("user:ann user:bob", {"data": GET}, "who", "aws:PrincipalAccount"),
        bucket=document(gives("*", **when("StringEqualsIfExists", "aws:PrincipalAccount", ACCOUNT))),
    ),
    NastyCase(
        "everybody, and a Deny of whoever is of another account",
        nobody,
        by_bucket("user:ann user:bob", {"data": GET}),
        bucket=document(
            gives("*"), deny("s3:*", "*", Principal="*", **when("StringNotEquals", "aws:PrincipalAccount", ACCOUNT))
        ),
    ),
    NastyCase(
        "everybody of the organization",
        nobody,
        by_bucket("", {}, "narrower who", "aws:PrincipalOrgID"),
        bucket=document(gives("*", **when("StringEquals", "aws:PrincipalOrgID", "o-1"))),
    ),
    NastyCase(
        "a group in a bucket policy gives nobody anything",
        nobody,
        by_bucket("", {}, "who", "group/staff"),
        bucket=document(gives({"AWS": f"arn:aws:iam::{ACCOUNT}:group/staff"})),
    ),
    NastyCase(
        "a deleted user in a bucket policy",
        nobody,
        {},
        bucket=document(gives({"AWS": "AIDAJQABLZS4A3QDU576Q"})),
    ),
    NastyCase(
        "the account in a bucket policy leaves it to policies of the account",
        both,
        reads(),
        bucket=document(gives(ROOT)),
    ),
    NastyCase(
        "an access point whose bucket does not consent",
        lambda told: told.point("p", AT_POINT),
        {f"accesspoint:{POINT}": Shown("", {})},
    ),
    NastyCase(
        "an access point whose bucket leaves it to its access points",
        lambda told: told.point("p", AT_POINT),
        {f"accesspoint:{POINT}": Shown("user:ann", {"data": GET})},
        bucket=document(DELEGATES),
    ),
]


def in_vpc(told: Told) -> None:
    """An access point that answers requests from its VPC only."""
    told.point("p", AT_POINT)
    told.access_points[0] = replace(told.access_points[0], network_origin="VPC", vpc_id="vpc-1")


BUCKETS.append(
    NastyCase(
        "an access point of a VPC",
        in_vpc,
        {f"accesspoint:{POINT}": Shown("user:ann", {"data": GET}, "wider", "vpc-1")},
        bucket=document(DELEGATES),
    )
)

ORIGIN = "s3:AccessPointNetworkOrigin"
NOT_BY_VPC, BY_INTERNET = (
    deny("s3:*", [DATA, f"{DATA}/*"], Principal="*", **condition)
    for condition in (when("StringNotEquals", ORIGIN, "VPC"), when("StringEquals", ORIGIN, "Internet"))
)


def at_points_of(origin: str | None, **condition: Any) -> Callable[[Told], None]:
    """An access point of a network, whose policy lets in ann."""

    def account(told: Told) -> None:
        told.point("p", {**AT_POINT, **condition})
        vpc = "vpc-1" if origin == "VPC" else None
        told.access_points[0] = replace(told.access_points[0], network_origin=origin, vpc_id=vpc)

    return account


BUCKETS += [
    NastyCase(
        f"an access point of {origin}: {name}",
        at_points_of(origin, **condition),
        {f"accesspoint:{POINT}": Shown(who, {"data": GET} if has else {}, codes)},
        bucket=document(DELEGATES, *denied),
    )
    for origin, name, condition, denied, who, has, codes in (
        ("VPC", "a Deny of whatever comes otherwise", {}, [NOT_BY_VPC], "user:ann", True, "wider"),
        ("Internet", "a Deny of whatever does not come from VPCs", {}, [NOT_BY_VPC], "user:ann", False, ""),
        ("Internet", "a Deny of the internet", {}, [BY_INTERNET], "user:ann", False, ""),
        ("VPC", "a Deny of the internet", {}, [BY_INTERNET], "user:ann", True, "wider"),
        (None, "a Deny of the internet", {}, [BY_INTERNET], "user:ann", True, "wider"),
        ("Internet", "it asks for the internet", when("StringEquals", ORIGIN, "Internet"), [], "user:ann", True, ""),
        ("Internet", "it asks for a VPC", when("StringEquals", ORIGIN, "VPC"), [], "", False, ""),
        ("Internet", "it asks for itself", when("ArnEquals", "s3:DataAccessPointArn", POINT), [], "user:ann", True, ""),
        ("Internet", "it asks for another", when("ArnEquals", "s3:DataAccessPointArn", f"{POINT}2"), [], "", False, ""),
        (
            "Internet",
            "its account",
            when("StringEquals", "s3:DataAccessPointAccount", ACCOUNT),
            [],
            "user:ann",
            True,
            "",
        ),
    )
]

FULL = document(allow("*", "*"))
RIGHTS = document(allow([GET, PUT], f"{DATA}/*"))


def writes(told: Told) -> Told:
    """ann may read and write the bucket by a policy of her own."""
    return told.inline("user:ann", "own", RIGHTS)


CONTROLS = [
    NastyCase(
        "a service control policy denies an action",
        writes,
        anns({"data": GET}),
        service=(FULL, document(allow("*", "*"), deny(PUT, "*"))),
    ),
    NastyCase(
        "a level of the organization that does not allow S3",
        writes,
        anns({}),
        service=(FULL, document(allow("ec2:*", "*"))),
    ),
    NastyCase(
        "a level of the organization that allows some of S3",
        writes,
        anns({"data": GET}),
        service=(document(allow("s3:Get*", "*")), FULL),
    ),
    NastyCase(
        "a guard of regions leaves what is in them",
        writes,
        anns({"data": f"{GET} {PUT}"}),
        service=(
            document(
                allow("*", "*"),
                DENY_ALL_BUT | {"NotAction": "iam:*"} | when("StringNotEquals", "aws:RequestedRegion", "eu-west-1"),
            ),
        ),
    ),
    NastyCase(
        "a guard of regions denies what is elsewhere",
        writes,
        anns({}),
        service=(
            document(
                allow("*", "*"),
                DENY_ALL_BUT | {"NotAction": "iam:*"} | when("StringNotEquals", "aws:RequestedRegion", "us-east-1"),
            ),
        ),
    ),
    NastyCase(
        "a service control policy also limits what a bucket gives",
        nobody,
        {},
        bucket=document(gives(ANN)),
        service=(document(allow("*", "*"), deny("s3:*", "*")),),
    ),
    NastyCase(
        "a resource control policy denies what is done to the buckets",
        writes,
        anns({"data": GET}),
        resource=document(deny(PUT, "*") | {"Principal": "*"}),
    ),
    NastyCase(
        "a resource control policy against strangers",
        writes,
        anns({"data": f"{GET} {PUT}"}),
        resource=document(
            deny("s3:*", "*") | {"Principal": "*"} | when("StringNotEquals", "aws:PrincipalAccount", ACCOUNT)
        ),
    ),
]

OF_THE_ORGANIZATION = when("StringEquals", "aws:PrincipalOrgID", "o-1")
KNOWN_ORGANIZATION = [
    NastyCase(
        "the organization's own people, where it is known which one that is",
        ann_may(
            allow(GET, f"{DATA}/*", **OF_THE_ORGANIZATION),
            allow(PUT, f"{DATA}/*", **when("StringEquals", "aws:PrincipalOrgID", "o-2")),
        ),
        anns({"data": GET}),
        service=(FULL,),
    ),
    NastyCase(
        "everybody of the known organization in a bucket policy: those of the account are named, the others are not",
        nobody,
        by_bucket("user:ann user:bob", {"data": GET}, "who", "*"),
        bucket=document(gives("*", **OF_THE_ORGANIZATION)),
        service=(FULL,),
    ),
    NastyCase(
        "trust in the known organization: those of the account are named, the others are not",
        lambda told: told.role("r", trust("*", **OF_THE_ORGANIZATION)).inline("role:r", "own", READS),
        {"role:r": Shown("user:ann user:bob", {"data": GET}, "who", "aws:PrincipalOrgID")},
        service=(FULL,),
    ),
    NastyCase(
        "an account that asks for itself, and TLS 1.2 or newer",
        ann_may(
            allow(GET, f"{DATA}/*", **when("StringEquals", "aws:PrincipalAccount", ACCOUNT)),
            allow(PUT, f"{DATA}/*", **when("NumericGreaterThanEquals", "s3:TlsVersion", "1.2")),
        ),
        anns({"data": f"{GET} {PUT}"}),
    ),
]

ALL_BUT_BUCKETS = {"Effect": "Allow", "Action": [GET, LIST], "NotResource": "arn:aws:s3:::*"}


def by_group(told: Told) -> Told:
    """staff, which is ann, may read the bucket."""
    return told.policy("reads", READS, "group:staff")


def guarded_group(operator: str, key: str, value: str) -> Callable[[Told], Any]:
    """staff may read the bucket, and has a Deny under a condition."""
    guard = document(deny("s3:*", "*") | when(operator, key, value))
    return lambda told: by_group(told).policy("guard", guard, "group:staff")


def with_point(*statements: dict[str, Any]) -> Callable[[Told], Any]:
    """ann has one inline policy, and there is an access point whose policy denies others something."""
    at_point = deny(PUT, f"{POINT}/object/*", Principal=BOB)
    return lambda told: told.inline("user:ann", "own", document(*statements)).point("p", at_point)


def at_point(what: dict[str, str], codes: str = "", says: str = "") -> dict[str, Shown]:
    return {**anns(what, codes, says), f"accesspoint:{POINT}": Shown()}


def of_group(codes: str = "", says: str = "") -> dict[str, Shown]:
    return {"policy:reads": Shown("group:staff", {"data": GET} if "wider" in codes else {}, codes, says)}


WITH_MFA, OVER_TLS = when("Bool", "aws:MultiFactorAuthPresent", "true"), when("Bool", "aws:SecureTransport", "true")
OFFICE = "192.0.2.0/24"

ACCESS_POINTS = [
    NastyCase(
        "everything but the buckets is access points, too",
        with_point(ALL_BUT_BUCKETS),
        at_point({}, "narrower", POINT),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "everything but one bucket: what it gives of the others is given anyway",
        with_point({**ALL_BUT_BUCKETS, "NotResource": [OTHER, f"{OTHER}/*"]}),
        at_point({"data": f"{GET} {LIST}"}, "narrower", "hidden"),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "everything but buckets and access points is nothing",
        with_point({**ALL_BUT_BUCKETS, "NotResource": ["arn:aws:s3:::*", "arn:aws:s3:*:*:accesspoint/*"]}),
        at_point({}),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "a folder of whatever is called somehow is a folder behind access points, too",
        with_point(allow(GET, "arn:aws:s3:*:*:*/x/*")),
        at_point({f"{name}{path}": GET for name in ("data", "other") for path in ("//x", "/x")}, "narrower", POINT),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "all of S3 by a short ARN is the buckets anyway",
        with_point(allow(GET, "arn:aws:s3:*")),
        at_point({"account": GET}),
        bucket=document(DELEGATES),
    ),
]


def edged(told: Told) -> None:
    """cid, whose boundary allows nothing of S3, and an access point that names her."""
    told.policy("edge", document(allow("ec2:*", "*")))
    told.user("cid", boundary=f"arn:aws:iam::{ACCOUNT}:policy/edge")
    told.point("p", allow(GET, f"{POINT}/object/*", Principal={"AWS": user_arn("cid")}))


ON_POINT = allow(GET, f"{POINT}/object/x/*")
ACCESS_POINTS += [
    NastyCase(
        "a policy of a user on an access point, whose bucket leaves it to that",
        with_point(ON_POINT),
        at_point({"data/x": GET}),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "a policy of a user on an access point, whose bucket leaves nothing to it",
        with_point(ON_POINT),
        at_point({}),
    ),
    NastyCase(
        "a policy of a user on an access point, and a bucket that refuses whoever does not come through one",
        with_point(ON_POINT, allow(PUT, f"{DATA}/*")),
        at_point({"data/x": GET}, "narrower", "s3:DataAccessPointAccount"),
        bucket=document(DELEGATES, denies("*", **when("StringNotEquals", "s3:DataAccessPointAccount", ACCOUNT))),
    ),
    NastyCase(
        "a policy of a user on an access point that refuses her",
        lambda told: told.inline("user:ann", "own", document(ON_POINT)).point(
            "p", deny(GET, f"{POINT}/object/*", Principal=ANN)
        ),
        at_point({}),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "a policy of a user on an access point of a VPC",
        lambda told: in_vpc(told.inline("user:ann", "own", document(ON_POINT))),
        {
            **anns({}, "narrower", POINT),
            f"accesspoint:{POINT}": Shown("user:ann", {"data": GET}, "wider", "vpc-1"),
        },
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "an access point names a user, and the bucket her, too: beyond her boundary",
        edged,
        {
            f"accesspoint:{POINT}": Shown("user:cid", {"data": GET}),
            **by_bucket("user:cid", {"data": GET}),
        },
        bucket=document(gives({"AWS": user_arn("cid")})),
    ),
    NastyCase(
        "an access point names a user, and the bucket everybody: within her boundary",
        edged,
        {
            f"accesspoint:{POINT}": Shown(),
            **by_bucket("user:ann user:bob", {"data": GET}, "narrower who", "*"),
        },
        bucket=document(gives("*")),
    ),
]

GROUPS = [
    NastyCase(
        "NotPrincipal refuses every member of a group that it does not name",
        by_group,
        of_group(),
        bucket=document(denies_all_but(user_arn("bob"), ROOT["AWS"])),
    ),
    NastyCase(
        "NotPrincipal refuses whoever joins a group whose member it names",
        by_group,
        of_group("wider", "whoever else joins group staff"),
        bucket=document(denies_all_but(user_arn("ann"), ROOT["AWS"])),
    ),
    NastyCase(
        "a group without members has nothing of a bucket that denies it to everybody",
        lambda told: told.group("empty").policy("reads", READS, "group:empty"),
        {"policy:reads": Shown("group:empty")},
        bucket=document(denies("*")),
    ),
    NastyCase(
        "a Deny of the bucket for one who is not in the group",
        by_group,
        {"policy:reads": Shown("group:staff", {"data": GET})},
        bucket=document(denies(BOB)),
    ),
    *(
        NastyCase(
            f"a Deny that is about every user leaves a group nothing: {operator} {key}",
            guarded_group(operator, key, value),
            of_group(),
        )
        for operator, key, value in (
            ("StringEquals", "aws:PrincipalType", "User"),
            ("ArnLike", "aws:PrincipalArn", user_arn("*")),
            ("ForAllValues:StringLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"),
            ("StringLike", "aws:username", "*"),
            ("Null", "aws:username", "false"),
            ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*"),
            ("StringEquals", "aws:PrincipalAccount", ACCOUNT),
        )
    ),
    *(
        NastyCase(
            f"a Deny that is about no user takes nothing from a group: {operator} {key}",
            guarded_group(operator, key, value),
            {"policy:reads": Shown("group:staff", {"data": GET})},
        )
        for operator, key, value in (
            ("StringEquals", "aws:PrincipalType", "AssumedRole"),
            ("ArnLike", "aws:PrincipalArn", role_arn("*")),
            ("Null", "aws:username", "true"),
        )
    ),
    NastyCase(
        "a Deny of one user by name is a warning of her group",
        lambda told: guarded_group("StringEquals", "aws:username", "ann")(told.user("cid", "staff")),
        of_group("wider", "aws:username"),
    ),
    NastyCase(
        "a Deny of all who are in a group by name: nobody has it now",
        guarded_group("StringEquals", "aws:username", "ann"),
        of_group("narrower", "no member"),
    ),
    NastyCase(
        "a Deny of all but others by name: nobody of the group has it now",
        guarded_group("ArnNotEquals", "aws:PrincipalArn", user_arn("bob")),
        of_group("narrower", "no member"),
    ),
    NastyCase(
        "boundaries that leave no member anything of what the group gives",
        lambda told: (
            by_group(told.group("empty"))
            .policy("edge", document(allow("ec2:*", "*")))
            .policy("reads-too", READS, "group:edged")
            .group("edged")
            .user("cid", "edged", boundary=f"arn:aws:iam::{ACCOUNT}:policy/edge")
        ),
        {
            "policy:reads": Shown("group:staff", {"data": GET}),
            "policy:reads-too": Shown("group:edged", {}, "narrower", "no member"),
        },
    ),
]

TOGETHER = [
    NastyCase(
        "denied with MFA and without it is denied",
        ann_may(allow(GET, f"{DATA}/*"), deny(GET, "*") | WITH_MFA, deny("*", f"{DATA}/*") | {"Condition": NO_MFA}),
        anns({}),
    ),
    NastyCase(
        "denied with MFA by one policy, without it by another",
        lambda told: (
            both(told)
            .policy("with", document(deny(GET, "*") | WITH_MFA), "user:ann", "user:bob")
            .policy("without", document(deny(GET, "*") | {"Condition": NO_MFA}), "user:ann")
        ),
        reads("user:bob", "wider", "aws:MultiFactorAuthPresent"),
    ),
    NastyCase(
        "denied inside and outside of the office",
        ann_may(
            allow(GET, f"{DATA}/*"),
            deny(GET, "*") | when("IpAddress", "aws:SourceIp", OFFICE),
            deny(GET, "*") | when("NotIpAddress", "aws:SourceIp", OFFICE),
        ),
        anns({}),
    ),
    NastyCase(
        "denied in the office and without MFA: one who has MFA may at home",
        ann_may(
            allow(GET, f"{DATA}/*"),
            deny(GET, "*") | when("IpAddress", "aws:SourceIp", OFFICE),
            deny(GET, "*") | {"Condition": NO_MFA},
        ),
        anns({"data": GET}, "wider", "aws:SourceIp"),
    ),
    NastyCase(
        "denied with MFA in one folder and without it in the bucket: the bucket stays, with a warning",
        ann_may(allow(GET, f"{DATA}/*"), deny(GET, f"{DATA}/x/*") | WITH_MFA, deny(GET, "*") | {"Condition": NO_MFA}),
        anns({"data": GET}, "wider", "aws:MultiFactorAuthPresent"),
    ),
    NastyCase(
        "denied over TLS: ordinary calls are refused",
        ann_may(allow(GET, f"{DATA}/*"), deny(GET, "*") | OVER_TLS),
        anns({}, "narrower", "aws:SecureTransport"),
    ),
    NastyCase(
        "denied but through access points: not given directly",
        with_point(allow(GET, f"{DATA}/*"), deny("*", "*") | when("Null", "s3:DataAccessPointArn", "true")),
        at_point({}, "narrower", "s3:DataAccessPointArn"),
        bucket=document(DELEGATES),
    ),
    NastyCase(
        "what a level leaves of the bucket can be denied altogether by another policy",
        ann_may(allow(GET, f"{DATA}/*")),
        anns({}),
        service=(document(allow("s3:*", f"{DATA}/x/*"), deny(GET, f"{DATA}/x*")),),
    ),
    NastyCase(
        "a role that is denied over TLS to whom it trusts",
        lambda told: told.role("r", trust(ANN), {**trust(ANN), "Effect": "Deny", **OVER_TLS}).inline(
            "role:r", "own", READS
        ),
        {"role:r": Shown("", {"data": GET}, "who", "aws:SecureTransport")},
    ),
]

SISTERS = f"arn:aws:s3:eu-west-1:{FOREIGN}:accesspoint/p/object/*"
OF_OTHERS = [
    NastyCase(
        f"a bucket of another account, under a condition: {condition}",
        ann_may(allow(GET, "arn:aws:s3:::sister/*", **condition)),
        anns({}, "narrower", "sister/*" if says is None else says),
        service=(FULL,),
    )
    for condition, says in (
        (when("StringEquals", "aws:ResourceAccount", FOREIGN), None),
        (when("StringNotEquals", "s3:ResourceAccount", ACCOUNT), None),
        (when("StringEquals", "aws:ResourceOrgID", "o-2"), None),
        (when("StringEquals", "aws:RequestedRegion", "eu-west-1"), "aws:RequestedRegion"),
        (when("StringNotEquals", "aws:RequestedRegion", "eu-west-1"), "aws:RequestedRegion"),
    )
] + [
    NastyCase(
        "what is of another account gives nothing of the account's own buckets, and of others what it names",
        ann_may(
            allow(
                GET,
                [f"{DATA}/*", "arn:aws:s3:::s*", "arn:aws:s3:::hidden/*", SISTERS],
                **when("StringEquals", "aws:ResourceAccount", FOREIGN),
            )
        ),
        anns({}, "narrower", f"statement 1: resource {SISTERS} is an access point"),
    ),
    NastyCase(
        "a region gives what is there of the own buckets, and maybe what it names of others",
        ann_may(
            allow(
                GET,
                [f"{DATA}/*", f"{OTHER}/*", "arn:aws:s3:::sister/*"],
                **when("StringLike", "aws:RequestedRegion", "eu-*"),
            )
        ),
        anns({"data": GET}, "narrower", "aws:RequestedRegion"),
    ),
    NastyCase(
        "what is of nobody known, and has to be of those who cannot call, is nothing",
        ann_may(
            allow(
                GET,
                "arn:aws:s3:::sister/*",
                Condition={"StringEquals": {"aws:ResourceAccount": FOREIGN, "aws:username": "bob"}},
            )
        ),
        anns({}),
    ),
]

CASES = [
    *ACCESS_POINTS,
    *GROUPS,
    *TOGETHER,
    *CONDITIONS,
    *PATTERNS,
    *LIMITS,
    *TRUSTS,
    *BUCKETS,
    *CONTROLS,
    *KNOWN_ORGANIZATION,
    *OF_OTHERS,
]


def shown(row: AccessProvider) -> tuple[str, dict[str, str], str]:
    who = [f"user:{name}" for name in row.who_users or ()]
    who += [f"group:{name}" for name in row.who_groups or ()]
    who += row.who_access_providers or ()
    what = {
        NAMES.get(item.data_object.full_name, item.data_object.full_name.split(":", 2)[-1]): " ".join(item.permissions)
        for item in row.what
    }
    codes = [code for code in ("elsewhere", "narrower", "who", "wider") if getattr(row, f"reasons_{code}")]
    return " ".join(who), what, " ".join(codes)


def organization(service: tuple[str, ...], resource: str | None) -> dict[str, Any]:
    """The tables of an organization whose root and units have these policies; the last level is the account's own."""
    if not service and resource is None:
        return {}
    kinds = ("RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY")
    levels = service or (FULL,)
    nodes = [*("r-1", "ou-1", "ou-2")[: len(levels) - 1], ACCOUNT]
    attached = [(node, kinds[1], f"p-{node}", text) for node, text in zip(nodes, levels, strict=True)]
    attached += [(node, kinds[0], "p-full", FULL) for node in nodes]
    if resource is not None:
        attached.append((nodes[0], kinds[0], "p-resource", resource))
    policies = {policy: (kind, text) for _, kind, policy, text in attached}
    return {
        "org_accounts": [OrgAccount(ACCOUNT, "o-1", False, tuple(nodes[:-1]), kinds)],
        "org_policy_targets": [OrgPolicyTarget(node, "OU", kind, policy) for node, kind, policy, _ in attached],
        "org_control_policies": [
            OrgControlPolicy(policy, kind, policy, False, text) for policy, (kind, text) in policies.items()
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nasty(case: NastyCase) -> None:
    told = people()
    case.account(told)
    inputs = told.inputs()
    if case.bucket is not None:
        inputs = replace(inputs, bucket_policies=[S3BucketPolicy("data", WHEN, case.bucket, True, (), (), True)])
    inputs = replace(inputs, **organization(case.service, case.resource))
    rows = {row.external_id: row for row in rows_of(inputs, AccessOptions(**case.options))}

    assert {name: shown(row) for name, row in rows.items()} == {
        name: (wanted.who, wanted.what, wanted.codes) for name, wanted in case.shown.items()
    }
    for name, wanted in case.shown.items():
        row = rows[name]
        reasons = (*row.reasons_wider, *row.reasons_narrower, *row.reasons_who, *row.reasons_elsewhere)
        assert any(wanted.says in reason for reason in reasons) or not wanted.says, reasons
        assert row.incomplete is bool(set(wanted.codes.split()) - {"elsewhere"})


def test_the_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
