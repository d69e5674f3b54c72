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

from .conftest import ACCOUNT, Told, what


@pytest.fixture(scope="module")
def rows() -> list[AccessProvider]:
    """The policies of AWS with an S3 permission, each attached to a user of its own.

    All keys of all buckets are known, no bucket has tags, and none is left out.
    """
    told = Told(listed=("data", "other"), left_out=False)
    for path, kind in (("CodeDeploy", "folder"), ("CodeDeploy/app.zip", "file"), ("disk.iso", "file"), ("x/y", "file")):
        told.data_object(path, kind)
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
    assert incomplete <= len(rows) * 0.15


def test_objects_that_a_policy_of_aws_gives_by_a_pattern_are_shown(rows: list[AccessProvider]) -> None:
    (row,) = (row for row in rows if row.name == "EC2InstanceProfileForImageBuilder")

    assert f"{ACCOUNT}:eu-west-1:data/disk.iso" in what(row)
    assert not row.incomplete


def _causes(rows: Iterable[AccessProvider]) -> Counter[str]:
    """How many rows have a reason of the same words; what they name is cut off."""
    found: Counter[str] = Counter()
    for row in rows:
        reasons = (*row.reasons_wider, *row.reasons_narrower, *row.reasons_who)
        found.update({re.sub(r"\b(arn:\S+|s3:\S+)", "...", reason.partition(": ")[2])[:60] for reason in reasons})
    return found
