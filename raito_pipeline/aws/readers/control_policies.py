"""Reading the control policies of an organization: which service and resource control policies apply to its accounts.

Organizations answers a few calls a second, and an organization may have 10,000 policies. So it is asked from below: for
each account of `raito.yml` what stands above it, for each of these what is attached there, and of what is attached the
document, each once. Only the management account and delegated administrators may ask:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html

All of it is optional. Where AWS refuses it, the tables say so, and the previous sync's rows stay, if there are any.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsUnreachable, grouped
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.reading import (
    Progress,
    Read,
    UnreadElement,
    Workers,
    element_error,
    no_progress,
    now,
    workers,
)
from raito_pipeline.model import OrgAccount, OrgControlPolicy, OrgPolicyTarget

CONTROL_POLICY_TYPES = ("RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY")
_PAGE = 20
"""Items a page, the most that Organizations gives."""
_NO_MEMBER = ("ChildNotFoundException", "AccountNotFoundException")
_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"

_Attached = tuple[str, str]
"""a target, and a type of policy"""


@dataclass(frozen=True, slots=True)
class EarlierControlPolicies:
    """What the previous sync stored: what cannot be read now is given as it was then."""

    accounts: tuple[OrgAccount, ...] = ()
    targets: tuple[OrgPolicyTarget, ...] = ()
    policies: tuple[OrgControlPolicy, ...] = ()

    def account(self, account_id: str) -> OrgAccount | None:
        """Where an account stood."""
        return next((row for row in self.accounts if row.account_id == account_id), None)

    def attached(self, target_id: str, policy_type: str) -> list[OrgPolicyTarget] | None:
        """What was attached to a target; None where it was not known."""
        known = any(
            policy_type in row.policy_types and target_id in (row.account_id, *row.path) for row in self.accounts
        )
        rows = [row for row in self.targets if (row.target_id, row.policy_type) == (target_id, policy_type)]
        return rows if known else None

    def policy(self, policy_id: str) -> OrgControlPolicy | None:
        """A policy by its id."""
        return next((row for row in self.policies if row.policy_id == policy_id), None)


@dataclass(frozen=True, slots=True)
class ControlPoliciesRead:
    """The control policies of the accounts, a read a table; `hints` are accounts that are no members."""

    accounts: Read[OrgAccount]
    targets: Read[OrgPolicyTarget]
    policies: Read[OrgControlPolicy]
    hints: tuple[str, ...] = ()


def read_control_policies(
    clients: AwsClients,
    region: str,
    account_ids: frozenset[str],
    limiter: ServiceLimits,
    progress: Progress = no_progress,
    *,
    earlier: EarlierControlPolicies | None = None,
) -> ControlPoliciesRead:
    """Read the control policies that apply to the accounts, with the credentials of the organization.

    An account of which something could not be read is given as `earlier` has it, or is missing (partial). Where AWS
    refuses what nobody knew before, the reads are denied. Raises `AwsError` only where the credentials themselves have
    ended: nothing of this is needed for anything else.
    """
    began = now()
    service = Service(clients, "organizations", NEXT_TOKEN, region)
    limiter.attach(service.client)
    # One after the other: Organizations refuses what meets another request that is under way, too.
    with workers(1) as pool:
        reading = _ControlPolicyReading(service, pool, progress, earlier or EarlierControlPolicies())
        return reading.read(sorted(account_ids), began)


@dataclass
class _ControlPolicyReading:
    """One read, and what it gathers: by node, what stands above it; by node and type, what is attached; documents."""

    service: Service
    pool: Workers
    progress: Progress
    earlier: EarlierControlPolicies
    places: dict[str, OrgAccount] = field(default_factory=dict)
    attached: dict[_Attached, list[OrgPolicyTarget]] = field(default_factory=dict)
    policies: dict[str, OrgControlPolicy] = field(default_factory=dict)
    unread: list[UnreadElement] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def read(self, account_ids: list[str], began: datetime) -> ControlPoliciesRead:
        try:
            roots = self.service.items("ListRoots", "Roots", "*", MaxResults=_PAGE)
        except AwsError as error:
            element_error(error)
            return self._as_before(account_ids, error, began)
        self._find_places(account_ids, {root["Id"]: _Root.of(root) for root in roots})
        self._find_attached()
        self._find_documents()
        return self._gathered(began)

    # -- where the accounts stand ----------------------------------------------------------------------------------

    def _find_places(self, account_ids: list[str], roots: dict[str, "_Root"]) -> None:
        management = {root.management: root for root in roots.values()}
        members = [one for one in account_ids if one not in management]
        for one in account_ids:
            if one in management:
                self.places[one] = OrgAccount(one, management[one].organization_id, True, (), management[one].enabled)
        above, missed, strangers = self._parents(members, set(roots))
        for one in members:
            path = _path(one, above)
            root = roots.get(path[0]) if path else None
            if root is not None:
                self.places[one] = OrgAccount(one, root.organization_id, False, path, root.enabled)
            elif one in strangers:
                self.hints.append(f"account {one} is no member of the organization: no control policy of it applies")
            else:
                self._keep(one, next((missed[node] for node in (one, *path) if node in missed), _moved(one)))

    def _parents(self, account_ids: list[str], roots: set[str]) -> tuple[dict[str, str], dict[str, AwsError], set[str]]:
        """What stands above each account and each unit, a call for each, level by level; what was not said; and the
        accounts that are no members.

        A unit that is not there any more is no such answer: the account was moved while it was asked for.
        """
        above: dict[str, str] = {}
        missed: dict[str, AwsError] = {}
        asked = account_ids
        while asked:
            answers = self.pool.each(self._parent, asked, "places of accounts", self.progress)
            for node, answer in zip(asked, answers, strict=True):
                if isinstance(answer, AwsError):
                    missed[node] = answer
                else:
                    above[node] = answer
            asked = sorted({above[node] for node in asked if node in above} - set(above) - set(missed) - roots)
        strangers = {one for one in account_ids if one in missed and missed[one].code in _NO_MEMBER}
        return above, missed, strangers

    def _parent(self, node: str) -> str | AwsError:
        try:
            parents = self.service.items("ListParents", "Parents", node, ChildId=node)
        except AwsError as error:
            return element_error(error)
        if not parents:
            text = f"organizations:ListParents on {node}: nothing stands above it, which cannot be. Run this again."
            return AwsUnreachable(text, action="organizations:ListParents", resource=node)
        return str(parents[0]["Id"])

    def _keep(self, account_id: str, error: AwsError) -> None:
        before = self.earlier.account(account_id)
        if before is not None:
            self.places[account_id] = before
        self.unread.append(UnreadElement("places of accounts", account_id, error, kept=before is not None))

    # -- what is attached there ------------------------------------------------------------------------------------

    def _find_attached(self) -> None:
        wanted = sorted({one for place in self.places.values() for one in _levels(place)})
        answers = self.pool.each(self._policies_of, wanted, "attached control policies", self.progress)
        for (target, kind), answer in zip(wanted, answers, strict=True):
            if not isinstance(answer, AwsError):
                self.attached[target, kind] = answer
                continue
            before = self.earlier.attached(target, kind)
            if before is not None:
                self.attached[target, kind] = before
            self.unread.append(UnreadElement("attached control policies", target, answer, kept=before is not None))

    def _policies_of(self, wanted: _Attached) -> list[OrgPolicyTarget] | AwsError:
        target, kind = wanted
        try:
            listed = self.service.items(
                "ListPoliciesForTarget", "Policies", target, TargetId=target, Filter=kind, MaxResults=_PAGE
            )
        except AwsError as error:
            return element_error(error)
        return [OrgPolicyTarget(target, _kind_of(target), kind, name) for name in sorted({one["Id"] for one in listed})]

    # -- what they say ---------------------------------------------------------------------------------------------

    def _find_documents(self) -> None:
        wanted = sorted({row.policy_id for rows in self.attached.values() for row in rows})
        answers = self.pool.each(self._document, wanted, "control policies", self.progress)
        for policy_id, answer in zip(wanted, answers, strict=True):
            if not isinstance(answer, AwsError):
                self.policies[policy_id] = answer
                continue
            before = self.earlier.policy(policy_id)
            if before is not None:
                self.policies[policy_id] = before
            self.unread.append(UnreadElement("control policies", policy_id, answer, kept=before is not None))

    def _document(self, policy_id: str) -> OrgControlPolicy | AwsError:
        try:
            answer = self.service.get("DescribePolicy", policy_id, PolicyId=policy_id)["Policy"]
        except AwsError as error:
            return element_error(error)
        summary = answer["PolicySummary"]
        return OrgControlPolicy(
            policy_id, summary["Type"], summary.get("Name") or "", bool(summary.get("AwsManaged")), answer["Content"]
        )

    # -- together --------------------------------------------------------------------------------------------------

    def _gathered(self, began: datetime) -> ControlPoliciesRead:
        """Of the accounts that are known through and through; an account with a gap is as if it had not been read."""
        accounts = [place for _, place in sorted(self.places.items()) if self._is_whole(place)]
        if not accounts and self.unread and all(isinstance(one.error, AwsDenied) for one in self.unread):
            return _denied(grouped(one.error for one in self.unread)[0], began)
        levels = sorted({one for place in accounts for one in _levels(place)})
        targets = [row for one in levels for row in sorted(self.attached[one], key=_target_key)]
        used = sorted({row.policy_id for row in targets})
        return ControlPoliciesRead(
            Read.complete(accounts, began).without(self.unread),
            Read.complete(sorted(targets, key=_target_key), began).without(self.unread),
            Read.complete([self.policies[one] for one in used], began).without(self.unread),
            tuple(self.hints),
        )

    def _is_whole(self, place: OrgAccount) -> bool:
        return all(
            one in self.attached and all(row.policy_id in self.policies for row in self.attached[one])
            for one in _levels(place)
        )

    def _as_before(self, account_ids: list[str], error: AwsError, began: datetime) -> ControlPoliciesRead:
        """Nothing could be read: what the previous sync knew, if it knew anything."""
        before = self.earlier
        if not before.accounts and (isinstance(error, AwsDenied) or error.code == _NO_ORGANIZATION):
            return _denied(str(error), began)
        known = {row.account_id for row in before.accounts}
        missed = [UnreadElement("control policies of accounts", one, error, kept=one in known) for one in account_ids]
        return ControlPoliciesRead(
            Read.complete(before.accounts, began).without(missed),
            Read.complete(before.targets, began).without(missed),
            Read.complete(before.policies, began).without(missed),
        )


@dataclass(frozen=True, slots=True)
class _Root:
    """The root of an organization; its ARN names the organization and the management account."""

    organization_id: str
    management: str
    enabled: tuple[str, ...]

    @classmethod
    def of(cls, answer: dict[str, object]) -> "_Root":
        # arn:aws:organizations::MANAGEMENT:root/o-.../r-...
        _, _, _, _, management, place = str(answer["Arn"]).split(":", 5)
        types: Iterable[dict[str, str]] = answer.get("PolicyTypes") or ()  # type: ignore[assignment]
        enabled = {one["Type"] for one in types if one.get("Status") == "ENABLED"}
        return cls(place.split("/")[1], management, tuple(one for one in CONTROL_POLICY_TYPES if one in enabled))


def _moved(account_id: str) -> AwsUnreachable:
    """Why the place of an account is not known although every call was answered."""
    text = f"organizations:ListParents on {account_id}: what stands above it leads to no root. Run this again."
    return AwsUnreachable(text, action="organizations:ListParents", resource=account_id)


def _path(account_id: str, above: dict[str, str]) -> tuple[str, ...]:
    """The nodes above an account as far as they are known, the uppermost first."""
    path: list[str] = []
    node = account_id
    while node in above and above[node] not in path:
        node = above[node]
        path.append(node)
    return tuple(reversed(path))


def _levels(place: OrgAccount) -> list[_Attached]:
    """Where policies apply to an account: everything in its path and itself; nowhere for the management account."""
    nodes = () if place.management else (*place.path, place.account_id)
    return [(node, kind) for node in nodes for kind in place.policy_types]


def _kind_of(target: str) -> str:
    return {"r": "ROOT", "ou": "ORGANIZATIONAL_UNIT"}.get(target.partition("-")[0], "ACCOUNT")


def _target_key(row: OrgPolicyTarget) -> tuple[str, ...]:
    return (row.target_id, row.policy_type, row.policy_id)


def _denied(reason: str, began: datetime) -> ControlPoliciesRead:
    return ControlPoliciesRead(Read.denied(reason, began), Read.denied(reason, began), Read.denied(reason, began))
