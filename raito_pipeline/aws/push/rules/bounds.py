"""What a push is held to besides the IAM of the account: who pushes, what was imported, and what lies in the account.

Whoever can edit an export must not become an administrator of the account by it, so nothing of this comes from the
export: it is read from the stored tables, and from AWS when the push connects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from raito_pipeline.aws.access.external_ids import (
    GROUP,
    PERMISSION_SET,
    POLICY,
    ROLE,
    USER,
    is_reserved,
    permission_set_name,
)
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import Things
from raito_pipeline.model import AccessProvider

_ASSUMED = ":assumed-role/"


@dataclass(frozen=True)
class Bounds:
    """What the changes of a push are held to. What is None is not known, and nothing is judged by it."""

    data_source: str = ""
    """the id of the data source whose export is pushed"""
    caller: str | None = None
    """the ARN of the identity that pushes, as STS gives it"""
    buckets: Mapping[str, str | None] | None = None
    """the buckets of the account that are data objects, each with its region where that is known"""
    imported: Mapping[str, AccessProvider] | None = None
    """what the last import of the account offered to Raito Cloud, by external id"""
    pushed: frozenset[tuple[str, str]] = frozenset()
    """access controls (their ids) and the external ids of what the last push left of them in AWS without an error"""
    claimed_elsewhere: Mapping[str, str] = field(default_factory=dict)
    """external ids in exports of other targets of the same account, with the target"""
    shared: bool = False
    """true where other targets push into the account, too"""
    whole_export: bool = False
    """true where the export holds every access control of the data source"""


def identity(caller: str | None) -> str | None:
    """`user:NAME` or `role:NAME` of a caller's ARN; None for the root user and for what is no identity of IAM.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    text = caller or ""
    if _ASSUMED in text:
        return f"{ROLE}{text.partition(_ASSUMED)[2].partition('/')[0]}"
    for kind in (USER, ROLE):
        _, separator, path = text.partition(f":{kind.rstrip(':')}/")
        if separator:
            return f"{kind}{path.rpartition('/')[2]}"
    return None


def rights_of(caller: str | None, state: PushState) -> Things:
    """The identity that pushes, its groups, and the managed policies that any of them have or that limit it."""
    own = identity(caller)
    if own is None:
        return frozenset()
    holders = {own}
    if own.startswith(USER):
        user = state.users.get(own.removeprefix(USER))
        holders |= {f"{GROUP}{group}" for group in (user.group_names if user else ())}
    arns = {arn for arn, having in state.attached.items() if any(f"{kind}:{name}" in holders for kind, name in having)}
    role = own.removeprefix(ROLE)
    if own.startswith(ROLE) and is_reserved(role):
        holders.add(f"{PERMISSION_SET}{permission_set_name(role)}")
        arns |= state.reserved.get(role, frozenset())
    limits = {policy for policy, whose in state.bounded.items() if own in whose}
    return frozenset(holders | limits | {f"{POLICY}{arn.rpartition('/')[2]}" for arn in arns})


def arns_of(caller: str | None, state: PushState) -> frozenset[str]:
    """The ARNs by which documents name the identity that pushes."""
    own = identity(caller)
    if caller is None or own is None:
        return frozenset()
    name = own.partition(":")[2]
    stored = state.users.get(name) if own.startswith(USER) else state.roles.get(name)
    return frozenset((caller, stored.arn) if stored is not None else (caller,))


def by_external_id(providers: Iterable[AccessProvider]) -> dict[str, AccessProvider]:
    """Imported access providers as `Bounds` holds them."""
    return {each.external_id: each for each in providers}
