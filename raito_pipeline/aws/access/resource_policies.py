"""Policies of resources (buckets, access points): what each principal that they name may do, as one who and one what.

A policy has a who and a what in each statement, an access provider has one of each. Where principals have different
access, only a who and a what that hold for each other are claimed, and the rest is a reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.bucket_documents import reaching_as
from raito_pipeline.aws.access.control_policies import control_documents
from raito_pipeline.aws.access.limits import GivenBy, limited
from raito_pipeline.aws.access.resource_principals import LeftOutside, ResourcePolicy, given_to
from raito_pipeline.aws.policy import Claim, Document, Scope
from raito_pipeline.aws.policy.deny_reach import is_everybody
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.facts import Facts
from raito_pipeline.aws.policy.principals import Who
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.what import Basis, Claims, after_denies, after_deny, allowed

GrantsToEach = tuple[dict[PrincipalKey, tuple[Claims, list[Reason]]], list[Reason]]
"""what each user and role has, with reasons that are about it alone; and those about the whole policy"""


@dataclass(frozen=True)
class CommonGrant:
    """Principals who all have all of the claims, and why others have something, or these may have less."""

    principals: tuple[PrincipalKey, ...]
    claims: Claims
    reasons: tuple[Reason, ...]


Consent = Callable[[PrincipalKey, Claims], tuple[Claims, list[Reason]]]
"""what a second policy, which has to permit it, too, leaves a principal of claims, and why that may be too little"""


def in_common(grants: GrantsToEach) -> CommonGrant:
    """What a policy gives to each, as one who and one what."""
    left, reasons = grants[0], list(grants[1])
    principals, what = largest_common_grant({principal: has for principal, (has, _) in left.items()})
    for principal in principals:
        reasons += left[principal][1]
    others = sorted(principal[1] for principal, (has, _) in left.items() if has.keys() != what.keys())
    if others:
        different = f"principals have different access; not all of it is claimed: {', '.join(others)}"
        reasons.append(Reason(Code.NARROWER, different))
    return CommonGrant(tuple(principals), what, tuple(reasons))


def granted(
    account: Account,
    document: Document,
    scope: Scope,
    policy: ResourcePolicy,
    *,
    gives: Callable[[str], bool] = lambda _: True,
    consent: Consent | None = None,
) -> GrantsToEach:
    """What the policy of a resource gives to users and roles of the account, within their limits, to each by itself.

    `scope` is what its resources are matched against; `gives` is true for the permissions that such a policy can give.
    Whom no consent leaves anything, for sure, is not among them.
    """
    name = policy.name
    reasons = [Reason(Code.NARROWER, f"{name}: {problem}") for problem in document.problems]
    allows = _allowed(account, document, scope, policy, gives, reasons)
    left: dict[PrincipalKey, tuple[Claims, list[Reason]]] = {}
    for by, given in allows.items():
        claims = given if consent is None else _consented(given, consent, reasons)
        within = {principal: limited(account, each, principal, by, scope) for principal, each in claims.items()}
        limits = {principal: why for principal, (_, why) in within.items()}
        claims = {principal: has for principal, (has, _) in within.items()}
        # Denies come last: they may be about all that consent and limits leave.
        for principal, has in _after_denies(account, document, scope, name, claims, reasons).items():
            before, known = left.get(principal, ({}, []))
            why = limits[principal] if has else [each for each in limits[principal] if each.code is not Code.WIDER]
            left[principal] = (_both(before, has), [*known, *why])
    return left, reasons


def _allowed(
    account: Account,
    document: Document,
    scope: Scope,
    policy: ResourcePolicy,
    gives: Callable[[str], bool],
    reasons: list[Reason],
) -> dict[GivenBy, dict[PrincipalKey, Claims]]:
    """What each principal is allowed by its ARN, and as everybody is: that stays within a boundary, also of a user."""
    claims: dict[GivenBy, dict[PrincipalKey, Claims]] = {GivenBy.RESOURCE: {}, GivenBy.IDENTITY: {}}
    for statement in document.statements:
        if statement.effect != "Allow":
            continue
        label = f"{policy.name}, {statement.label}"
        outside = partial(_left_outside, account, document, scope, policy, statement)
        to = given_to(account, statement, policy, outside)
        named = {GivenBy.RESOURCE: _keys(to.by_arn), GivenBy.IDENTITY: _keys(to.as_everybody)}
        reasons += to.reasons
        if any(reason.code.is_incomplete for reason in to.reasons) and not any(named.values()):
            reasons += [reason.at(label) for reason in allowed(statement, scope)[1]]
        basis = frozenset({(policy.name, statement.label)})
        for by, principals in named.items():
            for principal in principals:
                given, why = allowed(statement, scope.called_by(account.principals.get(principal)))
                reasons += [reason.at(label) for reason in why]
                has = {claim: basis for claim in given if gives(claim.permission)}
                claims[by][principal] = _both(claims[by].get(principal, {}), has)
    return claims


def _left_outside(
    account: Account, document: Document, scope: Scope, policy: ResourcePolicy, statement: Statement, facts: Facts
) -> LeftOutside:
    """What the Denies of the policy and resource control policies leave of an Allow to somebody of another account.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    known = replace(scope.facts, principal=facts.principal, identity=facts.identity, strangers=facts.strangers)
    called = replace(scope, facts=known)
    given, why = allowed(replace(statement, conditions=()), called)
    denies = tuple(each for each in document.statements if _reaches_all_outside(account, each))
    own = (policy.name, replace(document, statements=denies, problems=()))
    documents = [own, *control_documents(account).resources]
    left, doubts = after_denies(dict.fromkeys(given, frozenset()), documents, called)
    if given and not left and not any(reason.code.is_incomplete for reason in why):
        labels = (label for label, each in documents if any(one.effect == "Deny" for one in each.statements))
        return LeftOutside(anything=False, kept_out_by=tuple(labels))
    return LeftOutside(doubts=tuple(reason.text for reason in doubts if reason.code is Code.WIDER))


