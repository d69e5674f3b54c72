"""IAM of one account, answered from a dictionary in the shape of `GetAccountAuthorizationDetails`."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.shared_data import EXPORT

from .stand_in import ACCOUNT, Refused, StandIn, page_of, quoted

Document = dict[str, Any]
Account = dict[str, list[Document]]
_LISTS = {"User": "UserDetailList", "Group": "GroupDetailList", "Role": "RoleDetailList"}
_INLINE = {"User": "UserPolicyList", "Group": "GroupPolicyList", "Role": "RolePolicyList"}


def s3(action: str = "s3:GetObject", resource: str = "arn:aws:s3:::data/*") -> Document:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
}
NO_S3 = s3("ec2:DescribeInstances", "*")


def managed(name: str, document: Any, *, owner: str = ACCOUNT, tags: Mapping[str, str] | None = None) -> Document:
    return {
        "PolicyName": name,
        "PolicyId": f"ANPA{owner}{name}",
        "Arn": f"arn:aws:iam::{owner}:policy/{name}",
        "Path": "/",
        "DefaultVersionId": "v2",
        "AttachmentCount": 0,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": "2026-01-02T03:04:05Z",
        "UpdateDate": "2026-01-02T03:04:05Z",
        "PolicyVersionList": [
            {"VersionId": "v2", "IsDefaultVersion": True, "Document": document, "CreateDate": "2026-01-02T03:04:05Z"},
            {"VersionId": "v1", "IsDefaultVersion": False, "Document": NO_S3, "CreateDate": "2026-01-02T03:04:05Z"},
        ],
        "Tags": _tags(tags or {}),
    }


def principal(
    kind: str,
    name: str,
    *,
    inline: Mapping[str, Any] | None = None,
    attached: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    tags: Mapping[str, str] | None = None,
    boundary: str | None = None,
) -> Document:
    made: Document = {
        "Path": "/",
        f"{kind}Name": name,
        f"{kind}Id": f"A{kind.upper()}{name}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/{name}",
        "CreateDate": "2026-01-02T03:04:05Z",
        _INLINE[kind]: [{"PolicyName": key, "PolicyDocument": value} for key, value in (inline or {}).items()],
        "AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached],
    }
    if kind == "User":
        made["GroupList"] = list(groups)
    if kind == "Role":
        made["AssumeRolePolicyDocument"] = TRUST
    if kind != "Group":
        made["Tags"] = _tags(tags or {})
        if boundary:
            made["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": boundary,
            }
    return made


def account(*principals: Document, policies: tuple[Document, ...] = ()) -> Account:
    made: Account = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": list(policies)}
    for one in principals:
        kind = next(kind for kind in _LISTS if f"{kind}Name" in one)
        made[_LISTS[kind]].append(one)
    return _counted(made)


def small_account() -> Account:
    """One of each: members, tags, boundaries, inline and managed policies, AWS's own, broken documents."""
    mine, aws = f"arn:aws:iam::{ACCOUNT}:policy/", "arn:aws:iam::aws:policy/"
    return account(
        principal("User", "zoe", tags={"email": "zoe@example.org", "b": "", "a": "1"}, groups=("ops", "data"),
                  inline={"w": s3(), "b": "{not json %"}, attached=(f"{mine}reads",)),
        principal("User", "bot", tags={"email": "bot@example.org"}, inline={"p": s3()}, boundary=f"{mine}fence"),
        principal("User", "ann"),
        principal("Group", "ops", attached=(f"{aws}AmazonS3ReadOnlyAccess", f"{mine}ec2")),
        principal("Group", "data", inline={"i": s3()}),
        principal("Group", "empty"),
        principal("Role", "etl", tags={"creator": "RAITO"}, inline={"x": s3(), "ünï": s3("s3:*")},
                  attached=(f"{mine}reads", f"{mine}writes"), boundary=f"{mine}fence"),
        principal("Role", "bare"),
        policies=(
            managed("reads", s3(), tags={"team": "a"}),
            managed("writes", s3("s3:Put*"), tags={"creator": "RAITO", "aaa": ""}),
            managed("ec2", NO_S3, tags={"never": "asked"}),
            managed("loose", s3(), tags={"never": "asked"}),
            managed("fence", s3("*", "*"), tags={"never": "asked"}),
            managed("AmazonS3ReadOnlyAccess", s3("s3:Get*", "*"), owner="aws"),
        ),
    )  # fmt: skip


