"""GraphQL documents that came before: clients send the same few texts again and again, with other variables."""

from functools import lru_cache
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate

_KEPT = 256
"""documents; a client has some dozens"""


@lru_cache(maxsize=_KEPT)
def parsed(text: str) -> DocumentNode:
    """The document of a text. Raises `GraphQLError` where it is none."""
    return parse(text)


def known_parser(_context: Any, body: dict[str, Any]) -> DocumentNode:
    """`parsed`, as `graphql_sync` takes a parser."""
    return parsed(body["query"])


class Validator:
    """Validates the documents of one schema, each of them once: a query validator as `graphql_sync` takes it."""

    def __init__(self) -> None:
        self._errors_of = lru_cache(maxsize=_KEPT)(_errors)

    def __call__(
        self, schema: GraphQLSchema, document_ast: DocumentNode, *_limits: Any, **_named: Any
    ) -> list[GraphQLError]:
        """What is wrong with a document, by the rules of the specification."""
        return list(self._errors_of(_Same(schema, document_ast)))


class _Same:
    """A document of `parsed`, equal to itself alone: to compare two by what they hold takes as long as to validate."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema, self.document = schema, document

    def __hash__(self) -> int:
        return hash((id(self.schema), id(self.document)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.schema is other.schema and self.document is other.document


def _errors(same: _Same) -> tuple[GraphQLError, ...]:
    return tuple(validate(same.schema, same.document))
