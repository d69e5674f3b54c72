"""Answers: flags first, then a person, then what is usual."""

import argparse
import io

import pytest
from rich.console import Console

from raito_pipeline.cli.new_target import DATA_SOURCE, IDENTITY_STORE, Answers, AnswersMissing, account_entry
from raito_pipeline.config.reading import is_placeholder


def answers(**given: str | None) -> Answers:
    usual = dict.fromkeys(
        (
            "name",
            "profile",
            "account_id",
            "regions",
            "source",
            "cloudtrail_bucket",
            "data_source_id",
            "identity_store_id",
        )
    )
    return Answers(argparse.Namespace(**{**usual, **given}), Console(file=io.StringIO()))


def test_a_flag_wins_and_what_is_usual_is_the_last_resort() -> None:
    assert answers(source="glue").text("source", "From where", "s3") == "glue"
    assert answers().text("source", "From where", "s3") == "s3"
    with pytest.raises(AnswersMissing, match="--regions"):
        answers().text("regions", "Regions")


def test_the_entry_says_what_is_not_usual() -> None:
    entry = account_entry(answers(profile="sales", account_id="111122223333", regions="eu-west-1,us-east-1"))
    assert entry == {
        "name": "sales",
        "connector-name": "raito-io/cli-plugin-aws-account",
        "data-source-id": DATA_SOURCE,
        "identity-store-id": IDENTITY_STORE,
        "aws-account-id": "111122223333",
        "aws-profile": "sales",
        "aws-regions": "eu-west-1,us-east-1",
        "aws-s3-enabled": True,
    }
    default = account_entry(
        answers(profile="-", account_id="111122223333", regions="eu-west-1", cloudtrail_bucket="b-b")
    )
    assert (default["name"], "aws-profile" in default) == ("111122223333", False)
    assert default["aws-s3-cloudtrail-bucket"] == "b-b"
    assert is_placeholder(DATA_SOURCE)
