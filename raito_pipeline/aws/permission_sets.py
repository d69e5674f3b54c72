"""Reading the permission sets of one Identity Center instance, and who is assigned to them in which account.

https://docs.aws.amazon.com/singlesignon/latest/APIReference/welcome.html
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from raito_pipeline.aws.errors import AwsDenied, AwsGone, grouped
from raito_pipeline.aws.identity_store import PAGE, unless_gone
from raito_pipeline.aws.paging import Service
from raito_pipeline.aws.reading import Progress, Workers, tags_of
from raito_pipeline.model import OrgAccountAssignment, OrgPermissionSet, Tag

Pair = tuple[str, str]
"""A permission set ARN and the id of an account."""

HINT = (
    "sso:ListPermissionSetsProvisionedToAccount is not granted, so every permission set was asked for in every "
    "account. Grant it on the instance and on arn:aws:sso:::account/*: only what is provisioned is asked for then."
)


@dataclass(frozen=True, slots=True)
class InstanceAccess:
    """What one instance gives to the accounts that were asked about."""

    permission_sets: tuple[OrgPermissionSet, ...]
    assignments: tuple[OrgAccountAssignment, ...]
    problems: tuple[str, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Instance:
    """What the calls of one read share."""

    sso: Service
    arn: str
    pool: Workers
    progress: Progress


def read_access(
    sso: Service,
    instance_arn: str,
    account_ids: Iterable[str],
    names: Mapping[tuple[str, str], str],
    pool: Workers,
    progress: Progress,
) -> InstanceAccess:
    """Read the permission sets of `account_ids` and their assignments; `names` are those of the identity store.

    Raises `AwsError` where a mandatory read fails; tags that were denied are a problem.
    """
    instance = _Instance(sso, instance_arn, pool, progress)
    accounts = sorted(account_ids)
    hints: list[str] = []
    try:
        pairs, hints = _provisioned(instance, accounts)
        assigned = _assigned(instance, pairs, names)
    except AwsDenied as denied:
        if not denied.action.endswith(":ListPermissionSetsProvisionedToAccount"):
            raise
        # A permission set leaves an account with its last assignment there, so what is assigned is what is provisioned.
        hints = [HINT]
        assigned = _assigned(instance, _possible(instance, accounts), names)
        assigned = {pair: rows for pair, rows in assigned.items() if rows}
    sets, problems = _permission_sets(instance, assigned)
    return InstanceAccess(sets, tuple(row for rows in assigned.values() for row in rows), tuple(problems), tuple(hints))


def _provisioned(instance: _Instance, accounts: Sequence[str]) -> tuple[list[Pair], list[str]]:
    """Which permission sets are provisioned in which account; a hint for each account that is not known."""
    operation, key = "ListPermissionSetsProvisionedToAccount", "PermissionSets"

    def listed(account: str) -> list[str] | AwsGone:
        request = {"InstanceArn": instance.arn, "AccountId": account, "MaxResults": PAGE}
        try:
            return instance.sso.items(operation, key, f"arn:aws:sso:::account/{account}", **request)
        except AwsGone as gone:
            return gone

    pairs: list[Pair] = []
    hints: list[str] = []
    for account, answer in zip(accounts, _each(instance, listed, accounts, "accounts"), strict=True):
        if isinstance(answer, AwsGone):
            hints.append(f"account {account} is not known to {instance.arn}: it has no permission sets of it")
        else:
            pairs += [(arn, account) for arn in answer]
    return sorted(set(pairs)), hints


def _possible(instance: _Instance, accounts: Sequence[str]) -> list[Pair]:
    request = {"InstanceArn": instance.arn, "MaxResults": PAGE}
    arns = instance.sso.items("ListPermissionSets", "PermissionSets", instance.arn, **request)
    return [(arn, account) for arn in sorted(arns) for account in accounts]


def _assigned(
    instance: _Instance, pairs: Sequence[Pair], names: Mapping[tuple[str, str], str]
) -> dict[Pair, list[OrgAccountAssignment]]:
    def listed(pair: Pair) -> list[Any]:
        request = {"PermissionSetArn": pair[0], "AccountId": pair[1], "MaxResults": PAGE, "InstanceArn": instance.arn}
        return unless_gone(
            partial(instance.sso.items, "ListAccountAssignments", "AccountAssignments", pair[0], **request)
        )

    answers = _each(instance, listed, pairs, "assignments")
    return {
        pair: [_assignment(pair, one, names) for one in answer] for pair, answer in zip(pairs, answers, strict=True)
    }


def _assignment(pair: Pair, answer: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> OrgAccountAssignment:
    principal = (answer["PrincipalType"], answer["PrincipalId"])
    return OrgAccountAssignment(
        account_id=pair[1],
        permission_set_arn=pair[0],
        principal_type=principal[0],
        principal_id=principal[1],
        principal_name=names.get(principal),
    )


def _permission_sets(instance: _Instance, pairs: Iterable[Pair]) -> tuple[tuple[OrgPermissionSet, ...], list[str]]:
    accounts: dict[str, list[str]] = defaultdict(list)
    for arn, account in pairs:
        accounts[arn].append(account)

    def described(arn: str) -> tuple[OrgPermissionSet | None, AwsDenied | None]:
        return _permission_set(instance, arn, accounts[arn])

    answers = _each(instance, described, sorted(accounts), "permission sets")
    return tuple(row for row, _ in answers if row), [
        f"tags of permission sets were not read: {line}" for line in grouped(denied for _, denied in answers if denied)
    ]


def _permission_set(
    instance: _Instance, arn: str, accounts: Sequence[str]
) -> tuple[OrgPermissionSet | None, AwsDenied | None]:
    """A permission set and why its tags are missing; null where it was deleted since it was listed."""
    problem: AwsDenied | None = None
    tags: tuple[Tag, ...] = ()
    try:
        request = {"InstanceArn": instance.arn, "PermissionSetArn": arn}
        answer = instance.sso.get("DescribePermissionSet", arn, **request)["PermissionSet"]
        try:
            request = {"InstanceArn": instance.arn, "ResourceArn": arn}
            tags = tags_of(instance.sso.items("ListTagsForResource", "Tags", arn, **request))
        except AwsDenied as denied:
            problem = denied
    except AwsGone:
        return None, None
    row = OrgPermissionSet(
        instance_arn=instance.arn,
        arn=arn,
        name=answer["Name"],
        description=answer.get("Description") or "",
        tags=tags,
        account_ids=tuple(sorted(accounts)),
    )
    return row, problem


def _each(instance: _Instance, work: Any, items: Sequence[Any], what: str) -> list[Any]:
    return instance.pool.each(work, items, what, instance.progress)
