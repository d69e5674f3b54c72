"""The kept copy of AWS's own policies: what it holds, and that finding one reads no others."""

import json
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from moto.iam.aws_managed_policies import aws_managed_policies_data

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.readers.kept_policies import (
    COPY,
    KeptPolicy,
    keep_policies,
    kept_policies,
    kept_policy,
)

S3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def test_every_policy_of_the_copy_can_be_read_and_is_dated() -> None:
    policies = kept_policies()
    assert len(policies) > 1_500
    for arn, policy in policies.items():
        assert arn == policy.arn
        assert arn.startswith("arn:aws:iam::aws:policy/")
        assert date(2026, 1, 1) <= policy.as_of
        assert policy.version_id[1:].isdigit()
        document = read_document(policy.document)
        assert document.statements
        assert document.problems == (), arn


def test_the_copy_agrees_with_another_collection_wherever_both_have_a_version() -> None:
    policies = kept_policies()
    same = 0
    for name, other in json.loads(aws_managed_policies_data).items():
        kept = policies[f"arn:aws:iam::aws:policy{other['Path']}{name}"]
        if kept.version_id == other["DefaultVersionId"]:
            assert json.loads(kept.document) == other["Document"], name
            same += 1
    assert same > 1_000


def test_one_policy_is_found_in_one_small_part_of_the_file() -> None:
    kept = kept_policy(S3)
    assert kept is not None
    assert kept == kept_policies()[S3]
    assert "s3:Get*" in kept.document
    file = pq.ParquetFile(COPY)
    assert file.metadata.num_row_groups > 20
    assert max(file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups)) < 600_000


def test_what_the_copy_does_not_have_is_not_there() -> None:
    assert kept_policy("arn:aws:iam::aws:policy/Unheard") is None
    assert kept_policy("arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess") is None


def test_the_same_policies_make_the_same_file(tmp_path: Path) -> None:
    policies = [KeptPolicy(f"arn:{n}", "v1", date(2026, 1, 1), "{}") for n in range(200)]
    keep_policies(policies, tmp_path / "one")
    keep_policies(reversed(policies), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert kept_policy("arn:150", tmp_path / "two") == policies[150]
