"""Every kind of value, good and bad, and the two little languages: cron expressions and Go's regular expressions."""

from __future__ import annotations

import contextlib
import pickle
import re
import time
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
    (kinds.STORAGE, "s3://tables/what?not"),
    (kinds.STORAGE, "s3://tables?profil=ann"),
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


@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        (kinds.ACCOUNT_ID, "12345678901", "perhaps 012345678901"),
        (kinds.ACCOUNT_ID, "1234-5678-9012", "nothing between them: 123456789012"),
        (kinds.CRON, "TZ=Europe/Brussels 0 6 * * *", "in UTC"),
    ],
)
def test_what_a_wrong_value_was_meant_to_be(kind: Kind, text: str, hint: str) -> None:
    with pytest.raises(NotThatKind) as caught:
        kind.read(text)
    assert hint in (caught.value.expected or "")


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


# Each row from https://pkg.go.dev/regexp/syntax: an expression, a whole name that it matches, one that it does not.
IN_GO = [
    ("AWS.+", "AWSReservedSSO", "AWS"),
    ("cdk", "cdk", "cdk-role"),
    ("cdk.+|aws.+", "aws-x", "xaws-x"),
    ("a|ab", "ab", "abc"),
    ("^cdk.*$", "cdk-1", "acdk-1"),
    ("a.c", "abc", "a\nc"),
    ("(?s)a.c", "a\nc", "ac"),
    ("(?s:.)x", "ax", "x"),
    ("(?m)a$\nb", "a\nb", "ab"),
    ("a$", "a", "a\n"),
    ("[[:alpha:]]+\\z", "abc", "abc1"),
    ("[[:^digit:]]+", "abc", "a1"),
    ("[^[:digit:]]+", "abc", "a1"),
    ("[^[:digit:][:space:]]+", "abc", "a 1"),
    ("[[:word:]]+", "a_1", "a-1"),
    ("\\pL+", "aé", "a1"),
    ("\\PL+", "12", "a1"),
    ("\\p{Greek}+", "αβ", "ab"),
    ("\\p{^Greek}+", "ab", "αβ"),
    ("\\d+", "12", "\u0661\u0662"),
    ("\\w+", "a_1", "é"),
    ("\\s", "\t", "\u00a0"),
    ("[\\d-]+", "1-2", "a"),
    ("\\bdata\\b.*", "data-x", "datax"),
    ("\\x{61}\\x62", "ab", "x61"),
    ("\\141", "a", "141"),
    ("\\Qa.b\\E+", "a.bb", "aXb"),
    ("\\Qa\\.b", "a\\.b", "a.b"),
    ("(?P<team>a|b)-x", "a-x", "c-x"),
    ("(?<team>a|b)-x", "b-x", "c-x"),
    ("(?i)admin", "ADMIN", "adm"),
    ("a(?i)B", "ab", "Ab"),
    ("(?i:a)b", "Ab", "aB"),
    ("(?U)a+", "aaa", "b"),
    ("a{2,3}?", "aaa", "a"),
    ("\\d{2,3}", "123", "1234"),
    ("a{,2}", "a{,2}", "aa"),
    ("a{", "a{", "a"),
    ("a&&b", "a&&b", "a"),
    ("[a&&b]+", "&a", "c"),
    ("[a||b]+", "|a", "c"),
    ("[[a]", "[", "b"),
    ("[]a]+", "]a", "b"),
    ("\\[:alpha:\\]", "[:alpha:]", "a"),
    ("\\v\\f\\a", "\v\f\a", "vfa"),
    ("\\\\C", "\\C", "C"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "matches", "misses"), IN_GO)
def test_patterns_mean_what_they_mean_in_go(text: str, matches: str, misses: str) -> None:
    pattern = compile_pattern(text)
    assert pattern.fullmatch(matches) is not None
    assert pattern.fullmatch(misses) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a(?=b)", "look ahead"),
        ("a(?!b)", "look ahead"),
        ("(?<=a)b", "look behind"),
        ("(?<!a)b", "look behind"),
        ("a++", "possessive"),
        ("a{2}+", "possessive"),
        ("(?>a)", "possessive"),
        ("(a)\\1", "back references"),
        ("(?P<x>a)(?P=x)", "back references"),
        ("\\k<x>", "back references"),
        ("(?(1)a|b)", "conditions"),
        ("(?R)", "recursion"),
        ("a\\Z", "`\\\\z`"),
        ("(?#note)a", "comments"),
        ("(?x) a", "invalid perl operator"),
        ("\\C", "no `\\\\C` in Go"),
        ("\\h", "invalid escape sequence"),
        ("a**", "bad repetition operator: \\*\\*"),
        ("*a", "any characters are"),
        ("a{1001}", "repetition size"),
        ("((a{100}){100}){100}", "repetition size"),
        ("[[:letters:]]", "letters"),
        ("\\p{Letters}", "Letters"),
        ("(?P<x y>a)", "named capture"),
        ("(", "YAML list"),
        ("[a", "YAML list"),
        ("[z-a]", "z-a"),
        ("\ud800", "UTF-8"),
    ],
)
def test_what_go_does_not_have_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PatternError, match=f"a valid regular expression .*{reason}"):
        compile_pattern(text)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(a?){50}a{50}b", "(.*)*(.*)*x"])
