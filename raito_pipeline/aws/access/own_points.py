"""What policies of users, groups and roles give by the ARN of an access point: access to its bucket through it alone.

Such a policy is one of two consents. The other one is of the bucket, which leaves it to its access points or permits it
to whoever calls (`bucket_consent.py`); Denies of either, boundaries and control policies count as for
any call.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.bucket_consent import consented
from raito_pipeline.aws.access.bucket_documents import reaching_as
from raito_pipeline.aws.access.limits import limited
from raito_pipeline.aws.access.points import gives_through_points, network_of, scope_of_point
from raito_pipeline.aws.policy import Scope, Statement, read_document
from raito_pipeline.aws.policy.claims import points_named
from raito_pipeline.aws.policy.conditions import asks_who_calls
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import BucketResource, NoPattern, read_pattern
from raito_pipeline.aws.policy.what import Claim, Claims, Labelled, add_claim, after_deny, allowed
from raito_pipeline.model import AccessPoint


@dataclass(frozen=True, slots=True)
class OnPoint:
    """A resource of an Allow that is about an access point of the account."""

    label: str
    """of the document"""
    statement: Statement
    """with that resource alone"""
    text: str
    point: AccessPoint

    @property
    def place(self) -> str:
        """The document and the statement."""
        return f"{self.label}, {self.statement.label}"

    @property
    def is_whole(self) -> bool:
        """True where the resource names this access point and no other one may match it."""
        return self.text == self.point.arn or self.text.startswith(f"{self.point.arn}/")


@dataclass(frozen=True)
class ThroughPoints:
    """What documents give all of their holders through access points."""

    claims: Claims
    settled: frozenset[str]
    """the resources of which nothing else is to be said"""
    notes: tuple[tuple[Reason, frozenset[Claim]], ...]
    """what is said of each, and the claims that it is about"""

    def beside(self, claims: Claims, *, for_all: bool) -> tuple[Claims, tuple[Reason, ...]]:
        """Claims and what they give through access points, with what is said of that.

        `for_all`: the claims are of all whom these documents were read for; else a reason stands for what they give.
        """
        more = {claim: basis for claim, basis in self.claims.items() if not claim.is_among(claims)}
        notes = tuple(note for note, about in self.notes if not about or not about.isdisjoint(more))
        if more and not for_all:
            return claims, tuple(
                Reason(Code.NARROWER, f"{note.text}, also to those who are left out") for note in notes
            )
        return {**claims, **more}, notes


_MOST = 5_000
"""so many answers are worked out of what one policy gives through access points: for each, of each who has it"""
_NOTHING = ThroughPoints({}, frozenset(), ())


def through_points(account: Account, documents: Sequence[Labelled], holders: Sequence[PrincipalKey]) -> ThroughPoints:
    """What documents give through access points to those who have them, and to every member of a group among these.

    Claimed is what all of them have for sure. Where that is not the same for all, nothing is, and the resource is a
    reason as any other that has no name.
    """
    named = tuple(on_points(account, documents))
    if not named or not holders:
        return _NOTHING
    groups = (name for kind, name in holders if kind == "group")
    members = (("user", user) for group in groups for user in account.members.get(group, ()))
    whom = tuple(dict.fromkeys((*holders, *members)))
    if len(named) * len(whom) > _MOST:
        return _NOTHING
    claims: dict[Claim, frozenset[tuple[str, str]]] = {}
    settled, notes = {each.text for each in named}, dict[tuple[Reason, frozenset[Claim]], None]()
    for each in named:
        answers = [given_on_point(account, each, principal) for principal in whom]
        has = answers[0][0]
        codes = {reason.code for _, why in answers for reason in why}
        if Code.WIDER in codes or any(left.keys() != has.keys() for left, _ in answers):
            settled.discard(each.text)
            continue
        for claim, basis in has.items():
            add_claim(claims, claim, basis)
        exact = each.is_whole and not any(code.is_incomplete for code in codes)
        if not exact:
            settled.discard(each.text)
        if has or exact:
            notes[_note(each, has), frozenset(has)] = None
    return ThroughPoints(claims, frozenset(settled), tuple(notes))


def _note(each: OnPoint, has: Claims) -> Reason:
    if has:
        return Reason(Code.NOTE, f"{each.place}: it gives access to calls through access point {each.point.arn} alone")
    nothing = f"it gives nothing through access point {each.point.arn}, as the bucket does not permit it"
    return Reason(Code.NOTE, f"{each.place}: {nothing}, or something denies it")


def on_points(account: Account, documents: Iterable[Labelled]) -> Iterator[OnPoint]:
    """The resources of Allows that may be about an access point whose bucket is a data object."""
    points = account.once(_points)
    for label, document in documents if points else ():
        for statement in document.statements:
            for text in points_named(statement):
                for point in points:
                    if _may_be_about(account, text, statement, point):
                        yield OnPoint(label, replace(statement, resources=(text,)), text, point)


def _may_be_about(account: Account, text: str, statement: Statement, point: AccessPoint) -> bool:
    try:
        pattern = read_pattern(text, account.options.aws_partition, variables=statement.variables)
    except NoPattern:
        return False
    place = BucketResource.of_access_point(point.arn, point.bucket)
    return pattern.may_be_place(place) or pattern.may_be_below(place, "")


def _points(account: Account) -> tuple[AccessPoint, ...]:
    return tuple(point for point in account.inputs.access_points if point.bucket in account.regions)


def given_on_point(account: Account, each: OnPoint, principal: PrincipalKey) -> tuple[Claims, list[Reason]]:
    """What a resource gives a user, role, or member of a group through an access point, and why that is not exact."""
    scope = scope_for(account, each.point, principal)
    given, why = allowed(each.statement, scope)
    basis = frozenset({(each.label, each.statement.label)})
    claims: Claims = {claim: basis for claim in given if gives_through_points(claim.permission)}
    left, doubts = left_through_point(account, each.point, principal, claims)
    return left, [*why, *doubts]


def depends_on_who(account: Account, principal: PrincipalKey) -> bool:
    """True where policies of buckets or access points may say of a user or role what they do not say of others."""
    texts, asks = account.once(_policies_of_resources)
    return asks or any(f"/{principal[1]}" in text for text in texts)


def _policies_of_resources(account: Account) -> tuple[tuple[str, ...], bool]:
    """The policies of buckets and access points, and whether one of them asks by other means than names who calls."""
    texts = [row.policy for row in account.inputs.bucket_policies if row.policy is not None]
    texts += [point.policy for point in account.inputs.access_points if point.policy is not None]
    statements = (statement for text in texts for statement in read_document(text).statements)
    return tuple(texts), any(map(asks_who_calls, statements))


def scope_for(account: Account, point: AccessPoint, principal: PrincipalKey) -> Scope:
    """The scope of an access point where one user, role or member of a group calls through it."""
    facts = account.scope_of(principal).facts.through(point.arn, point.network_origin)
    return replace(scope_of_point(account, point), facts=facts)


def left_through_point(
    account: Account, point: AccessPoint, principal: PrincipalKey, claims: Claims
) -> tuple[Claims, list[Reason]]:
    """What of claims by the ARN of an access point the bucket permits and nothing denies, and why that is not exact."""
    if not claims:
        return claims, []
    scope = scope_for(account, point, principal)
    left, reasons = consented(account, point, principal, claims)
    left, limits = limited(account, left, principal, scope=scope)
    document = read_document(point.policy) if point.policy is not None else None
    reasons += limits
    for statement in document.statements if document is not None else ():
        denies = reaching_as(account, statement, principal) if statement.effect == "Deny" else None
        if denies is not None:
            left, why = after_deny(left, denies, scope)
            reasons += [reason.at(f"policy of access point {point.name}, {statement.label}") for reason in why]
    if left:
        problems = document.problems if document is not None else ()
        unread = f"policy of access point {point.name}: {{}}: it may deny something"
        reasons += [*network_of(point), *(Reason(Code.WIDER, unread.format(problem)) for problem in problems)]
    return left, reasons
