"""Which roles and policies give access to data alone: the S3 permissions of Raito Cloud, and reading the Glue catalog.

What gives more (`*`, `iam:*`, `sts:*`, the policies of administrators) is not handed to further people by a push, since
whoever edits an export would hand it to himself.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, POLICY, ROLE, permission_set_name
from raito_pipeline.aws.policy import Statement, read_document
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.documents.athena import CREDENTIALS, QUERIES
from raito_pipeline.aws.push.types.permission_set_arns import path_and_name
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import IamPolicy, IamRole, PushPermissionSet

_S3 = frozenset({"s3", "s3-object-lambda"})
"""S3 Object Lambda changes objects on their way out; AWS's own policies for reading S3 name it."""
_GLUE_READS = ("get", "batchget", "list", "search", "query")
GIVES_NOTHING_BY_ITSELF = frozenset({"none:null", CREDENTIALS.lower()})
"""credentials of Lake Formation are for what it has granted"""
_QUERIES = frozenset(action.lower() for action in QUERIES)
"""queries of Athena, which read with the rights of whoever asks"""
_OWNED_BY_AWS = {
    "/aws-service-role/": "it is a service-linked role, which belongs to a service of AWS",
    "/aws-reserved/": "it is reserved by AWS: its permission set says who has it",
}


def is_data(action: str) -> bool:
    """True where an action pattern covers nothing but S3, reading the Glue catalog and queries of it, in any case."""
    service, _, name = action.lower().partition(":")
    reads = service in _S3 or (service == "glue" and name.startswith(_GLUE_READS))
    return reads or action.lower() in GIVES_NOTHING_BY_ITSELF | _QUERIES


def beyond_data(document: str) -> Iterator[str]:
    """What a policy document allows beyond data, in words; also what of it cannot be read."""
    read = read_document(document)
    yield from read.problems
    for statement in read.statements:
        if statement.effect == "Allow":
            yield from beyond_data_of(statement)


def beyond_data_of(statement: Statement) -> Iterator[str]:
    """What an Allow allows beyond data, in words."""
    if statement.not_actions is not None:
        yield f"everything but {', '.join(statement.not_actions)}"
    more = [action for action in statement.actions or () if not is_data(action)]
    if more:
        yield ", ".join(more)


@dataclass(frozen=True)
class Guarded:
    """The roles and policies of an account that get no new people and are not deleted, with the reason of each."""

    state: PushState
    options: PushOptions

    def reason(self, thing: str) -> str | None:
        """Why `role:NAME`, `policy:NAME` or `ssorole:NAME` is guarded; None where it is not, or is not there."""
        kind, _, name = thing.partition(":")
        if f"{kind}:" == POLICY:
            policy = self.state.policies.get(name)
            reason = None if policy is None else _of_document(policy.document)
        elif f"{kind}:" == ROLE:
            role = self.state.roles.get(name)
            reason = None if role is None else self._of_role(role)
        elif f"{kind}:" == PERMISSION_SET:
            reason = self._of_permission_set(name)
        else:
            return None
        allowed = matches_any(self.options.aws_push_allow_beyond_data, name)
        return None if allowed and reason not in _OWNED_BY_AWS.values() else reason

    def _of_role(self, role: IamRole) -> str | None:
        for path, reason in _OWNED_BY_AWS.items():
            if role.path.startswith(path):
                return reason
        return self._beyond(role)

    def _of_permission_set(self, name: str) -> str | None:
        """By what its reserved role holds, and what the next assignment or provisioning would bring to that role."""
        reserved = re.compile(rf"AWSReservedSSO_{re.escape(name.removeprefix('AWSReservedSSO_'))}(_[0-9a-fA-F]{{16}})?")
        roles = (role for key, role in self.state.roles.items() if reserved.fullmatch(key))
        here = next((reason for reason in map(self._beyond, roles) if reason), None)
        known = self.state.center.sets.get(permission_set_name(name))
        return here if here is not None or known is None else self._beyond_set(known)

    def _beyond_set(self, known: PushPermissionSet) -> str | None:
        """What a permission set of Raito gives beyond data; of others' is only known what their role holds."""
        reason = _of_document(known.inline_policy) if known.inline_policy else None
        if reason:
            return reason
        # A policy of the account that is not there cannot be brought into the account either.
        own = {path_and_name(arn): policy for arn, policy in self._by_arn.items() if not policy.aws_managed}
        unread = "managed policies" in self.state.not_read
        for reference in known.references:
            policy = own.get(reference)
            if policy is None and unread:
                return f"what policy {reference} gives to it was not read"
            reason = None if policy is None else _of_document(policy.document)
            if reason:
                return f"{reason} by policy {reference}"
        return self._of_arns(known.policy_arns)

    def _beyond(self, role: IamRole) -> str | None:
        """What a role gives beyond data by its inline and attached policies."""
        for document in self.state.inline.get(("role", role.role_name), {}).values():
            reason = _of_document(document)
            if reason:
                return reason
        return self._of_arns(sorted(self._attached.get(role.role_name, ())))

    def _of_arns(self, arns: Iterable[str]) -> str | None:
        """What managed policies give beyond data."""
        for arn in arns:
            policy = self._by_arn.get(arn)
            document = self.state.center.documents.get(arn) if policy is None else policy.document
            if document is None:
                return f"what policy {arn} gives to it was not read"
            reason = _of_document(document)
            if reason:
                return f"{reason} by policy {arn.rpartition('/')[2]}"
        return None

    @cached_property
    def _by_arn(self) -> dict[str, IamPolicy]:
        return {policy.arn: policy for policy in self.state.policies.values()}

    @cached_property
    def _attached(self) -> dict[str, set[str]]:
        """ARNs of the managed policies of each role."""
        attached = {role: set(arns) for role, arns in self.state.reserved.items()}
        for arn, principals in self.state.attached.items():
            for kind, name in principals:
                if kind == "role":
                    attached.setdefault(name, set()).add(arn)
        return attached


def _of_document(document: str) -> str | None:
    more = next(beyond_data(document), None)
    return None if more is None else f"it gives more than data ({more})"
