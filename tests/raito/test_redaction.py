"""Secrets do not get through, wherever they stand, and what is no secret does."""

import logging
import sys

import pytest

from raito_pipeline.raito.redaction import HIDDEN, RedactingFilter, redact

TOKEN = "eyJhbGciOiJub25l.eyJzdWIiOiJ4In0.c2ln"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Token SECRET",
        "{'Authorization': 'Bearer SECRET'}",
        '"api-secret": "SECRET"',
        "api_secret=SECRET&x=1",
        "password: SECRET",
        "https://files.example/x?X-Amz-Signature=SECRET&X-Amz-Date=1",
        "https://files.example/x?a=1&sig=SECRET",
        "aws_session_token = SECRET",
    ],
)
def test_what_is_named_like_a_secret_is_hidden(text: str) -> None:
    clean = redact(text.replace("SECRET", "Corr3ct-horse"))

    assert "Corr3ct-horse" not in clean
    assert HIDDEN in clean


def test_tokens_and_given_secrets_are_hidden_wherever_they_stand() -> None:
    clean = redact(f"login of ann with {TOKEN} and hunter22hunter", ["hunter22", "hunter22hunter"])

    assert clean == f"login of ann with {HIDDEN} and {HIDDEN}"


@pytest.mark.parametrize("text", ["bucket secretary-notes was read", "task 7 of sales", "a=1&b=2", ""])
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text, ["", "abc"]) == text


def test_a_log_record_is_cleaned_with_its_arguments_and_its_traceback() -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "login with %s", ("hunter22",), None)
    try:
        raise ValueError("refused hunter22")
    except ValueError:
        record.exc_info = sys.exc_info()
    hides = RedactingFilter()
    hides.add("hunter22")

    assert hides.filter(record)

    assert "hunter22" not in logging.Formatter().format(record)
    assert "ValueError" in logging.Formatter().format(record)
