"""Reading the IAM of an account: users, groups, roles, managed policies, and who has which policy.

The account details come first, a page or two for nearly everything; where they are denied, single list and get
calls. Both ways end in the same rows, in the same order.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied
from raito_pipeline.aws.readers.iam_boundaries import read_boundaries
from raito_pipeline.aws.readers.iam_details import ACTION as DETAILS_ACTION
from raito_pipeline.aws.readers.iam_details import read_details
from raito_pipeline.aws.readers.iam_earlier import EarlierIam
from raito_pipeline.aws.readers.iam_lists import read_lists
from raito_pipeline.aws.readers.iam_rows import AccountRows
from raito_pipeline.aws.readers.iam_tags import with_tags
from raito_pipeline.aws.readers.iam_wanted import wants_policies
from raito_pipeline.aws.readers.reading import Progress, Read, no_progress, now, once_each
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser

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


def read_account(
    clients: AwsClients,
    options: IamOptions,
    progress: Progress = no_progress,
    *,
    earlier: EarlierIam | None = None,
) -> AccountIam:
    """Read the IAM of the account that the clients reach.

    `earlier` is what the previous sync stored: tags and documents of policy versions that it knew are not asked again
    (what a version holds never changes), and where something of one user, group, role or policy cannot be read, it
    is given as it was then, and its table is partial. Raises `AwsError` where a list fails, or an element that was
    not there yet: no table is ever shorter than what it stands for. Optional are the tags of a policy and, for
    credentials without the account details, the documents of policies that AWS owns: in their place stand those of the
    kept copy (`kept_policies`), and a policy that the copy does not have is missing from a table that is partial then.
    """
    known = earlier or EarlierIam()
    began = now()
    hints: tuple[str, ...] = ()
    try:
        rows = read_details(clients, options, progress)
    except AwsDenied:
        hints = (HINT,)
        rows = _by_lists(clients, options, known, progress)
    return _finished(clients, options, known, rows, hints, began, progress)


def _by_lists(clients: AwsClients, options: IamOptions, earlier: EarlierIam, progress: Progress) -> AccountRows:
    try:
        return read_lists(clients, options, earlier, progress)
    except AwsDenied as denied:
        text = f"{denied} Or grant {DETAILS_ACTION} on *, which gives all of IAM in a few calls."
        raise AwsDenied(text, action=denied.action, resource=denied.resource, code=denied.code) from denied


def _finished(
    clients: AwsClients,
    options: IamOptions,
    earlier: EarlierIam,
    rows: AccountRows,
    hints: tuple[str, ...],
    began: datetime,
    progress: Progress,
) -> AccountIam:
    principals = {("user", user.user_name) for user in rows.users}
    principals |= {("group", group.group_name) for group in rows.groups}
    principals |= {("role", role.role_name) for role in rows.roles}
    held = (one for one in rows.attachments if (one.principal_type, one.principal_name) in principals)
    attachments = once_each(held, _attachment_key)
    arns = [*(user.permissions_boundary_arn for user in rows.users), *(r.permissions_boundary_arn for r in rows.roles)]
    boundaries = {arn for arn in arns if arn is not None}
    if wants_policies(options):
        read_boundaries(clients, boundaries, rows, earlier)
    kept = _kept(rows.policies, attachments, boundaries) if wants_policies(options) else []
    policies, untagged = with_tags(clients, kept, options, earlier, progress)
    read_policies = Read.complete(once_each(policies, lambda p: p.arn), began)
    read_attachments = Read.complete(attachments, began)
    return AccountIam(
        users=Read.complete(once_each(rows.users, lambda u: u.user_id), began).without(rows.users_unread),
        groups=Read.complete(once_each(rows.groups, lambda g: g.group_id), began),
        roles=Read.complete(once_each(rows.roles, lambda r: r.role_id), began).without(rows.roles_unread),
        policies=read_policies.without([*rows.policies_unread, *untagged])
        if wants_policies(options)
        else Read.out_of_scope(began),
        attachments=Read.out_of_scope(began)
        if not wants_policies(options)
        else read_attachments.without(rows.attachments_unread),
        hints=hints,
    )


def _kept(
    policies: Iterable[IamPolicy], attachments: Iterable[IamAttachment], boundaries: Collection[str]
) -> list[IamPolicy]:
    """The customer's policies, and those of AWS that somebody has, with the count of their attachments."""
    counts = Counter(one.policy_arn for one in attachments if one.policy_arn)
    return [
        replace(policy, attachment_count=counts[policy.arn])
        for policy in policies
        if counts[policy.arn] or not policy.aws_managed or policy.arn in boundaries
    ]


def _attachment_key(one: IamAttachment) -> tuple[str, ...]:
    return (one.principal_type, one.principal_name, one.kind, one.policy_name, one.policy_arn or "")


__all__ = ["HINT", "AccountIam", "EarlierIam", "read_account"]
