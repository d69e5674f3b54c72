"""Whether a push gives or takes access: an effect for each change, and how documents are compared for it."""

import json
from enum import Flag, auto
from typing import Any

_LISTS = ("Principal", "Action", "Resource")


class Effect(Flag):
    """What a change does to the access that people have."""

    NEITHER = 0
    GIVES = auto()
    TAKES = auto()
    REMOVES = auto()
    """the object through which people had access goes"""

    @property
    def words(self) -> str:
        """What people read; empty where access stays as it is."""
        found = [words for effect, words in _WORDS.items() if effect in self]
        return " and ".join(found) + (" access" if found else "")


_WORDS = {Effect.GIVES: "gives", Effect.TAKES: "takes", Effect.REMOVES: "removes"}


def effect_of_documents(before: str | None, after: str | None) -> Effect:
    """What replacing one policy document by another does. Both where that cannot be told.

    Allows are compared as they stand, without their wildcards being weighed: a statement that was reworded both gives
    and takes.
    """
    try:
        had, has = _permissions(before or ""), _permissions(after or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return Effect.GIVES | Effect.TAKES
    gives = (has["Allow"] - had["Allow"]) or (had["Deny"] - has["Deny"])
    takes = (had["Allow"] - has["Allow"]) or (has["Deny"] - had["Deny"])
    return (Effect.GIVES if gives else Effect.NEITHER) | (Effect.TAKES if takes else Effect.NEITHER)


def _permissions(document: str) -> dict[str, set[str]]:
    """Every principal, action, resource and condition of a document, by effect."""
    found: dict[str, set[str]] = {"Allow": set(), "Deny": set()}
    for statement in _list(json.loads(document)["Statement"]):
        others = {key: value for key, value in statement.items() if key not in ("Sid", "Effect", *_LISTS)}
        rest = json.dumps(others, sort_keys=True)
        principals = [json.dumps(each) for each in _principals(statement.get("Principal"))]
        for action in _list(statement.get("Action")):
            for resource in _list(statement.get("Resource")):
                if action != "none:null":
                    found[statement["Effect"]] |= {f"{who} {action} {resource} {rest}" for who in principals}
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _principals(principal: Any) -> list[Any]:
    if not isinstance(principal, dict):
        return [principal]
    return [(kind, each) for kind, some in principal.items() for each in _list(some)]