def big_account(users: int = 500, groups: int = 50, roles: int = 500, policies: int = 300) -> Account:
    """An account of this size: an inline policy for every second role and every fifth user and group."""
    mine = f"arn:aws:iam::{ACCOUNT}:policy/p"
    made = [
        principal("User", f"user{n}", groups=(f"group{n % groups}",), tags={"email": f"u{n}@example.org"},
                  inline={"i": s3()} if n % 5 == 0 else {}, attached=(f"{mine}{n % policies}",))
        for n in range(users)
    ]  # fmt: skip
    made += [principal("Group", f"group{n}", inline={"i": s3()} if n % 5 == 0 else {}) for n in range(groups)]
    made += [
        principal("Role", f"role{n}", inline={"i": s3()} if n % 2 == 0 else {}, attached=(f"{mine}{n % policies}",),
                  tags={"n": str(n)})
        for n in range(roles)
    ]  # fmt: skip
    made[0]["AttachedManagedPolicies"] += [
        {"PolicyName": f"Aws{n}", "PolicyArn": f"arn:aws:iam::aws:policy/Aws{n}"} for n in range(10)
    ]
    own = [managed(f"p{n}", s3(), tags={"n": str(n)}) for n in range(policies)]
    return account(*made, policies=(*own, *(managed(f"Aws{n}", s3(), owner="aws") for n in range(10))))


def exported_account(part: slice = slice(None)) -> Account:
    """The real export, with a part of its users and of its roles; skips where it is not there."""
    if not EXPORT.exists():
        pytest.skip(f"the real export is not there: {EXPORT}")
    read: Account = json.loads(EXPORT.read_text())
    for key in ("UserDetailList", "RoleDetailList"):
        read[key] = read[key][part]
    return _counted(read)


