"""How AWS decides whether a call is allowed: identity policies, their limits, and the policy of the resource.

Pure: documents and a question in, an answer out. It shares nothing with the product's own reading of policies, so that
each can be tried on the other.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from raito_pipeline.sandbox.aws.policy_conditions import Context, conditions_hold, matches

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """May this caller do this? `principals` are all ARNs by which a policy can name the caller.

    `context` has the condition keys of the call, in lower case.
    """

    principals: frozenset[str]
    account: str
    action: str
    resource: str
    context: Context


class PolicyVerdict(Enum):
    """What one policy says. ACCOUNT: it allows the caller's account, which has to allow the caller."""

    NOTHING = 0
    ACCOUNT = 1
    ALLOW = 2
    DENY = 3


@dataclass(frozen=True)
class CallerPolicies:
    """The policies of a caller; each of `limits` (a boundary, a session policy) has to allow what they allow.

    Each of `controls` (the service control policies of one level) has to allow whatever is allowed, by whichever
    policy.
    """

    policies: Sequence[Document]
    limits: Sequence[Sequence[Document]] = ()
    controls: Sequence[Sequence[Document]] = ()


@lru_cache(maxsize=4_096)
def read_document(text: str) -> Document:
    """A policy document; one that cannot be read says nothing."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def is_allowed(
    question: Question, identity: CallerPolicies, of_resource: Document | None, owner: str, *, is_trust: bool = False
) -> bool:
    """Whether the call is allowed; `of_resource` is the policy of the resource, which the account `owner` has.

    In one account one side is enough, across accounts both have to allow. A trust policy (`is_trust`) always has to
    allow; the caller's own policies only where it names the account. A denial anywhere denies.
    """
    own = verdict_of(identity.policies, question)
    limits = [verdict_of(limit, question) for limit in identity.limits]
    if any(verdict_of(level, question) is not PolicyVerdict.ALLOW for level in identity.controls):
        return False
    by_resource = (
        PolicyVerdict.NOTHING if of_resource is None else _verdict(of_resource, question, names_principals=True)
    )
    if PolicyVerdict.DENY in (own, by_resource, *limits):
        return False
    by_identity = own is PolicyVerdict.ALLOW and all(limit is PolicyVerdict.ALLOW for limit in limits)
    if is_trust and by_resource is PolicyVerdict.NOTHING:
        return False
    if owner == question.account:
        return by_identity or by_resource is PolicyVerdict.ALLOW
    return by_identity and by_resource is not PolicyVerdict.NOTHING


def verdict_of(policies: Sequence[Document], question: Question) -> PolicyVerdict:
    """What identity policies say together."""
    verdicts = [_verdict(policy, question, names_principals=False) for policy in policies]
    return max(verdicts, key=lambda verdict: verdict.value, default=PolicyVerdict.NOTHING)


def is_denied_by(policies: Sequence[Document], question: Question) -> bool:
    """Whether one of the policies of a resource (or of all resources of an account) denies it."""
    return any(_verdict(policy, question, names_principals=True) is PolicyVerdict.DENY for policy in policies)


def _verdict(document: Document, question: Question, *, names_principals: bool) -> PolicyVerdict:
    so_far = PolicyVerdict.NOTHING
    for statement in _listed(document.get("Statement")):
        who = _who(statement, question) if names_principals else PolicyVerdict.ALLOW
        if who is PolicyVerdict.NOTHING or not _concerns(statement, question):
            continue
        one = PolicyVerdict.DENY if statement.get("Effect") == "Deny" else who
        so_far = max(so_far, one, key=lambda verdict: verdict.value)
    return so_far


def _concerns(statement: Mapping[str, Any], question: Question) -> bool:
    return (
        _stands_in(statement, "Action", question.action.casefold(), {})
        and _stands_in(statement, "Resource", question.resource, question.context)
        and conditions_hold(statement.get("Condition") or {}, question.context)
    )


def _stands_in(statement: Mapping[str, Any], element: str, value: str, context: Context) -> bool:
    fold = str.casefold if element == "Action" else str
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in statement:
            return any(matches(fold(str(one)), value, context) for one in _listed(statement[name])) is wanted
    # A trust policy has no resource; it stands on it.
    return element == "Resource"


def _who(statement: Mapping[str, Any], question: Question) -> PolicyVerdict:
    if "NotPrincipal" in statement:
        named = _named(statement["NotPrincipal"], question)
        return PolicyVerdict.ALLOW if named is PolicyVerdict.NOTHING else PolicyVerdict.NOTHING
    return _named(statement.get("Principal"), question)


def _named(principal: Any, question: Question) -> PolicyVerdict:
    so_far = PolicyVerdict.NOTHING
    for one in _aws_principals(principal):
        if one == "*" or one in question.principals:
            return PolicyVerdict.ALLOW
        if one in (question.account, f"arn:aws:iam::{question.account}:root"):
            so_far = PolicyVerdict.ACCOUNT
    return so_far


def _aws_principals(principal: Any) -> Iterator[str]:
    if principal == "*":
        yield "*"
    elif isinstance(principal, Mapping):
        yield from (str(one) for one in _listed(principal.get("AWS")))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