def test_no_pattern_takes_long(text: str) -> None:
    pattern = compile_pattern(text)
    began = time.perf_counter()
    assert pattern.fullmatch("a" * 10_000 + "!") is None
    assert time.perf_counter() - began < 30  # by going back it takes years


def test_patterns_of_one_text_are_equal_also_after_a_pickle() -> None:
    pattern = compile_pattern("data-.*")
    again = pickle.loads(pickle.dumps(pattern))
    assert again == pattern
    assert {pattern: 1}[again] == 1
    assert again.fullmatch("data-1") is not None
    assert pattern != compile_pattern("data.*")


@given(st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), max_size=12))
def test_a_quoted_pattern_matches_exactly_its_text(text: str) -> None:
    assert compile_pattern(rf"\Q{text}\E").fullmatch(text)
    assert not compile_pattern(rf"\Q{text}\E").fullmatch(f"{text}x")


PLAIN = st.text(st.sampled_from("ab-1."), min_size=1, max_size=3)
SIMPLE = st.recursive(
    st.one_of(PLAIN.map(re.escape), st.sampled_from(["[ab]", "[^a]", "\\d", "."])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:%s|%s)".__mod__),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}"])).map("(?:%s)%s".__mod__),
    ),
    max_leaves=5,
)


@given(SIMPLE, st.text(st.sampled_from("ab-1."), max_size=6))
def test_what_both_languages_have_means_the_same(text: str, name: str) -> None:
    assert (compile_pattern(text).fullmatch(name) is None) == (re.fullmatch(text, name) is None)


@given(st.text(max_size=15), st.text(max_size=5))
def test_any_text_is_a_pattern_or_a_pattern_error(text: str, name: str) -> None:
    with contextlib.suppress(PatternError):
        compile_pattern(text).fullmatch(name)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (kinds.PATTERNS, ["AWS*"], "repeats nothing but the character before it"),
        (kinds.PATTERNS, ["AWS.*", "[a-z]*"], None),
        (kinds.PATTERNS, ["/AWS.+/"], "slashes"),
        (kinds.BUCKET_PATTERNS, ["cdk-*"], "read as `cdk-.*`"),
        (kinds.BUCKET_PATTERNS, ["cdk-.+"], None),
        (kinds.BUCKET_PATTERNS, ["arn:aws:s3:::cdk-.+"], "no name of a bucket has `:`"),
        (kinds.BUCKET_PATTERNS, ["s3://cdk"], "no name of a bucket has `:` and `/`"),
        (kinds.BUCKET_PATTERNS, ["a-b;c-d"], "no name of a bucket has `;`"),
        (kinds.BUCKET_PATTERNS, ["a-b,c-d"], "no name of a bucket has `,`"),
        (kinds.BUCKET_PATTERNS, ['"a-b"'], 'no name of a bucket has `"`'),
        (kinds.IAM_PATTERNS, ["arn:aws:iam::aws:policy/.*"], "no name of IAM has `:` and `/`"),
        (kinds.IAM_PATTERNS, ["AWS.+ cdk.+"], "no name of IAM has ` `"),
        (kinds.IAM_PATTERNS, ["AWS.+", "ada@example\\.com", "(?i)a_b=c+", "[^:]{2,3}", r"\d+\s?"], None),
        (kinds.IAM_PATTERNS, ["AWS*"], "repeats nothing but the character before it"),
        (kinds.PATTERNS, ["Sales EU: .+"], None),
        (kinds.PATH, r"C:\raito", "a path of Windows"),
        (kinds.PATH, "s3://backups/raito", "an address"),
        (kinds.PATH, "backups", None),
        (kinds.STORAGE, r"C:\raito", "a path of Windows"),
        (kinds.STORAGE, r"\\server\share", "a path of Windows"),
    ],
)
def test_what_has_another_meaning_than_it_looks_like_is_said(kind: Kind, given: Any, said: str | None) -> None:
    doubts = [doubt for _, doubt in kind.doubts(kind.read(given))]
    assert doubts == [] if said is None else [said in doubt for doubt in doubts] == [True]
