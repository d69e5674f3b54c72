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
from raito_pipeline.aws.access.given import CERTAIN, given, given_through_points, names_points, sources_of
from raito_pipeline.aws.access.limits import PrincipalLimits, limited, limits_of
from raito_pipeline.aws.access.own_points import depends_on_who
from raito_pipeline.aws.access.resources import DirectGrant, claims_by_resource
from raito_pipeline.aws.policy import Claim, Scope, Statement
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.allows import SELDOM
from raito_pipeline.aws.policy.conditions import asks_who_calls
from raito_pipeline.aws.policy.permissions import Permission, permission, permissions
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.resources import ACCOUNT, LIST_BUCKETS, NoPattern, PermissionTarget
from raito_pipeline.aws.policy.what import Basis, after_deny

_NO_BASIS: Basis = frozenset()
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
    on_points = not personal and any(names_points(account, source) for source in sources)
    personal = personal or (on_points and depends_on_who(account, principal))
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
    sources = tuple(sources_of(account, principal))
    scope, limits = account.scope_of(principal), limits_of(account, principal)
    denies = tuple(each for _, document in limits.s3_denies for each in document.statements if each.effect == "Deny")
    left, reasons = limited(account, given(sources, scope, denies), principal)
    doubts = _Doubts(account, limits, scope, case.alone)
    pieces = [
        (piece, basis, why)
        for claim, basis in left.items()
        for piece, why in doubts.pieces(claim, seldom=all(SELDOM in condition for _, condition in basis))
    ]
    # One reason of a Deny names all that it is about; what it says of each piece is known from the pieces.
    known = {_place(text) for _, _, why in pieces for text in why}
    others = tuple(why.text for why in reasons if why.code is Code.WIDER and _place(why.text) not in known)
    ways = _Ways()
    for piece, basis, why in pieces:
        ways.add(piece, basis, (*why, *others))
    for grant in account.once(claims_by_resource).get(principal, ()):
        for claim, basis, why in _by_resource(grant, doubts):
            ways.add(claim, basis, why)
    for claims, asked in given_through_points(account, sources, principal):
        for claim, basis in claims.items():
            ways.add(claim, basis, asked)
    return tuple(ways.reaches())


def _by_resource(grant: DirectGrant, doubts: "_Doubts") -> Iterator[tuple[Claim, Basis, Conditions]]:
    """The claims of the policy of a resource, each with what it depends on: of a Deny what is about it alone."""
    if grant.through_point:
        yield from ((claim, basis, (*grant.shared, *grant.own)) for claim, basis in grant.claims.items())
        return
    pieces = [(piece, basis, why) for claim, basis in grant.claims.items() for piece, why in doubts.pieces(claim)]
    known = {_place(text) for _, _, why in pieces for text in why}
    # A Deny of the policy that is about none of the pieces is about somebody else, or other permissions.
    others = [text for text in grant.shared if _place(text) == text]
    others += [text for text in grant.own if _place(text) not in known]
    yield from ((piece, basis, (*why, *others)) for piece, basis, why in pieces)


def _place(text: str) -> str:
    """The document and statement that a reason of a Deny begins with; of any other reason all of it."""
    return text.partition(": Deny")[0]


_Checked = tuple[bool, bool, bool, bool, bool]
"""whether AWS checks a permission on buckets, on objects, by the prefix of a listing, on something else, and whether it
is the list of buckets, which has an ARN of its own"""


def _checked(right: Permission) -> _Checked:
    return right.on_bucket, right.on_object, right.by_prefix, right.on_other, right.name == LIST_BUCKETS


@dataclass(frozen=True, slots=True)
class _Doubt:
    """That a Deny may refuse permissions on a data object, and why."""

    names: frozenset[str]
    """the permissions that it is about"""
    texts: Conditions
    seldom: Conditions
    """what of it is about calls that are not ordinary"""
    all_of_it: bool
    """whether it may refuse every part of the data object; else it is about some buckets of the account"""


@dataclass(frozen=True, slots=True)
class _Deny:
    """A Deny statement under the label that people find it by."""

    label: str
    statement: Statement
    buckets: frozenset[str] | None
    """those that it may be about; None = any"""
    whose: PrincipalKey | None
    """the principal, where it asks who calls"""


