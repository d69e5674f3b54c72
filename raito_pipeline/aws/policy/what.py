"""What policy documents of one principal allow: permissions on the account, on buckets and on folders.

Only what the documents give without a condition is claimed. A Deny without a condition takes away whatever it may
touch; where a Deny touches a part only, the whole is taken away, so that the answer is narrower and never wider. All
that is left out, or may be refused, is told in the reasons.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from raito_pipeline.aws.policy.actions import meaning, permissions_of
from raito_pipeline.aws.policy.conditions import Bearing, Judged, judge
from raito_pipeline.aws.policy.documents import Document, Statement
from raito_pipeline.aws.policy.facts import UNKNOWN, Facts, PrincipalFacts
from raito_pipeline.aws.policy.permissions import Permission, permission
from raito_pipeline.aws.policy.reasons import Code, Reason
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
"""a document under the label that people know it by"""
Basis = frozenset[tuple[str, str]]
"""what a claim rests on: the labels of documents, each with the label of a statement of it"""


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
    facts: Facts = UNKNOWN
    """what is known of the calls that conditions and policy variables are about"""

    def called_by(self, principal: PrincipalFacts | None) -> "Scope":
        """The same where one user or role calls."""
        return replace(self, facts=replace(self.facts, principal=principal))

    @cached_property
    def by_bucket(self) -> dict[str, BucketResource]:
        """The places by the name of their bucket."""
        return {place.bucket: place for place in self.places}


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One permission on one target."""

    target: PermissionTarget
    permission: str


Claims = Mapping[Claim, Basis]
"""claims, each with its basis"""


@dataclass(frozen=True)
class What:
    """What is claimed, on what basis, and everything that could not be."""

    claims: Claims
    reasons: tuple[Reason, ...]


def by_target(claims: Iterable[Claim]) -> list[tuple[PermissionTarget, tuple[str, ...]]]:
    """Targets with their permissions, both sorted."""
    permissions: dict[PermissionTarget, list[str]] = defaultdict(list)
    for claim in sorted(claims):
        permissions[claim.target].append(claim.permission)
    return [(target, tuple(names)) for target, names in permissions.items()]


def what_of(documents: Iterable[Labelled], scope: Scope, *, denies: Sequence[Labelled] = ()) -> What:
    """What the documents of one principal allow together.

    `documents` come with the label that people know them by. `denies` are documents of which only the Deny statements
    count: those that the same principal has elsewhere.
    """
    reasons: list[Reason] = []
    claims: dict[Claim, Basis] = {}
    listed = list(documents)
    for label, document in listed:
        reasons += [Reason(Code.NARROWER, f"{label}: {problem}") for problem in document.problems]
        for statement in document.statements:
            if statement.effect == "Allow":
                given, why = allowed(statement, scope)
                basis = frozenset({(label, statement.label)})
                for claim in given:
                    claims[claim] = claims.get(claim, frozenset()) | basis
                reasons += [reason.at(f"{label}, {statement.label}") for reason in why]
    left, denied = after_denies(claims, [*listed, *denies], scope)
    return What(left, tuple(dict.fromkeys((*reasons, *denied))))


def after_denies(claims: Claims, documents: Iterable[Labelled], scope: Scope) -> tuple[Claims, list[Reason]]:
    """What the Deny statements of documents leave of claims, and what they may refuse beyond that."""
    reasons = []
    for label, document in documents:
        for statement in document.statements:
            if statement.effect == "Deny":
                claims, why = after_deny(claims, statement, scope)
                reasons += [reason.at(f"{label}, {statement.label}") for reason in why]
    return claims, reasons


def _pattern(text: str, statement: Statement, scope: Scope) -> Pattern:
    """A resource of a statement, with the policy variables that are known. Raises `NoPattern`."""
    known = scope.facts.substituted(text) if statement.variables else text
    return read_pattern(known, scope.partition, variables=statement.variables)


# -- Allow ----------------------------------------------------------------------------------------------------------


