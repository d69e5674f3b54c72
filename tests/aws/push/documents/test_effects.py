"""Whether replacing a document gives or takes access."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.push.documents.effects import Effect, effect_of_documents

BOTH = Effect.GIVES | Effect.TAKES


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def trust(*users: str, **more: Any) -> dict[str, Any]:
    who = {"AWS": [f"arn:aws:iam::111122223333:user/{user}" for user in users]}
    return {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", **more}


def deny(*actions: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


NO_GRANT = allow("none:null")


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (text(allow("s3:A")), text(allow("s3:A", "s3:B")), Effect.GIVES),
        (text(allow("s3:A", "s3:B")), text(allow("s3:A")), Effect.TAKES),
        (text(allow("s3:A")), text(allow("s3:B")), BOTH),
        (text(allow("s3:A", "s3:B")), text(allow("s3:B"), allow("s3:A")), Effect.NEITHER),
        (text(trust("ada")), text(trust("ada", "bob")), Effect.GIVES),
        (text(trust("ada", "bob")), text(trust("bob")), Effect.TAKES),
        (text(trust("ada")), text(trust("bob")), BOTH),
        (text(allow("s3:A")), text(allow("s3:A"), deny("s3:B")), Effect.TAKES),
        (text(allow("s3:A"), deny("s3:B")), text(allow("s3:A")), Effect.GIVES),
        (text(allow("s3:A")), text(allow("s3:A", Condition={"Bool": {"x": "y"}})), BOTH),
        (text(allow("s3:A")), text(NO_GRANT), Effect.TAKES),
        (text(NO_GRANT), text(allow("s3:A")), Effect.GIVES),
        (text(allow("s3:A", Sid="one")), text(allow("s3:A", Sid="two")), Effect.NEITHER),
        (text(allow("s3:A", Resource=["a", "b"])), text(allow("s3:A", Resource="a")), Effect.TAKES),
        (None, text(allow("s3:A")), BOTH),
        (text(allow("s3:A")), None, BOTH),
        ("no JSON", text(allow("s3:A")), BOTH),
        ("[]", "[]", BOTH),
        (text({"Effect": "Maybe", "Action": "s3:A"}), text(), BOTH),
    ],
)
def test_the_effect_of_a_new_document(before: str | None, after: str | None, effect: Effect) -> None:
    assert effect_of_documents(before, after) == effect


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Effect.GIVES, "gives access"),
        (Effect.TAKES, "takes access"),
        (Effect.REMOVES, "removes access"),
        (BOTH, "gives and takes access"),
        (Effect.NEITHER, ""),
    ],
)
def test_what_people_read_of_an_effect(effect: Effect, words: str) -> None:
    assert effect.words == words
