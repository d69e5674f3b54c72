"""Every kind of value, good and bad, and the two little languages: cron expressions and Go's regular expressions."""

from __future__ import annotations

import contextlib
import re
from calendar import monthrange
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from raito_pipeline.config import cron, kinds
from raito_pipeline.config.kinds import Kind, NotThatKind
from raito_pipeline.config.patterns import PatternError, compile_pattern

ALL_KINDS = [kind for kind in vars(kinds).values() if isinstance(kind, Kind)]


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)
def test_every_kind_reads_its_own_example(kind: Kind) -> None:
    kind.read(kind.example.split(",") if kind.is_list else kind.example)


GOOD: list[tuple[Kind, Any, Any]] = [
    (kinds.TEXT, " a b ", "a b"),
    (kinds.FLAG, "true", True),
    (kinds.FLAG, "TRUE", True),
    (kinds.FLAG, "yes", True),
    (kinds.FLAG, "1", True),
    (kinds.FLAG, "False", False),
    (kinds.FLAG, "off", False),
    (kinds.FLAG, "0", False),
    (kinds.ACCOUNT_ID, "012345678901", "012345678901"),
    (kinds.REGION_NAME, "us-gov-west-1", "us-gov-west-1"),
    (kinds.REGIONS, ["eu-west-1", "us-east-1", "eu-west-1"], ("eu-west-1", "us-east-1")),
    (kinds.DOMAIN, "ACME-1", "acme-1"),
    (kinds.BASE_URL, "http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    (kinds.BASE_URL, "https://raito.example/api/", "https://raito.example/api/"),
    (kinds.IDENTITY_STORE, "d-1234567890", "d-1234567890"),
    (kinds.IDENTITY_STORE, "arn:aws:identitystore::123456789012:identitystore/d-1234567890", "d-1234567890"),
    (kinds.INSTANCE_ARN, "arn:aws-us-gov:sso:::instance/ssoins-1", "arn:aws-us-gov:sso:::instance/ssoins-1"),
    (kinds.SIZE, "512mb", 512_000_000),
    (kinds.SIZE, "512 MB", 512_000_000),
    (kinds.SIZE, "1mib", 1_048_576),
    (kinds.SIZE, "1.5k", 1_500),
    (kinds.SIZE, "1000", 1_000),
    (kinds.MINUTES, "0", 0),
    (kinds.MINUTES, "60", 60),
    (kinds.TAG, "kind: machine", "kind:machine"),
    (kinds.TAGS, ["arn:aws:x", "team:"], ("arn:aws:x", "team:")),
    (kinds.PAIRS, ["team:data", "url:http://x"], (("team", "data"), ("url", "http://x"))),
    (kinds.STORAGE, "s3://tables/raito/", "s3://tables/raito"),
    (kinds.STORAGE, "../data", "../data"),
    (kinds.S3_LOCATION, "s3://inventory/a b/", "s3://inventory/a b/"),
    (kinds.BUCKET, "trail.logs-1", "trail.logs-1"),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_good_values(kind: Kind, text: Any, value: Any) -> None:
    assert kind.read(text) == value


BAD: list[tuple[Kind, Any]] = [
    (kinds.TEXT, "  "),
    (kinds.SECRET, ""),
    (kinds.FLAG, "maybe"),
    (kinds.FLAG, "2"),
    (kinds.ACCOUNT_ID, "12345678901"),
    (kinds.ACCOUNT_ID, "1234567890123"),
    (kinds.ACCOUNT_ID, "1234-5678-9012"),
    (kinds.ACCOUNT_ID, "1.23456789012e11"),
    (kinds.REGION_NAME, "Frankfurt"),
    (kinds.REGION_NAME, "eu-central"),
    (kinds.REGIONS, ["eu-central-1", "eu"]),
    (kinds.DOMAIN, "1acme"),
    (kinds.DOMAIN, "acme-"),
    (kinds.DOMAIN, "a"),
    (kinds.DOMAIN, "acme.raito.cloud"),
    (kinds.BASE_URL, "127.0.0.1:8080"),
    (kinds.BASE_URL, "ftp://raito.example"),
    (kinds.BASE_URL, "https://user:password@raito.example"),
    (kinds.INSTANCE_ARN, "ssoins-1"),
    (kinds.IDENTITY_STORE, "d/1"),
    (kinds.SIZE, "mb"),
    (kinds.SIZE, "0"),
    (kinds.SIZE, "12 parsecs"),
    (kinds.MINUTES, "59"),
    (kinds.MINUTES, "-60"),
    (kinds.MINUTES, "1h"),
    (kinds.CRON, "* * * * *"),
    (kinds.TAG, "machine"),
    (kinds.TAG, ":machine"),
    (kinds.TAGS, ["a:b", "c"]),
    (kinds.PATTERNS, ["a("]),
    (kinds.STORAGE, "gs://tables"),
    (kinds.STORAGE, "s3://"),
    (kinds.STORAGE, "<path>"),
    (kinds.S3_LOCATION, "inventory/a"),
    (kinds.BUCKET, "two words"),
    (kinds.whole(1, 5, 1), "0"),
    (kinds.whole(1, 5, 1), "6"),
    (kinds.whole(1, 5, 1), "2.5"),
    (kinds.choice("apply", "plan"), "dry-run"),
    (kinds.name_part("a-z", "letters"), "Data"),
    (kinds.name_part("a-z", "letters", variables=("#account#",)), "#region#"),
]


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_bad_values(kind: Kind, text: Any) -> None:
    with pytest.raises(NotThatKind):
        kind.read(text)


def test_a_secret_does_not_print() -> None:
    secret = kinds.SECRET.read("hunter2")
    assert isinstance(secret, SecretStr)
    assert "hunter2" not in f"{secret} {secret!r}"
    assert secret.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("0 6 * * *", "0 6 * * *"),
        ("5 4 * * sun", "5 4 * * 0"),
        ("0 0/2 * * *", "0 0-23/2 * * *"),
        ("30 */3 1,15 jan-mar ?", "30 */3 1,15 1-3 *"),
        ("0 8-18/2 * * MON-FRI", "0 8-18/2 * * 1-5"),
        ("@daily", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("7 3,3 * * 1-1", "7 3 * * 1"),
        ("0 */24 * * *", "0 0 * * *"),
        ("5/60 8 * * *", "5 8 * * *"),
        ("0 0 31 2,3 *", "0 0 31 2,3 *"),
        ("0 0 29 feb *", "0 0 29 2 *"),
    ],
)
def test_cron_expressions(text: str, normal: str) -> None:
    assert cron.normalize(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "* 0/2 * * *",
        "0,30 * * * *",
        "*/15 * * * *",
        "0-10 * * * *",
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 * * someday",
        "0 0 * * *-5",
        "0 9-5 * * *",
        "0 */0 * * *",
        "0 0 31 2 *",
        "0 0 31 4,6,9,11 *",
        "5/15 8 * * *",
        "0 0 6 * * *",
        "0 6 * *",
        "@every 2h",
        "@reboot",
        "",
    ],
)
def test_cron_expressions_that_are_wrong_or_too_frequent(text: str) -> None:
    with pytest.raises(cron.CronError):
        cron.normalize(text)


