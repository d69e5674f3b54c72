"""Ceilings: documents that give nothing, and allow their principal at most what one of them allows.

A permissions boundary is one, and so are the control policies of one level of an organization. Claims keep what a
ceiling allows for sure: an account-wide claim becomes the buckets that the ceiling allows, a bucket its folders. What a
ceiling allows under a condition, or in a way that has no name here, is not claimed and is a reason (`narrower`) of
whatever lost something to it. Denies in these documents are Denies as any others.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from raito_pipeline.aws.policy import Claim, Scope, Statement
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.claims import patterns
from raito_pipeline.aws.policy.conditions import Bearing, asks_who_calls, judge
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import ACCOUNT, Pattern, PermissionTarget, touches
from raito_pipeline.aws.policy.what import Basis, Claims, Labelled, add_claim, allowed


@dataclass(frozen=True, eq=False)
class Ceiling:
    """Documents of which one has to allow whatever their principal does. Compared by identity: make each one once."""

    documents: tuple[Labelled, ...]
    binds_named_users: bool
    """whether it also limits what the policy of a resource gives to a user by the ARN of the user"""

    @cached_property
    def personal(self) -> bool:
        """True where what it allows may depend on who the principal is."""
        return any(map(is_personal, self.documents))


def is_personal(labelled: Labelled) -> bool:
    """True where a document has conditions or policy variables about who calls."""
    return any(map(asks_who_calls, labelled[1].statements))


@dataclass(frozen=True)
class Allowance:
    """What a ceiling allows: for sure, by permission and bucket, and the statements that may allow more."""

    targets: Mapping[str, Mapping[str, frozenset[PermissionTarget]]]
    doubtful: tuple["Doubtful", ...]

    def of(self, claim: Claim) -> Iterator[PermissionTarget]:
        """What is allowed of a claim for sure: all of it, or the places in it that are."""
        by_bucket = self.targets.get(claim.permission, {})
        if "" in by_bucket:
            yield claim.target
        elif claim.target == ACCOUNT:
            for targets in by_bucket.values():
                yield from targets
        else:
            targets = by_bucket.get(claim.target.bucket, frozenset())
            if any(each.holds(claim.target) for each in targets):
                yield claim.target
            else:
                yield from (each for each in targets if claim.target.holds(each))


@dataclass(frozen=True)
class Doubtful:
    """A statement that may allow more than is known, and why."""

    statement: Statement
    names: frozenset[str]
    patterns: tuple[Pattern, ...] | None
    """what it may be about; None = anything"""
    reasons: tuple[Reason, ...]

    def may_allow(self, claim: Claim, scope: Scope) -> bool:
        """True where it may allow some of a claim."""
        right = permission(claim.permission)
        if right is None or claim.permission not in self.names:
            return False
        place = scope.by_bucket.get(claim.target.bucket)
        if self.patterns is None or place is None:
            return True
        return any(touches(pattern, place, claim.target.path, right) for pattern in self.patterns)


def allowance(ceiling: Ceiling, scope: Scope) -> Allowance:
    """What the Allow statements of a ceiling allow."""
    targets: dict[str, dict[str, set[PermissionTarget]]] = defaultdict(lambda: defaultdict(set))
    doubtful = []
    for label, document in ceiling.documents:
        for statement in document.statements:
            names = permissions_of(statement)
            if statement.effect != "Allow" or not names or judge(statement, scope.facts).bearing is Bearing.NEVER:
                continue
            given, reasons = allowed(statement, scope)
            for claim in given:
                targets[claim.permission][claim.target.bucket].add(claim.target)
            place = f"{label}, {statement.label}"
            why = tuple(dict.fromkeys(each.at(place) for each in reasons if each.code.is_incomplete))
            if why:
                about = statement.resources
                named = None if about is None else tuple(patterns(about, statement, scope))
                doubtful.append(Doubtful(statement, names, named, why))
    frozen = {name: {bucket: frozenset(of) for bucket, of in by_bucket.items()} for name, by_bucket in targets.items()}
    return Allowance(frozen, tuple(doubtful))


def within(claims: Claims, allows: Allowance, scope: Scope) -> tuple[Claims, list[Reason]]:
    """What a ceiling leaves of claims, and why that may be less than is given."""
    left: dict[Claim, Basis] = {}
    lost = []
    for claim, basis in claims.items():
        kept = list(allows.of(claim))
        if kept != [claim.target]:
            lost.append(claim)
        for target in kept:
            add_claim(left, Claim(target, claim.permission), basis)
    if not lost:
        return claims, []
    return left, list(_may_allow_more(lost, allows, scope))


def _may_allow_more(lost: Iterable[Claim], allows: Allowance, scope: Scope) -> Iterator[Reason]:
    listed = list(lost)
    for doubtful in allows.doubtful:
        if any(doubtful.may_allow(claim, scope) for claim in listed):
            for reason in doubtful.reasons:
                yield Reason(Code.NARROWER, f"{reason.text}; what it may allow beyond that is not claimed")
