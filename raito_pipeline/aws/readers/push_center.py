"""Reading what a push has to know of Identity Center: permission sets of the whole organization, people by their names.

It is asked right before the push is planned, in the same sync, and all or nothing: where a call fails, nothing that has
to do with permission sets is pushed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsGone
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.identity_store import PAGE
from raito_pipeline.aws.readers.kept_policies import kept_policies
from raito_pipeline.aws.readers.reading import Progress, Read, no_progress, now, tags_of, workers
from raito_pipeline.model import RAITO_ACCOUNT, Assignee, PushPermissionSet, PushPrincipal, Tag, made_by_raito

_KINDS = (("Users", "USER", "UserId", "UserName"), ("Groups", "GROUP", "GroupId", "DisplayName"))


@dataclass(frozen=True, slots=True)
class CenterPlace:
    """Where Identity Center of an organization is, and the account that a push is for."""

    region: str
    instance_arn: str
    identity_store_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class PushCenterRead:
    """What Identity Center holds for a push, a read a table."""

    permission_sets: Read[PushPermissionSet]
    principals: Read[PushPrincipal]


@dataclass(frozen=True, slots=True)
class CenterListing:
    """What accounts of an organization have in common: its permission sets, without what is in them, and its people."""

    began: datetime
    """when it began to be read"""
    permission_sets: tuple[PushPermissionSet, ...]
    people: tuple[PushPrincipal, ...]
    remembered: frozenset[str] = frozenset()
    """ARNs of those whose description is as it was read before: they are no other account's to change but their own"""


def list_center(
    clients: AwsClients,
    place: CenterPlace,
    limiter: ServiceLimits,
    progress: Progress = no_progress,
    known: Iterable[PushPermissionSet] = (),
) -> CenterListing:
    """List the permission sets of an organization with their tags, and its people. Raises `AwsError`.

    `known` are rows that were read before, for any account of the organization: the name of a permission set never
    changes, so those that are not Raito's for this account are not asked for it again. They are read until all are met.
    """
    began = now()
    had: dict[str, PushPermissionSet] = {}
    reading = _CenterReading(clients, place, limiter, had)
    with workers(clients.concurrency) as pool:
        arns = reading.items("ListPermissionSets", "PermissionSets", place.instance_arn)
        had |= _of_these(arns, known)
        answers = pool.each(reading.listed, arns, "permission sets", progress)
        people = pool.each(reading.people, _KINDS, "people", progress)
    sets = sorted((each for each in answers if each is not None), key=lambda each: each.arn)
    remembered = frozenset(each.arn for each in sets if each.arn in had and not is_own(each.tags, place.account_id))
    return CenterListing(began, tuple(sets), tuple(each for some in people for each in some), remembered)


def _of_these(arns: Collection[str], known: Iterable[PushPermissionSet]) -> dict[str, PushPermissionSet]:
    """Rows by ARN: the first of each, and no more are looked at once there is one of each."""
    rows: dict[str, PushPermissionSet] = {}
    missing = set(arns)
    for row in known if missing else ():
        rows.setdefault(row.arn, row)
        missing.discard(row.arn)
        if not missing:
            break
    return rows


def read_push_center(
    clients: AwsClients,
    place: CenterPlace,
    permission_sets: Collection[str],
    names: Collection[str],
    limiter: ServiceLimits,
    progress: Progress = no_progress,
    known: Iterable[PushPermissionSet] = (),
    listing: CenterListing | None = None,
) -> PushCenterRead:
    """Read every permission set: those that Raito made for the account whole, of those named who has them.

    People and groups are those with one of the `names`, and those who are assigned. `listing` is what was listed for
    another account of the organization; without it that is read, too (`known` as for `list_center`). Raises `AwsError`,
    as a part is of no use.
    """
    common = listing or list_center(clients, place, limiter, progress, known)
    began = common.began
    reading = _CenterReading(clients, place, limiter, {})
    with workers(clients.concurrency) as pool:
        answers = pool.each(
            lambda one: reading.permission_set(one, permission_sets, remembered=one.arn in common.remembered),
            common.permission_sets,
            "permission sets",
            progress,
        )
    sets = sorted((each for each in answers if each is not None), key=lambda each: each.arn)
    assigned = {(each.principal_type, each.principal_id) for one in sets for each in one.assigned}
    wanted = (
        each for each in common.people if each.name in names or (each.principal_type, each.principal_id) in assigned
    )
    principals = sorted(dict.fromkeys(wanted), key=lambda each: (each.principal_type, each.principal_id))
    return PushCenterRead(Read.complete(sets, began), Read.complete(principals, began))


