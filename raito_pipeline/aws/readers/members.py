"""The accounts of an organization, for discovery: which there are, where they stand, and which tags they have.

Organizations answers a few calls a second for each operation. So where an account stands is asked only where it
matters, from the root downwards (two lists a unit, not one call an account), and tags only of the accounts that the
answer is about. https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.reading import Progress, no_progress, tags_of
from raito_pipeline.model import Tag

_PAGE = 20
"""Items a page, the most that Organizations gives."""
_CLOSED = frozenset({"SUSPENDED", "PENDING_CLOSURE", "CLOSED"})
ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class OrganizationalUnit:
    """A unit of an organization: its id and name; that of the root is `Root`."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """An account of an organization, the management account among them.

    `state` is AWS's word (`ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`, `PENDING_ACTIVATION`); `units` are the
    root and the units that it is in, the uppermost first, or None where nobody asked.
    """

    account_id: str
    name: str
    state: str
    units: tuple[OrganizationalUnit, ...] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether AWS has closed it, or is about to."""
        return self.state in _CLOSED

    @property
    def path(self) -> str:
        """Where it stands, as names without the root: `production/analytics`; empty at the root."""
        return "/".join(unit.name for unit in (self.units or ())[1:])


class Members:
    """The accounts of the organization that the clients reach. Every call waits for its turn in `limiter`.

    Only the management account and delegated administrators may ask. What fails raises `AwsError`: a part of the
    accounts is never taken for all of them.
    """

    def __init__(
        self, clients: AwsClients, region: str, limiter: ServiceLimits, progress: Progress = no_progress
    ) -> None:
        self._service = Service(clients, "organizations", NEXT_TOKEN, region)
        limiter.attach(self._service.client)
        self._progress = progress

    def accounts(self, *, with_units: bool) -> tuple[MemberAccount, ...]:
        """All accounts by id, with where they stand if that is asked for."""
        accounts = self._below() if with_units else (_account(one, None) for one in self._listed("ListAccounts", "*"))
        by_id = {}
        for account in accounts:
            by_id[account.account_id] = account
            self._progress("accounts of the organization", len(by_id), None)
        return tuple(by_id[one] for one in sorted(by_id))

    def tags(self, account_ids: Iterable[str]) -> Mapping[str, tuple[Tag, ...]]:
        """The tags of accounts, a call for each."""
        wanted = list(account_ids)
        tags = {}
        for account_id in wanted:
            listed = self._service.items("ListTagsForResource", "Tags", account_id, ResourceId=account_id)
            tags[account_id] = tags_of(listed)
            self._progress("tags of accounts", len(tags), len(wanted))
        return tags

    def _below(self) -> Iterator[MemberAccount]:
        roots = self._service.items("ListRoots", "Roots", "*")
        waiting: list[tuple[OrganizationalUnit, ...]] = [
            (OrganizationalUnit(root["Id"], root.get("Name") or "Root"),) for root in roots
        ]
        while waiting:
            path = waiting.pop()
            here = path[-1].id
            yield from (_account(one, path) for one in self._listed("ListAccountsForParent", here, ParentId=here))
            operation = "ListOrganizationalUnitsForParent"
            units = self._service.items(operation, "OrganizationalUnits", here, ParentId=here, MaxResults=_PAGE)
            waiting += [(*path, OrganizationalUnit(one["Id"], one.get("Name") or one["Id"])) for one in units]

    def _listed(self, operation: str, resource: str, **request: str) -> list[Any]:
        return self._service.items(operation, "Accounts", resource, MaxResults=_PAGE, **request)


def _account(answer: Mapping[str, Any], units: tuple[OrganizationalUnit, ...] | None) -> MemberAccount:
    # `Status` is the older name, which AWS is taking away.
    state = answer.get("State") or answer.get("Status") or ACTIVE
    return MemberAccount(answer["Id"], answer.get("Name") or answer["Id"], state, units)
