"""Policy documents as AWS stores them, and broken ones: a problem each, and never an exception."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.policy.documents import Principal, read_document

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def statements(*listed: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(listed), **more})


BROKEN = {
    "no JSON": ("{", "not JSON"),
    "too deep": ("[" * 100_000, "not JSON"),
    "a list": ("[]", "not a JSON object"),
    "another version": (statements(ALLOW, Version="2013-01-01"), "2013-01-01"),
    "no statement": (json.dumps({"Version": "2012-10-17"}), "no Statement"),
    "a key twice": ('{"Statement": [], "Statement": []}', "Statement is given twice"),
    "no effect": (statements({"Action": "*", "Resource": "*"}), "statement 1: Effect"),
    "both actions": (statements({**ALLOW, "NotAction": "*"}), "both Action and NotAction"),
    "no action": (statements({"Effect": "Allow", "Resource": "*"}), "neither Action nor NotAction"),
    "an element of no language": (statements({**ALLOW, "Actions": "*"}), "unknown element Actions"),
    "a number": (statements({**ALLOW, "Resource": 7}), "Resource is neither"),
    "a condition that is none": (statements({**ALLOW, "Condition": {"Bool": "true"}}), "Condition is not"),
    "a principal that is none": (statements({**ALLOW, "Principal": "arn:aws:iam::1:root"}), "Principal is neither"),
    "a principal of no kind": (statements({**ALLOW, "Principal": {"*": "*"}}), "no kind of principal"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_a_problem(name: str) -> None:
    text, problem = BROKEN[name]

    document = read_document(text)

    assert document.statements == ()
    assert len(document.problems) == 1
    assert problem in document.problems[0]


def test_one_broken_statement_does_not_take_the_others_along() -> None:
    document = read_document(statements(ALLOW, {"Effect": "Perhaps"}, {**ALLOW, "Sid": "Last", "Effect": "Deny"}))

    assert [(s.number, s.effect, s.label) for s in document.statements] == [
        (1, "Allow", "statement 1"), (3, "Deny", "statement 3 (Last)"),
    ]  # fmt: skip
    assert [problem.partition(":")[0] for problem in document.problems] == ["statement 2"]


def test_single_texts_and_lists_say_the_same() -> None:
    lists = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"], "Principal": {"AWS": ["a"]}}
    one, other = read_document(statements(lists)), read_document(
        json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW, "Principal": {"AWS": "a"}}})
    )  # fmt: skip

    assert one == other
    assert one.statements[0].principals == (Principal("AWS", "a"),)


def test_conditions_are_named_and_an_empty_one_is_none() -> None:
    condition = {
        "StringLike": {"s3:prefix": "a/*"},
        "Bool": {"aws:SecureTransport": "true", "aws:ViaAWSService": "true"},
    }
    with_one, without = read_document(
        statements({**ALLOW, "Condition": condition}, {**ALLOW, "Condition": {}})
    ).statements  # fmt: skip

    assert [each.label for each in with_one.conditions] == [
        "Bool aws:SecureTransport",
        "Bool aws:ViaAWSService",
        "StringLike s3:prefix",
    ]
    assert without.conditions == ()


def test_variables_came_with_the_second_version_of_the_language() -> None:
    versions = {"2012-10-17": True, "2008-10-17": False, None: False}
    for version, variables in versions.items():
        text = json.dumps({"Statement": ALLOW} | ({"Version": version} if version else {}))
        assert [s.variables for s in read_document(text).statements] == [variables]


@pytest.mark.parametrize("half", [r"\ud83d", r"\uDE00", "\ud83d"])
def test_half_of_a_character_is_a_problem_and_nothing_that_cannot_be_stored(half: str) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW, "Resource": "HERE*"}})

    assert read_document(text.replace("HERE", half)).problems == (
        "the document has an escape that is half of a character",
    )
    assert not read_document(text.replace("HERE", r"\ud83d\uDE00")).problems


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Action", "Resource", "Principal", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.text() | json_values.map(json.dumps))
def test_no_text_raises(text: str) -> None:
    document = read_document(text)

    assert document.statements or document.problems or json.loads(text)["Statement"] == []
