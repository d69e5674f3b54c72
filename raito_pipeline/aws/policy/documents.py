"""Reading IAM policy documents: any that AWS stores, and a problem instead of an exception for one that is broken.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_VERSIONS = ("2008-10-17", "2012-10-17")
_WITH_VARIABLES = "2012-10-17"
_KNOWN = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
r"""an escape as in `\ud83d\ude00`: both halves together are a character, one alone is none that can be stored"""
Effect = Literal["Allow", "Deny"]


class _Broken(Exception):
    """What is wrong with a document or statement, worded for people."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal of a statement: its kind (`AWS`, `Service`, `Federated`, `CanonicalUser`, `*`) and value."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One line of a condition: an operator, a key and the values that it is compared with, as text."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def label(self) -> str:
        """How reasons name it: `StringEquals aws:SourceVpc`. Values are left out: some are as good as secrets."""
        return f"{self.operator} {self.key}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Elements that it does not have are None; elements are tuples also where AWS has a single text."""

    number: int
    sid: str | None
    effect: Effect
    principals: tuple[Principal, ...] | None
    not_principals: tuple[Principal, ...] | None
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    conditions: tuple[Condition, ...]
    """all of them have to hold; sorted"""
    variables: bool
    """whether `${...}` are policy variables in this version of the language"""

    @property
    def label(self) -> str:
        """How people find it in the document: `statement 2 (ReadOnly)`."""
        return f"statement {self.number} ({self.sid})" if self.sid else f"statement {self.number}"


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document: what could be read of it, and what could not."""

    version: str
    statements: tuple[Statement, ...]
    problems: tuple[str, ...]


def read_document(text: str) -> Document:
    """A policy document from its JSON text.

    Never raises: what is wrong is in `problems`, and a statement that is wrong is not in `statements`. One broken
    statement makes AWS refuse the whole document, but a document that AWS took is read as far as it goes.
    """
    try:
        content = json.loads(text, object_pairs_hook=_no_key_twice)
        if _HALF_A_CHARACTER.search(text):
            json.dumps(content, ensure_ascii=False).encode()
        if not isinstance(content, dict):
            raise _Broken("the document is not a JSON object")
        version = content.get("Version", _VERSIONS[0])
        if version not in _VERSIONS:
            raise _Broken(f"Version {version!r} is not one of {' and '.join(_VERSIONS)}")
        listed = content.get("Statement")
        if isinstance(listed, dict):
            listed = [listed]
        if not isinstance(listed, list):
            raise _Broken("the document has no Statement")
    except _Broken as error:
        return Document("", (), (str(error),))
    except UnicodeEncodeError:
        return Document("", (), ("the document has an escape that is half of a character",))
    except (ValueError, RecursionError):
        return Document("", (), ("the document is not JSON",))
    return _statements(version, listed)


def _statements(version: str, listed: list[Any]) -> Document:
    statements, problems = [], []
    for number, item in enumerate(listed, 1):
        try:
            statements.append(_statement(number, item, version == _WITH_VARIABLES))
        except _Broken as error:
            problems.append(f"statement {number}: {error}")
    return Document(version, tuple(statements), tuple(problems))


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise _Broken(f"{', '.join(twice)} is given twice in one object")
    return members


def _statement(number: int, item: Any, variables: bool) -> Statement:
    if not isinstance(item, dict):
        raise _Broken("it is not a JSON object")
    unknown = sorted(set(item) - _KNOWN)
    if unknown:
        raise _Broken(f"unknown element {', '.join(unknown)}")
    effect = item.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise _Broken(f"Effect is {effect!r}, neither Allow nor Deny")
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if one in item and other in item:
            raise _Broken(f"it has both {one} and {other}")
    if "Action" not in item and "NotAction" not in item:
        raise _Broken("it has neither Action nor NotAction")
    sid = item.get("Sid")
    return Statement(
        number=number,
        sid=sid if isinstance(sid, str) and sid else None,
        effect=effect,
        principals=_principals(item, "Principal"),
        not_principals=_principals(item, "NotPrincipal"),
        actions=_texts(item, "Action"),
        not_actions=_texts(item, "NotAction"),
        resources=_texts(item, "Resource"),
        not_resources=_texts(item, "NotResource"),
        conditions=_conditions(item.get("Condition")),
        variables=variables,
    )


def _texts(item: Mapping[str, Any], element: str) -> tuple[str, ...] | None:
    if element not in item:
        return None
    value = item[element]
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(part, str) for part in listed):
        raise _Broken(f"{element} is neither a text nor a list of texts")
    return tuple(listed)


def _principals(item: Mapping[str, Any], element: str) -> tuple[Principal, ...] | None:
    if element not in item:
        return None
    value = item[element]
    if value == "*":
        return (Principal("*", "*"),)
    if not isinstance(value, dict):
        raise _Broken(f'{element} is neither "*" nor an object')
    if "*" in value:
        raise _Broken(f"{element} has no kind of principal that there is")
    return tuple(Principal(kind, text) for kind in value for text in _texts(value, kind) or ())


def _conditions(value: Any) -> tuple[Condition, ...]:
    """The lines of a condition. An empty one restricts nothing."""
    if value is None or value == {}:
        return ()
    if not isinstance(value, dict) or not all(isinstance(keys, dict) for keys in value.values()):
        raise _Broken("Condition is not an object of operators and keys")
    lines = (Condition(name, key, _values(key, one)) for name, keys in value.items() for key, one in keys.items())
    return tuple(sorted(lines))


def _values(key: str, value: Any) -> tuple[str, ...]:
    """The values of a key, as AWS stores them: also numbers and booleans are texts."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float) for one in listed):
        raise _Broken(f"Condition {key} has values that are no texts")
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in listed)