def _reaches_all_outside(account: Account, statement: Statement) -> bool:
    """True for a Deny of the policy of a resource that is about whoever is not of the account."""
    if statement.effect != "Deny":
        return False
    if statement.not_principals is None:
        return any(map(is_everybody, statement.principals or ()))
    here = account.inputs.account_id
    return all(each.value == here or each.value.startswith(_of(account, here)) for each in statement.not_principals)


def _of(account: Account, account_id: str) -> tuple[str, ...]:
    return tuple(f"arn:{account.options.aws_partition}:{service}::{account_id}:" for service in ("iam", "sts"))


def _keys(who: Who) -> list[PrincipalKey]:
    return [*(("user", user) for user in who.users), *(("role", role) for role in who.roles)]


def _both(one: Claims, other: Claims) -> Claims:
    return {**one, **{claim: one.get(claim, frozenset()) | basis for claim, basis in other.items()}}


def _after_denies(
    account: Account,
    document: Document,
    scope: Scope,
    name: str,
    claims: Mapping[PrincipalKey, Claims],
    reasons: list[Reason],
) -> dict[PrincipalKey, Claims]:
    left = dict(claims)
    for statement in document.statements:
        if statement.effect != "Deny":
            continue
        for principal in left:
            reaching = reaching_as(account, statement, principal)
            if reaching is not None:
                called = scope.called_by(account.principals.get(principal))
                left[principal], why = after_deny(left[principal], reaching, called)
                reasons += [reason.at(f"{name}, {statement.label}") for reason in why]
    return left


def _consented(
    claims: Mapping[PrincipalKey, Claims], consent: Consent, reasons: list[Reason]
) -> dict[PrincipalKey, Claims]:
    consented = {}
    for principal, has in claims.items():
        left, why = consent(principal, has)
        reasons += why
        if left or not has or any(reason.code.is_incomplete for reason in why):
            consented[principal] = left
    return consented


def largest_common_grant(claims: Mapping[PrincipalKey, Claims]) -> tuple[list[PrincipalKey], Claims]:
    """The who and the what with the most pairs such that each of the who has all of the what."""
    candidates = [set(has) for has in claims.values() if has]
    if not candidates:
        return sorted(claims), {}
    best: tuple[list[PrincipalKey], set[Claim]] = ([], set())
    for what in sorted([*candidates, set.intersection(*candidates)], key=sorted):
        who = sorted(principal for principal, has in claims.items() if what <= has.keys())
        if len(who) * len(what) > len(best[0]) * len(best[1]):
            best = (who, set(what))
    return best[0], _with_basis(claims, *best)


def _with_basis(claims: Mapping[PrincipalKey, Claims], who: list[PrincipalKey], what: set[Claim]) -> Claims:
    basis: dict[Claim, Basis] = {}
    for principal in who:
        for claim, origins in claims[principal].items():
            if claim in what:
                basis[claim] = basis.get(claim, frozenset()) | origins
    return basis
