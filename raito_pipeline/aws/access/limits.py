"""What limits a user, group or role beside the policy that gives it something: Denies and ceilings.

An access provider is one policy; what its principals really have of it depends on documents elsewhere. Each kind of
them is a source in `SOURCES`, and nothing is claimed for a principal before `limited` took all of them into account.

A Deny without a condition takes away, one with a condition is a reason (`wider`). A ceiling leaves what it allows for
sure; the rest of what it may allow is a reason (`narrower`). A document that was not read, or that cannot be read, may
deny anything: a reason (`wider`) of whatever is left.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from raito_pipeline.aws.access.account import Account, PrincipalKey, has_deny
from raito_pipeline.aws.access.bucket_documents import OnBuckets, about_bucket, denies_reaching, doubts
from raito_pipeline.aws.access.ceilings import Allowance, Ceiling, allowance, is_personal, within
from raito_pipeline.aws.access.control_policies import NO_DOCUMENTS, ControlDocuments, service_controls
from raito_pipeline.aws.policy import Claim, Document, Scope
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.one_request import names_action
from raito_pipeline.aws.policy.principals import ASSUME_ROLE
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import ACCOUNT, PermissionTarget
from raito_pipeline.aws.policy.services import asks_for_services
from raito_pipeline.aws.policy.what import Claims, Labelled, after_denies


@dataclass(frozen=True)
class PrincipalLimits:
    """What a principal is limited by."""

    denies: tuple[Labelled, ...] = ()
    """documents whose Deny statements all apply to it"""
    ceilings: tuple[Ceiling, ...] = ()
    """each allows at most what one of its documents allows"""
    reasons: tuple[Reason, ...] = ()
    """limits that are known to be there, while what they leave is not: each may be less than what is claimed"""
    on_buckets: tuple[OnBuckets, ...] = ()
    """the same of whatever is claimed on some buckets"""

    def __or__(self, other: "PrincipalLimits") -> "PrincipalLimits":
        return PrincipalLimits(
            (*self.denies, *other.denies),
            (*self.ceilings, *other.ceilings),
            (*self.reasons, *other.reasons),
            (*self.on_buckets, *other.on_buckets),
        )

    @cached_property
    def s3_denies(self) -> tuple[Labelled, ...]:
        """Those of the documents with a Deny of S3."""
        return tuple(each for each in self.denies if _denies_s3(each[1]))

    @cached_property
    def key(self) -> tuple[object, ...]:
        """The same for principals with the same limits. Documents are compared by identity: each is read once."""
        denies = frozenset((label, id(document)) for label, document in self.s3_denies)
        return denies, frozenset(map(id, self.ceilings)), self.reasons, self.on_buckets

    @cached_property
    def personal(self) -> bool:
        """True where what they leave may depend on who the principal is: they have conditions or policy variables."""
        return any(map(is_personal, self.s3_denies)) or any(each.personal for each in self.ceilings)

    @cached_property
    def ask_for_services(self) -> bool:
        """True where one of them asks whether a service makes a call."""
        documents = [document for _, document in self.s3_denies]
        documents += [document for each in self.ceilings for _, document in each.documents]
        return any(asks_for_services(statement) for document in documents for statement in document.statements)


NOTHING = PrincipalLimits()


def _denies_s3(document: Document) -> bool:
    return any(statement.effect == "Deny" and permissions_of(statement) for statement in document.statements)


class GivenBy(Enum):
    """Which kind of policy gives access: some limits do not reach all of them."""

    IDENTITY = "a policy of the principal"
    RESOURCE = "the policy of a resource, which names the principal by its ARN"


Source = Callable[[Account, PrincipalKey], PrincipalLimits]


def own_denies(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """The Denies of its other policies, and for a user those of its groups."""
    keys = account.identities(principal)
    return PrincipalLimits(
        tuple(document for key in keys for document in account.denying.get(key, ())),
        reasons=tuple(reason for key in keys for reason in account.may_deny.get(key, ())),
    )


def boundary(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """Its permissions boundary. One whose document was not read takes nothing away and is a reason."""
    arn = account.boundaries.get(principal)
    if arn is None:
        return NOTHING
    if arn not in account.documents:
        kind, name = principal
        unread = f"{kind} {name} has a permissions boundary that was not read, which may allow less"
        return PrincipalLimits(reasons=(Reason(Code.WIDER, unread),))
    return account.once(_of_boundary, arn)


def _of_boundary(account: Account, arn: str) -> PrincipalLimits:
    label, document = account.documents[arn]
    labelled = (f"permissions boundary, {label}", document)
    return PrincipalLimits(
        (labelled,) if has_deny(document) else (),
        (Ceiling((labelled,), binds_named_users=False),),
        (*unreadable(labelled), *account.outdated.get(arn, ())),
    )


def organization(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """Service control policies, and the resource control policies that apply to the buckets of the account."""
    controls = service_controls(account, principal)
    return NOTHING if controls is NO_DOCUMENTS else account.once(_of_controls, controls)


def _of_controls(account: Account, controls: ControlDocuments) -> PrincipalLimits:  # noqa: ARG001 - worked out once
    documents = (*controls.services, *controls.resources)
    return PrincipalLimits(
        tuple(_denies_of(one) for one in documents if has_deny(one[1])),
        tuple(Ceiling(level, binds_named_users=True) for level in controls.levels),
        tuple(reason for one in documents for reason in unreadable(one)),
    )


def _denies_of(labelled: Labelled) -> Labelled:
    """A document with those Denies alone that matter: what others have conditions on would count for each principal."""
    label, document = labelled
    denies = (each for each in document.statements if each.effect == "Deny")
    matter = tuple(each for each in denies if permissions_of(each) or names_action(each, ASSUME_ROLE))
    return label, replace(document, statements=matter)


def unreadable(labelled: Labelled) -> Iterable[Reason]:
    """What of a document cannot be read, and may deny something."""
    label, document = labelled
    return (Reason(Code.WIDER, f"{label}: {problem}: it may deny something") for problem in document.problems)


def unread_iam(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """Where an option leaves out all of IAM, nothing is known of what its policies deny."""
    if account.options.imports_iam_access:
        return NOTHING
    kind, name = principal
    unread = f"the policies of {kind} {name} were not read (aws-access-skip-iam): they may deny something"
    return PrincipalLimits(reasons=(Reason(Code.WIDER, unread),))


def bucket_policies(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """The Denies of bucket policies that reach it, and the policies of buckets that are not known."""
    return PrincipalLimits(denies_reaching(account, principal), on_buckets=doubts(account))


SOURCES: tuple[Source, ...] = (own_denies, boundary, organization, unread_iam, bucket_policies)


def limits_of(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    """Everything that limits a user, group or role."""
    return account.once(_all_limits, principal)


def _all_limits(account: Account, principal: PrincipalKey) -> PrincipalLimits:
    limits = NOTHING
    for source in SOURCES:
        limits |= source(account, principal)
    return limits


def may_call_through_services(account: Account, principals: Iterable[PrincipalKey]) -> bool:
    """True where nothing that limits users, groups (with their members) or roles asks for services that call for them.

    Access through a service is claimed then alone: what such a limit leaves of it would take a look at each service.
    """
    listed = list(principals)
    members = (("user", user) for kind, name in listed if kind == "group" for user in account.members.get(name, ()))
    return not any(limits_of(account, each).ask_for_services for each in (*listed, *members))


def limited(
    account: Account,
    claims: Claims,
    principal: PrincipalKey,
    by: GivenBy = GivenBy.IDENTITY,
    scope: Scope | None = None,
) -> tuple[Claims, list[Reason]]:
    """What its limits leave a principal of claims, and why that is not exactly what it has.

    `by` is the kind of policy that gives the claims: what the policy of a resource gives to a user by its ARN is not
    limited by what a boundary merely does not allow. `scope` is what the claims were matched against, where that is
    not the account.
    """
    limits = limits_of(account, principal)
    if not claims or limits == NOTHING:
        return claims, []
    own, other = account.scope_of(principal), scope and scope.called_by(account.principals.get(principal))
    denies = limits.s3_denies
    if other is not None:
        own = replace(own, facts=other.facts)
        if len(other.places) == 1:
            bucket = other.places[0].bucket
            own, denies = own.of_bucket(bucket), about_bucket(denies, bucket)
    scopes = [own] if other is None else [own, other]
    reasons: list[Reason] = []
    for each in scopes:
        for ceiling in limits.ceilings:
            if ceiling.binds_named_users or by is GivenBy.IDENTITY or principal[0] != "user":
                allows = allowance(ceiling, each) if each is other else account.once(_allows, ceiling, principal)
                claims, why = within(claims, allows, each)
                reasons += why
    # What ceilings leave of a bucket may be what a Deny is about altogether.
    for each in scopes:
        claims, why = after_denies(claims, denies, each)
        reasons += why
    reasons += [*limits.reasons, *_on_buckets(limits, claims)]
    return claims, reasons if claims else [reason for reason in reasons if reason.code is not Code.WIDER]


def _on_buckets(limits: PrincipalLimits, claims: Claims) -> Iterator[Reason]:
    for each in limits.on_buckets:
        if any(claim.target == ACCOUNT or claim.target.bucket in each.buckets for claim in claims):
            yield each.reason


def _allows(account: Account, ceiling: Ceiling, principal: PrincipalKey) -> Allowance:
    """What a ceiling allows a principal: worked out once for everybody where it is the same."""
    if ceiling.personal:
        return allowance(ceiling, account.scope_of(principal))
    return account.once(_allows_everybody, ceiling)


def _allows_everybody(account: Account, ceiling: Ceiling) -> Allowance:
    return allowance(ceiling, account.scope)


@dataclass
class _SharedClaims:
    """Claims that several principals have by one policy; what is left of them is worked out once a set of limits."""

    account: Account
    claims: Claims
    by_limits: dict[tuple[object, ...], tuple[Claims, list[Reason]]] = field(default_factory=dict)

    def left(self, principal: PrincipalKey) -> tuple[Claims, list[Reason]]:
        """As `limited`."""
        limits = limits_of(self.account, principal)
        key = (limits.key, principal if limits.personal else None)
        if key not in self.by_limits:
            self.by_limits[key] = limited(self.account, self.claims, principal)
        return self.by_limits[key]


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
    given = _SharedClaims(account, claims)
    left = {principal: _of_some_member(given, principal) for principal in principals}
    kept = _what_to_keep(claims, [has for has, _ in left.values()])
    narrowed = Narrowed(kept)
    remaining = given if kept is claims else _SharedClaims(account, kept)
    for principal, (has, reasons) in left.items():
        if kept.keys() <= has.keys():
            narrowed.principals.add(principal)
            narrowed.reasons += reasons
            if principal[0] == "group":
                narrowed.reasons += _of_members(remaining, principal)
        # Who has nothing left for sure is not missing.
        if kept.keys() != has.keys() and (has or reasons):
            narrowed.reasons.append(_left_out(account, principal, kept, has))
    return narrowed


def _of_some_member(given: _SharedClaims, principal: PrincipalKey) -> tuple[Claims, list[Reason]]:
    """What is left to a principal; of what is left to a group that has members, what one of them can use at all."""
    has, reasons = given.left(principal)
    members = given.account.members.get(principal[1], ()) if principal[0] == "group" else ()
    if not members or not has:
        return has, reasons
    of_members = [given.left(("user", user))[0] for user in members]
    unsure = [claim for claim in has if not any(claim in of_one for of_one in of_members)]
    if not unsure:
        return has, reasons
    targets: dict[str, set[PermissionTarget]] = defaultdict(set)
    for claim in (claim for of_one in of_members for claim in of_one):
        targets[claim.permission].add(claim.target)
    lost = {claim for claim in unsure if not any(map(claim.target.meets, targets[claim.permission]))}
    if not lost:
        return has, reasons
    left = {claim: basis for claim, basis in has.items() if claim not in lost}
    nobody = (
        f"group {principal[1]}: what its policies give and no member of it has now, by other policies, is not claimed"
    )
    kept = reasons if left else [reason for reason in reasons if reason.code is not Code.WIDER]
    return left, [*kept, Reason(Code.NARROWER, nobody)]


def _left_out(account: Account, principal: PrincipalKey, kept: Claims, has: Claims) -> Reason:
    who = f"{principal[0]} {principal[1]}"
    if kept.keys() <= has.keys():
        return Reason(Code.NARROWER, f"{who} has more of it than the others, whose other policies leave them less")
    why = _why_less(limits_of(account, principal))
    return Reason(Code.NARROWER, f"{who} is left out: {why}")


def _why_less(limits: PrincipalLimits) -> str:
    if not limits.ceilings:
        return "another policy has a Deny"
    ceiling = "a permissions boundary or control policy allows less"
    return f"another policy has a Deny, or {ceiling}" if limits.s3_denies else ceiling


def _what_to_keep(claims: Claims, left: list[Claims]) -> Claims:
    """All claims where somebody has them all; else what everybody has; else the most that somebody has."""
    if any(has.keys() == claims.keys() for has in left):
        return claims
    common = set.intersection(*(set(has) for has in left))
    return _among(left[0], common) if common else max(left, key=lambda has: (len(has), sorted(has)))


def _among(claims: Claims, wanted: Iterable[Claim]) -> Claims:
    return {claim: claims[claim] for claim in wanted}


def _of_members(given: _SharedClaims, group: PrincipalKey) -> Iterator[Reason]:
    """Why members of a group have less of the claims than the group, which stays what it is: one line for each."""
    known = frozenset(given.left(group)[1])
    less: dict[str, list[str]] = defaultdict(list)
    for user in given.account.members.get(group[1], ()):
        principal = ("user", user)
        has, reasons = given.left(principal)
        if has.keys() != given.claims.keys():
            less[_why_less(limits_of(given.account, principal))].append(user)
        for reason in reasons:
            if reason.code is Code.WIDER and reason not in known:
                less[reason.text].append(user)
    for why, users in less.items():
        text = f"group {group[1]} has members who have or may have less of it ({', '.join(users)}): {why}"
        yield Reason(Code.WIDER, text)
