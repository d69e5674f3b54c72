"""Whether a bucket lets its access points decide: without its consent, an access point grants nothing by itself.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html (delegating access control)
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from raito_pipeline.aws.policy.wildcards import matches
from raito_pipeline.aws.push.documents.gone_principals import without_gone
from raito_pipeline.aws.push.documents.statements import VERSION, as_list

SID = "RaitoDelegateToAccessPoints"
BUCKET_POLICY_LIMIT = 20_480
_ACCOUNT, _POINT, _NETWORK = "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:accesspointnetworkorigin"
_POSITIVE = frozenset({"stringequals", "stringlike", "stringequalsignorecase", "arnequals", "arnlike"})


class ConsentProblem(Exception):
    """The statement cannot be added to a bucket policy; the text says why."""


def delegation(bucket: str, account_id: str, partition: str) -> dict[str, Any]:
    """The statement with which a bucket leaves it to the access points of an account who has access."""
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": account_id}},
    }


def delegates(policy: str | None, bucket: str, point: str, partition: str) -> bool:
    """True where a bucket policy leaves it to an access point (its ARN) who has access, for sure."""
    account_id = point.split(":")[4]
    return any(_is_delegation(each, bucket, point, account_id, partition) for each in _statements(policy))


def delegates_to_all(policy: str | None, bucket: str, account_id: str, partition: str) -> bool:
    """True where a bucket policy leaves it to every access point of an account who has access, for sure."""
    # No access point can have this name, so that no statement is meant for it alone.
    return delegates(policy, bucket, f"arn:{partition}:s3::{account_id}:accesspoint/", partition)


def with_delegation(policy: str | None, bucket: str, account_id: str, partition: str) -> str:
    """A bucket policy with the statement that delegates, and else as it is, less principals who are gone.

    Raises `ConsentProblem`.
    """
    try:
        document = json.loads(policy) if policy else {"Version": VERSION, "Statement": []}
        statements = as_list(document["Statement"])
    except (ValueError, TypeError, KeyError):
        raise ConsentProblem(f"the policy of bucket {bucket} cannot be read") from None
    for statement in statements:
        if _is_against(statement):
            label = statement.get("Sid") or "a Deny"
            raise ConsentProblem(f"the policy of bucket {bucket} has a Deny that is about it: {label}")
    others = without_gone(statement for statement in statements if statement.get("Sid") != SID)
    changed = {**document, "Statement": [*others, delegation(bucket, account_id, partition)]}
    text = json.dumps(changed, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > BUCKET_POLICY_LIMIT:
        raise ConsentProblem(f"the policy of bucket {bucket} would have more than {BUCKET_POLICY_LIMIT} bytes with it")
    return text


def _is_delegation(statement: Mapping[str, Any], bucket: str, point: str, account_id: str, partition: str) -> bool:
    arn = f"arn:{partition}:s3:::{bucket}"
    return (
        statement.get("Effect") == "Allow"
        and _is_everybody(statement.get("Principal"))
        and any(one in ("*", "s3:*") for one in as_list(statement.get("Action")))
        and _covers(statement, arn)
        and _covers(statement, f"{arn}/*")
        and all(_holds(*each, point=point, account_id=account_id) for each in _conditions(statement))
    )


def _covers(statement: Mapping[str, Any], arn: str) -> bool:
    return any(one in (arn, "*") or matches(str(one), arn) for one in as_list(statement.get("Resource")))


def _holds(operator: str, key: str, values: list[str], *, point: str, account_id: str) -> bool:
    """True where a condition holds for every call through the access point, for sure."""
    if operator not in _POSITIVE:
        return False
    value = {_ACCOUNT: account_id, _POINT: point, _NETWORK: "Internet"}.get(key)
    wildcards = operator in ("stringlike", "arnlike", "arnequals")
    return value is not None and any(one == value or (wildcards and matches(one, value)) for one in values)


def _is_against(statement: Mapping[str, Any]) -> bool:
    """True for a Deny that is about access points, or about everything that comes: adding to it would not be meant."""
    if statement.get("Effect") != "Deny":
        return False
    keys = [key for _, key, _ in _conditions(statement)]
    about_points = any(key in (_ACCOUNT, _POINT, _NETWORK) for key in keys)
    return about_points or (not keys and (_is_everybody(statement.get("Principal")) or "NotPrincipal" in statement))


def _is_everybody(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and "*" in as_list(principal.get("AWS")))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Operator and key in lower case, and the values."""
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, values in keys.items():
            yield operator.casefold(), key.casefold(), [str(one) for one in as_list(values)]


def _statements(policy: str | None) -> list[Mapping[str, Any]]:
    try:
        statements = as_list(json.loads(policy or "{}").get("Statement"))
    except (ValueError, AttributeError):
        return []
    return [each for each in statements if isinstance(each, Mapping)]
