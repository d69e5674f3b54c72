"""Reading IAM Identity Center: people, groups, and the permission sets and assignments of the accounts.

`identitystore` knows the people, `sso-admin` the permission sets. Both answer 20 calls a second and no more, so only
what is provisioned in the accounts of `raito.yml` is asked for, and memberships in the cheaper direction.
https://docs.aws.amazon.com/singlesignon/latest/APIReference/welcome.html
https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/welcome.html
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from raito_pipeline.aws.clients import AwsClients, aws_call
from raito_pipeline.aws.errors import AwsDenied, AwsGone
from raito_pipeline.aws.limits import ServiceLimits
from raito_pipeline.aws.reading import Progress, Read, Workers, no_progress, now, tags_of, workers
from raito_pipeline.model import OrgAccountAssignment, OrgGroup, OrgPermissionSet, OrgUser, Tag

_PAGE = 100
"""Items a page: the most that both services give."""


@dataclass(frozen=True, slots=True)
class OrganizationRead:
    """What Identity Center of one organization and region holds, a read a table."""

    users: Read[OrgUser]
    groups: Read[OrgGroup]
    permission_sets: Read[OrgPermissionSet]
    assignments: Read[OrgAccountAssignment]


@dataclass(frozen=True, slots=True)
class _Instance:
    arn: str
    store: str


@dataclass(frozen=True, slots=True)
class _People:
    users: tuple[OrgUser, ...]
    groups: tuple[OrgGroup, ...]

    def names(self) -> dict[tuple[str, str], str]:
        """The names of users and groups by (`USER` or `GROUP`, id)."""
        found = {("USER", user.user_id): user.user_name for user in self.users}
        return found | {("GROUP", group.group_id): group.display_name for group in self.groups}


@dataclass(frozen=True, slots=True)
class _Access:
    permission_sets: tuple[OrgPermissionSet, ...]
    assignments: tuple[OrgAccountAssignment, ...]
    problems: tuple[str, ...]


def read_organization(
    clients: AwsClients,
    region: str,
    account_ids: frozenset[str],
    limiter: ServiceLimits,
    progress: Progress = no_progress,
) -> OrganizationRead:
    """Read every instance of Identity Center that the clients reach in `region`.

    `account_ids` are the accounts of `raito.yml`: permission sets and assignments of others are not asked for.
    `limiter` is shared by everybody who talks to Identity Center. Raises `AwsError` where a mandatory read fails;
    denied tags of a permission set are a problem of `permission_sets`.
    """
    began = now()
    sso, store = _Pages(clients, "sso-admin", region, limiter), _Pages(clients, "identitystore", region, limiter)
    with workers(clients.concurrency) as pool:
        people, access = [], []
        for instance in _instances(sso):
            one = _read_people(store, instance, pool, progress)
            people.append(one)
            access.append(_read_access(sso, instance, sorted(account_ids), one.names(), pool, progress))
    users = sorted((row for one in people for row in one.users), key=lambda row: (row.identity_store_id, row.user_id))
    groups = sorted(
        (row for one in people for row in one.groups), key=lambda row: (row.identity_store_id, row.group_id)
    )
    sets = sorted((row for one in access for row in one.permission_sets), key=lambda row: row.arn)
    assignments = sorted((row for one in access for row in one.assignments), key=_assignment_key)
    return OrganizationRead(
        users=Read.complete(users, began),
        groups=Read.complete(groups, began),
        permission_sets=Read.complete(sets, began).with_problems(p for one in access for p in one.problems),
        assignments=Read.complete(assignments, began),
    )


def _assignment_key(row: OrgAccountAssignment) -> tuple[str, ...]:
    return (row.account_id, row.permission_set_arn, row.principal_type, row.principal_id)


class _Pages:
    """The calls of one Identity Center service, each with its pages followed and its errors named."""

    def __init__(self, clients: AwsClients, service: Any, region: str, limiter: ServiceLimits) -> None:
        self._client: Any = clients.client(service, region)
        self._prefix = "sso" if service == "sso-admin" else service
        limiter.attach(self._client)

    def get(self, operation: str, resource: str, **request: Any) -> Mapping[str, Any]:
        with aws_call(f"{self._prefix}:{operation}", resource):
            answer: Mapping[str, Any] = getattr(self._client, xform_name(operation))(**request)
        return answer

    def items(self, operation: str, key: str, resource: str, **request: Any) -> list[Any]:
        found: list[Any] = []
        while True:
            page = self.get(operation, resource, **request)
            found += page.get(key) or ()
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]


def _instances(sso: _Pages) -> list[_Instance]:
    listed = sso.items("ListInstances", "Instances", "all instances", MaxResults=_PAGE)
    return sorted((_Instance(one["InstanceArn"], one["IdentityStoreId"]) for one in listed), key=lambda one: one.arn)


def _read_people(store: _Pages, instance: _Instance, pool: Workers, progress: Progress) -> _People:
    request = {"IdentityStoreId": instance.store, "MaxResults": _PAGE}
    users, groups = pool.each(
        lambda wanted: store.items(f"List{wanted}", wanted, instance.store, **request),
        ("Users", "Groups"),
        "people",
        progress,
    )
    memberships = _memberships(store, instance, users, groups, pool, progress)
    return _People(
        tuple(_user(instance, one, memberships.get(one["UserId"], ())) for one in users),
        tuple(_group(instance, one) for one in groups),
    )


def _memberships(
    store: _Pages, instance: _Instance, users: Sequence[Any], groups: Sequence[Any], pool: Workers, progress: Progress
) -> dict[str, list[str]]:
    """The ids of the groups of each user, asked by group or by user, whichever there are fewer of."""

    def of_group(group: Any) -> list[Any]:
        request = {"IdentityStoreId": instance.store, "GroupId": group["GroupId"], "MaxResults": _PAGE}
        return _unless_gone(lambda: store.items("ListGroupMemberships", "GroupMemberships", instance.store, **request))

    def of_user(user: Any) -> list[Any]:
        member = {"UserId": user["UserId"]}
        request = {"IdentityStoreId": instance.store, "MemberId": member, "MaxResults": _PAGE}
        operation = "ListGroupMembershipsForMember"
        return _unless_gone(lambda: store.items(operation, "GroupMemberships", instance.store, **request))

    if len(groups) <= len(users):
        answers = pool.each(of_group, groups, "memberships", progress)
    else:
        answers = pool.each(of_user, users, "memberships", progress)
    found: dict[str, list[str]] = defaultdict(list)
    for one in (membership for answer in answers for membership in answer):
        if "UserId" in one["MemberId"]:
            found[one["MemberId"]["UserId"]].append(one["GroupId"])
    return found


def _unless_gone(read: Any) -> list[Any]:
    """What a read gives; nothing where its subject was deleted since it was listed."""
    try:
        answer: list[Any] = read()
    except AwsGone:
        return []
    return answer


def _user(instance: _Instance, answer: Mapping[str, Any], group_ids: Iterable[str]) -> OrgUser:
    emails = answer.get("Emails") or ()
    primary = next((one.get("Value") for one in emails if one.get("Primary")), None)
    return OrgUser(
        identity_store_id=instance.store,
        user_id=answer["UserId"],
        user_name=answer["UserName"],
        display_name=answer.get("DisplayName") or "",
        email=primary or None,
        group_ids=tuple(sorted(set(group_ids))),
    )


def _group(instance: _Instance, answer: Mapping[str, Any]) -> OrgGroup:
    return OrgGroup(
        identity_store_id=instance.store,
        group_id=answer["GroupId"],
        display_name=answer.get("DisplayName") or "",
        description=answer.get("Description") or "",
    )


def _read_access(
    sso: _Pages,
    instance: _Instance,
    account_ids: Sequence[str],
    names: Mapping[tuple[str, str], str],
    pool: Workers,
    progress: Progress,
) -> _Access:
    accounts_of: dict[str, list[str]] = defaultdict(list)
    provisioned = pool.each(lambda account: _provisioned(sso, instance, account), account_ids, "accounts", progress)
    for account, arns in zip(account_ids, provisioned, strict=True):
        for arn in arns:
            accounts_of[arn].append(account)
    arns = sorted(accounts_of)
    described = pool.each(
        lambda arn: _permission_set(sso, instance, arn, accounts_of[arn]), arns, "permission sets", progress
    )
    pairs = [(arn, account) for arn in arns for account in accounts_of[arn]]
    assigned = pool.each(lambda pair: _assignments(sso, instance, *pair, names), pairs, "assignments", progress)
    return _Access(
        tuple(row for row, _ in described if row),
        tuple(row for rows in assigned for row in rows),
        tuple(problem for _, problem in described if problem),
    )


def _provisioned(sso: _Pages, instance: _Instance, account: str) -> list[str]:
    request = {"InstanceArn": instance.arn, "AccountId": account, "MaxResults": _PAGE}
    arns = sso.items(
        "ListPermissionSetsProvisionedToAccount", "PermissionSets", f"arn:aws:sso:::account/{account}", **request
    )
    return sorted(set(arns))


def _permission_set(
    sso: _Pages, instance: _Instance, arn: str, accounts: Sequence[str]
) -> tuple[OrgPermissionSet | None, str | None]:
    problem = None
    tags: tuple[Tag, ...] = ()
    try:
        request = {"InstanceArn": instance.arn, "PermissionSetArn": arn}
        answer = sso.get("DescribePermissionSet", arn, **request)["PermissionSet"]
        tags = tags_of(sso.items("ListTagsForResource", "Tags", arn, InstanceArn=instance.arn, ResourceArn=arn))
    except AwsGone:
        return None, None
    except AwsDenied as denied:
        if denied.action != "sso:ListTagsForResource":
            raise
        problem = f"tags of permission set {answer['Name']} were not read: {denied}"
    row = OrgPermissionSet(
        instance_arn=instance.arn,
        arn=arn,
        name=answer["Name"],
        description=answer.get("Description") or "",
        tags=tags,
        account_ids=tuple(sorted(accounts)),
    )
    return row, problem


def _assignments(
    sso: _Pages, instance: _Instance, arn: str, account: str, names: Mapping[tuple[str, str], str]
) -> list[OrgAccountAssignment]:
    request = {"InstanceArn": instance.arn, "AccountId": account, "PermissionSetArn": arn, "MaxResults": _PAGE}
    listed = _unless_gone(lambda: sso.items("ListAccountAssignments", "AccountAssignments", arn, **request))
    return [
        OrgAccountAssignment(
            account_id=account,
            permission_set_arn=arn,
            principal_type=one["PrincipalType"],
            principal_id=one["PrincipalId"],
            principal_name=names.get((one["PrincipalType"], one["PrincipalId"])),
        )
        for one in listed
    ]
