"""Denies that a principal has elsewhere: in its other policies, and in those of its groups.

An access provider is one policy; a Deny in another one of the same principal still counts. It takes away from what the
access provider claims for everybody where everybody has it, else it takes its principal out of the who.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.policy import Claim
from raito_pipeline.aws.policy.what import Labelled, taken_away


def denies_of(account: Account, principal: PrincipalKey) -> tuple[Labelled, ...]:
    """The documents with an unconditional Deny that a principal has: its own, and for a user those of its groups."""
    kind, name = principal
    keys = [principal]
    if kind == "user":
        keys += [("group", group) for group in account.groups_of.get(name, ())]
    return tuple(document for key in keys for document in account.denying.get(key, ()))


@dataclass
class Narrowed:
    """Who keeps which claims after the Denies of the principals, and why it is less than before."""

    claims: frozenset[Claim]
    principals: set[PrincipalKey] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)


def narrow(account: Account, claims: frozenset[Claim], principals: Sequence[PrincipalKey]) -> Narrowed:
    """Claims and principals without what Denies elsewhere take away."""
    if not claims or not principals:
        return Narrowed(claims, set(principals))
    left = {principal: _left(account, claims, denies_of(account, principal)) for principal in principals}
    kept = _what_to_keep(claims, list(left.values()))
    narrowed = Narrowed(kept)
    if kept != claims:
        narrowed.reasons.append("Deny in other policies of those who have it: what it may touch is not claimed")
    for principal, has in left.items():
        if kept <= has:
            _with_members(account, kept, principal, narrowed)
        else:
            narrowed.reasons.append(f"{principal[0]} {principal[1]} is left out: another policy of it has a Deny")
    return narrowed


def _what_to_keep(claims: frozenset[Claim], left: list[frozenset[Claim]]) -> frozenset[Claim]:
    """All claims where somebody has them all; else what everybody has; else the most that somebody has."""
    if claims in left:
        return claims
    common = frozenset.intersection(*left)
    return common or max(left, key=lambda kept: (len(kept), sorted(kept)))


def _left(account: Account, claims: frozenset[Claim], denies: Iterable[Labelled]) -> frozenset[Claim]:
    left = set(claims)
    for _, document in denies:
        for statement in document.statements:
            if statement.effect == "Deny":
                left = taken_away(left, statement, account.scope)
    return frozenset(left)


def _with_members(account: Account, claims: frozenset[Claim], principal: PrincipalKey, narrowed: Narrowed) -> None:
    """Keep a principal; members of a group who have a Deny of their own are named, and the group stays what it is."""
    kind, name = principal
    narrowed.principals.add(principal)
    if kind != "group":
        return
    members = account.members.get(name, ())
    denied = [user for user in members if _left(account, claims, denies_of(account, ("user", user))) != claims]
    if denied:
        narrowed.reasons.append(
            f"group {name} has members who have less of it ({', '.join(denied)}): another policy of them has a Deny"
        )
