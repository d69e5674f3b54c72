"""The part of a new document that only takes access away: what is carried out where the rest of it is refused."""

import json
from typing import Any

from raito_pipeline.aws.push.documents.statements import NOTHING, as_list, compact

_LISTS = ("Action", "Resource")
_NOBODY = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
"""the only statement of a trust policy that lets nobody in: AWS wants one"""


def only_taking(before: str | None, after: str | None) -> str | None:
    """The document `before` without what `after` does not allow any more, and with its new Denies.

    None where that takes nothing away, or where one of the two is no policy document. Of the policy of an access point
    that has nothing left it has no statement: such a policy goes.
    """
    try:
        had, wanted = json.loads(before or ""), as_list(json.loads(after or "")["Statement"])
        old = as_list(had["Statement"])
        kept = [left for each in old for left in _kept(each, wanted)]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    denies = [each for each in wanted if each.get("Effect") == "Deny" and each not in old]
    statements = [*kept, *denies]
    if statements == old:
        return None
    if not statements and not _is_of_a_resource(old):
        statements = [_NOBODY if any("Principal" in each for each in old) else NOTHING]
    return compact({**had, "Statement": statements})


def _is_of_a_resource(statements: list[dict[str, Any]]) -> bool:
    """True for the statements of a bucket or an access point, which name principals and resources."""
    return any("Principal" in each and "Resource" in each for each in statements)


def _kept(statement: dict[str, Any], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of a statement is still wanted: none, one, or several where resources keep different actions."""
    if statement in wanted or statement.get("Effect") != "Allow":
        return [statement]
    alike = [each for each in wanted if _rest(each) == _rest(statement)]
    if "Principal" in statement or not all(element in statement for element in _LISTS):
        left = _elements_kept(statement, alike)
        return [] if left is None else [left]
    return _pairs_kept(statement, alike)


def _pairs_kept(statement: dict[str, Any], alike: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions of a statement on the resources on which they are still wanted."""
    pairs = {
        (action, resource)
        for each in alike
        if all(element in each for element in _LISTS)
        for action in as_list(each["Action"])
        for resource in as_list(each["Resource"])
    }
    by_actions: dict[tuple[Any, ...], list[Any]] = {}
    for resource in as_list(statement["Resource"]):
        actions = tuple(action for action in as_list(statement["Action"]) if (action, resource) in pairs)
        if actions:
            by_actions.setdefault(actions, []).append(resource)
    whole = list(by_actions.items()) == [(tuple(as_list(statement["Action"])), as_list(statement["Resource"]))]
    if whole:
        return [statement]
    named = [{**statement, "Action": list(actions), "Resource": some} for actions, some in by_actions.items()]
    return named[:1] + [{key: value for key, value in each.items() if key != "Sid"} for each in named[1:]]


def _elements_kept(statement: dict[str, Any], alike: list[dict[str, Any]]) -> dict[str, Any] | None:
    """A statement with the principals, actions and resources that are still wanted; None where there are none."""
    kept = dict(statement)
    for element in _LISTS:
        if element in statement:
            kept[element] = _still(statement[element], [each[element] for each in alike if element in each])
    if isinstance(statement.get("Principal"), dict):
        others = [each["Principal"] for each in alike if isinstance(each.get("Principal"), dict)]
        kept["Principal"] = {
            kind: both
            for kind, some in statement["Principal"].items()
            if (both := _still(some, [other[kind] for other in others if kind in other]))
        }
    elif "Principal" in statement and not any(each.get("Principal") == statement["Principal"] for each in alike):
        return None
    return kept if all(kept.get(element, True) for element in (*_LISTS, "Principal")) else None


def _rest(statement: dict[str, Any]) -> dict[str, Any]:
    """What has to be equal for two statements to be about the same access: effect, conditions, exceptions."""
    return {key: value for key, value in statement.items() if key not in ("Sid", "Principal", *_LISTS)}


def _still(old: Any, wanted: list[Any]) -> Any:
    """A list without the elements that none of the others has; as it is where they have all of them."""
    others = [each for some in wanted for each in as_list(some)]
    left = [each for each in as_list(old) if each in others]
    return old if left == as_list(old) else left
