"""Ceilings intersect: what is left of claims, and which reasons stand for what a ceiling may allow beyond."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.access.ceilings import Ceiling, allowance, within
from raito_pipeline.aws.policy import Scope, read_document, what_of
from raito_pipeline.aws.policy.facts import Facts, PrincipalFacts
from raito_pipeline.aws.policy.resources import BucketResource

from .conftest import allow, deny

SCOPE = Scope("aws", (BucketResource.of_bucket("data"), BucketResource.of_bucket("other")))
WHOLE, DATA, FOLDER = "arn:aws:s3:::*", "arn:aws:s3:::data/*", "arn:aws:s3:::data/a/b/*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
GET, PUT = "s3:GetObject", "s3:PutObject"


def left(
    given: list[dict[str, Any]], *ceilings: list[dict[str, Any]], scope: Scope = SCOPE
) -> tuple[Mapping[str, set[str]], list[str]]:
    """Permissions by place, and reasons."""

    def read(statements: list[dict[str, Any]]) -> Any:
        return read_document(json.dumps({"Version": "2012-10-17", "Statement": statements}))

    claims = what_of([("p", read(given))], scope).claims
    reasons = []
    for number, statements in enumerate(ceilings):
        ceiling = Ceiling(((f"ceiling {number}", read(statements)),), binds_named_users=False)
        claims, why = within(claims, allowance(ceiling, scope), scope)
        reasons += why
    places: dict[str, set[str]] = {}
    for claim in claims:
        places.setdefault("/".join(filter(None, (claim.target.bucket, claim.target.path))), set()).add(claim.permission)
    assert all(basis for basis in claims.values())
    return places, [f"{reason.code} {reason.text}" for reason in reasons]


CASES: dict[str, tuple[str, str, set[str]]] = {
    "the account within itself": ("*", "*", {""}),
    "the account within every bucket": (WHOLE, WHOLE, {""}),
    "the account within a bucket": ("*", DATA, {"data"}),
    "the account within a folder": ("*", FOLDER, {"data/a/b"}),
    "a bucket within the account": (DATA, "*", {"data"}),
    "a bucket within itself": (DATA, DATA, {"data"}),
    "a bucket within a folder of it": (DATA, FOLDER, {"data/a/b"}),
    "a bucket within another one": (DATA, "arn:aws:s3:::other/*", set()),
    "a folder within its bucket": (FOLDER, DATA, {"data/a/b"}),
    "a folder within the folder above": (FOLDER, "arn:aws:s3:::data/a/*", {"data/a/b"}),
    "a folder within one below": ("arn:aws:s3:::data/a/*", FOLDER, {"data/a/b"}),
    "a folder within one whose name begins alike": (FOLDER, "arn:aws:s3:::data/a/bc/*", set()),
}


@pytest.mark.parametrize("name", CASES)
def test_places_intersect(name: str) -> None:
    given, ceiling, kept = CASES[name]

    places, reasons = left([allow(GET, given)], [allow("s3:*", ceiling)])

    assert set(places) == kept
    assert reasons == []


def test_permissions_intersect() -> None:
    assert left([allow([GET, PUT], DATA)], [allow("s3:Get*", "*")]) == ({"data": {GET}}, [])
    assert left([allow(GET, DATA)], [allow("ec2:*", "*")]) == ({}, [])


def test_several_ceilings_follow_each_other_and_statements_of_one_add_up() -> None:
    places, _ = left(
        [allow("s3:*", "*")],
        [allow(GET, [DATA, "arn:aws:s3:::other/*"])],
        [allow([GET, PUT], FOLDER), allow(GET, "arn:aws:s3:::other/x/*")],
    )
    assert places == {"data/a/b": {GET}, "other/x": {GET}}


def test_a_deny_in_a_ceiling_is_none_of_what_it_allows() -> None:
    assert left([allow(GET, DATA)], [allow("*", "*"), deny(GET, DATA)]) == ({"data": {GET}}, [])


UNSURE = {
    "a condition": [allow("s3:*", "*", Condition=MFA)],
    "some objects only": [allow("s3:*", "arn:aws:s3:::data/*.csv")],
    "NotResource": [{"Effect": "Allow", "Action": "s3:*", "NotResource": FOLDER}],
}


@pytest.mark.parametrize("name", UNSURE)
def test_what_a_ceiling_may_allow_is_not_claimed_and_said(name: str) -> None:
    places, reasons = left([allow([GET], DATA)], UNSURE[name])

    assert places == {}
    assert [reason.split(":")[0] for reason in reasons] == ["narrower ceiling 0, statement 1"]


@pytest.mark.parametrize(
    "ceiling",
    [
        [allow("s3:*", "*"), allow("s3:*", "*", Condition=MFA)],
        [allow(GET, DATA), allow(PUT, "*", Condition=MFA)],
        [allow(GET, DATA), allow("s3:*", "arn:aws:s3:::other/*.csv")],
        [allow(GET, DATA), allow("ec2:*", "*", Condition=MFA)],
    ],
    ids=str,
)
def test_what_a_ceiling_may_allow_beyond_is_no_reason_where_nothing_of_it_was_lost(ceiling: list[Any]) -> None:
    assert left([allow(GET, DATA)], ceiling) == ({"data": {GET}}, [])


def test_only_what_may_concern_the_loss_is_said() -> None:
    ceiling = [
        allow(PUT, "*", Condition=MFA),
        allow("s3:*", "arn:aws:s3:::other/*.csv"),
        allow(GET, "arn:aws:s3:::data/*.csv"),
    ]
    _, reasons = left([allow(GET, DATA)], ceiling)
    assert [reason.split(":")[0] for reason in reasons] == ["narrower ceiling 0, statement 3"]


@pytest.mark.parametrize(("given", "said"), [("ann", 1), ("bob", 0)])
def test_what_a_ceiling_may_allow_in_the_home_of_somebody_else_is_not_said(given: str, said: int) -> None:
    ann = PrincipalFacts("user", "ann", "arn:aws:iam::111122223333:user/ann")
    scope = replace(SCOPE, facts=Facts("111122223333", principal=ann))
    ceiling = [allow(GET, "arn:aws:s3:::data/${aws:username}/*", Condition=MFA)]

    places, reasons = left([allow(GET, f"arn:aws:s3:::data/{given}/*")], ceiling, scope=scope)

    assert (places, len(reasons)) == ({}, said)
