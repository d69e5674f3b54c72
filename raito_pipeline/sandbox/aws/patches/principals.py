"""Principals of resource policies: AWS takes a policy only if the users and roles that it names exist.

A role that was made a moment ago does not exist yet for the services that check this.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from moto.iam.models import Role, iam_backends

_ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(user|role)/(?:.*/)?([^/]+)")
_OTHER = re.compile(r"\*|\d{12}|arn:aws:iam::\d{12}:root|arn:aws:sts::\d{12}:(assumed-role|federated-user)/.+")


def invalid_principals(document: Mapping[str, Any]) -> list[str]:
    """The AWS principals of the policy document that AWS would refuse, as they stand there."""
    return [principal for principal in _aws_principals(document) if not _is_valid(principal)]


_FIXED_KEYS = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""Condition keys with a fixed value of which a policy for everybody is not public.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""


def is_public(document: Mapping[str, Any]) -> bool:
    """Whether S3 takes the policy for a public one: it allows everybody something, and nothing narrows it."""
    return any(
        statement.get("Effect") == "Allow"
        and (statement.get("Principal") == "*" or "*" in _of_statement(statement))
        and not any(key.lower() in _FIXED_KEYS for keys in (statement.get("Condition") or {}).values() for key in keys)
        for statement in _as_list(document.get("Statement"))
    )


def _aws_principals(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in _as_list(document.get("Statement")):
        yield from _of_statement(statement)


def _of_statement(statement: Mapping[str, Any]) -> Iterator[str]:
    for element in ("Principal", "NotPrincipal"):
        principal = statement.get(element)
        if isinstance(principal, Mapping):
            yield from (str(one) for one in _as_list(principal.get("AWS")))


def _is_valid(principal: str) -> bool:
    match = _ENTITY.fullmatch(principal)
    if match is None:
        return _OTHER.fullmatch(principal) is not None
    account_id, kind, name = match.groups()
    if account_id not in iam_backends:
        # An account outside of the emulated ones is not known to lack anybody.
        return True
    iam = iam_backends[account_id]["aws"]
    if kind == "user":
        return name in iam.users and iam.users[name].arn == principal
    return any(role.arn == principal and _is_known(role) for role in iam.roles.values())


def known_from(role: Role, when: float) -> None:
    """From this time of `time.monotonic` on, the role is a valid principal."""
    vars(role)["sandbox_known_from"] = when


def _is_known(role: Role) -> bool:
    return bool(vars(role).get("sandbox_known_from", 0.0) <= time.monotonic())


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