@dataclass(frozen=True)
class _Doubts:
    """The Denies of a principal that may refuse what is left of its claims."""

    account: Account
    limits: PrincipalLimits
    scope: Scope
    alone: PrincipalKey | None
    _of_kinds: dict[tuple[PermissionTarget, _Checked], list[_Doubt]] = field(default_factory=dict)

    def pieces(self, claim: Claim, *, seldom: bool = False) -> Iterator[tuple[Claim, Conditions]]:
        """A claim with the Denies that may refuse it. An account-wide one in buckets, where one is about some only.

        `seldom`: it is given to calls alone that are not ordinary, so that Denies of such calls may refuse it, too.
        """
        doubts = self._about(claim, seldom=seldom)
        if all(doubt.all_of_it for doubt in doubts):
            yield claim, _texts(doubts, seldom=seldom)
            return
        for place in self.scope.places:
            # A Deny of a part of a bucket does not take the bucket away, and is a doubt all the same.
            piece = Claim(PermissionTarget(place.bucket), claim.permission)
            yield piece, _texts(self._about(piece, seldom=seldom), seldom=seldom)

    def _about(self, claim: Claim, *, seldom: bool) -> list[_Doubt]:
        """Permissions that AWS checks on the same kinds of resources are refused alike, so one is tried for all."""
        right = permission(claim.permission)
        assert right is not None, claim
        checked = _checked(right)
        kind = (claim.target, checked)
        if kind not in self._of_kinds:
            tried = (self._doubt(deny, claim.target, checked) for deny in self._near(claim.target))
            self._of_kinds[kind] = [doubt for doubt in tried if doubt is not None]
        about = (doubt for doubt in self._of_kinds[kind] if claim.permission in doubt.names)
        return [doubt for doubt in about if doubt.texts or seldom]

    def _near(self, target: PermissionTarget) -> Iterable[_Deny]:
        """The Denies that may be about a data object."""
        if target == ACCOUNT:
            return self._denies
        return self._by_bucket.get(target.bucket, self._anywhere)

    @cached_property
    def _anywhere(self) -> list[_Deny]:
        return [deny for deny in self._denies if deny.buckets is None]

    @cached_property
    def _by_bucket(self) -> Mapping[str, list[_Deny]]:
        """For the buckets that one of them names."""
        named = {bucket for deny in self._denies for bucket in deny.buckets or ()}
        denies: dict[str, list[_Deny]] = {bucket: [] for bucket in named}
        for deny in self._denies:
            for bucket in named if deny.buckets is None else deny.buckets:
                denies[bucket].append(deny)
        return denies

    @cached_property
    def _denies(self) -> list[_Deny]:
        return [
            self._deny(f"{label}, {statement.label}", statement)
            for label, document in self.limits.denies
            for statement in document.statements
            if statement.effect == "Deny"
        ]

    def _deny(self, label: str, statement: Statement) -> _Deny:
        whose = self.alone if asks_who_calls(statement) else None
        known = self.account.once(_known_denies)
        key = (id(statement), label, whose)
        if key not in known:
            known[key] = _Deny(label, statement, _buckets(statement, self.scope), whose)
        return known[key]

    def _doubt(self, deny: _Deny, target: PermissionTarget, checked: _Checked) -> _Doubt | None:
        known = self.account.once(_known_doubts)
        key = (id(deny.statement), deny.label, target, checked, deny.whose)
        if key not in known:
            known[key] = _doubt(deny, target, checked, self.scope)
        return known[key]


def _texts(doubts: Iterable[_Doubt], *, seldom: bool) -> Conditions:
    return tuple(text for doubt in doubts for text in (*doubt.texts, *(doubt.seldom if seldom else ())))


def _known_denies(account: Account) -> dict[tuple[object, ...], _Deny]:  # noqa: ARG001 - one for each account
    return {}


def _known_doubts(account: Account) -> dict[tuple[object, ...], _Doubt | None]:  # noqa: ARG001 - one for each account
    return {}


def _buckets(statement: Statement, scope: Scope) -> frozenset[str] | None:
    """The buckets that a Deny may be about, by the beginnings of its resources; None where it may be any."""
    if statement.resources is None:
        return None
    buckets: set[str] = set()
    for text in statement.resources:
        try:
            pattern = scope.pattern(text, statement)
        except NoPattern as error:
            if not error.readable:
                return None
            continue
        if pattern.bucket is None:
            return None
        buckets |= {place.bucket for place in scope.named_by(pattern)}
    return frozenset(buckets)


def _doubt(deny: _Deny, target: PermissionTarget, checked: _Checked, scope: Scope) -> _Doubt | None:
    names = permissions_of(deny.statement)
    alike = (each.name for each in permissions() if _checked(each) == checked)
    one = next((name for name in alike if name in names), None)
    if one is None:
        return None
    claims = {Claim(target, one): _NO_BASIS}
    _, why = after_deny(claims, deny.statement, scope)
    said = [reason.at(deny.label) for reason in why]
    texts, seldom = (tuple(each.text for each in said if each.code is code) for code in (Code.WIDER, Code.NOTE))
    if not texts and not seldom:
        return None
    if target != ACCOUNT:
        return _Doubt(names, texts, seldom, all_of_it=True)
    bare, _ = after_deny(claims, replace(deny.statement, conditions=()), scope)
    return _Doubt(names, texts, seldom, all_of_it=all(claim.target == ACCOUNT for claim in bare))


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

    def _is_certain(self, claim: Claim) -> bool:
        return claim in self.by_claim and self.by_claim[claim].certain

    def reaches(self) -> list[Reach]:
        """Together where all but the permission is the same, sorted.

        What is given under conditions is left out where more is given for certain.
        """
        groups: dict[tuple[PermissionTarget, tuple[str, ...], Conditions], list[str]] = defaultdict(list)
        for claim in sorted(
            self.by_claim, key=lambda claim: (claim.target.bucket, claim.target.path, claim.permission)
        ):
            way = self.by_claim[claim]
            if not way.certain and any(map(self._is_certain, _above(claim))):
                continue
            conditions = () if way.certain else tuple(sorted(way.conditions))
            groups[claim.target, tuple(sorted(way.through)), conditions].append(claim.permission)
        return [Reach(target, tuple(names), *how) for (target, *how), names in sorted(groups.items())]


def _above(claim: Claim) -> Iterator[Claim]:
    """The same permission on what a data object lies in."""
    return (Claim(each, claim.permission) for each in claim.target.around if each != claim.target)
