"""What one user or role reaches itself: by all of its policies together, within everything that limits it.

Of what is left, each permission on a data object is certain, or comes with the conditions that it depends on: those of
the statements that give it, of Denies that may refuse it, and of limits that could not be read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.ceilings import is_personal
from raito_pipeline.aws.access.given import CERTAIN, given, sources_of
from raito_pipeline.aws.access.limits import PrincipalLimits, limited, limits_of
from raito_pipeline.aws.access.resources import claims_by_resource
from raito_pipeline.aws.policy import Claim, Scope, Statement
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.resources import ACCOUNT, PermissionTarget
from raito_pipeline.aws.policy.what import Basis, after_deny

Conditions = tuple[str, ...]
"""what access depends on, sorted; none = it is certain"""


@dataclass(frozen=True, slots=True)
class Reach:
    """Permissions on one data object that a principal has in the same way."""

    target: PermissionTarget
    permissions: tuple[str, ...]
    through: tuple[str, ...]
    """external ids of what gives them, sorted"""
    conditions: Conditions


def reach_of(account: Account, principal: PrincipalKey) -> tuple[Reach, ...]:
    """What a user or role reaches without assuming a role, sorted by data object.

    It is worked out once for all who have the same policies and limits.
    """
    sources = tuple(sources_of(account, principal))
    limits = limits_of(account, principal)
    named = principal in account.once(claims_by_resource)
    personal = named or limits.personal or any(is_personal(source.document) for source in sources)
    case = _Case(frozenset(source.key for source in sources), limits.key, principal if personal else None, principal)
    return account.once(_reach, case)


@dataclass(frozen=True)
class _Case:
    """Principals of which the same is true."""

    sources: frozenset[tuple[str, str, int]]
    limits: tuple[object, ...]
    alone: PrincipalKey | None
    """the one principal, where what it reaches may depend on who it is"""
    one_of_them: PrincipalKey = field(compare=False)


def _reach(account: Account, case: _Case) -> tuple[Reach, ...]:
    principal = case.one_of_them
    scope = account.scope_of(principal)
    left, reasons = limited(account, given(sources_of(account, principal), scope), principal)
    doubts = _Doubts(account, limits_of(account, principal), scope, case.alone)
    pieces = [(piece, basis, why) for claim, basis in left.items() for piece, why in doubts.pieces(claim)]
    known = {text for _, _, why in pieces for text in why}
    others = tuple(why.text for why in reasons if why.code is Code.WIDER and why.text not in known)
    ways = _Ways()
    for piece, basis, why in pieces:
        ways.add(piece, basis, (*why, *others))
    for claims, conditions in account.once(claims_by_resource).get(principal, ()):
        for claim, basis in claims.items():
            ways.add(claim, basis, conditions)
    return tuple(ways.reaches())


_Doubt = tuple[Conditions, frozenset[Claim] | None]
"""why a Deny may refuse a claim, and what of it that is not about; None = it may refuse all of it"""


@dataclass(frozen=True)
class _Doubts:
    """The Denies of a principal that may refuse what is left of its claims."""

    account: Account
    limits: PrincipalLimits
    scope: Scope
    alone: PrincipalKey | None

    def pieces(self, claim: Claim) -> Iterator[tuple[Claim, Conditions]]:
        """A claim with the Denies that may refuse it. An account-wide one in buckets, where one is about some only."""
        doubts = [self._doubt(label, statement, claim) for label, statement in self._denies.get(claim.permission, ())]
        doubts = [doubt for doubt in doubts if doubt[0]]
        if all(rest is None for _, rest in doubts):
            yield claim, tuple(text for texts, _ in doubts for text in texts)
            return
        for place in self.scope.places:
            piece = Claim(PermissionTarget(place.bucket), claim.permission)
            yield piece, tuple(text for texts, rest in doubts if rest is None or piece not in rest for text in texts)

    @cached_property
    def _denies(self) -> Mapping[str, list[tuple[str, Statement]]]:
        """By permission."""
        found: dict[str, list[tuple[str, Statement]]] = defaultdict(list)
        for label, document in self.limits.denies:
            for statement in document.statements:
                if statement.effect == "Deny":
                    for name in permissions_of(statement):
                        found[name].append((f"{label}, {statement.label}", statement))
        return found

    def _doubt(self, label: str, statement: Statement, claim: Claim) -> _Doubt:
        known = self.account.once(_known_doubts)
        key = (id(statement), label, claim, self.alone)
        if key not in known:
            known[key] = _doubt(label, statement, claim, self.scope)
        return known[key]


def _known_doubts(account: Account) -> dict[tuple[object, ...], _Doubt]:  # noqa: ARG001 - one for each account
    return {}


def _doubt(label: str, statement: Statement, claim: Claim, scope: Scope) -> _Doubt:
    _, why = after_deny({claim: frozenset()}, statement, scope)
    texts = tuple(reason.at(label).text for reason in why if reason.code is Code.WIDER)
    if not texts or claim.target != ACCOUNT:
        return texts, None
    rest, _ = after_deny({claim: frozenset()}, replace(statement, conditions=()), scope)
    return texts, frozenset(rest) if rest.keys() and rest.keys() != {claim} else None


@dataclass
class _Way:
    """How a claim is given: by what, and whether one of them gives it for certain."""

    through: set[str] = field(default_factory=set)
    certain: bool = False
    conditions: set[str] = field(default_factory=set)


@dataclass
class _Ways:
    """Claims with how they are given."""

    by_claim: dict[Claim, _Way] = field(default_factory=lambda: defaultdict(_Way))

    def add(self, claim: Claim, basis: Basis, conditions: Iterable[str]) -> None:
        """One more way: each of the basis gives the claim, and all of the conditions are asked of it."""
        way, asked = self.by_claim[claim], set(conditions)
        for external_id, condition in basis:
            way.through.add(external_id)
            if condition == CERTAIN and not asked:
                way.certain = True
            elif condition != CERTAIN:
                way.conditions.add(condition)
        way.conditions |= asked

    def reaches(self) -> list[Reach]:
        """Together where all but the permission is the same, sorted."""
        groups: dict[tuple[PermissionTarget, tuple[str, ...], Conditions], list[str]] = defaultdict(list)
        for claim in sorted(self.by_claim):
            way = self.by_claim[claim]
            conditions = () if way.certain else tuple(sorted(way.conditions))
            groups[claim.target, tuple(sorted(way.through)), conditions].append(claim.permission)
        return [Reach(target, tuple(names), *how) for (target, *how), names in sorted(groups.items())]
