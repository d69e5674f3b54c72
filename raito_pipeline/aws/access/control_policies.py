"""Control policies of an organization: which documents limit an account's users and roles, and what is done to it.

Service control policies limit every user and role of a member account, root included, but no service-linked role. At
each level (the root, each organizational unit above the account, the account) one of those attached there has to allow
a call, and none at any level may deny it. Resource control policies deny what is done to the resources of a member
account, whoever does it. Neither applies to the management account.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.policy import Document
from raito_pipeline.aws.policy.what import Labelled
from raito_pipeline.model import OrgAccount, OrgControlPolicy

SERVICE, RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
_LABELS = {SERVICE: "service control policy", RESOURCE: "resource control policy"}
_SERVICE_LINKED = "/aws-service-role/"


@dataclass(frozen=True)
class ControlDocuments:
    """The documents that apply to an account."""

    levels: tuple[tuple[Labelled, ...], ...] = ()
    """service control policies by level, from the root down, less the levels that allow everything"""
    services: tuple[Labelled, ...] = ()
    """service control policies of all levels, each once"""
    resources: tuple[Labelled, ...] = ()
    """resource control policies of all levels, each once"""


NO_DOCUMENTS = ControlDocuments()


def control_documents(account: Account) -> ControlDocuments:
    """The control policies of the organization that apply to the account; none where they are not known."""
    return account.once(_of_account)


def service_controls(account: Account, principal: PrincipalKey) -> ControlDocuments:
    """Those that limit one user, group or role of it: a service-linked role is not limited by any."""
    kind, name = principal
    role = account.roles.get(name) if kind == "role" else None
    linked = role is not None and role.path.startswith(_SERVICE_LINKED)
    return NO_DOCUMENTS if linked else control_documents(account)


def _of_account(account: Account) -> ControlDocuments:
    inputs, place = account.inputs, account.inputs.organization
    if place is None or place.management:
        return NO_DOCUMENTS
    known = {row.policy_id: _read(account, row) for row in inputs.org_control_policies}
    attached: dict[tuple[str, str], list[Labelled]] = defaultdict(list)
    for row in inputs.org_policy_targets:
        attached[row.target_id, row.policy_type].append(known[row.policy_id])
    levels = {kind: [tuple(attached[node, kind]) for node in _nodes(place)] for kind in _LABELS}
    return ControlDocuments(
        tuple(level for level in levels[SERVICE] if level and not any(_allows_everything(one[1]) for one in level)),
        tuple(_each_once(levels[SERVICE])),
        tuple(_each_once(levels[RESOURCE])),
    )


def _nodes(place: OrgAccount) -> tuple[str, ...]:
    return (*place.path, place.account_id)


def _read(account: Account, policy: OrgControlPolicy) -> Labelled:
    return f"{_LABELS[policy.policy_type]} {policy.name}", account.read(policy.document)


def _each_once(levels: Iterable[tuple[Labelled, ...]]) -> Iterator[Labelled]:
    """Documents of all levels; one that is attached at several counts once."""
    yield from {id(one[1]): one for level in levels for one in level}.values()


def _allows_everything(document: Document) -> bool:
    """True for `FullAWSAccess` and its like, which every level has unless somebody took it away."""
    return any(
        statement.effect == "Allow"
        and statement.actions is not None
        and "*" in statement.actions
        and statement.resources is not None
        and "*" in statement.resources
        and not statement.conditions
        for statement in document.statements
    )