def allowed(statement: Statement, scope: Scope) -> tuple[set[Claim], list[Reason]]:
    """What an Allow gives, and what of it could not be represented."""
    reasons: list[Reason] = []
    names = _permissions(statement, reasons)
    if not names:
        return set(), reasons
    judged = judge(statement, scope.facts)
    if judged.bearing is Bearing.NEVER:
        return set(), []
    if judged.bearing is Bearing.USUALLY:
        only = f"Condition ({judged.texts}): it gives access to calls that are made so, as they usually are"
        reasons.append(Reason(Code.NOTE, only))
    elif judged.bearing is not Bearing.ALWAYS:
        return set(), [*reasons, _to_some_calls(judged)]
    if statement.not_resources is not None:
        return set(), [*reasons, Reason(Code.NARROWER, "NotResource: what is left of the account has no name")]
    if statement.resources is None:
        return set(), [*reasons, Reason(Code.NARROWER, "it has neither Resource nor NotResource")]
    wanted = [found for name in sorted(names) if (found := permission(name)) is not None]
    claims: set[Claim] = set()
    for text in statement.resources:
        try:
            pattern = _pattern(text, statement, scope)
        except NoPattern as error:
            reasons.append(error.reason)
            continue
        claims |= _given(pattern, wanted, scope, reasons)
    return claims, reasons


def _to_some_calls(judged: Judged) -> Reason:
    if judged.bearing is Bearing.RARELY:
        unusual = f"Condition ({judged.texts}): it gives access only to calls that are made so, as they seldom are"
        return Reason(Code.NARROWER, unusual)
    return Reason(Code.NARROWER, f"Condition ({judged.labels}): it gives access to some calls only")


def _permissions(statement: Statement, reasons: list[Reason]) -> frozenset[str]:
    reasons += [why for pattern in statement.actions or () if (why := meaning(pattern).reason) is not None]
    return permissions_of(statement)


def _given(pattern: Pattern, wanted: Sequence[Permission], scope: Scope, reasons: list[Reason]) -> set[Claim]:
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
        reasons.append(Reason(Code.NARROWER, _not_found(pattern, scope)))
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
    pattern: Pattern, place: BucketResource, rests: Sequence[Rest], scope: Scope, reasons: list[Reason]
) -> set[PermissionTarget]:
    if pattern.everything or any(rest.anything for rest in rests):
        return {PermissionTarget(place.bucket)}
    targets: set[PermissionTarget] = set()
    for rest in rests:
        path = rest.before_anything
        if rest.tokens and (path is None or not path.endswith("/") or path == "/"):
            some = f"resource {pattern.text} is some objects of bucket {place.bucket}, not a whole folder"
            reasons.append(Reason(Code.NARROWER, some))
        elif path is not None:
            if scope.folder_depth is not None and path.count("/") > scope.folder_depth:
                unknown = f"resource {pattern.text} is a folder that is no data object (folder depth or flat mode)"
                reasons.append(Reason(Code.NARROWER, unknown))
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


def after_deny(claims: Claims, statement: Statement, scope: Scope) -> tuple[Claims, list[Reason]]:
    """What a Deny leaves of claims, and why that may still be more than is given: it takes nothing with a condition."""
    judged = judge(statement, scope.facts)
    if judged.bearing is Bearing.NEVER:
        return claims, []
    names = permissions_of(statement)
    patterns, inverse = _deny_patterns(statement, scope)
    left: dict[Claim, Basis] = {}
    for claim, basis in claims.items():
        found = permission(claim.permission)
        if claim.permission not in names or found is None:
            left[claim] = basis
        else:
            for rest in _left(claim, found, patterns, inverse, scope):
                left[rest] = left.get(rest, frozenset()) | basis
    if left.keys() == claims.keys():
        return claims, []
    if judged.bearing is Bearing.ALWAYS:
        return left, [Reason(Code.NARROWER, "Deny: what it may touch is not claimed")]
    if judged.bearing is Bearing.RARELY:
        return claims, [Reason(Code.NOTE, f"Deny of calls with {judged.texts}: calls have to be made otherwise")]
    refused = f"Deny under a condition ({judged.labels}): some of the access may be refused"
    return claims, [Reason(Code.WIDER, refused)]


def _deny_patterns(statement: Statement, scope: Scope) -> tuple[list[Pattern], bool]:
    """The patterns of a Deny, and whether it is about everything but them (`NotResource`)."""
    inverse = statement.not_resources is not None
    patterns = []
    for text in statement.not_resources if statement.not_resources is not None else statement.resources or ("*",):
        try:
            patterns.append(_pattern(text, statement, scope))
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
