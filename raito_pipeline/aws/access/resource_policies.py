"""Policies of resources (access points): what each principal that they name may do, as one who and one what.

A policy has a who and a what in each statement, an access provider has one of each. Where principals have different
access, only a who and a what that hold for each other are claimed, and the rest is a reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.limits import GivenBy, limited
from raito_pipeline.aws.policy import Claim, Document, Scope
from raito_pipeline.aws.policy.principals import named_by, touched
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.what import Basis, Claims, after_deny, allowed

GrantsToEach = tuple[dict[PrincipalKey, tuple[Claims, list[Reason]]], list[Reason]]
"""what each user and role has, with reasons that are about it alone; and those about the whole policy"""


@dataclass(frozen=True)
class CommonGrant:
    """Principals who all have all of the claims, and why others have something, or these may have less."""

    principals: tuple[PrincipalKey, ...]
    claims: Claims
    reasons: tuple[Reason, ...]


def granted(
    account: Account, document: Document, scope: Scope, name: str, *, gives: Callable[[str], bool]
) -> CommonGrant:
    """What the policy of a resource gives to users and roles of the account, within their limits.

    `name` is what people call the policy, `scope` what its resources are matched against; `gives` is true for the
    permissions that such a policy can give.
    """
    left, reasons = granted_to_each(account, document, scope, name, gives=gives)
    principals, what = largest_common_grant({principal: has for principal, (has, _) in left.items()})
    for principal in principals:
        reasons += left[principal][1]
    others = sorted(principal[1] for principal, (has, _) in left.items() if has.keys() != what.keys())
    if others:
        different = f"principals have different access; not all of it is claimed: {', '.join(others)}"
        reasons.append(Reason(Code.NARROWER, different))
    return CommonGrant(tuple(principals), what, tuple(reasons))


def granted_to_each(
    account: Account, document: Document, scope: Scope, name: str, *, gives: Callable[[str], bool]
) -> GrantsToEach:
    """The same, each user and role by itself, and what cannot be represented of the policy."""
    reasons = [Reason(Code.NARROWER, f"{name}: {problem}") for problem in document.problems]
    allows = _allowed(account, document, scope, name, gives, reasons)
    claims = _after_denies(account, document, scope, name, allows, reasons)
    left = {principal: limited(account, has, principal, GivenBy.RESOURCE, scope) for principal, has in claims.items()}
    return left, reasons


def _allowed(
    account: Account,
    document: Document,
    scope: Scope,
    name: str,
    gives: Callable[[str], bool],
    reasons: list[Reason],
) -> dict[PrincipalKey, Claims]:
    claims: dict[PrincipalKey, Claims] = {}
    for statement in document.statements:
        if statement.effect != "Allow":
            continue
        label = f"{name}, {statement.label}"
        who = named_by(statement, account.directory, label)
        named = (*(("user", user) for user in who.users), *(("role", role) for role in who.roles))
        reasons += who.reasons
        if who.reasons and not named:
            reasons += [reason.at(label) for reason in allowed(statement, scope)[1]]
        basis = frozenset({(name, statement.label)})
        for principal in named:
            given, why = allowed(statement, scope.called_by(account.principals.get(principal)))
            reasons += [reason.at(label) for reason in why]
            has = claims.get(principal, {})
            claims[principal] = {
                **has,
                **{claim: has.get(claim, frozenset()) | basis for claim in given if gives(claim.permission)},
            }
    return claims


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
            if touched(statement, _arn(account, principal), account.inputs.account_id):
                called = scope.called_by(account.principals.get(principal))
                left[principal], why = after_deny(left[principal], statement, called)
                reasons += [reason.at(f"{name}, {statement.label}") for reason in why]
    return left


def _arn(account: Account, principal: PrincipalKey) -> str:
    kind, name = principal
    listed = account.directory.users if kind == "user" else account.directory.roles
    return next(arn for arn, its_name in listed.items() if its_name == name)


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
