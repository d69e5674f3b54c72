"""Buckets of other accounts of the same file that identity policies name."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.access.other_buckets import lets_in
from raito_pipeline.aws.policy.claims import KnownPaths, OtherBucket, WantedPaths
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider, S3BucketPolicy

from .conftest import ACCOUNT, WHEN, Told, allow, deny, document

OTHER = "444455556666"
ROW = S3BucketPolicy("theirs", WHEN, None, True, None, None, True)
OBJECTS = "arn:aws:s3:::theirs/*"


def of(*statements: dict[str, Any], **more: Any) -> S3BucketPolicy:
    return replace(ROW, policy=document(*statements), **more)


def to(principal: Any, action: str = "s3:GetObject") -> dict[str, Any]:
    return allow(action, OBJECTS, Principal=principal)


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (ROW, False),
        (of(to({"AWS": ACCOUNT})), True),
        (of(to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})), True),
        (of(to({"AWS": [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{ACCOUNT}:user/ann"]})), True),
        (of(to("*")), True),
        (of(to({"AWS": "AIDAEXAMPLE"})), True),
        (of(to({"CanonicalUser": "79a5"})), True),
        (of({"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "s3:*", "Resource": OBJECTS}), True),
        (of(to({"AWS": f"arn:aws:iam::{OTHER}:root"})), False),
        (of(to({"AWS": OTHER})), False),
        (of(to({"Service": "logging.s3.amazonaws.com"})), False),
        (of(to("*", "sqs:SendMessage")), False),
        (of(deny("s3:*", OBJECTS, Principal="*")), False),
        (replace(ROW, policy="{"), None),
        (replace(ROW, policy_read=False), None),
        (replace(ROW, acls_off=False), None),
        (replace(ROW, acls_off=None), None),
        (of(to("*"), acls_off=False), True),
    ],
)
def test_whether_a_bucket_lets_in_somebody_of_an_account(row: S3BucketPolicy, *, known: bool | None) -> None:
    assert lets_in(row, ACCOUNT) is known


def looked_up(others: dict[str, OtherBucket], wanted: WantedPaths) -> KnownPaths:
    return KnownPaths(others={name: others[name] for name in wanted.others if name in others})


def row_of(resource: str, *, lets: bool | None) -> AccessProvider:
    told = Told().user("ann").inline("user:ann", "p", document(allow("s3:GetObject", resource)))
    others = {"theirs": OtherBucket(f"account {OTHER} (target finance)", lets)}
    inputs: AccessInputs = replace(told.inputs(), look_up=partial(looked_up, others))
    (row,) = build_access_providers(inputs, AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
    assert row.what == ()
    return row


def test_a_bucket_that_lets_somebody_in_is_named_with_its_target() -> None:
    (text,) = row_of(OBJECTS, lets=True).reasons_narrower

    assert text.endswith(
        "is of a bucket of account 444455556666 (target finance), which lets in somebody of this account"
    )
    assert "is not known to let in" in row_of("arn:aws:s3:::theirs", lets=None).reasons_narrower[0]


def test_a_bucket_that_lets_nobody_in_gives_nothing() -> None:
    row = row_of(OBJECTS, lets=False)

    assert not row.incomplete
    assert row.reasons_elsewhere[0].endswith("(target finance), which lets in nobody of this account")


@pytest.mark.parametrize("resource", ["arn:aws:s3:::nobodys/*", "arn:aws:s3:::hidden/*"])
def test_a_bucket_that_no_target_has_and_one_that_is_left_out_stay_what_they_are(resource: str) -> None:
    (text,) = row_of(resource, lets=False).reasons_narrower

    assert "target" not in text
