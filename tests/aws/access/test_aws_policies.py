"""Policies that AWS itself wrote: what of them cannot be shown."""

import re
from collections import Counter
from collections.abc import Iterable

import pytest

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.actions import gives_s3
from raito_pipeline.aws.readers.kept_policies import kept_policies
from raito_pipeline.model import AccessProvider
from tests.aws.access.comparison import CODES, has

from .conftest import Told


@pytest.fixture(scope="module")
def rows() -> list[AccessProvider]:
    """The policies of AWS with an S3 permission, each attached to a user of its own."""
    told = Told()
    for arn, policy in kept_policies().items():
        name = arn.rpartition("/")[2]
        if gives_s3(read_document(policy.document)):
            told.user(name).policy(name, policy.document, f"user:{name}", aws=True)
    return list(told.build().values())


def test_most_policies_of_aws_are_shown_as_they_are(rows: list[AccessProvider]) -> None:
    counts = Counter(code for row in rows for code in CODES if has(row, code))
    incomplete = sum(row.incomplete for row in rows)
    print(f"{len(rows)} policies of AWS with S3 permissions: {incomplete} incomplete, by code {dict(counts)}")
    for words, times in _causes(rows).most_common(15):
        print(f"{times:5} {words}")
    assert len(rows) > 250
    assert incomplete <= len(rows) * 0.2


@pytest.mark.xfail(
    strict=True,
    reason="a fifth: patterns of keys in any bucket, and conditions on tags of objects and buckets",
)
def test_few_policies_of_aws_cannot_be_shown_as_they_are(rows: list[AccessProvider]) -> None:
    """At most 15 % of those with an S3 permission."""
    assert sum(row.incomplete for row in rows) <= len(rows) * 0.15


def _causes(rows: Iterable[AccessProvider]) -> Counter[str]:
    """How many rows have a reason of the same words; what they name is cut off."""
    found: Counter[str] = Counter()
    for row in rows:
        reasons = (*row.reasons_wider, *row.reasons_narrower, *row.reasons_who)
        found.update({re.sub(r"\b(arn:\S+|s3:\S+)", "...", reason.partition(": ")[2])[:60] for reason in reasons})
    return found