@given(st.integers(0, 59), st.lists(st.integers(0, 23), min_size=1, max_size=4), st.integers(1, 31), st.integers(1, 12))
def test_a_normal_cron_expression_stays_as_it_is(minute: int, hours: list[int], day: int, month: int) -> None:
    assume(day <= monthrange(2024, month)[1])  # a leap year: every day that the month can have
    once = cron.normalize(f"{minute} {','.join(map(str, hours))} {day} {month} *")
    assert cron.normalize(once) == once


@pytest.mark.parametrize(
    ("text", "matches", "misses"),
    [
        ("AWS.+", "AWSReservedSSO", "AWS"),
        ("cdk", "cdk", "cdk-role"),
        (r"[[:alpha:]]+\z", "abc", "abc1"),
        (r"[^[:digit:][:space:]]+", "abc", "a 1"),
        (r"\Qa.b\E+", "a.bb", "aXb"),
        (r"(?P<team>a|b)-x", "a-x", "c-x"),
        (r"\d{2,3}", "123", "1234"),
        (r"(?i)admin", "ADMIN", "adm"),
        (r"\[:alpha:\]", "[:alpha:]", "a"),
    ],
)
def test_patterns_mean_what_they_mean_in_go(text: str, matches: str, misses: str) -> None:
    pattern = compile_pattern(text)
    assert pattern.fullmatch(matches)
    assert not pattern.fullmatch(misses)


@pytest.mark.parametrize("text", ["(", "[a", "*a", r"\pL+", "[[:letters:]]", "a**"])
def test_patterns_that_cannot_be_used(text: str) -> None:
    with pytest.raises(PatternError, match="regular expression"):
        compile_pattern(text)


@given(st.text(st.characters(codec="ascii", exclude_characters="\\"), max_size=12))
def test_a_quoted_pattern_matches_exactly_its_text(text: str) -> None:
    assert compile_pattern(rf"\Q{text}\E").fullmatch(text)


@given(st.text(max_size=15))
def test_any_text_is_a_pattern_or_a_pattern_error(text: str) -> None:
    with contextlib.suppress(PatternError):
        assert isinstance(compile_pattern(text), re.Pattern)
