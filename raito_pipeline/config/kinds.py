"""The kinds of values that options take: how each is read from text, and what is said where the text does not fit.

A kind reads text only. Where the text came from (the file, an environment variable, the command line) is not its
business, and neither is the printing of what was found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from raito_pipeline.config import cron, patterns, regions

TRUE = frozenset({"true", "yes", "on", "1", "t", "y"})
FALSE = frozenset({"false", "no", "off", "0", "f", "n"})

_ACCOUNT = re.compile(r"[0-9]{12}")
_PLACE = re.compile(r"[A-Za-z0-9_.-]+/[a-z0-9-]+")
_DOMAIN = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+")
_IAM_PATH = re.compile(r"/(?!aws-)(?:[A-Za-z0-9+=,.@_-]+/){0,50}")
_INSTANCE_ARN = re.compile(r"arn:aws[a-z-]*:sso:::instance/[A-Za-z0-9-]+")
_IDENTITY_STORE = re.compile(r"(?:arn:aws[a-z-]*:identitystore::\d*:identitystore/)?([A-Za-z0-9-]{1,64})")
BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_WEBHOOK = re.compile(r"https?://[^\s/?#@]+(/[^\s#]*)?")
_STORAGE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s?#]*)?(\?[^\s#]*)?")
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_REACHED_BY = ("profile", "region", "endpoint_override", "scheme", "plain-http")
"""what an address of the storage on S3 may say of how it is reached (`storage/s3.py`)"""
_SIZE_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class NotThatKind(ValueError):
    """The text is not of this kind. `expected` says what would be, in place of the kind's own description."""

    def __init__(self, expected: str | None = None) -> None:
        self.expected = expected
        super().__init__(expected or "not a value of this kind")


@dataclass(frozen=True, eq=False)
class Kind:
    """How a value is read. `expected` is worded to follow "expected ..."; `example` is a text that `read` takes.

    `read` gets one text, or for a list (`is_list`) all its parts, and raises `NotThatKind`. `doubts` gets the value and
    gives what should be known of it, though it can be used, each as (text, what is wrong with it).
    """

    name: str
    expected: str
    example: str
    read: Callable[[Any], Any]
    is_list: bool = False
    doubts: Callable[[Any], Iterable[tuple[str, str]]] = lambda _value: ()


def _text(text: str) -> str:
    if not text.strip():
        raise NotThatKind
    return text.strip()


def _secret(text: str) -> SecretStr:
    """A secret keeps its blanks, but no line break at its end: it comes from the file or program that gave it."""
    kept = text.rstrip("\r\n")
    if not kept:
        raise NotThatKind
    return SecretStr(kept)


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise NotThatKind
    return word in TRUE


def whole(least: int, most: int, example: int) -> Kind:
    """A whole number from `least` to `most`, both included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text.strip()) or not least <= int(text) <= most:
            raise NotThatKind
        return int(text)

    return Kind(f"{least} to {most}", f"a whole number from {least} to {most}", str(example), read)


def _share(text: str) -> float:
    if not re.fullmatch(r"(0|1|[01]?\.\d{1,6})", text.strip()) or not 0 <= float(text) <= 1:
        raise NotThatKind
    return float(text)


def _places(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_matching(_PLACE)(part) for part in parts))


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text.strip()):
            raise NotThatKind
        return text.strip()

    return read


def _account(text: str) -> str:
    """An account id. Spreadsheets and programs lose the zeros that it begins with, and people group its digits."""
    digits = re.sub(r"[ _-]", "", text)
    if _ACCOUNT.fullmatch(text.strip()):
        return text.strip()
    if _ACCOUNT.fullmatch(digits):
        raise NotThatKind(f"{ACCOUNT_ID.expected}, with nothing between them: {digits}")
    if text == digits and re.fullmatch(r"[0-9]{9,11}", digits):
        raise NotThatKind(f"{ACCOUNT_ID.expected}, perhaps {digits:0>12} with the zeros that it begins with")
    raise NotThatKind


def _domain(text: str) -> str:
    return _matching(_DOMAIN)(text.lower())


def _base_url(text: str) -> str:
    return _matching(_URL)(text).rstrip("/") + "/"


def _webhook(text: str) -> SecretStr:
    """Whoever knows such an address may write to it, so that it is a secret."""
    return SecretStr(_matching(_WEBHOOK)(text))


def _identity_store(text: str) -> str:
    match = _IDENTITY_STORE.fullmatch(text.strip())
    if match is None:
        raise NotThatKind
    return match.group(1)


def _storage(text: str) -> str:
    place = text.strip()
    if place.startswith("s3://"):
        if re.search(r"\s", place):
            raise NotThatKind("an address s3://BUCKET/PREFIX without spaces: other tools cannot read tables below one")
        query = place.partition("?")[2]
        if query and not all(each.partition("=")[0] in _REACHED_BY and "=" in each for each in query.split("&")):
            raise NotThatKind(f"an address s3://BUCKET/PREFIX, behind whose `?` stand {', '.join(_REACHED_BY)} at most")
        return _matching(_STORAGE)(place).rstrip("/")
    if not place or "://" in place or re.fullmatch("<+[^<>]*>+", place):
        raise NotThatKind
    return place


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise NotThatKind
    base = 1024 if match.group(3) else 1000
    size = int(float(match.group(1)) * base ** _SIZE_POWERS[match.group(2).lower()])
    if size < 1:
        raise NotThatKind
    return size


def _size_doubts(size: int) -> Iterator[tuple[str, str]]:
    if size < 1_000_000:
        yield f"{size:,} bytes", "a very small size, which makes very many files; without a unit bytes are meant"


def _minutes(text: str) -> int:
    minutes = whole(0, 525_600, 60).read(text)
    if 0 < minutes < timedelta(hours=1) // timedelta(minutes=1):
        raise NotThatKind("at least 60 minutes: the most that Raito Cloud takes is one sync an hour")
    return int(minutes)


def _cron(text: str) -> str:
    try:
        return cron.normalize(text)
    except cron.CronError as error:
        raise NotThatKind(str(error)) from None


def _texts(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in parts))


def region(text: str) -> str:
    """`text` as the name of a region. Raises `NotThatKind` where AWS cannot have it."""
    name = text.strip()
    try:
        regions.check(name)
    except regions.NoRegion as error:
        raise NotThatKind(error.expected) from None
    return name


def _regions(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(region(part) for part in parts))


def region_doubts(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The regions among `names` that could exist and that nobody has heard of."""
    for name in names:
        doubt = regions.doubt(name)
        if doubt is not None:
            yield name, doubt


