"""The control policies of the emulated organization: what they leave the calls of an account, and to its resources."""

from collections.abc import Iterator
from typing import Any

from moto.organizations.models import OrganizationsBackend, organizations_backends

from raito_pipeline.sandbox.aws.policy_decisions import Document, read_document

_SERVICE, _RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


def service_levels(account_id: str) -> list[list[Document]]:
    """The service control policies of each level above an account, each of which has to allow (management: none)."""
    return [list(_attached(node, _SERVICE)) for node in _nodes(account_id, _SERVICE)]


def resource_controls(account_id: str) -> list[Document]:
    """The resource control policies that apply to the resources of an account; none of the management account."""
    return [document for node in _nodes(account_id, _RESOURCE) for document in _attached(node, _RESOURCE)]


def _attached(node: Any, kind: str) -> Iterator[Document]:
    yield from (read_document(policy.content) for policy in node.attached_policies if policy.type == kind)


def _nodes(account_id: str, kind: str) -> Iterator[Any]:
    """The account and everything above it, where the type is enabled."""
    if account_id not in organizations_backends.master_accounts:
        return
    master, partition = organizations_backends.master_accounts[account_id]
    backend: OrganizationsBackend = organizations_backends[master][partition]
    above = {node.id: node for node in backend.ou}
    enabled = {each["Type"] for node in backend.ou for each in getattr(node, "policy_types", ())}
    node: Any = next((one for one in backend.accounts if one.id == account_id), None)
    while node is not None and kind in enabled:
        yield node
        node = above.get(str(getattr(node, "parent_id", "")))
