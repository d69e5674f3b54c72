"""Grants as policy documents: each really grants what was asked for, and nothing more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.aws.policy import Scope, read_document, what_of
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.policy.resources import BucketResource
from raito_pipeline.aws.push.documents.statements import as_list, compact, policy_for, same, trust_policy
from raito_pipeline.model import DataObjectReference, WhatItem
from tests.aws.push.conftest import ACCOUNT

B = "arn:aws:s3:::data"


def item(path: str, kind: str, *names: str) -> WhatItem:
    full_name = ACCOUNT if kind == "datasource" else f"{ACCOUNT}:eu-west-1:data{path}"
    return WhatItem(DataObjectReference(full_name, kind), names)


def statement(actions: list[str], resources: list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


CASES = {
    "account": ([item("", "datasource", "s3:GetObject")], [statement(["s3:GetObject"], ["*"])]),
    "bucket": (
        [item("", "bucket", "s3:GetObject", "s3:ListBucket")],
        [statement(["s3:GetObject"], [f"{B}/*"]), statement(["s3:ListBucket"], [B])],
    ),
    "folder": ([item("/a", "folder", "s3:GetObject")], [statement(["s3:GetObject"], [f"{B}/a/*"])]),
    "Glue table": ([item("/t", "glue-table", "s3:GetObject")], [statement(["s3:GetObject"], [f"{B}/t/*"])]),
    "Glue table that shares its location": (
        [item(":db.t/place", "", "s3:GetObject")],
        [statement(["s3:GetObject"], [f"{B}/place/*"])],
    ),
    "file": ([item("/a/k.csv", "file", "s3:GetObject")], [statement(["s3:GetObject"], [f"{B}/a/k.csv"])]),
    "file beside a folder": ([item(":file/a", "file", "s3:GetObject")], [statement(["s3:GetObject"], [f"{B}/a"])]),
    "special characters": (
        [item("/*?$", "folder", "s3:GetObject")],
        [statement(["s3:GetObject"], [f"{B}/${{*}}${{?}}${{$}}/*"])],
    ),
    "listing a folder": (
        [item("/b", "folder", "s3:ListBucket"), item("/a", "folder", "s3:ListBucket")],
        [statement(["s3:ListBucket"], [B], Condition={"StringLike": {"s3:prefix": ["a/*", "b/*"]}})],
    ),
    "equal actions share a statement": (
        [item("/b", "folder", "s3:PutObject", "s3:GetObject"), item("/a", "folder", "s3:GetObject", "s3:PutObject")],
        [statement(["s3:GetObject", "s3:PutObject"], [f"{B}/a/*", f"{B}/b/*"])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_documents(name: str) -> None:
    what, expected = CASES[name]
    granted = policy_for(what, ACCOUNT, "aws")
    assert granted.document["Statement"] == expected
    assert granted.warnings == []
    assert policy_for(reversed(what), ACCOUNT, "aws").text == granted.text


def test_what_aws_does_not_check_there_is_a_warning_and_is_not_granted_elsewhere() -> None:
    granted = policy_for(
        [item("/a", "folder", "s3:PutBucketPolicy"), item("", "bucket", "s3:CreateJob")], ACCOUNT, "aws"
    )
    assert granted.document["Statement"] == [{"Effect": "Allow", "Action": "none:null", "Resource": "*"}]
    assert len(granted.warnings) == 2


_names = st.sampled_from([p.name for p in permissions()])
_items = st.builds(
    lambda place, names: item(*place, *names),
    st.sampled_from([("", "datasource"), ("", "bucket"), ("/a", "folder"), ("/a/b", "folder")]),
    st.lists(_names, min_size=1, max_size=6, unique=True),
)


@given(st.lists(_items, min_size=1, max_size=4))
def test_what_is_granted_is_read_back_as_what_was_asked_for(what: list[WhatItem]) -> None:
    granted = policy_for(what, ACCOUNT, "aws")
    asked = {(each.data_object.full_name, name) for each in what for name in each.permissions}
    warnings = "".join(granted.warnings)
    refused = {(each, name) for each, name in asked if f"{name} cannot be granted on {each}:" in warnings}
    # What a folder may be listed by is a condition, which the import does not represent: it says so instead.
    limited = {name for each in granted.document["Statement"] if "Condition" in each for name in each["Action"]}

    read = what_of([("p", read_document(granted.text))], Scope("aws", (BucketResource.of_bucket("data"),)))

    claimed = {(_full_name(claim.target.bucket, claim.target.path), claim.permission) for claim in read.claims}
    assert claimed <= asked
    for full_name, name in asked - refused:
        at_or_above = [(above, name) for above in _at_or_above(full_name)]
        said = name in limited and any("Condition (StringLike s3:prefix)" in reason.text for reason in read.reasons)
        assert said or not claimed.isdisjoint(at_or_above), f"{name} on {full_name} is granted and not read back"


def _full_name(bucket: str, path: str) -> str:
    of_bucket = f"{ACCOUNT}:eu-west-1:data" if bucket else ACCOUNT
    return f"{of_bucket}/{path}" if path else of_bucket


def _at_or_above(full_name: str) -> list[str]:
    bucket, *folders = full_name.split("/")
    return [ACCOUNT, *("/".join([bucket, *folders[:depth]]) for depth in range(len(folders) + 1))]


def test_documents_that_say_the_same() -> None:
    one = {"Statement": [{"Effect": "Allow", "Action": ["a", "b"], "Resource": ["*"]}]}
    other = {"Statement": {"Resource": "*", "Action": ["b", "a"], "Effect": "Allow"}}
    assert same(json.dumps(one), json.dumps(other))
    assert not same(json.dumps(one), json.dumps({**other, "Version": "2012-10-17"}))
    assert not same("{", "{")


@pytest.mark.parametrize("text", ["plain", "Stra\u00dfe \u00e9", "\u62a5\u544a/\U0001f600", 'a"b\\c\u2028'])
def test_what_iam_does_not_take_as_a_character_is_escaped_and_means_the_same(text: str) -> None:
    found = compact({"Resource": text})
    assert json.loads(found) == {"Resource": text}
    assert max(map(ord, found)) <= 0xFF
    assert ("\u00e9" in found) is ("\u00e9" in text)


def test_a_trust_policy_of_nobody_denies() -> None:
    statements = json.loads(trust_policy([]))["Statement"]
    assert statements == [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]


def test_what_nobody_can_grant_is_left_out_and_said() -> None:
    what = [item("/a", "folder", "s3:Fly", "s3:GetObject"), item("/c", "column", "s3:GetObject")]
    granted = policy_for(what, ACCOUNT, "aws")
    assert len(granted.document["Statement"]) == 1
    assert len(granted.problems) == 2


def test_an_element_is_one_several_or_none() -> None:
    assert [as_list(value) for value in ("a", ["a", "b"], {"k": 1}, [], None)] == [
        ["a"],
        ["a", "b"],
        [{"k": 1}],
        [],
        [],
    ]
