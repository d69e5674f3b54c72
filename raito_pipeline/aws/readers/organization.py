"""Reading IAM Identity Center: people, groups, and the permission sets and assignments of the accounts.

`identitystore` knows the people, `sso-admin` the permission sets. Both answer 20 calls a second and no more, so only
what is provisioned in the accounts of `raito.yml` is asked for, and memberships in the cheaper direction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.identity_store import People, read_people
from raito_pipeline.aws.readers.instances import Home, Instance, NoIdentityCenter, choose, listed_instances
from raito_pipeline.aws.readers.permission_sets import EarlierAccess, InstanceAccess, read_access
from raito_pipeline.aws.readers.reading import (
    Progress,
    Read,
    UnreadElement,
    Workers,
    no_progress,
    now,
    once_each,
    workers,
)
from raito_pipeline.model import OrgAccountAssignment, OrgGroup, OrgPermissionSet, OrgUser

T = TypeVar("T")
_NOT_OF_AN_ORGANIZATION = ("ValidationException", "UnsupportedOperation", "UnsupportedOperationException")
"""What AWS answers where an account instance is asked for permission sets; it has none."""


@dataclass(frozen=True, slots=True)
class EarlierOrganization:
    """What the previous sync stored: what cannot be read now is given as it was then."""

    users: tuple[OrgUser, ...] = ()
    permission_sets: tuple[OrgPermissionSet, ...] = ()
    assignments: tuple[OrgAccountAssignment, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganizationRead:
    """What Identity Center of one organization and region holds, a read a table.

    `hints` are advice, and what was seen beside: instances that were not read, people without names.
    """

    users: Read[OrgUser]
    groups: Read[OrgGroup]
    permission_sets: Read[OrgPermissionSet]
    assignments: Read[OrgAccountAssignment]
    hints: tuple[str, ...]


@dataclass
class _OrganizationReading:
    """What the reading of several instances shares, and what it gathers."""

    sso: Service
    store: Service
    account_ids: frozenset[str]
    pool: Workers
    progress: Progress
    earlier: EarlierOrganization
    people: list[People] = field(default_factory=list)
    access: list[InstanceAccess] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, instance: Instance) -> None:
        before = EarlierAccess.of(instance.arn, self.earlier.permission_sets, self.earlier.assignments)
        # Permission sets first: an account instance refuses them, and its people are nobody's here.
        access = read_access(self.sso, instance.arn, self.account_ids, self.pool, self.progress, before)
        people = read_people(self.store, instance.store_id, self.pool, self.progress, self.earlier.users)
        self.people.append(people)
        self.access.append(access.named(people.names()))
        self.notes += [*access.hints, *(f"{instance.store_id}: {note}" for note in people.notes)]


def read_organization(
    clients: AwsClients,
    region: str,
    account_ids: frozenset[str],
    limiter: ServiceLimits,
    progress: Progress = no_progress,
    *,
    home: Home | None = None,
    earlier: EarlierOrganization | None = None,
) -> OrganizationRead:
    """Read the organization's instance of Identity Center that the clients reach in `region`.

    `account_ids` are the accounts of `raito.yml`: permission sets and assignments of others are not asked for. `home`
    is what the options know of the instance; without it every instance that has permission sets is read. `limiter` is
    shared by everybody who talks to Identity Center. Single elements that cannot be read are as `earlier` has them, and
    a problem of their table. Raises `AwsError` where a list fails, `NoIdentityCenter` where no instance can be used.
    """
    began = now()
    sso = Service(clients, "sso-admin", NEXT_TOKEN, region)
    store = Service(clients, "identitystore", NEXT_TOKEN, region)
    limiter.attach(sso.client)
    limiter.attach(store.client)
    instances, ignored = choose(listed_instances(sso), home or Home())
    with workers(clients.concurrency) as pool:
        reading = _OrganizationReading(
            sso, store, account_ids, pool, progress, earlier or EarlierOrganization(), notes=[*ignored]
        )
        _read_instances(reading, instances, region, clients.profile)
    return _gathered(reading, began)


def _read_instances(reading: _OrganizationReading, instances: list[Instance], region: str, profile: str | None) -> None:
    """Read the instances. Those that are no organization's are noted; where none is left, that is an error.

    An organization has one instance, and only that has permission sets: beside one that gave some, what another one
    fails with is no matter.
    """
    failed: list[AwsError] = []
    for instance in instances:
        try:
            reading.read(instance)
        except AwsError as error:
            reading.notes.append(f"{instance.label} could not be read, and was left out: {error}")
            if not isinstance(error, AwsGone) and error.code not in _NOT_OF_AN_ORGANIZATION:
                failed.append(error)
    if failed and not any(one.permission_sets for one in reading.access):
        raise failed[0]
    if not reading.people:
        raise NoIdentityCenter(region, profile, reading.notes)


def _gathered(reading: _OrganizationReading, began: Any) -> OrganizationRead:
    people, access = reading.people, reading.access
    left_out = [line for one in people for line in one.problems]
    nobody = [line for one in access for line in one.problems]

    def read_of(
        rows: Iterable[T], key: Callable[[T], Any], missed: Iterable[UnreadElement], problems: Iterable[str]
    ) -> Read[T]:
        return Read.complete(once_each(rows, key), began).without(missed, problems)

    return OrganizationRead(
        users=read_of(
            (row for one in people for row in one.users), _user_key, (m for one in people for m in one.missed), left_out
        ),
        groups=read_of((row for one in people for row in one.groups), _group_key, (), left_out),
        permission_sets=read_of(
            (row for one in access for row in one.permission_sets),
            lambda row: row.arn,
            (m for one in access for m in one.missed_sets),
            nobody,
        ),
        assignments=read_of(
            (row for one in access for row in one.assignments),
            _assigned_key,
            (m for one in access for m in one.missed_assignments),
            nobody,
        ),
        hints=tuple(dict.fromkeys(reading.notes)),
    )


def _user_key(row: OrgUser) -> tuple[str, ...]:
    return (row.identity_store_id, row.user_id)


def _group_key(row: OrgGroup) -> tuple[str, ...]:
    return (row.identity_store_id, row.group_id)


def _assigned_key(row: OrgAccountAssignment) -> tuple[str, ...]:
    return (row.account_id, row.permission_set_arn, row.principal_type, row.principal_id)
