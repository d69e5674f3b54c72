"""Whether a push gives or takes access: an effect for each change, and how documents are compared for it."""

import json
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from raito_pipeline.aws.push.documents.statements import as_list

_LISTS = ("Principal", "Action", "Resource")
_NO_ACTION = "none:null"


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
        effects = [words for effect, words in _WORDS.items() if effect in self]
        return " and ".join(effects) + (" access" if effects else "")


_WORDS = {Effect.GIVES: "gives", Effect.TAKES: "takes", Effect.REMOVES: "removes"}


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """One action on one resource (None = that of the object itself) that a document allows or denies to somebody."""

    allows: bool
    principal: tuple[str, str] | None
    """kind and name as the document has them (`AWS`, an ARN); None where the document names nobody"""
    action: str
    resource: str | None
    condition: str
    """everything else of the statement, as JSON; `{}` for none"""


def access_of(document: str | None) -> frozenset[Access]:
    """Every action that a document allows or denies, less those that allow nothing. No document allows nothing.

    Raises `ValueError`, `TypeError`, `KeyError` or `AttributeError` for what is no policy document.
    """
    if document is None:
        return frozenset()
    access: set[Access] = set()
    for statement in as_list(json.loads(document)["Statement"]):
        others = {key: value for key, value in statement.items() if key not in ("Sid", "Effect", *_LISTS)}
        rest, allows = json.dumps(others, sort_keys=True), {"Allow": True, "Deny": False}[statement["Effect"]]
        for action in as_list(statement.get("Action")) or [None]:
            for resource in as_list(statement.get("Resource")) or [None]:
                if action != _NO_ACTION:
                    principal = statement.get("Principal")
                    who: list[tuple[str, str] | None] = [None] if principal is None else [*named_by(principal)]
                    access |= {Access(allows, each, str(action), resource, rest) for each in who}
    return frozenset(access)


def effect_of_documents(before: str | None, after: str | None) -> Effect:
    """What replacing one policy document by another does. Both where that cannot be told.

    Allows are compared as they stand, without their wildcards being weighed: a statement that was reworded both gives
    and takes.
    """
    try:
        had, has = access_of(before or ""), access_of(after or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return Effect.GIVES | Effect.TAKES
    gives = any(each.allows for each in has - had) or any(not each.allows for each in had - has)
    takes = any(each.allows for each in had - has) or any(not each.allows for each in has - had)
    return (Effect.GIVES if gives else Effect.NEITHER) | (Effect.TAKES if takes else Effect.NEITHER)


def named_by(principal: Any) -> list[tuple[str, str]]:
    """Kind and name of each principal that an element `Principal` names; everybody is `*` of the kind `*`."""
    if not isinstance(principal, dict):
        return [(str(principal), str(principal))]
    return [(str(kind), str(each)) for kind, some in principal.items() for each in as_list(some)]
