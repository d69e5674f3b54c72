"""The policy of an access point: what is granted through it, to whom, and what of an existing one has to stay.

Statements are those of other grants (`statements.py`), on the access point's ARN in the place of the bucket's.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raito_pipeline.aws.policy.permissions import permission, permissions
from raito_pipeline.aws.policy.wildcards import has_wildcard, matches
from raito_pipeline.aws.push.documents.gone_principals import without_gone
from raito_pipeline.aws.push.documents.statements import NOTHING, VERSION, as_list, compact, policy_for
from raito_pipeline.model import WhatItem

POINT_POLICY_LIMIT = 20_480
"""bytes of the policy of an access point"""
Statement = dict[str, Any]
Grant = tuple[str, str, str, str]
"""principal, permission, resource, prefix that a listing is limited to (empty = none)"""
_PREFIX = "s3:prefix"


@dataclass
class PointGrant:
    """Statements without principals, and what of the what they do not hold."""

    statements: list[Statement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """elements that cannot be granted, each an error of its own"""
    warnings: list[str] = field(default_factory=list)


def point_statements(what: Iterable[WhatItem], arn: str, bucket: str, account_id: str, partition: str) -> PointGrant:
    """The statements for a what in one bucket, granted on its access point `arn`."""
    grant = PointGrant()
    good = [item for each in what for item in _grantable(grant, each, account_id, partition)]
    document = policy_for(good, account_id, partition).document
    if document["Statement"] != [NOTHING]:
        own = f"arn:{partition}:s3:::{bucket}"
        grant.statements = [_on_point(statement, own, arn) for statement in document["Statement"]]
    return grant


def _grantable(grant: PointGrant, item: WhatItem, account_id: str, partition: str) -> Iterator[WhatItem]:
    """What of one element can be granted; the rest is noted."""
    name = item.data_object.full_name
    for each in item.permissions:
        right = permission(each)
        if right is None:
            grant.problems.append(f"permission {each} on {name} is none of those that can be granted")
        elif not right.access_point:
            grant.warnings.append(f"{each} on {name} was left out: access points do not know it")
        else:
            one = WhatItem(item.data_object, (each,))
            made = policy_for([one], account_id, partition)
            if made.problems:
                grant.problems += made.problems
                return
            grant.warnings += made.warnings
            yield one


def _on_point(statement: Mapping[str, Any], bucket: str, arn: str) -> Statement:
    """A statement on a bucket and its objects as one on the access point and its objects."""
    resources = [
        arn if each == bucket else f"{arn}/object/{each.removeprefix(f'{bucket}/')}" for each in statement["Resource"]
    ]
    return {**statement, "Resource": resources}


def point_policy(statements: Iterable[Mapping[str, Any]], principals: Iterable[str]) -> list[Statement]:
    """Statements with their principals; none where there are no principals."""
    who = sorted(set(principals))
    return [_with_principals(statement, who) for statement in statements] if who else []


def _with_principals(statement: Mapping[str, Any], who: Sequence[str]) -> Statement:
    rest = {key: value for key, value in statement.items() if key not in ("Effect", "Principal")}
    return {"Effect": "Allow", "Principal": {"AWS": list(who)}, **rest}


def point_document(statements: Sequence[Statement]) -> str | None:
    """The policy as AWS gets it; None where it holds nothing.

    Characters beyond Latin-1 are JSON escapes, since AWS's pattern of a policy refuses them as they are.
    """
    if not statements:
        return None
    return compact({"Version": VERSION, "Statement": statements})


# -- an existing policy ------------------------------------------------------------------------------------------------


@dataclass
class CurrentPolicy:
    """The policy that an access point has, taken apart."""

    plain: list[Statement] = field(default_factory=list)
    """what a push could have written: known principals, permissions, no condition but a prefix"""
    others: list[Statement] = field(default_factory=list)
    """what it could not: a Deny, a condition, principals elsewhere, other actions"""

    @property
    def principals(self) -> set[str]:
        """The users and roles of the account that plain statements name."""
        return {one for statement in self.plain for one in as_list(statement["Principal"]["AWS"])}


def read_current(text: str | None, known: Collection[str], account_id: str) -> CurrentPolicy:
    """Take the policy of an access point apart; `known` are the ARNs of users and roles of the account.

    Users and roles that are gone, by their ids or by ARNs that nobody has, are dropped. A text that is no policy gives
    nothing.
    """
    current = CurrentPolicy()
    try:
        statements = as_list(json.loads(text or "{}").get("Statement"))
    except (ValueError, AttributeError):
        return current
    for statement in without_gone(statements):
        if not _is_plain(statement):
            current.others.append(statement)
            continue
        living = [one for one in as_list(statement["Principal"]["AWS"]) if not _is_gone(one, known, account_id)]
        ours = [one for one in living if one in known]
        foreign = [one for one in living if one not in known]
        strange = [action for action in as_list(statement["Action"]) if not _is_granted_on_points(action)]
        usual = [action for action in as_list(statement["Action"]) if _is_granted_on_points(action)]
        current.plain += _part(statement, ours, usual)
        current.others += [*_part(statement, foreign, [*usual, *strange]), *_part(statement, ours, strange)]
    return current


def _part(statement: Statement, principals: list[str], actions: list[str]) -> list[Statement]:
    if not principals or not actions:
        return []
    return [{**statement, "Principal": {"AWS": principals}, "Action": actions}]


def _is_plain(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    conditions = [key for keys in (statement.get("Condition") or {}).values() for key in keys]
    return (
        statement.get("Effect") == "Allow"
        and isinstance(principal, Mapping)
        and set(principal) == {"AWS"}
        and "Action" in statement
        and "Resource" in statement
        and all(key.casefold() == _PREFIX for key in conditions)
    )


def _is_gone(principal: str, known: Collection[str], account_id: str) -> bool:
    if principal in known:
        return False
    own = re.fullmatch(rf"arn:[^:]*:iam::{account_id}:(user|role)/.+", principal)
    return own is not None


def _is_granted_on_points(action: str) -> bool:
    if has_wildcard(action, variables=False):
        return True
    right = permission(action)
    return right is not None and right.access_point


def grants(statements: Iterable[Mapping[str, Any]]) -> set[Grant]:
    """What plain statements grant, one permission of one principal on one resource each; wildcards are resolved.

    What AWS does not check on a resource (`s3:GetObject` on the access point itself) grants nothing and is left out.
    """
    granted: set[Grant] = set()
    for statement in statements:
        prefixes = [one for keys in (statement.get("Condition") or {}).values() for value in keys.values()
                    for one in as_list(value)] or [""]  # fmt: skip
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                names = _permissions_on(str(action), is_object=":accesspoint/" in resource and "/object/" in resource)
                for who in as_list(statement["Principal"]["AWS"]):
                    granted |= {(who, name, resource, prefix) for name in names for prefix in prefixes}
    return granted


def gives_at_times(statement: Mapping[str, Any]) -> set[Grant]:
    """What a statement that a push did not write gives to whom it names, if only under its conditions."""
    if statement.get("Effect") != "Allow" or "Action" not in statement or "Resource" not in statement:
        return set()
    return grants([{**statement, "Principal": {"AWS": ["*"]}, "Condition": None}])


def _permissions_on(action: str, *, is_object: bool) -> list[str]:
    able = (one for one in permissions() if one.access_point and (one.on_object if is_object else one.on_bucket))
    return [one.name for one in able if matches(action, one.name, ignore_case=True, variables=False)]


def narrowed(statements: Sequence[Statement], had: set[Grant]) -> list[Statement]:
    """Of statements that are wanted, what was there before: nobody gets anything, and what is not wanted is gone."""
    narrow: list[Statement] = []
    for statement in statements:
        for who in as_list(statement["Principal"]["AWS"]):
            for resource in statement["Resource"]:
                single = {**statement, "Principal": {"AWS": [who]}, "Resource": [resource]}
                actions = sorted({grant[1] for grant in grants([single]) & had})
                if actions:
                    narrow.append({**single, "Action": actions})
    return _merged(narrow)


def kept(statements: Sequence[Statement], hidden: set[Grant]) -> list[Statement]:
    """Of statements that are there, those grants that have to stay: in their own words where all of one do."""
    remaining: list[Statement] = []
    for statement in statements:
        gives = grants([statement])
        if gives <= hidden:
            remaining.append(statement)
        elif gives & hidden:
            lists = {**statement, "Resource": as_list(statement["Resource"])}
            remaining += narrowed([lists], gives & hidden)
    return remaining


def _merged(statements: Sequence[Statement]) -> list[Statement]:
    """Statements that differ in their principals only, as one; then those that differ in their resources only."""
    for element in ("Principal", "Resource"):
        groups: dict[str, Statement] = {}
        for statement in statements:
            rest = {key: value for key, value in statement.items() if key != element}
            held = groups.setdefault(json.dumps(rest), {**statement, element: []})
            values = as_list(statement["Principal"]["AWS"]) if element == "Principal" else statement["Resource"]
            held[element] = [*held[element], *values]
        statements = [
            {
                **one,
                element: {"AWS": sorted(set(one[element]))} if element == "Principal" else sorted(set(one[element])),
            }
            for one in groups.values()
        ]
    return list(statements)


def principals_of(statement: Mapping[str, Any]) -> list[str]:
    """The AWS principals that a statement names; none where it names everybody as `*`, or services."""
    principal = statement.get("Principal")
    return [str(one) for one in as_list(principal.get("AWS"))] if isinstance(principal, Mapping) else []


def with_principals(statement: Statement, principals: Iterable[str | None]) -> Statement | None:
    """A statement for other AWS principals, None among them left out; no statement where nobody is left."""
    if not principals_of(statement):
        return statement
    who = sorted({one for one in principals if one is not None})
    rest = {key: value for key, value in statement["Principal"].items() if key != "AWS"}
    return {**statement, "Principal": {"AWS": who, **rest} if who else rest} if who or rest else None
