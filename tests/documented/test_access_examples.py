"""The examples of docs/access-from-aws.md are what the pipeline makes of them."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import (
    AccessPoint,
    AccessProvider,
    IamAttachment,
    IamPolicy,
    IamUser,
    S3Bucket,
    S3BucketPolicy,
)

PAGE = Path(__file__).parents[2] / "docs/access-from-aws.md"
ACCOUNT = "111122223333"
_SECTION = re.compile(r"### (?P<title>[^\n]+)\n\n(?P<content>.*?)(?=\n##|\Z)", re.DOTALL)
_DOCUMENT = re.compile(r"```json(?P<kind>[^\n]*)\n(?P<text>.*?)\n```", re.DOTALL)
_LINES = re.compile(r"(?:^- [^\n]+\n?)+", re.MULTILINE)
_POLICY, _BUCKET_POLICY, _BOUNDARY = "", "bucket policy of data", "permissions boundary"
_WHEN = datetime(2024, 1, 1, tzinfo=UTC)


DOOR = AccessPoint(
    "door", f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door", None, "data", ACCOUNT, None, (), "Internet"
)
OBJECTS = (("a", "folder"), ("a/c.csv", "file"), ("team1", "folder"), ("team10", "folder"), ("team1.csv", "file"))


def row_of(documents: Mapping[str, str]) -> AccessProvider:
    """The access provider of the policy of ann; where she has none, that of the bucket policy."""
    edge = f"arn:aws:iam::{ACCOUNT}:policy/edge"
    bounded = edge if _BOUNDARY in documents else None
    inputs = AccessInputs(
        ACCOUNT,
        [IamUser("AIDAANN", "ann", f"arn:aws:iam::{ACCOUNT}:user/ann", "/", _WHEN, (), bounded, ())],
        [],
        [],
        [IamPolicy("ANPAEDGE", "edge", edge, "/", False, "v1", 0, documents[_BOUNDARY], ())] if bounded else [],
        [IamAttachment("user", "ann", "inline", "own", None, documents[_POLICY])] if _POLICY in documents else [],
        [S3Bucket(name, "eu-west-1", _WHEN, True, ()) for name in ("data", "logs")],
        [point for point in (DOOR,) if point.arn in str(documents)],
        bucket_policies=[
            S3BucketPolicy("data", _WHEN, documents[kind], True, (), (), True)
            for kind in (_BUCKET_POLICY,)
            if kind in documents
        ],
        linked={"444455556666": "finance"},
        look_up=partial(
            known_paths, data_objects=[(f"{ACCOUNT}:eu-west-1:data/{path}", kind) for path, kind in OBJECTS]
        ),
    )
    rows = build_access_providers(inputs, AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
    return next(row for row in rows if (row.type == "aws_policy") == (_POLICY in documents))


def described(documents: Mapping[str, str]) -> str:
    """What the page says of an example: the what, and every reason by its code."""
    row = row_of(documents)
    lines = [
        f"`{item.data_object.full_name}`: {', '.join(f'`{name}`' for name in item.permissions)}" for item in row.what
    ] or ["nothing"]
    lines = [f"- shown: {line}" for line in lines]
    if row.type == "aws_bucket_policy":
        lines.append(f"- who: {', '.join(f'`{name}`' for name in row.who_users or ()) or 'nobody of the account'}")
    for code in ("wider", "narrower", "who", "elsewhere"):
        lines += [f"- {code}: {_short(reason)}" for reason in getattr(row, f"reasons_{code}")]
    lines += [f"- note: {_short(note)}" for note in row.notes]
    return "".join(f"{line}\n" for line in lines)


def _short(reason: str) -> str:
    return reason.removeprefix("inline policy own, ")


def _examples() -> Iterator[tuple[str, dict[str, str], str]]:
    text = PAGE.read_text("utf-8")
    for found in _SECTION.finditer(text[text.index("## Examples") :]):
        documents = {each["kind"].strip(): each["text"] for each in _DOCUMENT.finditer(found["content"])}
        lines = _LINES.search(found["content"])
        yield found["title"], documents, lines[0].rstrip("\n") + "\n" if lines else ""


@pytest.mark.parametrize(("title", "documents", "lines"), list(_examples()))
def test_an_example_of_the_page_is_what_is_made_of_it(title: str, documents: dict[str, str], lines: str) -> None:
    assert described(documents) == lines, title


def test_every_example_of_the_page_is_found() -> None:
    text = PAGE.read_text("utf-8")
    examples = list(_examples())

    assert len(examples) == text.count("### ") > 18
    assert sum(len(documents) for _, documents, _ in examples) == text.count("```json")
    assert {kind for _, documents, _ in examples for kind in documents} == {_POLICY, _BUCKET_POLICY, _BOUNDARY}
