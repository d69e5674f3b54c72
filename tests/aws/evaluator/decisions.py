"""Whether a request is allowed: all the policies that AWS asks, in one place.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from tests.aws.evaluator.documents import Policy, Rule
from tests.aws.evaluator.patterns import Context

Level = tuple[Policy, ...]
"""control policies of one level of the organization (root, each unit, the account)"""


@dataclass(frozen=True)
class Caller:
    """Who asks. `arn` is the user or the role, `session` the assumed role session."""

    account: str
    arn: str
    unique_id: str
    session: str | None = None

    @property
    def is_role(self) -> bool:
        """True for a session of a role."""
        return self.session is not None


@dataclass(frozen=True)
class Limits:
    """What the caller's account says of the caller: identity policies and everything that limits them."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session_policies: tuple[Policy, ...] | None = None
    service_control: tuple[Level, ...] = ()

    @cached_property
    def denies(self) -> tuple[Rule, ...]:
        """The Deny statements of all of them."""
        edge = () if self.boundary is None else (self.boundary,)
        levels = (policy for level in self.service_control for policy in level)
        return _denies((*self.identity, *(self.session_policies or ()), *edge, *levels))


@dataclass(frozen=True)
class Owner:
    """What the account of the resource says: its policy, and the organization's resource control policies."""

    account: str
    policy: Policy | None = None
    resource_control: tuple[Level, ...] = ()

    @cached_property
    def denies(self) -> tuple[Rule, ...]:
        """The Deny statements of the resource control policies."""
        return _denies(policy for level in self.resource_control for policy in level)


@dataclass(frozen=True)
class Point:
    """An access point: one whose `network` is `VPC` answers requests from its VPC only."""

    arn: str
    policy: Policy | None
    account: str
    network: str = "Internet"


