"""Documents that Raito did not write: what was taken away goes, what nobody sees in Raito Cloud stays."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.aws.push.documents.document_edits import Edit, beyond, extended, narrowed
from raito_pipeline.model import IamAttachment, WhatItem
from tests.aws.push.pushing import VIEW, folder

BUCKET = "arn:aws:s3:::data"
CONDITION = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
OVER_TLS = {"Bool": {"aws:SecureTransport": "true"}}
HERE = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
ELSEWHERE = {"StringEquals": {"aws:RequestedRegion": "eu-west-3"}}


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def text(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def edit(shown: tuple[WhatItem, ...], wanted: tuple[WhatItem, ...]) -> Edit:
    return Edit(VIEW, VIEW.claims(shown), VIEW.claims(wanted))


A, B, WHOLE = folder("a"), folder("b"), folder("", "s3:GetObject")
BOTH = allow(["s3:GetObject"], [f"{BUCKET}/a/*", f"{BUCKET}/b/*"])
DENY = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{BUCKET}/b/*"}

CASES: dict[str, tuple[list[Any], tuple[WhatItem, ...], tuple[WhatItem, ...], list[Any]]] = {
    "nothing was edited": ([BOTH, DENY], (A, B), (A, B), [BOTH, DENY]),
    "a folder goes": ([BOTH], (A, B), (A,), [allow(["s3:GetObject"], [f"{BUCKET}/a/*"])]),
    "a statement goes": ([allow("s3:GetObject", f"{BUCKET}/a/*"), BOTH], (A, B), (), []),
    "another service stays": (
        [allow(["ec2:StartInstances", "s3:GetObject"], "*", Sid="Both")],
        (WHOLE,),
        (),
        [allow(["ec2:StartInstances"], ["*"], Sid="Both")],
    ),
    "another service in a statement that gives what goes": (
        [allow(["ec2:StartInstances", "s3:GetObject"], [f"{BUCKET}/*", "*"], Sid="Both")],
        tuple(VIEW.items(VIEW.given_by(text(allow("s3:GetObject", [f"{BUCKET}/*", "*"]))))),
        (),
        [allow(["ec2:StartInstances"], [f"{BUCKET}/*", "*"], Sid="Both")],
    ),
    "a condition stays": (
        [allow("s3:GetObject", f"{BUCKET}/a/*", Condition=CONDITION)],
        (A,),
        (),
        [allow("s3:GetObject", f"{BUCKET}/a/*", Condition=CONDITION)],
    ),
    "a condition that everybody meets is kept by what is left": (
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*", f"{BUCKET}/b/*"], Condition=OVER_TLS)],
        (A, B),
        (A,),
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"], Condition=OVER_TLS)],
    ),
    "a condition that everybody meets is kept by what is said anew": (
        [allow("s3:GetObject", f"{BUCKET}/*", Condition=OVER_TLS)],
        (WHOLE, A),
        (A,),
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"], Condition=OVER_TLS)],
    ),
    "a condition that holds for the region of the bucket is kept by what is left": (
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*", f"{BUCKET}/b/*"], Condition=HERE)],
        (A, B),
        (A,),
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"], Condition=HERE)],
    ),
    "a condition that holds for the region of the bucket is kept by what is said anew": (
        [allow("s3:GetObject", f"{BUCKET}/*", Condition=HERE)],
        (WHOLE, A),
        (A,),
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"], Condition=HERE)],
    ),
    "a condition on another region than that of the bucket stays": (
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"], Condition=ELSEWHERE)],
        (A,),
        (),
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"], Condition=ELSEWHERE)],
    ),
    "a deny stays": ([BOTH, DENY], (A, B), (), [DENY]),
    "an unknown bucket stays": (
        [allow("s3:GetObject", [f"{BUCKET}/a/*", "arn:aws:s3:::elsewhere/*"])],
        (A,),
        (),
        [allow(["s3:GetObject"], ["arn:aws:s3:::elsewhere/*"])],
    ),
    "one permission of a wildcard goes": (
        [allow("s3:GetObject*", f"{BUCKET}/a/*")],
        (folder("a", *sorted(c.permission for c in VIEW.given_by(text(allow("s3:GetObject*", f"{BUCKET}/a/*"))))),),
        (A,),
        [allow(["s3:GetObject"], [f"{BUCKET}/a/*"])],
    ),
    "what earlier pushes wrote is written anew": (
        [BOTH, allow(["s3:PutObject"], [f"{BUCKET}/a/*"], Sid="Raito1")],
        (A, B, folder("a", "s3:PutObject")),
        (A, B, folder("a", "s3:PutObject")),
        [BOTH],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_left(name: str) -> None:
    before, shown, wanted, after = CASES[name]
    found = narrowed(text(*before), edit(shown, wanted), named="it")
    assert (json.loads(found.text)["Statement"] if found.text else []) == after
    assert ["under a condition" in each for each in found.problems] == [True] * (name == "a condition stays")


def test_a_document_that_nobody_edited_stays_word_for_word() -> None:
    written = text(BOTH).replace(":", " : ", 1)
    assert narrowed(written, edit((A, B), (A, B)), named="it").text == written


def test_buckets_of_a_wildcard_that_are_still_wanted_are_said_anew() -> None:
    document = text(allow("s3:GetObject", "arn:aws:s3:::data*"), allow("s3:GetObject", "arn:aws:s3:::data*/*"))
    shown = VIEW.items(VIEW.given_by(document))
    wanted = tuple(item for item in shown if item.data_object.full_name.endswith(":data-2"))
    found = narrowed(document, edit(shown, wanted), named="it")
    assert "arn:aws:s3:::data-2/*" in (found.text or "")
    assert "data*/*" not in (found.text or "")


@pytest.mark.parametrize(
    "statement",
    [
        allow("*", f"{BUCKET}/a/*"),
        {"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": f"{BUCKET}/a/*"},
    ],
)
def test_what_cannot_be_taken_apart_stays_and_is_said(statement: Any) -> None:
    shown = VIEW.items(VIEW.given_by(text(statement)))
    found = narrowed(text(statement), edit(shown, ()), named="policy p")
    assert found.text == text(statement)
    assert "statement 1 of policy p" in found.problems[0]


def test_what_a_pattern_of_keys_gives_cannot_be_taken_apart() -> None:
    """Later objects are given by it, too: what is left would not be what Raito Cloud showed of them."""
    statement, told = allow("s3:GetObject", f"{BUCKET}/*.csv"), VIEW.account
    attached = IamAttachment("user", "ann", "inline", "p", None, text(statement))
    listed = [(f"{told.inputs.account_id}:eu-west-1:data/{name}.csv", "file") for name in ("a", "b")]
    inputs = replace(
        told.inputs, attachments=(attached,), look_up=partial(known_paths, data_objects=listed, parts=True)
    )
    view = replace(VIEW, account=Account(inputs, told.options))
    shown = view.given_by(text(statement))
    kept = frozenset(claim for claim in shown if claim.target.path == "a.csv")
    assert len(shown) == 2

    assert narrowed(text(statement), Edit(view, shown, shown), named="it").problems == ()
    found = narrowed(text(statement), Edit(view, shown, kept), named="policy p")

    assert found.text == text(statement)
    assert "statement 1 of policy p" in found.problems[0]


@pytest.mark.parametrize(
    "unseen",
    [
        allow("s3:GetObject", f"{BUCKET}/*.csv"),
        allow("s3:Get*", f"{BUCKET}/a/?/*"),
        allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*"),
        {"Effect": "Allow", "NotAction": "s3:Put*", "NotResource": f"{BUCKET}/b/*"},
    ],
)
def test_what_is_taken_away_and_given_by_what_nobody_sees_is_said(unseen: Any) -> None:
    """`*.csv` beside the whole bucket: Raito Cloud shows the bucket alone, and who loses it keeps the rest."""
    document = text(allow(["s3:GetObject"], f"{BUCKET}/*"), unseen)
    found = narrowed(document, edit((WHOLE,), ()), named="policy p")

    assert json.loads(found.text or "")["Statement"] == [unseen]
    assert found.problems == ()
    assert [said.partition(" still ")[0] for said in found.still] == ["statement 1 of policy p"]


@pytest.mark.parametrize(
    ("other", "shown", "wanted"),
    [
        (allow("s3:GetObject", "arn:aws:s3:::other/*.csv"), (WHOLE,), ()),
        (allow("s3:PutObject", f"{BUCKET}/*.csv"), (WHOLE,), ()),
        (allow("s3:GetObject", f"{BUCKET}/*.csv"), (WHOLE,), (WHOLE,)),
        (allow(["s3:GetObject", "s3:Fly"], f"{BUCKET}/a/*"), (WHOLE, A), (A,)),
        (allow("s3:GetObject", f"{BUCKET}/b/?/*"), (A, B), (B,)),
        (DENY, (WHOLE,), ()),
    ],
)
def test_nothing_is_said_of_what_is_about_something_else_or_wanted(
    other: Any, shown: tuple[WhatItem, ...], wanted: tuple[WhatItem, ...]
) -> None:
    document = text(allow(["s3:GetObject"], f"{BUCKET}/*"), other)
    assert narrowed(document, edit(shown, wanted), named="policy p").still == ()


def test_what_cannot_be_read_stays_and_is_said_where_it_matters() -> None:
    assert narrowed("{", edit((A,), (A,)), named="it").problems == ()
    assert "cannot be read" in narrowed("{", edit((A,), ()), named="it").problems[0]


def test_only_what_is_not_given_yet_is_added() -> None:
    gives = VIEW.claims((WHOLE,))
    asked = (folder("a", "s3:GetObject", "s3:PutObject"), folder("b", "s3:Fly"))
    assert beyond(asked, gives, VIEW) == (folder("a", "s3:PutObject"), folder("b", "s3:Fly"))


def test_what_raito_adds_has_a_name_of_its_own() -> None:
    added = json.loads(extended(text(BOTH), [allow("s3:PutObject", "*")]))["Statement"]
    assert added == [BOTH, allow("s3:PutObject", "*", Sid="Raito1")]
    assert extended(text(BOTH), []) == text(BOTH)
    assert json.loads(extended(None, []))["Statement"] == []


def test_two_conditions_on_one_key_are_not_put_into_one_statement() -> None:
    limited = {"StringLike": {"s3:prefix": ["a/*", "b/*"]}, **OVER_TLS}
    account = allow("s3:ListBucket", BUCKET, Condition=limited)
    found = narrowed(text(account), edit((), ()), named="it")
    assert found.text == text(account)
