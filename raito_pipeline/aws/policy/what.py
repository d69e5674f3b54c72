"""What policy documents of one principal allow: permissions on the account, on buckets and on folders.

Only what the documents give without a condition is claimed. A Deny without a condition takes away whatever it may
touch; where a Deny touches a part only, the whole is taken away, so that the answer is narrower and never wider. All
that is left out, or may be refused, is told in the reasons.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from raito_pipeline.aws.policy.actions import meaning, permissions_of
from raito_pipeline.aws.policy.documents import Document, Statement
from raito_pipeline.aws.policy.permissions import Permission, permission
from raito_pipeline.aws.policy.resources import (
    ACCOUNT,
    BucketResource,
    NoPattern,
    Pattern,
    PermissionTarget,
    contains,
    read_pattern,
    touches,
)
from raito_pipeline.aws.policy.wildcards import Rest

_LIST_BUCKETS = "s3:ListAllMyBuckets"
Labelled = tuple[str, Document]


@dataclass(frozen=True)
class Scope:
    """What resource patterns are held against."""

    partition: str
    places: tuple[BucketResource, ...]
    """buckets that are data objects, by name, or the one bucket of an access point"""
    left_out: tuple[BucketResource, ...] = ()
    """buckets of the account that are no data objects"""
    account_wide: bool = True
    """whether `*` is the account; else the one place is all there is"""
    folder_depth: int | None = None
    """parts of a path that are folders: None = any number, 0 = there are no folders"""

    @cached_property
    def by_bucket(self) -> dict[str, BucketResource]:
        """The places by the name of their bucket."""
        return {place.bucket: place for place in self.places}


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One permission on one target."""

    target: PermissionTarget
    permission: str


@dataclass(frozen=True)
class What:
    """What is claimed, and everything that could not be."""

    claims: frozenset[Claim]
    reasons: tuple[str, ...]

    def by_target(self) -> list[tuple[PermissionTarget, tuple[str, ...]]]:
        """Targets with their permissions, both sorted."""
        found: dict[PermissionTarget, list[str]] = defaultdict(list)
        for claim in sorted(self.claims):
            found[claim.target].append(claim.permission)
        return [(target, tuple(names)) for target, names in found.items()]


def what_of(documents: Iterable[Labelled], scope: Scope, *, denies: Sequence[Labelled] = ()) -> What:
    """What the documents of one principal allow together.

    `documents` come with the label that people know them by. `denies` are documents of which only the Deny statements
    count: those that the same principal has elsewhere.
    """
    reasons: list[str] = []
    claims: set[Claim] = set()
    listed = list(documents)
    for label, document in listed:
        reasons += [f"{label}: {problem}" for problem in document.problems]
        for statement in document.statements:
            if statement.effect == "Allow":
                found, why = allowed(statement, scope)
                claims |= found
                reasons += [f"{label}, {statement.label}: {reason}" for reason in why]
    for label, document in (*listed, *denies):
        for statement in document.statements:
            if statement.effect == "Deny":
                reasons.append(f"{label}, {statement.label}: {_of_deny(statement)}")
                claims = taken_away(claims, statement, scope)
    return What(frozenset(claims), tuple(dict.fromkeys(reasons)))


def _of_deny(statement: Statement) -> str:
    if statement.conditions:
        return f"Deny under a condition ({', '.join(statement.conditions)}): some of the access may be refused"
    return "Deny: what it may touch is not claimed"


# -- Allow ----------------------------------------------------------------------------------------------------------


def allowed(statement: Statement, scope: Scope) -> tuple[set[Claim], list[str]]:
    """What an Allow gives, and what of it could not be represented."""
    reasons: list[str] = []
    names = _permissions(statement, reasons)
    if not names:
        return set(), reasons
    if statement.conditions:
        return set(), [*reasons, f"Condition ({', '.join(statement.conditions)}): it gives access to some calls only"]
    if statement.not_resources is not None:
        return set(), [*reasons, "NotResource: what is left of the account has no name"]
    if statement.resources is None:
        return set(), [*reasons, "it has neither Resource nor NotResource"]
    wanted = [found for name in sorted(names) if (found := permission(name)) is not None]
    claims: set[Claim] = set()
    for text in statement.resources:
        try:
            pattern = read_pattern(text, scope.partition, variables=statement.variables)
        except NoPattern as error:
            reasons.append(str(error))
            continue
        claims |= _given(pattern, wanted, scope, reasons)
    return claims, reasons


def _permissions(statement: Statement, reasons: list[str]) -> frozenset[str]:
    reasons += [why for pattern in statement.actions or () if (why := meaning(pattern).reason) is not None]
    return permissions_of(statement)


