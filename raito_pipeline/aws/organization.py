"""Reading IAM Identity Center: people, groups, and the permission sets and assignments of the accounts.

`identitystore` knows the people, `sso-admin` the permission sets. Both answer 20 calls a second and no more, so only
what is provisioned in the accounts of `raito.yml` is asked for, and memberships in the cheaper direction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.aws.errors import AwsError
from raito_pipeline.aws.identity_store import PAGE, read_people
from raito_pipeline.aws.limits import ServiceLimits
from raito_pipeline.aws.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.permission_sets import read_access
from raito_pipeline.aws.reading import Progress, Read, no_progress, now, workers
from raito_pipeline.model import OrgAccountAssignment, OrgGroup, OrgPermissionSet, OrgUser

T = TypeVar("T")


class NoIdentityCenter(AwsError):
    """There is no instance of IAM Identity Center where the options say that there is one."""

    def __init__(self, region: str, profile: str | None) -> None:
        super().__init__(
            f"sso:ListInstances with profile {profile or 'default chain'}: there is no instance of IAM Identity Center "
            f"in {region}. Correct aws-organization-region or aws-organization-profile; nothing was read.",
            action="sso:ListInstances",
            resource=region,
        )


@dataclass(frozen=True, slots=True)
class OrganizationRead:
    """What Identity Center of one organization and region holds, a read a table; `hints` are advice."""

    users: Read[OrgUser]
    groups: Read[OrgGroup]
    permission_sets: Read[OrgPermissionSet]
    assignments: Read[OrgAccountAssignment]
    hints: tuple[str, ...]


def read_organization(
    clients: AwsClients,
    region: str,
    account_ids: frozenset[str],
    limiter: ServiceLimits,
    progress: Progress = no_progress,
) -> OrganizationRead:
    """Read every instance of Identity Center that the clients reach in `region`.

    `account_ids` are the accounts of `raito.yml`: permission sets and assignments of others are not asked for.
    `limiter` is shared by everybody who talks to Identity Center. Raises `AwsError` where a mandatory read fails,
    `NoIdentityCenter` where there is no instance; denied tags of a permission set are a problem of `permission_sets`.
    """
    began = now()
    sso = Service(clients, "sso-admin", NEXT_TOKEN, region)
    store = Service(clients, "identitystore", NEXT_TOKEN, region)
    limiter.attach(sso.client)
    limiter.attach(store.client)
    people, access = [], []
    with workers(clients.concurrency) as pool:
        for arn, store_id in _instances(sso, region, clients.profile):
            people.append(read_people(store, store_id, pool, progress))
            access.append(read_access(sso, arn, account_ids, people[-1].names(), pool, progress))
    permission_sets = _sorted((row for one in access for row in one.permission_sets), lambda row: row.arn)
    return OrganizationRead(
        users=Read.complete(_sorted((row for one in people for row in one.users), _user_key), began),
        groups=Read.complete(_sorted((row for one in people for row in one.groups), _group_key), began),
        permission_sets=Read.complete(permission_sets, began).with_problems(p for one in access for p in one.problems),
        assignments=Read.complete(_sorted((row for one in access for row in one.assignments), _assigned_key), began),
        hints=tuple(dict.fromkeys(hint for one in access for hint in one.hints)),
    )


def _instances(sso: Service, region: str, profile: str | None) -> list[tuple[str, str]]:
    """ARN and identity store of every instance. None at all is an error: it would read as "everybody is gone"."""
    listed = sso.items("ListInstances", "Instances", "*", MaxResults=PAGE)
    if not listed:
        raise NoIdentityCenter(region, profile)
    return sorted((one["InstanceArn"], one["IdentityStoreId"]) for one in listed)


def _sorted(rows: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """The rows in order; what two pages both gave, because AWS changed between them, once."""
    return sorted(dict.fromkeys(rows), key=key)


def _user_key(row: OrgUser) -> tuple[str, ...]:
    return (row.identity_store_id, row.user_id)


def _group_key(row: OrgGroup) -> tuple[str, ...]:
    return (row.identity_store_id, row.group_id)


def _assigned_key(row: OrgAccountAssignment) -> tuple[str, ...]:
    return (row.account_id, row.permission_set_arn, row.principal_type, row.principal_id)