def _patterns(
    compiled: Callable[[str], patterns.NamePattern],
) -> Callable[[Sequence[str]], tuple[patterns.NamePattern, ...]]:
    def read(parts: Sequence[str]) -> tuple[patterns.NamePattern, ...]:
        try:
            return tuple(map(compiled, parts))
        except patterns.PatternError as error:
            raise NotThatKind(str(error)) from None

    return read


def _pattern_doubts(found: Iterable[patterns.NamePattern]) -> Iterator[tuple[str, str]]:
    """What in an expression has another meaning than it looks like, without being wrong."""
    for each in found:
        text = each.written or each.pattern
        if each.written is not None:
            yield text, f"read as `{each.pattern}`: `*` stands for any characters"
        elif patterns.with_wildcards(text) != text:
            yield text, "`*` repeats nothing but the character before it; any characters are `.*`"
        if len(text) > 1 and text[0] == text[-1] == "/":
            yield text, "the slashes around it are part of the expression"


def _name_doubts(whose: str, allowed: str) -> Callable[[Iterable[patterns.NamePattern]], Iterator[tuple[str, str]]]:
    """The doubts of expressions for names that consist of the characters `allowed` alone, of a bucket, say."""
    a_name = re.compile(f"[{allowed}]", re.ASCII)

    def doubts(found: Iterable[patterns.NamePattern]) -> Iterator[tuple[str, str]]:
        for each in found:
            strange = dict.fromkeys(char for char in patterns.literals(each.pattern) if not a_name.fullmatch(char))
            if strange:
                signs = " and ".join(f"`{char}`" for char in strange)
                yield each.written or each.pattern, f"no name of {whose} has {signs}; a list has a comma between names"
            else:
                yield from _pattern_doubts([each])

    return doubts


def _windows_path_doubts(path: str) -> Iterator[tuple[str, str]]:
    if re.match(r"[A-Za-z]:[\\/]|\\\\", path) and os.name != "nt":
        yield path, "a path of Windows, which this system takes for a name in the current folder"


def _path_doubts(path: str) -> Iterator[tuple[str, str]]:
    yield from _windows_path_doubts(path)
    if "://" in path:
        yield path, "an address, which is taken for the name of a folder on this machine"