def _tags(tags: Mapping[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _counted(made: Account) -> Account:
    everybody = [one for key in _LISTS.values() for one in made[key]]
    for policy in made["Policies"]:
        policy["AttachmentCount"] = sum(
            attached["PolicyArn"] == policy["Arn"] for one in everybody for attached in one["AttachedManagedPolicies"]
        )
    return made


class IamAccount:
    """The handlers of IAM for one account. `page` is the most items a page that it gives."""

    def __init__(self, made: Account, stand_in: StandIn, page: int = 1000) -> None:
        self.made, self.page = made, page
        for kind in _LISTS:
            self._of_kind(kind, stand_in)
        add = stand_in.handlers
        add["iam:GetAccountAuthorizationDetails"] = self.details
        add["iam:ListPolicies"] = self.list_policies
        add["iam:GetPolicyVersion"] = self.version
        add["iam:GetPolicy"] = lambda r: {"Policy": _undocumented(self.policy(r))}
        add["iam:ListPolicyTags"] = lambda r: self.paged("Tags", self.policy(r).get("Tags", []), r)
        add["iam:ListEntitiesForPolicy"] = self.entities
        add["sts:GetCallerIdentity"] = lambda _: {"Account": ACCOUNT, "Arn": "arn", "UserId": "AIDA"}
        stand_in.resources["iam:ListPolicies"] = lambda _: f"arn:aws:iam::{ACCOUNT}:policy/"
        for operation in ("GetPolicy", "GetPolicyVersion", "ListPolicyTags", "ListEntitiesForPolicy"):
            stand_in.resources[f"iam:{operation}"] = lambda r: r["PolicyArn"]

    def _of_kind(self, kind: str, stand_in: StandIn) -> None:
        def one(request: Mapping[str, Any]) -> Document:
            return self.named(kind, request[f"{kind}Name"])

        def inline(request: Mapping[str, Any]) -> Document:
            for policy in one(request).get(_INLINE[kind], []):
                if policy["PolicyName"] == request["PolicyName"]:
                    found = {"PolicyName": policy["PolicyName"], "PolicyDocument": quoted(policy["PolicyDocument"])}
                    return {f"{kind}Name": request[f"{kind}Name"], **found}
            raise Refused(404, "NoSuchEntity")

        add = stand_in.handlers
        add[f"iam:List{kind}s"] = lambda r: self.paged(f"{kind}s", [_listed(o) for o in self.made[_LISTS[kind]]], r)
        add[f"iam:Get{kind}"] = lambda r: {kind: _got(one(r))}
        add[f"iam:List{kind}Policies"] = lambda r: self.paged(
            "PolicyNames", [policy["PolicyName"] for policy in one(r).get(_INLINE[kind], [])], r
        )
        add[f"iam:Get{kind}Policy"] = inline
        add[f"iam:ListAttached{kind}Policies"] = lambda r: self.paged(
            "AttachedPolicies", one(r)["AttachedManagedPolicies"], r
        )
        if kind == "Group":
            add["iam:GetGroup"] = lambda r: (
                {"Group": _got(one(r))}
                | self.paged(
                    "Users",
                    [_listed(u) for u in self.made["UserDetailList"] if one(r)["GroupName"] in u["GroupList"]],
                    r,
                )
            )
        stand_in.resources[f"iam:List{kind}s"] = lambda _: f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/"
        for operation in ("Get{}", "List{}Policies", "Get{}Policy", "ListAttached{}Policies"):
            action = f"iam:{operation.format(kind)}"
            stand_in.resources[action] = lambda r: f"arn:aws:iam::{ACCOUNT}:{kind.lower()}/{r[f'{kind}Name']}"

    def paged(self, key: str, items: list[Any], request: Mapping[str, Any]) -> Document:
        size = min(int(request.get("MaxItems", 100)), self.page)
        page, marker = page_of(items, size, request.get("Marker"))
        return {key: page, "IsTruncated": marker is not None, "Marker": marker}

    def details(self, request: Mapping[str, Any]) -> Document:
        wanted = [(kind, _LISTS[kind], one) for kind in _LISTS for one in self.made[_LISTS[kind]]]
        wanted += [
            ("AWSManagedPolicy" if ":aws:policy/" in one["Arn"] else "LocalManagedPolicy", "Policies", one)
            for one in self.made["Policies"]
        ]
        items = [(key, one) for kind, key, one in wanted if kind in request["Filter"]]
        answer = self.paged("Items", items, request)
        for key, one in answer.pop("Items"):
            answer.setdefault(key, []).append(_detailed(one))
        return answer

    def list_policies(self, request: Mapping[str, Any]) -> Document:
        from_aws = request["Scope"] == "AWS"
        found = [_undocumented(one) for one in self.made["Policies"] if (":aws:policy/" in one["Arn"]) == from_aws]
        if request.get("OnlyAttached") == "true":
            found = [one for one in found if one["AttachmentCount"]]
        return self.paged("Policies", found, request)

    def policy(self, request: Mapping[str, Any]) -> Document:
        for one in self.made["Policies"]:
            if one["Arn"] == request["PolicyArn"]:
                return one
        raise Refused(404, "NoSuchEntity")

    def version(self, request: Mapping[str, Any]) -> Document:
        for one in self.policy(request)["PolicyVersionList"]:
            if one["VersionId"] == request["VersionId"]:
                return {"PolicyVersion": one | {"Document": quoted(one["Document"])}}
        raise Refused(404, "NoSuchEntity")

    def entities(self, request: Mapping[str, Any]) -> Document:
        """As AWS does, one listing over users, groups and roles; boundaries count unless they are filtered out."""
        found = []
        for kind, key in _LISTS.items():
            for one in self.made[key]:
                attached = any(p["PolicyArn"] == request["PolicyArn"] for p in one["AttachedManagedPolicies"])
                fenced = one.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == request["PolicyArn"]
                if attached or (fenced and request.get("PolicyUsageFilter") != "PermissionsPolicy"):
                    found.append((kind, {f"{kind}Name": one[f"{kind}Name"], f"{kind}Id": one[f"{kind}Id"]}))
        answer = self.paged("Items", found, request)
        items = answer.pop("Items")
        return answer | {f"Policy{kind}s": [one for other, one in items if other == kind] for kind in _LISTS}

    def named(self, kind: str, name: str) -> Document:
        for one in self.made[_LISTS[kind]]:
            if one[f"{kind}Name"] == name:
                return one
        raise Refused(404, "NoSuchEntity", f"The {kind} with name {name} cannot be found.")


def _dated(one: Document) -> Document:
    return one | {"CreateDate": one["CreateDate"].replace(" ", "T")}


def _undocumented(policy: Document) -> Document:
    return {key: value for key, value in policy.items() if key not in ("PolicyVersionList", "Tags")}


def _listed(one: Document) -> Document:
    """What a list says: neither tags nor boundary. Roles carry their trust policy."""
    keep = ("Path", "UserName", "UserId", "GroupName", "GroupId", "RoleName", "RoleId", "Arn", "CreateDate")
    made = _dated({key: value for key, value in one.items() if key in keep})
    if "AssumeRolePolicyDocument" in one:
        made["AssumeRolePolicyDocument"] = quoted(one["AssumeRolePolicyDocument"])
    return made


def _got(one: Document) -> Document:
    """What a get call says: the list's members, tags and boundary."""
    extra = {key: one[key] for key in ("Tags", "PermissionsBoundary") if one.get(key)}
    return _listed(one) | extra


def _detailed(one: Document) -> Document:
    """What the account details say."""
    made = _dated({key: value for key, value in one.items() if key not in ("RoleLastUsed", "InstanceProfileList")})
    if "PolicyVersionList" in one:
        versions = [_dated(v) | {"Document": quoted(v["Document"])} for v in one["PolicyVersionList"]]
        made |= {"PolicyVersionList": versions}
        made.pop("Tags", None)
        made["UpdateDate"] = made["UpdateDate"].replace(" ", "T")
    if "AssumeRolePolicyDocument" in one:
        made["AssumeRolePolicyDocument"] = quoted(one["AssumeRolePolicyDocument"])
    for key in _INLINE.values():
        if key in one:
            made[key] = [
                {"PolicyName": p["PolicyName"], "PolicyDocument": quoted(p["PolicyDocument"])} for p in one[key]
            ]
    return made