@dataclass(frozen=True)
class Request:
    """One call."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


class Verdict(Enum):
    """The answer, and which step gave it."""

    ALLOWED = "allowed"
    DENIED = "denied by a statement"
    CONTROL = "not allowed by a control policy"
    RESOURCE = "not allowed by the policy of the resource"
    IDENTITY = "not allowed by the caller's own policies"
    BOUNDARY = "not allowed by the boundary"
    SESSION = "not allowed by the session policy"


class _Given(Enum):
    """How the policy of a resource allows a caller; the higher the further it reaches."""

    NOTHING = 0
    ACCOUNT = 1
    """it names the account, which has to allow the caller itself"""
    LIMITED = 2
    """it names the role (or everybody), within the boundary and session policy"""
    DIRECTLY = 3
    """it names the user or the session, beyond boundary and session policy"""


def decide(caller: Caller, limits: Limits, owner: Owner, request: Request, *, for_sure: bool = True) -> Verdict:
    """Whether a call that is made directly on a resource is allowed, for sure or in the reading that allows more.

    The documentation leaves open whom `NotPrincipal` spares: a role that is named for its sessions, and anybody whose
    account is not named beside them.
    """
    given = _given(owner.policy, caller, limits, request, for_sure=for_sure)
    if given is None or _denied(limits, owner, request):
        return Verdict.DENIED
    if not _every_level_allows(owner.resource_control, request) or not _every_level_allows(
        limits.service_control, request
    ):
        return Verdict.CONTROL
    by_identity = _by_identity(limits, request)
    if owner.account == caller.account:
        return _in_one_account(given, by_identity, limits, request)
    if given is _Given.NOTHING:
        return Verdict.RESOURCE
    return by_identity


def decide_through(
    caller: Caller, limits: Limits, point: Point, bucket: Owner, request: Request, key: str, *, for_sure: bool = True
) -> Verdict:
    """Whether a call through an access point is allowed: the point has to allow it, and the bucket behind it.

    `request` is about the access point; `key` is the ARN under which the bucket's policy and the caller's own policies
    see the same call. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
    """
    context = {
        **request.context,
        "s3:dataaccesspointarn": (point.arn,),
        "s3:dataaccesspointaccount": (point.account,),
        "s3:accesspointnetworkorigin": (point.network,),
    }
    if point.network == "VPC" and not context.get("aws:sourcevpc"):
        return Verdict.RESOURCE
    of_point = Owner(point.account, point.policy, bucket.resource_control)
    at_point = decide(caller, limits, of_point, replace(request, context=context), for_sure=for_sure)
    if at_point is not Verdict.ALLOWED:
        return at_point
    return decide(caller, limits, bucket, Request(request.action, key, context), for_sure=for_sure)


def can_assume(
    caller: Caller, limits: Limits, role_arn: str, trust: Policy, owner: Owner | str, context: Context
) -> Verdict:
    """Whether a caller may assume a role: the trust policy always has to allow it.

    `owner` is the account of the role, whose resource control policies are about its roles, too.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    Where it names the account only, or where the role is of another account, the caller's own policies have to, too.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-self-assume.html
    """
    request = Request("sts:AssumeRole", role_arn, context)
    given = _given(trust, caller, limits, request, names_resource=False)
    owner = Owner(owner) if isinstance(owner, str) else owner
    if given is None or _denied(limits, owner, request):
        return Verdict.DENIED
    if not _every_level_allows(limits.service_control, request):
        return Verdict.CONTROL
    if given is _Given.NOTHING:
        return Verdict.RESOURCE
    by_identity = _by_identity(limits, request)
    if owner.account != caller.account or given is _Given.ACCOUNT:
        return by_identity
    return _in_one_account(given, by_identity, limits, request)


def _in_one_account(given: _Given, by_identity: Verdict, limits: Limits, request: Request) -> Verdict:
    """In one account one side is enough; what the resource gives a role stays within boundary and session policy."""
    if given is _Given.DIRECTLY or by_identity is Verdict.ALLOWED:
        return Verdict.ALLOWED
    if given is _Given.LIMITED:
        return _within(limits, request)
    return by_identity


def _by_identity(limits: Limits, request: Request) -> Verdict:
    if not _one_allows(limits.identity, request):
        return Verdict.IDENTITY
    return _within(limits, request)


def _within(limits: Limits, request: Request) -> Verdict:
    if limits.boundary is not None and not _one_allows((limits.boundary,), request):
        return Verdict.BOUNDARY
    if limits.session_policies is not None and not _one_allows(limits.session_policies, request):
        return Verdict.SESSION
    return Verdict.ALLOWED


def _every_level_allows(levels: Iterable[Level], request: Request) -> bool:
    return all(_one_allows(level, request) for level in levels)


def _one_allows(policies: Iterable[Policy], request: Request) -> bool:
    return any(not rule.deny and _applies(rule, request) for policy in policies for rule in policy.rules)


def _denied(limits: Limits, owner: Owner, request: Request) -> bool:
    """Whether a Deny of any policy but that of the resource applies."""
    return any(_applies(rule, request) for rule in limits.denies) or any(
        _applies(rule, request) for rule in owner.denies
    )


def _denies(policies: Iterable[Policy]) -> tuple[Rule, ...]:
    return tuple(rule for policy in policies for rule in policy.rules if rule.deny)


def _applies(rule: Rule, request: Request) -> bool:
    return rule.is_about(request.action, request.resource, request.context)


def _given(
    policy: Policy | None,
    caller: Caller,
    limits: Limits,
    request: Request,
    *,
    names_resource: bool = True,
    for_sure: bool = True,
) -> _Given | None:
    """What the policy of a resource gives a caller; None where it denies."""
    best = _Given.NOTHING
    for rule in () if policy is None else policy.rules:
        if not rule.is_about(request.action, request.resource if names_resource else None, request.context):
            continue
        if rule.deny:
            if _is_denied_by(rule, caller, limits, for_sure=for_sure):
                return None
        else:
            best = max(best, _named(rule, caller), key=lambda given: given.value)
    return best


# -- principals: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html --


def _named(rule: Rule, caller: Caller) -> _Given:
    """How an Allow names a caller. `NotPrincipal` with Allow is not supported: it gives nothing for sure."""
    best = _Given.NOTHING
    for name in (rule.principals or {}).get("AWS", ()):
        if name == caller.session or (not caller.is_role and name == caller.arn):
            return _Given.DIRECTLY
        if name in (caller.arn, "*"):
            best = max(best, _Given.LIMITED, key=lambda given: given.value)
        elif _is_account(name, caller.account):
            best = max(best, _Given.ACCOUNT, key=lambda given: given.value)
    return best


def _is_denied_by(rule: Rule, caller: Caller, limits: Limits, *, for_sure: bool) -> bool:
    """Whether a Deny is about a caller.

    `NotPrincipal` excepts a caller whose own ARN and whose account are named, and nobody who has a boundary.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if rule.not_principals is None:
        return any(
            name in (caller.arn, caller.session, "*") or _is_account(name, caller.account) for name in _aws(rule)
        )
    names = rule.not_principals.get("AWS", ())
    if "*" in names:
        return False
    if limits.boundary is not None or caller.arn not in names:
        return limits.boundary is not None or caller.session not in names
    named = not caller.is_role or caller.session in names
    return for_sure and not (named and any(_is_account(name, caller.account) for name in names))


def _aws(rule: Rule) -> Iterator[str]:
    yield from (rule.principals or {}).get("AWS", ())


def _is_account(name: str, account: str) -> bool:
    return name == account or re.fullmatch(rf"arn:[^:]*:iam::{account}:root", name) is not None