def _tags(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{key}:{value}" for key, value in _pairs(parts))


def _pair(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon or not key.strip():
        raise NotThatKind
    return key.strip(), value.strip()


def _pairs(parts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(_pair(part) for part in parts)


def _tag(text: str) -> str:
    return _tags([text])[0]


def choice(*words: str) -> Kind:
    """One of a few words, without regard to case."""

    def read(text: str) -> str:
        if text.strip().lower() not in words:
            raise NotThatKind
        return text.strip().lower()

    wording = " or ".join(f"`{word}`" for word in words)
    return Kind(wording, wording, words[0], read)


def name_part(characters: str, wording: str, *, variables: Sequence[str] = ()) -> Kind:
    """A prefix or suffix of names that AWS must accept: `characters` is the inside of a regular expression's set."""
    allowed = re.compile(
        f"(?:[{characters}]|{'|'.join(map(re.escape, variables))})*" if variables else f"[{characters}]*"
    )
    return Kind("part of a name", wording, "raito-", _matching(allowed))


TEXT = Kind("text", "a text that is not empty", "some-text", _text)
SECRET = Kind("secret", "a text that is not empty", "some-text", _secret)
NAME = Kind("text", "a name that is not empty", "marketing", _text)
CONNECTOR = Kind("text", "the name of a connector", "raito-io/cli-plugin-aws-account", _text)
FLAG = Kind("true or false", "true or false", "true", _flag)
SHARE = Kind("share", "a share from 0 to 1", "0.5", _share)
PLACES = Kind(
    "list of ACCOUNT/REGION",
    "ACCOUNT/REGION, such as 012345678901/eu-west-1, separated by commas or as a YAML list",
    "012345678901/eu-west-1",
    _places,
    is_list=True,
)
TEXTS = Kind("list of texts", "texts, separated by commas or as a YAML list", "one,two", _texts, is_list=True)
ACCOUNT_ID = Kind("account id", "the 12 digits of an AWS account id", "012345678901", _account)
REGION_NAME = Kind(
    "region",
    "the name of an AWS region, such as eu-central-1",
    "eu-central-1",
    region,
    doubts=lambda name: region_doubts([name]),
)
REGIONS = Kind(
    "list of regions",
    "names of AWS regions such as eu-central-1, separated by commas or as a YAML list",
    "eu-central-1,us-east-1",
    _regions,
    is_list=True,
    doubts=region_doubts,
)
PATTERNS = Kind(
    "list of regular expressions",
    "regular expressions, separated by commas or as a YAML list",
    "cdk.+,AWS.+",
    _patterns(patterns.compile_pattern),
    is_list=True,
    doubts=_pattern_doubts,
)
BUCKET_PATTERNS = Kind(
    PATTERNS.name,
    PATTERNS.expected,
    "cdk-.+,logs-.+",
    _patterns(patterns.compile_wildcards),
    is_list=True,
    doubts=_name_doubts("a bucket", r"\w.-"),
)
IAM_PATTERNS = Kind(
    PATTERNS.name,
    PATTERNS.expected,
    PATTERNS.example,
    _patterns(patterns.compile_pattern),
    is_list=True,
    doubts=_name_doubts("IAM", r"\w+=,.@-"),
)
PATTERN_KINDS = (PATTERNS, BUCKET_PATTERNS, IAM_PATTERNS)
TAG = Kind("tag", "a tag as key:value", "kind:machine", _tag)
TAGS = Kind(
    "list of tags",
    "tags as key:value, separated by commas or as a YAML list",
    "team:data,env:prod",
    _tags,
    is_list=True,
)
PAIRS = Kind(
    "list of tags",
    "tags as KEY:VALUE, separated by commas or as a YAML list",
    "team:data,env:prod",
    _pairs,
    is_list=True,
)
DOMAIN = Kind(
    "domain",
    "DOMAIN of https://DOMAIN.raito.cloud: a letter, then letters, digits and -, a letter or digit at the end",
    "acme",
    _domain,
)
BASE_URL = Kind("address", "an http:// or https:// address without user and query", "http://127.0.0.1:8080/", _base_url)
WEBHOOK = Kind(
    "address, kept secret",
    "an https:// address without a user",
    "https://hooks.example.com/services/T0/B0",
    _webhook,
)
INSTANCE_ARN = Kind(
    "ARN",
    "the ARN of an Identity Center instance, arn:aws:sso:::instance/ssoins-...",
    "arn:aws:sso:::instance/ssoins-1234567890abcdef",
    _matching(_INSTANCE_ARN),
)
POLICY_ARN = Kind(
    "ARN",
    "the ARN of a managed policy, arn:aws:iam::ACCOUNT:policy/NAME",
    "arn:aws:iam::111122223333:policy/raito-boundary",
    _matching(_POLICY_ARN),
)
IAM_PATH = Kind(
    "path", "a path of IAM that begins and ends with /, such as /raito/; those of AWS begin with /aws-", "/raito/",
    _matching(_IAM_PATH),
)  # fmt: skip
IDENTITY_STORE = Kind(
    "identity store id", "the id (d-...) or ARN of an AWS identity store", "d-1234567890", _identity_store
)
BUCKET = Kind("bucket name", "the name of an S3 bucket", "trail-logs", _matching(BUCKET_NAME))
S3_LOCATION = Kind("S3 address", "an address s3://BUCKET/PREFIX/", "s3://inventories/data/daily/", _matching(_S3))
PATH = Kind("path", "the path of a folder", "/var/backups/raito", _text, doubts=_path_doubts)
STORAGE = Kind(
    "path or S3 address",
    "a path or an address s3://BUCKET/PREFIX",
    "s3://tables/raito",
    _storage,
    doubts=_windows_path_doubts,
)
SIZE = Kind(
    "size", "a size such as 512mb (1 mb = 1,000,000 bytes, 1 mib = 1,048,576)", "512mb", _size, doubts=_size_doubts
)
MINUTES = Kind("minutes", "a whole number of minutes, at least 60, or 0 for none", "60", _minutes)
CRON = Kind("cron expression", "a cron expression of five fields", "0 6 * * *", _cron)
