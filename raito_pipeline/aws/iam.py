"""Reading the IAM of an account: users, groups, roles, managed policies, and who has which policy.

The account details come first, a page or two for nearly everything; where they are denied, single list and get
calls. Both ways end in the same rows, in the same order.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.aws.errors import AwsDenied, grouped
from raito_pipeline.aws.iam_details import ACTION as DETAILS_ACTION
from raito_pipeline.aws.iam_details import read_details
from raito_pipeline.aws.iam_lists import read_lists
from raito_pipeline.aws.iam_rows import AccountRows
from raito_pipeline.aws.iam_settings import IamSettings
from raito_pipeline.aws.iam_tags import remembered_documents, remembered_tags, with_tags
from raito_pipeline.aws.reading import Progress, Read, no_progress, now
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser

T = TypeVar("T")

HINT = (
    f"{DETAILS_ACTION} is not granted, so IAM was read by single list and get calls. Grant it on * to the credentials "
    "of this account: the same tables then take a few calls instead of several for each user, role and policy."
)


@dataclass(frozen=True, slots=True)
class AccountIam:
    """The IAM of one account, a read a table; `hints` are advice that no table depends on."""

    users: Read[IamUser]
    groups: Read[IamGroup]
    roles: Read[IamRole]
    policies: Read[IamPolicy]
    attachments: Read[IamAttachment]
    hints: tuple[str, ...]


def read_account(clients: AwsClients, settings: IamSettings, progress: Progress = no_progress) -> AccountIam:
    """Read the IAM of the account that the clients reach.

    Raises `AwsError` where a mandatory read fails (denied, throttled away, a page that broke): no table is ever
    shorter than what it stands for. A denied optional read (tags of a policy, documents of policies that AWS owns)
    is a problem of its table.
    """
    began = now()
    hints: tuple[str, ...] = ()
    try:
        rows = read_details(clients, settings, progress)
    except AwsDenied:
        hints = (HINT,)
        rows = _by_lists(clients, settings, progress)
    return _finished(clients, settings, rows, hints, began, progress)


def _by_lists(clients: AwsClients, settings: IamSettings, progress: Progress) -> AccountRows:
    try:
        return read_lists(clients, settings, progress)
    except AwsDenied as denied:
        text = f"{denied} Or grant {DETAILS_ACTION} on *, which gives all of IAM in a few calls."
        raise AwsDenied(text, action=denied.action, resource=denied.resource, code=denied.code) from denied


def _finished(
    clients: AwsClients,
    settings: IamSettings,
    rows: AccountRows,
    hints: tuple[str, ...],
    began: datetime,
    progress: Progress,
) -> AccountIam:
    principals = {("user", user.user_name) for user in rows.users}
    principals |= {("group", group.group_name) for group in rows.groups}
    principals |= {("role", role.role_name) for role in rows.roles}
    attachments = [
        one
        for one in rows.attachments
        if (one.principal_type, one.principal_name) in principals
        and (one.policy_arn is None or settings.wants_policy(one.policy_arn))
    ]
    policies, problems = with_tags(clients, _kept(rows.policies, attachments, settings), settings, progress)
    unread = [
        f"policies were left out, since their documents were not read: {p}" for p in grouped(rows.policies_denied)
    ]
    read_policies = Read.complete(_sorted(policies, lambda p: p.arn), began)
    read_attachments = Read.complete(_sorted(attachments, _attachment_key), began)
    return AccountIam(
        users=Read.complete(_sorted(rows.users, lambda u: u.user_id), began),
        groups=Read.complete(_sorted(rows.groups, lambda g: g.group_id), began),
        roles=Read.complete(_sorted(rows.roles, lambda r: r.role_id), began),
        policies=read_policies.with_problems(unread + problems)
        if settings.wants_policies
        else Read.out_of_scope(began),
        attachments=Read.out_of_scope(began) if settings.skip_iam else read_attachments,
        hints=hints,
    )


def _kept(
    policies: Iterable[IamPolicy], attachments: Iterable[IamAttachment], settings: IamSettings
) -> list[IamPolicy]:
    """The customer's policies, and those of AWS that are attached, with the count of their attachments."""
    counts = Counter(one.policy_arn for one in attachments if one.policy_arn)
    return [
        replace(policy, attachment_count=counts[policy.arn])
        for policy in policies
        if settings.wants_policy(policy.arn) and (counts[policy.arn] or not policy.aws_managed)
    ]


def _attachment_key(one: IamAttachment) -> tuple[str, ...]:
    return (one.principal_type, one.principal_name, one.kind, one.policy_name, one.policy_arn or "")


def _sorted(rows: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """The rows in order; what two pages both gave, because AWS changed between them, once."""
    return sorted(dict.fromkeys(rows), key=key)


__all__ = ["HINT", "AccountIam", "IamSettings", "read_account", "remembered_documents", "remembered_tags"]