def _given(pattern: Pattern, wanted: Sequence[Permission], scope: Scope, reasons: list[str]) -> set[Claim]:
    whole = _whole_account(pattern, wanted) if scope.account_wide else None
    if whole is not None:
        return {Claim(ACCOUNT, name) for name in whole}
    claims: set[Claim] = set()
    found = False
    for place in scope.places:
        rests = pattern.rests(place)
        if pattern.is_place(place):
            found = True
            claims |= {Claim(PermissionTarget(place.bucket), p.name) for p in wanted if p.on_bucket}
        if pattern.everything or rests:
            found = True
            on_objects = [p for p in wanted if p.on_object]
            if on_objects:
                targets = _object_targets(pattern, place, rests, scope, reasons)
                claims |= {Claim(target, p.name) for target in targets for p in on_objects}
    if not found:
        reasons.append(_not_found(pattern, scope))
    return claims


def _whole_account(pattern: Pattern, wanted: Sequence[Permission]) -> list[str] | None:
    """The permissions that a pattern gives on the account; None where it is not about the whole account."""
    if pattern.everything:
        return [p.name for p in wanted]
    if not pattern.plain or pattern.resource is None:
        return None
    if set(pattern.resource) == {"*"}:
        return [p.name for p in wanted if p.on_bucket or p.on_object or p.name == _LIST_BUCKETS]
    return [p.name for p in wanted if p.on_object] if pattern.resource == "*/*" else None


def _object_targets(
    pattern: Pattern, place: BucketResource, rests: Sequence[Rest], scope: Scope, reasons: list[str]
) -> set[PermissionTarget]:
    if pattern.everything or any(rest.anything for rest in rests):
        return {PermissionTarget(place.bucket)}
    targets: set[PermissionTarget] = set()
    for rest in rests:
        path = rest.before_anything
        if rest.tokens and (path is None or not path.endswith("/") or path == "/"):
            reasons.append(f"resource {pattern.text} is some objects of bucket {place.bucket}, not a whole folder")
        elif path is not None:
            if scope.folder_depth is not None and path.count("/") > scope.folder_depth:
                reasons.append(
                    f"resource {pattern.text} is a folder that is no data object (folder depth or flat mode)"
                )
            else:
                targets.add(PermissionTarget(place.bucket, path[:-1]))
    return targets


def _not_found(pattern: Pattern, scope: Scope) -> str:
    if not scope.account_wide:
        return f"resource {pattern.text} is neither the access point nor objects behind it"
    if not pattern.plain:
        return f"resource {pattern.text} is no bucket and no object (an access point, a job or the like)"
    if any(pattern.may_be_place(place) or pattern.may_be_below(place, "") for place in scope.left_out):
        return f"resource {pattern.text} is of a bucket that raito.yml leaves out"
    return f"resource {pattern.text} matches no bucket of the account"


# -- Deny -----------------------------------------------------------------------------------------------------------


def taken_away(claims: set[Claim], statement: Statement, scope: Scope) -> set[Claim]:
    """What is left of claims after a Deny; one with a condition takes nothing away."""
    if statement.conditions:
        return claims
    names = permissions_of(statement)
    patterns, inverse = _deny_patterns(statement, scope)
    left: set[Claim] = set()
    for claim in claims:
        found = permission(claim.permission)
        if claim.permission not in names or found is None:
            left.add(claim)
        else:
            left |= _left(claim, found, patterns, inverse, scope)
    return left


def _deny_patterns(statement: Statement, scope: Scope) -> tuple[list[Pattern], bool]:
    """The patterns of a Deny, and whether it is about everything but them (`NotResource`)."""
    inverse = statement.not_resources is not None
    patterns = []
    for text in statement.not_resources if statement.not_resources is not None else statement.resources or ("*",):
        try:
            patterns.append(read_pattern(text, scope.partition, variables=statement.variables))
        except NoPattern:
            continue
    return patterns, inverse


def _left(claim: Claim, found: Permission, patterns: list[Pattern], inverse: bool, scope: Scope) -> set[Claim]:
    if claim.target != ACCOUNT:
        place = scope.by_bucket[claim.target.bucket]
        return set() if _denied(found, place, claim.target.path, patterns, inverse) else {claim}
    if not found.on_bucket and not found.on_object:
        return (
            set()
            if inverse or any(p.everything or not p.plain or "*" in (p.resource or "") for p in patterns)
            else {claim}
        )
    kept = [place for place in scope.places if not _denied(found, place, "", patterns, inverse)]
    others = [place for place in scope.left_out if _denied(found, place, "", patterns, inverse)]
    if len(kept) == len(scope.places) and not others and (kept or not inverse):
        return {claim}
    return {Claim(PermissionTarget(place.bucket), claim.permission) for place in kept}


def _denied(found: Permission, place: BucketResource, path: str, patterns: list[Pattern], inverse: bool) -> bool:
    if inverse:
        return not contains(patterns, place, path, found)
    return any(touches(pattern, place, path, found) for pattern in patterns)
