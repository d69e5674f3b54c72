"""Identity Center in a push of an account: what it reads before the plan, what the plan knows of it, and its calls.

Nothing is asked of Identity Center where no access control has to do with permission sets. Where it cannot be read
whole, in the sync of the push, everything but permission sets is pushed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from raito_pipeline.aws.access.external_ids import is_reserved
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import shared_limits
from raito_pipeline.aws.push.account.center_state import NO_CENTER, CenterQuestions, CenterState, center_questions
from raito_pipeline.aws.push.calls.center_calls import Center
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.types.permission_set_changes import CreatePermissionSet
from raito_pipeline.aws.readers.push_center import (
    CenterListing,
    CenterPlace,
    PushCenterRead,
    kept_documents,
    list_center,
    read_push_center,
)
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import (
    AccessControl,
    IamAttachment,
    OrgPermissionSet,
    PushChange,
    PushPermissionSet,
    PushPrincipal,
    made_by_raito,
)
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, cell_of
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import Store

OF_THE_CENTER = ("push_permission_sets", "push_principals")
"""The tables that a push reads of Identity Center."""
_MOST_READ = 3
"""other accounts of an organization of which a push reads what they knew of it: what it lacks then is a call each"""
_OF_PERMISSION_SETS = frozenset({CreatePermissionSet.KIND})
"""changes after which the permission sets of an organization, or their tags, are others"""


@dataclass(frozen=True)
class PushCenter:
    """Identity Center of the organization that one account links."""

    services: Services
    store: Store
    cell: Cell

    @property
    def target(self) -> AccountTarget:
        """The target of the account."""
        return self.services.account(self.cell.account)

    def clients(self) -> AwsClients:
        """The clients of the organization. Raises `AwsError`, `WrongAccount`; `LookupError` where none is linked."""
        key = partitions.organization_of(self.services.options, self.cell.account)
        if key is None:
            raise LookupError(f"{self.target.name} links no organization")
        return self.services.organization_aws(key)

    def read(self) -> PushCenterRead | None:
        """What the stored export needs to be known; None where that is nothing. Raises `AwsError`, `WrongAccount`."""
        controls = tuple(self.store.rows(AccessControl, self.cell.account))
        questions = center_questions(controls, self.target.aws_permissionset_dummy_user, self._in_reserved_roles())
        if questions is None and self._has_sets_of_raito():
            questions = CenterQuestions(frozenset(), frozenset())  # somebody may have to hear that nobody grants them
        if questions is None:
            return None
        at = (self.clients(), self._place())
        progress, limits = self.services.progress, shared_limits()
        listing = self.listing(lambda: list_center(*at, limits, progress, self.known()))
        return read_push_center(*at, questions.permission_sets, questions.names, limits, progress, listing=listing)

    def listing(self, read: Callable[[], CenterListing]) -> CenterListing:
        """What the accounts of the organization have in common: read once where one process syncs them all."""
        key, sync = partitions.organization_of(self.services.options, self.cell.account), self.store.sync
        if key is None or not sync or self.services.targets_sync is None:
            return read()
        return self.services.center_listings.get(key, sync, read)

    def note_changes(self, changes: Iterable[PushChange]) -> None:
        """Changes were made, or tried: where they are of permission sets, other accounts read these again."""
        key = partitions.organization_of(self.services.options, self.cell.account)
        if key is not None and any(row.kind in _OF_PERMISSION_SETS for row in changes if row.operation not in IDLE):
            self.services.center_listings.forget(key)

    def known(self) -> Iterator[PushPermissionSet]:
        """What was read of the organization before, for this account, then for a few others of it.

        Each has the names of all of it: who reads on asks for those that came into being since.
        """
        options, table = self.services.options, "push_permission_sets"
        own, key = self.cell.account, partitions.organization_of(options, self.cell.account)
        others = (each.partition for each in options.accounts if each.partition != own)
        of_it = (each for each in others if partitions.organization_of(options, each) == key)
        for partition in (own, *islice(of_it, _MOST_READ)):
            if self.store.info(table, partition) is not None:
                yield from self.store.rows(PushPermissionSet, partition)

    def state(self, failures: Sequence[str] = ()) -> CenterState:
        """What is stored, or why it cannot be used; `failures` are those of the read in this run."""
        key, account = partitions.organization_of(self.services.options, self.cell.account), self.cell.account
        if key is None:
            return NO_CENTER
        reasons = tuple(failures) or tuple(filter(None, map(self._why_not, OF_THE_CENTER)))
        if reasons:
            return CenterState(reasons)
        sets = tuple(self.store.rows(PushPermissionSet, account))
        return CenterState.of(
            sets,
            self.store.rows(PushPrincipal, account),
            account_id=self.target.account_id,
            is_shared=len(self.services.accounts_of_organization(key)) > 1,
            documents=kept_documents(sets),
            knows_own_policies=self.target.imports_managed_policies,
            knows_aws_policies=self.target.imports_aws_managed_policies,
        )

    def calls(self) -> Center | None:
        """The calls that change permission sets; they look for credentials when the first one is made."""
        if self.target.organization is None:
            return None
        stored = self.store.info("push_permission_sets", self.cell.account) is not None
        rows = self.store.rows(PushPermissionSet, self.cell.account) if stored else ()
        return Center(self.clients, self._place(), {row.name: row.arn for row in rows})

    def _why_not(self, table: str) -> str | None:
        """Why a table cannot be used. It is made by the step that plans, so that no other run is asked."""
        info = self.store.info(table, self.cell.account)
        if info is None:
            return f"{table} {self.cell.label} was never read"
        if info.sync != self.store.sync:
            return f"{table} {self.cell.label} is of another sync (read at {info.read_at:%Y-%m-%d %H:%M:%S})"
        return None if info.complete else f"{table} {self.cell.label} is {info.status.value}"

    def _place(self) -> CenterPlace:
        link = self.target.organization
        if link is None:
            raise LookupError(f"{self.target.name} links no organization")
        store = link.identity_store_id.rpartition("/")[2]
        return CenterPlace(link.region, link.instance_arn, store, self.target.account_id)

    def _has_sets_of_raito(self) -> bool:
        """True where the account has permission sets that Raito made, as its organization was read last."""
        key = partitions.organization_of(self.services.options, self.cell.account)
        place = ("", None) if key is None else cell_of("organization", key).place
        if key is not None and self.store.unusable("org_permission_sets", *place):
            return True  # it may have: Identity Center is asked
        if key is None or self.store.info("org_permission_sets", *place) is None:
            return False
        account, rows = self.target.account_id, self.store.rows(OrgPermissionSet, *place)
        return any(account in row.account_ids and made_by_raito(row.tags) for row in rows)

    def _in_reserved_roles(self) -> frozenset[str]:
        """The managed policies that permission sets have in the account."""
        if self.store.info("iam_attachments", self.cell.account) is None:
            return frozenset()
        rows = self.store.rows(IamAttachment, self.cell.account)
        return frozenset(row.policy_name for row in rows if row.policy_arn and is_reserved(row.principal_name))
