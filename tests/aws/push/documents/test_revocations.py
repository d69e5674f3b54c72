"""What is left of a new document where it may only take access away."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.push.documents.effects import Effect, effect_of_documents
from raito_pipeline.aws.push.documents.revocations import only_taking
from tests.aws.push.conftest import document, text, trust


def doc(*statements: dict[str, Any]) -> str:
    return text({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: list[str], resources: list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
DENY = {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["x"]}


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        (text(trust("ada", "bob")), text(trust("bob", "cyd")), trust("bob")["Statement"]),
        (doc(allow(["a", "b"], ["x"])), doc(allow(["b", "c"], ["x"])), [allow(["b"], ["x"])]),
        (
            doc(allow(["a", "b"], ["x", "y"])),
            doc(allow(["a"], ["x"]), allow(["b"], ["y"])),
            [allow(["a"], ["x"]), allow(["b"], ["y"])],
        ),
        (doc(allow(["a"], ["x"], **MFA)), doc(allow(["a"], ["x"])), None),
        (doc(allow(["a"], ["x"]), DENY), doc(allow(["c"], ["x"])), [DENY]),
        (doc(allow(["a"], ["x"])), doc(allow(["a"], ["x"]), DENY), [allow(["a"], ["x"]), DENY]),
    ],
)
def test_a_document(before: str, after: str, left: Any) -> None:
    found = only_taking(before, after)
    if left is None:
        assert found is not None
        assert json.loads(found)["Statement"][0]["Action"] == "none:null"
    else:
        assert json.loads(found or "")["Statement"] == left
    assert Effect.GIVES not in effect_of_documents(before, found)


def test_without_anybody_the_policy_of_an_access_point_has_no_statement_and_goes() -> None:
    ada, bob = ({"Principal": {"AWS": [name]}} for name in ("ada", "bob"))
    found = only_taking(doc(allow(["a"], ["x"], **ada)), doc(allow(["a"], ["x"], **bob)))
    assert json.loads(found or "")["Statement"] == []
    assert effect_of_documents(doc(allow(["a"], ["x"], **ada)), found) == Effect.TAKES


def test_without_anybody_a_trust_policy_denies() -> None:
    found = json.loads(only_taking(text(trust("ada")), text(trust("bob"))) or "")
    assert [statement["Effect"] for statement in found["Statement"]] == ["Deny"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (text(document("a")), text(document("a"))),
        (text(document("a")), text(document("a", "b"))),
        (None, text(document("a"))),
        ("arn:aws:iam::1:policy/x", None),
        ("[]", "{}"),
    ],
)
def test_where_nothing_is_taken_nothing_is_left_to_do(before: str | None, after: str | None) -> None:
    assert only_taking(before, after) is None
