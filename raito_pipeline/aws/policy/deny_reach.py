"""Whom a Deny in the policy of a resource is about.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

import re
from enum import Enum

from raito_pipeline.aws.policy.documents import Principal, Statement
from raito_pipeline.aws.policy.wildcards import matches

_IAM = re.compile(r"arn:(?P<partition>[^:]*):iam::(?P<account>\d{12}):(?P<kind>user|role)/(?:.*/)?(?P<name>[^/]+)")


_OTHERS = ("AWS", "*", "Service", "Federated")
"""the kinds of principals of which it is known whether they are a user or role; others, or kinds that are written in
another way, may be"""


class DenyReach(Enum):
    """Whether a Deny is about a user or role."""

    NO = "no"
    MAYBE = "maybe"
    """about some sessions of a role, or about all but some"""
    SURE = "sure"

    def __bool__(self) -> bool:
        """Whether it may be about it at all."""
        return self is not DenyReach.NO


def is_account(principal: Principal, account_id: str) -> bool:
    """True for a principal that stands for an account as a whole."""
    if principal.kind != "AWS":
        return False
    return (
        principal.value == account_id or re.fullmatch(rf"arn:[^:]*:iam::{account_id}:root", principal.value) is not None
    )


def is_everybody(principal: Principal) -> bool:
    """True for `*`, whether as `"*"` or as `{"AWS": "*"}`."""
    return principal.kind in ("AWS", "*") and principal.value == "*"


def reach(statement: Statement, arn: str, account_id: str, *, has_boundary: bool = False) -> DenyReach:
    """Whether a Deny is about the user or role `arn` of an account, its conditions aside.

    `NotPrincipal` spares a user who is named together with the account and has no permissions boundary. Of a role it
    spares only sessions that are named one by one, and only where the role and the account are named, too.
    """
    if statement.not_principals is not None:
        return _not_spared(statement.not_principals, arn, account_id, has_boundary)
    sessions = _sessions(arn)
    reached = DenyReach.NO
    for principal in statement.principals or ():
        if is_everybody(principal) or is_account(principal, account_id):
            return DenyReach.SURE
        if principal.kind == "AWS" and matches(principal.value, arn):
            return DenyReach.SURE
        if principal.kind not in _OTHERS or (sessions and principal.value.startswith(sessions)):
            reached = DenyReach.MAYBE
    return reached


def _not_spared(named: tuple[Principal, ...], arn: str, account_id: str, has_boundary: bool) -> DenyReach:
    if any(map(is_everybody, named)):
        return DenyReach.NO
    account = any(is_account(principal, account_id) for principal in named)
    own = any(principal.kind == "AWS" and principal.value == arn for principal in named)
    if has_boundary or not own or not account:
        return DenyReach.SURE
    sessions = _sessions(arn)
    if not sessions:
        return DenyReach.NO
    return DenyReach.MAYBE if any(principal.value.startswith(sessions) for principal in named) else DenyReach.SURE


def _sessions(arn: str) -> str:
    """How the ARNs of the sessions of a role begin; empty for a user."""
    match = _IAM.fullmatch(arn)
    if match is None or match["kind"] != "role":
        return ""
    return f"arn:{match['partition']}:sts::{match['account']}:assumed-role/{match['name']}/"
