"""Every GraphQL document fits the schema that the local Raito Cloud serves, in the form in which it is sent."""

from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, print_ast, validate
from graphql.utilities import value_from_ast_untyped

import raito_pipeline.raito.operations as operations
import raito_pipeline.sandbox.raito as sandbox
from raito_pipeline.raito.operations import inline, literal, operation
from raito_pipeline.raito.operations import parse as read

NAMES = tuple(sorted(file.stem for file in Path(operations.__path__[0]).glob("*.graphql")))

# Values for the operations that are sent with literals; the others are checked with their variables.
EXAMPLES: dict[str, dict[str, Any]] = {
    "JobSubtask": {"jobId": "j", "jobType": "IS", "subtaskId": "s"},
    "AddLogFileToTask": {"input": {"jobId": "j", "jobType": "DS", "fileKey": "k"}},
    "SetIdentityStoreMetaData": {
        "id": "i",
        "input": {"type": "aws-account", "icon": None, "canBeLinked": False, "canBeMaster": False},
    },
    "ImportIdentityRequest": {
        "input": {
            "jobId": "j",
            "importSettings": {
                "identityStore": "i",
                "deleteUntouched": True,
                "replaceGroups": False,
                "usersFileKey": "u",
                "groupsFileKey": "g",
                "tagSourcesScope": ["aws-s3"],
            },
        }
    },
    "ImportDataSourceRequest": {
        "input": {
            "jobId": "j",
            "importSettings": {"dataSource": "d", "deleteUntouched": True, "fileKey": "k", "tagSourcesScope": []},
        }
    },
    "ImportAccessProvidersRequest": {
        "input": {"jobId": "j", "importSettings": {"dataSource": "d", "deleteUntouched": True, "fileKey": "k"}}
    },
    "ImportAccessProvidersSyncFeedback": {
        "input": {"jobId": "j", "importSettings": {"dataSource": "d", "fileKey": "k"}}
    },
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((Path(sandbox.__file__).parent / "schema.graphql").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_document_fits_the_schema(name: str, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(operation(name).document)) == []


@pytest.mark.parametrize("name", [name for name in NAMES if operation(name).literals])
def test_the_document_with_literals_fits_the_schema(name: str, schema: GraphQLSchema) -> None:
    body = operation(name).request(EXAMPLES[name])
    assert body["variables"] == {}
    assert "$" not in body["query"]
    assert validate(schema, parse(body["query"])) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_named_as_its_operation(name: str) -> None:
    assert operation(name).name == name


def test_what_may_be_sent_twice() -> None:
    unsafe = {name for name in NAMES if not operation(name).repeatable}
    assert unsafe == {
        "AddLogFileToTask",
        "CreateDataSource",
        "CreateIdentityStore",
        "CreateJob",
        "ImportAccessProvidersRequest",
        "ImportAccessProvidersSyncFeedback",
        "ImportDataSourceRequest",
        "ImportDataUsageRequest",
        "ImportIdentityRequest",
    }


@pytest.mark.parametrize(
    "value",
    [None, True, 3, "plain", 'quo"te \\ back\nline \u2028 é', [], ["a", None], {"a": {"b": [1, {"c": False}]}}],
)
def test_literals_mean_the_same_value(value: Any) -> None:
    document = parse(f"{{ field(argument: {literal(value)}) }}")
    argument = document.definitions[0].selection_set.selections[0].arguments[0]  # type: ignore[attr-defined]
    assert value_from_ast_untyped(argument.value) == value


def test_inlining_leaves_no_declaration() -> None:
    text = inline("query Q($a: [String!]!, $b: ID) {\n  f(a: $a, b: $b) {\n    id\n  }\n}\n", {"a": ["x"]})
    assert print_ast(parse(text)) == print_ast(parse('query Q { f(a: ["x"], b: null) { id } }'))


def test_a_file_without_an_operation_is_an_error() -> None:
    with pytest.raises(ValueError, match="named query or mutation"):
        read("{ dataSource }")
    with pytest.raises(KeyError):
        operation("NoSuchOperation")
