"""The GraphQL documents that the pipeline sends, one file an operation, and how they are read.

A comment at the top of a file says what its operation allows:
`# repeatable: ...` - a mutation that may be sent twice without harm (queries always may);
`# literals: ...` - arguments are sent as literals in the document instead of as variables.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

_HEAD = re.compile(r"^(query|mutation)\s+(\w+)(\((?:[^()]|\([^()]*\))*\))?", re.MULTILINE)
_FIELD = re.compile(r"\{\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Operation:
    """One GraphQL document: its operation name, its text, the root field that it asks for."""

    name: str
    document: str
    field: str
    repeatable: bool
    literals: bool

    def request(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The request body for these variables."""
        if not self.literals:
            return {"operationName": self.name, "query": self.document, "variables": dict(variables)}
        return {"operationName": self.name, "query": inline(self.document, variables), "variables": {}}


@cache
def operation(name: str) -> Operation:
    """The operation of this name. Raises `KeyError` where there is no such document."""
    file = resources.files(__package__).joinpath(f"{name}.graphql")
    if not file.is_file():
        raise KeyError(name)
    return parse(file.read_text(encoding="utf-8"))


def parse(text: str) -> Operation:
    """Read a document that holds one named operation with one root field."""
    head = _HEAD.search(text)
    field = _FIELD.search(text, head.end()) if head else None
    if head is None or field is None:
        raise ValueError("a document needs one named query or mutation")
    comments, document = text[: head.start()], text[head.start() :]
    repeatable = head[1] == "query" or "# repeatable:" in comments
    return Operation(head[2], document, field[1], repeatable, "# literals:" in comments)


def inline(document: str, variables: Mapping[str, Any]) -> str:
    """The document without variables: each `$name` replaced by its value as a literal (absent ones by null)."""
    without_declarations = _HEAD.sub(r"\1 \2", document, count=1)
    return re.sub(r"\$(\w+)", lambda match: literal(variables.get(match[1])), without_declarations)


def literal(value: Any) -> str:
    """A JSON-like value in GraphQL's literal syntax."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {literal(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(part) for part in value) + "]"
    return json.dumps(value)
