"""Documents that came before are answered as they were the first time."""

import pytest
from ariadne import graphql_sync
from graphql import GraphQLError, build_schema

from raito_pipeline.sandbox.raito.documents import Validator, known_parser, parsed

SCHEMA = build_schema("type Query { name: String, size: Int }")
OTHER = build_schema("type Query { size: Int }")


def test_a_text_that_is_no_document_is_an_error_each_time() -> None:
    for _ in range(2):
        with pytest.raises(GraphQLError):
            parsed("query {")


@pytest.mark.parametrize("text", ["{ name }", "{ colour }", "query {", "{ name { first } }"])
def test_what_comes_again_is_answered_as_the_first_time(text: str) -> None:
    validator = Validator()
    plain = graphql_sync(SCHEMA, {"query": text})

    for _ in range(2):
        assert plain == graphql_sync(SCHEMA, {"query": text}, query_parser=known_parser, query_validator=validator)


def test_a_document_that_one_schema_has_no_field_for_is_valid_in_another() -> None:
    validator, document = Validator(), parsed("{ name }")

    assert validator(SCHEMA, document) == []
    assert [error.message for error in validator(OTHER, document)] == ["Cannot query field 'name' on type 'Query'."]
    assert validator(SCHEMA, document) == []
