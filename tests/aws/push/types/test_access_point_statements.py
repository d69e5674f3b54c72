"""Statements of access points: resources, actions, characters, and what an existing policy holds."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.push.types.access_point_statements import (
    grants,
    kept,
    narrowed,
    point_document,
    point_policy,
    point_statements,
    read_current,
)
from raito_pipeline.model import WhatItem
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.points import item, point_arn

ARN = point_arn("sales")
ADA, BOB, CYD = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("ada", "bob", "cyd"))
KNOWN = {ADA, BOB}


def made(*what: WhatItem) -> list[dict[str, Any]]:
    grant = point_statements(what, ARN, "data", ACCOUNT, "aws")
    assert grant.problems == []
    return grant.statements


def allow(actions: list[str], resources: list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources} | more


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def to(principals: list[str], action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": action, "Resource": resource} | more


@pytest.mark.parametrize(
    ("what", "statements"),
    [
        (item("data", "s3:GetObject", kind="bucket"), [allow(["s3:GetObject"], [f"{ARN}/object/*"])]),
        (item("data", "s3:ListBucket", kind="bucket"), [allow(["s3:ListBucket"], [ARN])]),
        (item("data/a/b", "s3:GetObject"), [allow(["s3:GetObject"], [f"{ARN}/object/a/b/*"])]),
        (item("data/a", "s3:GetObject", kind="glue-table"), [allow(["s3:GetObject"], [f"{ARN}/object/a/*"])]),
        (item("data/a.csv", "s3:GetObject", kind="file"), [allow(["s3:GetObject"], [f"{ARN}/object/a.csv"])]),
        (
            item("data/a", "s3:ListBucket"),
            [allow(["s3:ListBucket"], [ARN], Condition={"StringLike": {"s3:prefix": ["a/*"]}})],
        ),
        (item("data/a*?$", "s3:GetObject"), [allow(["s3:GetObject"], [f"{ARN}/object/a${{*}}${{?}}${{$}}/*"])]),
    ],
)
def test_each_permission_stands_where_it_grants_something(what: WhatItem, statements: list[dict[str, Any]]) -> None:
    assert made(what) == statements


def test_equal_actions_share_a_statement_and_the_order_of_the_what_does_not_matter() -> None:
    one, two = item("data/b", "s3:GetObject", "s3:PutObject"), item("data/a", "s3:PutObject", "s3:GetObject")
    assert made(one, two) == made(two, one)
    assert made(one, two) == [allow(["s3:GetObject", "s3:PutObject"], [f"{ARN}/object/a/*", f"{ARN}/object/b/*"])]
    # Two elements for one object: both count.
    assert made(item("data/a", "s3:GetObject"), item("data/a", "s3:PutObject")) == [
        allow(["s3:GetObject", "s3:PutObject"], [f"{ARN}/object/a/*"])
    ]


def test_what_access_points_do_not_know_is_a_warning_and_what_cannot_be_granted_an_error() -> None:
    what = [item("data/a", "s3:GetObject", "s3:DeleteBucket", "s3:Nonsense"), item("data/a", kind="column")]
    grant = point_statements(what, ARN, "data", ACCOUNT, "aws")
    assert grant.statements == [allow(["s3:GetObject"], [f"{ARN}/object/a/*"])]
    assert [warning for warning in grant.warnings if "access points do not know it" in warning] == [
        f"s3:DeleteBucket on {ACCOUNT}:us-east-1:data/a was left out: access points do not know it"
    ]
    assert "s3:Nonsense" in grant.problems[0]
    assert "column" in grant.problems[1]


def test_nobody_and_nothing_is_no_document() -> None:
    assert point_document(point_policy(made(item("data/a")), [])) is None
    assert point_document(point_policy([], [ADA])) is None


def test_characters_beyond_latin_1_are_json_escapes_on_the_wire_and_the_same_in_the_document() -> None:
    key = "é/報告/\U0001f600"
    text = point_document(point_policy(made(item(f"data/{key}")), [ADA])) or ""
    assert max(map(ord, text)) <= 0xFF
    assert json.loads(text)["Statement"][0]["Resource"] == [f"{ARN}/object/{key}/*"]


FOREIGN = "arn:aws:iam::999999999999:root"
DENY = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": f"{ARN}/object/secret/*"}
PLAIN = to([ADA], ["s3:GetObject"], f"{ARN}/object/a/*")
MFA = to([ADA], "s3:GetObject", ARN, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})


@pytest.mark.parametrize(
    ("statement", "plain", "others"),
    [
        (PLAIN, [PLAIN], []),
        (DENY, [], [DENY]),
        (MFA, [], [MFA]),
        (to([ADA, FOREIGN], ["s3:GetObject"], ARN), [to([ADA], ["s3:GetObject"], ARN)],
         [to([FOREIGN], ["s3:GetObject"], ARN)]),
        (to([ADA], ["s3:GetObject", "s3:GetBucketTagging"], ARN), [to([ADA], ["s3:GetObject"], ARN)],
         [to([ADA], ["s3:GetBucketTagging"], ARN)]),
        (to(["AIDAABCDEFGHIJKLMNOPQ", ADA, CYD], ["s3:GetObject"], ARN), [to([ADA], ["s3:GetObject"], ARN)], []),
        (to(["AROAABCDEFGHIJKLMNOPQ"], "s3:GetObject", ARN), [], []),
        ({**PLAIN, "Principal": "*"}, [], [{**PLAIN, "Principal": "*"}]),
    ],
)  # fmt: skip
def test_a_policy_is_what_a_push_can_write_and_what_it_cannot(
    statement: dict[str, Any], plain: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    current = read_current(policy(statement), KNOWN, ACCOUNT)
    assert (current.plain, current.others) == (plain, others)


def test_no_policy_and_a_broken_one_hold_nothing() -> None:
    for text in (None, "", "{", "[]", "{}"):
        current = read_current(text, KNOWN, ACCOUNT)
        assert (current.plain, current.others, current.principals) == ([], [], set())


def test_the_same_grants_in_other_words_are_the_same() -> None:
    wide = to([ADA], "s3:Get*", f"{ARN}/object/a/*")
    names = sorted({grant[1] for grant in grants([wide])})
    assert "s3:GetObject" in names
    assert "s3:ListBucket" not in names
    assert grants([to([ADA], names, [f"{ARN}/object/a/*"])]) == grants([wide])
    # An action on objects gives nothing on the access point itself.
    assert grants([to([ADA], "s3:GetObject", ARN)]) == set()


def test_narrowed_gives_nobody_anything_and_keeps_no_more_than_is_wanted() -> None:
    had = grants([to([ADA, BOB], ["s3:GetObject"], [f"{ARN}/object/a/*", f"{ARN}/object/b/*"])])
    wanted = point_policy(made(item("data/a", "s3:GetObject", "s3:PutObject"), item("data/c")), [BOB, CYD])
    assert narrowed(wanted, had) == [to([BOB], ["s3:GetObject"], [f"{ARN}/object/a/*"])]


def test_what_has_to_stay_keeps_its_words_where_all_of_a_statement_does() -> None:
    whole = to([ADA], "s3:Get*", f"{ARN}/object/*")
    both = to([ADA, BOB], ["s3:GetObject"], [f"{ARN}/object/a/*"])
    hidden = grants([whole]) | {grant for grant in grants([both]) if grant[0] == BOB}
    assert kept([whole, both], hidden) == [whole, to([BOB], ["s3:GetObject"], [f"{ARN}/object/a/*"])]
    assert kept([whole, both], set()) == []
