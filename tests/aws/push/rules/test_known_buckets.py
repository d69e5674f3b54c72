"""Elements of a what that lie outside the account or its buckets are not granted, and never expanded."""

import pytest

from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.rules.known_buckets import leave_out_unknown, reason_against
from raito_pipeline.model import DataObjectReference, WhatItem
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import control

BUCKETS = {"data": "eu-west-1", "somewhere": None}


@pytest.mark.parametrize(
    ("full_name", "part"),
    [
        (ACCOUNT, None),
        (f"{ACCOUNT}:eu-west-1:data", None),
        (f"{ACCOUNT}:eu-west-1:data/a/*", None),
        (f"{ACCOUNT}:sa-east-1:somewhere/a", None),
        (f"{ACCOUNT}:eu-west-1:*", "wildcards"),
        (f"{ACCOUNT}:eu-west-1:da*/x", "wildcards"),
        (f"{ACCOUNT}:eu-west-1:dat?", "wildcards"),
        (f"{ACCOUNT}:eu-west-1:", "wildcards"),
        (f"{ACCOUNT}:eu-west-1:other", "not among the buckets"),
        (f"{ACCOUNT}:us-east-1:data", "lies in eu-west-1"),
        ("999988887777:eu-west-1:data", "not of account"),
        ("data", "not in the account"),
        ("*", "not in the account"),
    ],
)
def test_a_data_object(full_name: str, part: str | None) -> None:
    reason = reason_against(full_name, ACCOUNT, BUCKETS)
    assert reason is None if part is None else part in (reason or "")


def _draft(*names: str, external_id: str | None = None) -> Draft:
    what = tuple(WhatItem(DataObjectReference(f"{ACCOUNT}:eu-west-1:{n}", "bucket"), ("s3:ListBucket",)) for n in names)
    return Draft(control("a", what=what, external_id=external_id), "aws_role")


def test_the_others_stay() -> None:
    draft = _draft("data", "*", "other")
    leave_out_unknown(draft, ACCOUNT, BUCKETS)
    assert [item.data_object.full_name for item in draft.control.what] == [f"{ACCOUNT}:eu-west-1:data"]
    assert (len(draft.errors), draft.refused) == (2, False)


def test_nothing_new_is_made_for_nothing_but_what_is_there_loses_it() -> None:
    new, old = _draft("*"), _draft("*", external_id="role:a")
    for draft in (new, old):
        leave_out_unknown(draft, ACCOUNT, BUCKETS)
    assert (new.refused, old.refused, old.control.what) == (True, False, ())
