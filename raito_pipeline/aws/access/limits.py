"""What limits a user, group or role beside the policy that gives it something: Denies and ceilings.

An access provider is one policy; what its principals really have of it depends on documents elsewhere. Each kind of
them is a source in `SOURCES`, and nothing is claimed for a principal before `limited` took all of them into account.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.policy import Claim
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.what import Basis, Claims, Labelled, after_denies


@dataclass(frozen=True)
class PrincipalLimits:
    """What a principal is limited by."""

    denies: tuple[Labelled, ...] = ()
    """documents whose Deny statements all apply to it"""
    reasons: tuple[Reason, ...] = ()
    """limits that are known to be there, while what they leave is not: each may be less than what is claimed"""

    def __or__(self, other: "PrincipalLimits") -> "PrincipalLimits":
        return PrincipalLimits((*self.denies, *other.denies), (*self.reasons, *other.reasons))


Source = Callable[[Account, PrincipalKey], PrincipalLimits]


def own_denies(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """The Denies of its other policies, and for a user those of its groups."""
    kind, name = principal
    keys = [principal]
    if kind == "user":
        keys += [("group", group) for group in account.groups_of.get(name, ())]
    return PrincipalLimits(tuple(document for key in keys for document in account.denying.get(key, ())))


def boundary(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """Its permissions boundary."""
    if principal not in account.boundaries:
        return PrincipalLimits()
    kind, name = principal
    return PrincipalLimits(
        reasons=(Reason(Code.WIDER, f"{kind} {name} has a permissions boundary, which may allow less"),)
    )


SOURCES: tuple[Source, ...] = (own_denies, boundary)


def limits_of(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """Everything that limits a user, group or role."""
    limits = PrincipalLimits()
    for source in SOURCES:
        limits |= source(account, principal)
    return limits


def limited(account: Account, claims: Claims, principal: PrincipalKey) -> tuple[Claims, list[Reason]]:
    """What its limits leave a principal of claims, and why even that may be more than it has."""
    limits = limits_of(account, principal)
    left, reasons = after_denies(claims, limits.denies, account.scope)
    return left, [*reasons, *limits.reasons] if left else []


@dataclass
class Narrowed:
    """Who keeps which claims within the limits of the principals, and why it is less than before."""

    claims: Claims
    principals: set[PrincipalKey] = field(default_factory=set)
    reasons: list[Reason] = field(default_factory=list)


def narrow(account: Account, claims: Claims, principals: Sequence[PrincipalKey]) -> Narrowed:
    """Claims and principals without what limits take away."""
    if not claims or not principals:
        return Narrowed(claims, set(principals))
    left = {principal: limited(account, claims, principal) for principal in principals}
    kept = _what_to_keep(claims, [has for has, _ in left.values()])
    narrowed = Narrowed(kept)
    for principal, (has, reasons) in left.items():
        if kept.keys() <= has.keys():
            narrowed.reasons += reasons
            _with_members(account, kept, principal, narrowed)
        if kept.keys() != has.keys():
            narrowed.reasons.append(_left_out(principal, kept, has))
    return narrowed


def _left_out(principal: PrincipalKey, kept: Claims, has: Claims) -> Reason:
    who = f"{principal[0]} {principal[1]}"
    if kept.keys() <= has.keys():
        return Reason(Code.NARROWER, f"{who} has more of it than the others, who have a Deny in other policies")
    return Reason(Code.NARROWER, f"{who} is left out: another policy of it has a Deny")


def _what_to_keep(claims: Claims, left: list[Claims]) -> Claims:
    """All claims where somebody has them all; else what everybody has; else the most that somebody has."""
    if any(has.keys() == claims.keys() for has in left):
        return claims
    common = set.intersection(*(set(has) for has in left))
    return _among(left[0], common) if common else max(left, key=lambda has: (len(has), sorted(has)))


def _among(claims: Claims, wanted: Iterable[Claim]) -> Mapping[Claim, Basis]:
    return {claim: claims[claim] for claim in wanted}


def _with_members(account: Account, claims: Claims, principal: PrincipalKey, narrowed: Narrowed) -> None:
    """Keep a principal; members of a group who have less are named, and the group stays what it is."""
    kind, name = principal
    narrowed.principals.add(principal)
    if kind != "group":
        return
    members = account.members.get(name, ())
    denied = [user for user in members if limited(account, claims, ("user", user))[0].keys() != claims.keys()]
    if denied:
        less = f"group {name} has members who have less of it ({', '.join(denied)}): another policy of them has a Deny"
        narrowed.reasons.append(Reason(Code.WIDER, less))