def is_own(tags: tuple[Tag, ...], account_id: str) -> bool:
    """True for the tags of a permission set that Raito made, unless they say that it was for another account."""
    serves = next((tag.value for tag in tags if tag.key == RAITO_ACCOUNT), account_id)
    return made_by_raito(tags) and serves == account_id


def kept_documents(permission_sets: Iterable[PushPermissionSet]) -> dict[str, str]:
    """Documents of the policies of AWS that permission sets have, of the kept copy, by ARN.

    An account knows those alone that somebody in it has already.
    """
    arns = {arn for one in permission_sets for arn in one.policy_arns}
    return {arn: kept.document for arn, kept in kept_policies(arns=arns).items()} if arns else {}


class _CenterReading:
    """The calls of one reading."""

    def __init__(
        self, clients: AwsClients, place: CenterPlace, limiter: ServiceLimits, known: Mapping[str, PushPermissionSet]
    ) -> None:
        self._sso = Service(clients, "sso-admin", NEXT_TOKEN, place.region)
        self._store = Service(clients, "identitystore", NEXT_TOKEN, place.region)
        self._place, self._known = place, known
        limiter.attach(self._sso.client)
        limiter.attach(self._store.client)

    def items(self, operation: str, key: str, resource: str, **request: Any) -> list[Any]:
        """Everything that an operation of sso-admin lists. Raises `AwsError`."""
        request = {"InstanceArn": self._place.instance_arn, **request}
        return self._sso.items(operation, key, resource, **request)

    def permission_set(
        self, listed: PushPermissionSet, wanted: Collection[str], *, remembered: bool
    ) -> PushPermissionSet | None:
        """One permission set with what is in it; None where it was deleted since it was listed. Raises `AwsError`.

        `remembered`: it was listed for another account, which did not ask for its description.
        """
        try:
            if remembered and is_own(listed.tags, self._place.account_id):
                listed = replace(listed, description=self._described(listed.arn).get("Description") or "")
            return self._row(listed, is_wanted=listed.name in wanted)
        except AwsGone:
            return None

    def listed(self, arn: str) -> PushPermissionSet | None:
        """One permission set by name and tags; None where it was deleted since. Raises `AwsError`."""
        try:
            tags = tags_of(self.items("ListTagsForResource", "Tags", arn, ResourceArn=arn))
            had = self._known.get(arn)
            if had is not None and not is_own(tags, self._place.account_id):
                name, description = had.name, had.description
            else:
                described = self._described(arn)
                name, description = described["Name"], described.get("Description") or ""
            return PushPermissionSet(arn, name, description, tags, False, "", (), (), (), ())
        except AwsGone:
            return None

    def people(self, kind: tuple[str, str, str, str]) -> list[PushPrincipal]:
        """All users, or all groups, that have a name. Raises `AwsError`."""
        listed, principal_type, key, name = kind
        store = self._place.identity_store_id
        answers = self._store.items(f"List{listed}", listed, store, IdentityStoreId=store, MaxResults=PAGE)
        return [PushPrincipal(principal_type, one[key], one[name]) for one in answers if one.get(key) and one.get(name)]

    def _described(self, arn: str) -> Mapping[str, Any]:
        request = {"InstanceArn": self._place.instance_arn, "PermissionSetArn": arn}
        return dict(self._sso.get("DescribePermissionSet", arn, **request)["PermissionSet"])

    def _row(self, listed: PushPermissionSet, *, is_wanted: bool) -> PushPermissionSet:
        arn = listed.arn
        place, details, whole = self._place, {"PermissionSetArn": arn}, is_own(listed.tags, self._place.account_id)
        inline, policies, references, assigned, accounts = "", [], [], [], []
        if whole:
            request = {"InstanceArn": place.instance_arn, **details}
            inline = self._sso.get("GetInlinePolicyForPermissionSet", arn, **request).get("InlinePolicy") or ""
            policies = self.items("ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies", arn, **details)
            operation = "ListCustomerManagedPolicyReferencesInPermissionSet"
            references = self.items(operation, "CustomerManagedPolicyReferences", arn, **details)
            accounts = self.items("ListAccountsForProvisionedPermissionSet", "AccountIds", arn, **details)
        if whole or is_wanted:
            here = {**details, "AccountId": place.account_id}
            assigned = self.items("ListAccountAssignments", "AccountAssignments", arn, **here)
        return replace(
            listed,
            is_whole=whole,
            inline_policy=inline,
            policy_arns=tuple(sorted(one["Arn"] for one in policies)),
            references=tuple(sorted(f"{one.get('Path') or '/'}{one['Name']}" for one in references)),
            assigned=tuple(sorted(Assignee(one["PrincipalType"], one["PrincipalId"]) for one in assigned)),
            account_ids=tuple(sorted(accounts)),
        )
