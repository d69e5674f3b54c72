"""The examples of docs/access-from-aws.md are what the pipeline makes of them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import IamAttachment, IamUser, S3Bucket

PAGE = Path(__file__).parents[2] / "docs/access-from-aws.md"
ACCOUNT = "111122223333"
_EXAMPLE = re.compile(
    r"### (?P<title>[^\n]+)\n\n```json\n(?P<policy>.*?)\n```\n\n(?P<lines>(?:- [^\n]+\n)+)", re.DOTALL
)
_WHEN = datetime(2024, 1, 1, tzinfo=UTC)


def described(policy: str) -> str:
    """What the page says of a policy of ann: the what, and every reason by its code."""
    user = IamUser("AIDAANN", "ann", f"arn:aws:iam::{ACCOUNT}:user/ann", "/", _WHEN, (), None, ())
    own = IamAttachment("user", "ann", "inline", "own", None, policy)
    buckets = [S3Bucket(name, "eu-west-1", _WHEN, True, ()) for name in ("data", "logs")]
    inputs = AccessInputs(ACCOUNT, [user], [], [], [], [own], buckets, [])
    (row,) = build_access_providers(inputs, AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
    lines = [
        f"`{item.data_object.full_name}`: {', '.join(f'`{name}`' for name in item.permissions)}" for item in row.what
    ] or ["nothing"]
    lines = [f"- shown: {line}" for line in lines]
    for code in ("wider", "narrower", "who", "elsewhere"):
        lines += [f"- {code}: {_short(reason)}" for reason in getattr(row, f"reasons_{code}")]
    lines += [f"- note: {_short(note)}" for note in row.notes]
    return "".join(f"{line}\n" for line in lines)


def _short(reason: str) -> str:
    return reason.removeprefix("inline policy own, ")


def _examples() -> Iterator[tuple[str, str, str]]:
    for found in _EXAMPLE.finditer(PAGE.read_text("utf-8")):
        yield found["title"], found["policy"], found["lines"]


@pytest.mark.parametrize(("title", "policy", "lines"), _examples())
def test_an_example_of_the_page_is_what_is_made_of_it(title: str, policy: str, lines: str) -> None:
    assert described(policy) == lines, title


def test_every_example_of_the_page_is_found() -> None:
    text = PAGE.read_text("utf-8")

    assert len(list(_examples())) == text.count("```json") == text.count("### ") > 10
