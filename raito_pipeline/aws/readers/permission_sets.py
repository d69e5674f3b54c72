"""Reading the permission sets of one Identity Center instance, and who is assigned to them in which account.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/welcome.html
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsGone
from raito_pipeline.aws.connection.paging import Service
from raito_pipeline.aws.readers.elements import each_element
from raito_pipeline.aws.readers.identity_store import PAGE
from raito_pipeline.aws.readers.reading import Progress, UnreadElement, Workers, element_error, tags_of
from raito_pipeline.model import OrgAccountAssignment, OrgPermissionSet, Tag

T = TypeVar("T")
R = TypeVar("R")
Pair = tuple[str, str]
"""A permission set ARN and the id of an account."""


@dataclass(frozen=True, slots=True)
class EarlierAccess:
    """What the previous sync stored of one instance: what cannot be read now is as it was then."""

    permission_sets: Mapping[str, OrgPermissionSet]
    """by ARN"""
    assignments: Mapping[Pair, tuple[OrgAccountAssignment, ...]]

    @classmethod
    def of(
        cls,
        instance_arn: str,
        permission_sets: Iterable[OrgPermissionSet] = (),
        assignments: Iterable[OrgAccountAssignment] = (),
    ) -> "EarlierAccess":
        """The part of stored rows that is of this instance."""
        sets = {row.arn: row for row in permission_sets if row.instance_arn == instance_arn}
        pairs: dict[Pair, tuple[OrgAccountAssignment, ...]] = {}
        for row in assignments:
            pair = (row.permission_set_arn, row.account_id)
            if row.permission_set_arn in sets:
                pairs[pair] = (*pairs.get(pair, ()), row)
        return cls(sets, pairs)

    def pairs_of(self, account: str) -> list[Pair]:
        """The permission sets that were provisioned in an account."""
        return [(arn, account) for arn, row in self.permission_sets.items() if account in row.account_ids]


@dataclass(frozen=True, slots=True)
class InstanceAccess:
    """What one instance gives to the accounts that were asked about, and of what of it something is missing."""

    permission_sets: tuple[OrgPermissionSet, ...]
    assignments: tuple[OrgAccountAssignment, ...]
    missed_sets: tuple[UnreadElement, ...]
    missed_assignments: tuple[UnreadElement, ...]
    problems: tuple[str, ...]
    hints: tuple[str, ...]

    def named(self, names: Mapping[tuple[str, str], str]) -> "InstanceAccess":
        """The same with the names of an identity store: (`USER` or `GROUP`, id) -> name."""
        rows = (
            replace(row, principal_name=names.get((row.principal_type, row.principal_id))) for row in self.assignments
        )
        return replace(self, assignments=tuple(rows))


@dataclass(frozen=True, slots=True)
class _Instance:
    """What the calls of one read share, and what they note."""

    sso: Service
    arn: str
    pool: Workers
    progress: Progress
    earlier: EarlierAccess
    missed_sets: list[UnreadElement] = field(default_factory=list)
    missed_assignments: list[UnreadElement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def each(self, work: Callable[[T], R], items: Sequence[T], what: str) -> list[R | AwsError]:
        return each_element(self.pool, work, items, what, self.progress)


def read_access(
    sso: Service,
    instance_arn: str,
    account_ids: Iterable[str],
    pool: Workers,
    progress: Progress,
    earlier: EarlierAccess | None = None,
) -> InstanceAccess:
    """Read the permission sets of `account_ids` and their assignments, principals without their names.

    Raises `AwsError` where a list, or every element of one kind, fails; single elements that fail are as `earlier`
    has them.
    """
    instance = _Instance(sso, instance_arn, pool, progress, earlier or EarlierAccess.of(instance_arn))
    accounts = sorted(account_ids)
    hints: list[str] = []
    try:
        pairs, hints = _provisioned(instance, accounts)
        assigned = _assigned(instance, pairs)
    except AwsDenied as denied:
        if not denied.action.endswith(":ListPermissionSetsProvisionedToAccount"):
            raise
        # A permission set leaves an account with its last assignment there, so what is assigned is what is provisioned.
        hints = [
            "sso:ListPermissionSetsProvisionedToAccount is not granted, so every permission set was asked for in every "
            f"account. Grant it on the instance and on {_account_arn(instance, '*')}: only what is provisioned is "
            "asked for then."
        ]
        assigned = _assigned(instance, _possible(instance, accounts))
        assigned = {pair: rows for pair, rows in assigned.items() if rows}
    sets = _permission_sets(instance, assigned)
    return InstanceAccess(
        sets,
        tuple(row for rows in assigned.values() for row in rows),
        tuple(instance.missed_sets),
        tuple(instance.missed_assignments),
        tuple(dict.fromkeys(instance.problems)),
        tuple(hints),
    )


def _account_arn(instance: _Instance, account: str) -> str:
    return f"arn:{instance.sso.partition}:sso:::account/{account}"


def _provisioned(instance: _Instance, accounts: Sequence[str]) -> tuple[list[Pair], list[str]]:
    """Which permission sets are provisioned in which account; a hint for each account that is not known."""
    operation, key = "ListPermissionSetsProvisionedToAccount", "PermissionSets"

    def listed(account: str) -> list[str]:
        request = {"InstanceArn": instance.arn, "AccountId": account, "MaxResults": PAGE}
        return instance.sso.items(operation, key, _account_arn(instance, account), **request)

    pairs: list[Pair] = []
    hints: list[str] = []
    for account, answer in zip(accounts, instance.each(listed, accounts, "accounts"), strict=True):
        if isinstance(answer, AwsDenied):
            raise answer
        if isinstance(answer, AwsGone):
            hints.append(f"account {account} is not known to {instance.arn}: it has no permission sets of it")
        elif isinstance(answer, AwsError):
            before = instance.earlier.pairs_of(account)
            missed = UnreadElement("permission sets of accounts", account, answer, kept=bool(before))
            instance.missed_sets.append(missed)
            instance.missed_assignments.append(missed)
            pairs += before
        else:
            pairs += [(arn, account) for arn in answer if arn]
    return sorted(set(pairs)), hints


def _possible(instance: _Instance, accounts: Sequence[str]) -> list[Pair]:
    request = {"InstanceArn": instance.arn, "MaxResults": PAGE}
    arns = instance.sso.items("ListPermissionSets", "PermissionSets", instance.arn, **request)
    return [(arn, account) for arn in sorted(arns) for account in accounts]


def _assigned(instance: _Instance, pairs: Sequence[Pair]) -> dict[Pair, list[OrgAccountAssignment]]:
    def listed(pair: Pair) -> list[Any]:
        request = {"PermissionSetArn": pair[0], "AccountId": pair[1], "MaxResults": PAGE, "InstanceArn": instance.arn}
        return instance.sso.items("ListAccountAssignments", "AccountAssignments", pair[0], **request)

    assigned: dict[Pair, list[OrgAccountAssignment]] = {}
    for pair, answer in zip(pairs, instance.each(listed, pairs, "assignments"), strict=True):
        if isinstance(answer, AwsGone):
            assigned[pair] = []
        elif isinstance(answer, AwsError):
            known = pair in instance.earlier.pairs_of(pair[1])
            missed = UnreadElement("assignments of permission sets", "/".join(pair), answer, kept=known)
            instance.missed_assignments.append(missed)
            if known:
                assigned[pair] = list(instance.earlier.assignments.get(pair, ()))
            else:  # it is left out of what is known of the account: with nobody assigned it would be nobody's
                instance.missed_sets.append(missed)
        else:
            assigned[pair] = [row for row in (_assignment(instance, pair, one) for one in answer) if row]
    return assigned


def _assignment(instance: _Instance, pair: Pair, answer: Mapping[str, Any] | None) -> OrgAccountAssignment | None:
    kind, principal = ((answer or {}).get(name) for name in ("PrincipalType", "PrincipalId"))
    if not kind or not principal:
        instance.problems.append(f"assignments of {pair[0]} in {pair[1]} that name nobody were left out")
        return None
    return OrgAccountAssignment(
        account_id=pair[1],
        permission_set_arn=pair[0],
        principal_type=kind,
        principal_id=principal,
        principal_name=None,
    )


def _permission_sets(instance: _Instance, pairs: Iterable[Pair]) -> tuple[OrgPermissionSet, ...]:
    accounts: dict[str, list[str]] = defaultdict(list)
    for arn, account in pairs:
        accounts[arn].append(account)

    def described(arn: str) -> tuple[Mapping[str, Any], tuple[Tag, ...] | AwsError]:
        request = {"InstanceArn": instance.arn, "PermissionSetArn": arn}
        answer = instance.sso.get("DescribePermissionSet", arn, **request)["PermissionSet"]
        try:
            request = {"InstanceArn": instance.arn, "ResourceArn": arn}
            return answer, tags_of(instance.sso.items("ListTagsForResource", "Tags", arn, **request))
        except AwsGone:
            raise
        except AwsError as error:
            return answer, element_error(error)

    arns = sorted(accounts)
    rows: list[OrgPermissionSet] = []
    for arn, described_as in zip(arns, instance.each(described, arns, "permission sets"), strict=True):
        before = instance.earlier.permission_sets.get(arn)
        if isinstance(described_as, AwsGone):
            continue
        if isinstance(described_as, AwsError):
            instance.missed_sets.append(UnreadElement("permission sets", arn, described_as, kept=before is not None))
        elif not described_as[0].get("Name"):
            instance.problems.append(f"sso:DescribePermissionSet on {arn}: AWS gave no name for it")
        else:
            answer, read = described_as
            tags = read if not isinstance(read, AwsError) else before.tags if before else None
            if isinstance(read, AwsError):
                unread = UnreadElement("tags of permission sets", arn, read, kept=tags is not None)
                instance.missed_sets.append(unread)
            before = _permission_set(instance, arn, answer, tags)
        if before is not None:
            rows.append(replace(before, account_ids=tuple(sorted(accounts[arn]))))
    return tuple(rows)


def _permission_set(
    instance: _Instance, arn: str, answer: Mapping[str, Any], tags: tuple[Tag, ...] | None
) -> OrgPermissionSet:
    return OrgPermissionSet(
        instance_arn=instance.arn,
        arn=arn,
        name=answer["Name"],
        description=answer.get("Description") or "",
        tags=tags,
        account_ids=(),
    )
