"""An access point gives what its policy and its bucket both permit."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.model import AccessProvider

from .conftest import ACCOUNT, READ, Told, allow, deny, document, policy_arn, user_arn, what

DATA, HERE = "arn:aws:s3:::data", f"{ACCOUNT}:eu-west-1:data"
POINT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door"
ANN = {"AWS": user_arn("ann")}
OPENS = allow(["s3:GetObject", "s3:PutObject"], f"{POINT}/object/*", Principal=ANN)
BOTH = {HERE: ("s3:GetObject", "s3:PutObject")}
READS = {HERE: ("s3:GetObject",)}


def people() -> Told:
    return Told().group("staff").user("ann", "staff").user("bob").point("door", OPENS)


def door(told: Told) -> AccessProvider:
    return told.build()[f"accesspoint:{POINT}"]


def given(told: Told) -> tuple[tuple[str, ...] | None, dict[str, tuple[str, ...]]]:
    row = door(told)
    return row.who_users, what(row)


def through(condition: dict[str, Any], action: Any = "*") -> dict[str, Any]:
    return allow(action, [DATA, f"{DATA}/*"], Principal="*", Condition=condition)


CONSENTS = {
    "points of the account": ({"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}, True),
    "this point": ({"ArnEquals": {"s3:DataAccessPointArn": POINT}}, True),
    "points by a pattern": ({"StringLike": {"s3:DataAccessPointArn": f"{POINT[:-4]}*"}}, True),
    "points of another account": ({"StringEquals": {"s3:DataAccessPointAccount": "444455556666"}}, False),
    "another point": ({"ArnEquals": {"s3:DataAccessPointArn": f"{POINT}2"}}, False),
}


@pytest.mark.parametrize("name", CONSENTS)
def test_a_bucket_leaves_it_to_access_points(name: str) -> None:
    condition, consents = CONSENTS[name]

    assert given(people().bucket_policy("data", through(condition))) == ((("ann",), BOTH) if consents else ((), {}))


def test_a_bucket_may_leave_some_of_it_to_access_points() -> None:
    account = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}

    assert given(people().bucket_policy("data", through(account, "s3:GetObject"))) == (("ann",), READS)


def test_without_any_consent_nobody_has_anything_and_it_is_noted() -> None:
    row = door(people())

    assert (row.who_users, row.what, row.incomplete) == ((), (), False)
    assert "the bucket does not permit all of it" in row.notes[0]


@pytest.mark.parametrize("whom", ["user:ann", "group:staff"])
def test_rights_of_their_own_are_consent_enough(whom: str) -> None:
    assert given(people().policy("reads", READ, whom)) == (("ann",), READS)
    assert given(people().inline(whom, "reads", READ)) == (("ann",), READS)


def test_a_folder_that_is_theirs_is_a_folder_through_the_access_point() -> None:
    told = people().inline("user:ann", "own", document(allow("s3:GetObject", f"{DATA}/home/*")))

    assert given(told) == (("ann",), {f"{HERE}/home": ("s3:GetObject",)})


def test_a_bucket_policy_that_names_them_is_consent() -> None:
    assert given(people().bucket_policy("data", allow("s3:GetObject", f"{DATA}/*", Principal=ANN))) == (("ann",), READS)
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert given(people().bucket_policy("data", allow("s3:GetObject", f"{DATA}/*", Principal=root))) == ((), {})


def test_a_boundary_limits_rights_of_their_own_and_not_what_the_bucket_leaves_to_a_user_by_its_arn() -> None:
    def bounded() -> Told:
        told = Told().user("ann", boundary=policy_arn("edge")).policy("edge", document(allow("s3:PutObject", "*")))
        return told.point("door", OPENS)

    assert given(bounded().policy("reads", READ, "user:ann")) == ((), {})
    assert given(bounded().delegates()) == (("ann",), {HERE: ("s3:PutObject",)})  # as everybody has it
    account = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
    by_arn = through(account) | {"Principal": ANN}
    assert given(bounded().bucket_policy("data", by_arn)) == (("ann",), BOTH)


def test_a_deny_of_the_principal_or_of_the_bucket_takes_away() -> None:
    own = people().delegates().inline("user:ann", "no", document(deny("s3:PutObject", "*")))
    assert given(own) == (("ann",), READS)
    statement = deny("s3:PutObject", f"{DATA}/*", Principal="*")
    account = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
    assert given(people().bucket_policy("data", statement, through(account))) == (("ann",), READS)


def test_a_deny_of_whoever_does_not_come_through_an_access_point_is_none_for_who_does() -> None:
    account = {"s3:DataAccessPointAccount": ACCOUNT}
    only = deny("*", [DATA, f"{DATA}/*"], Principal="*", Condition={"StringNotEquals": account})
    told = people().bucket_policy("data", through({"StringEquals": account}), only)

    row = door(told)

    assert (row.who_users, what(row), row.incomplete) == (("ann",), BOTH, False)


def test_a_bucket_policy_that_is_not_known_leaves_it_open() -> None:
    for told, says in (
        (people().bucket_policy("data", policy=None, policy_read=False), "was not read"),
        (people(), "bucket-policies is off"),
    ):
        if not told.bucket_policies:
            told.bucket_policy_use = "off"
        row = door(told)
        assert (row.who_users, what(row)) == (("ann",), BOTH)
        assert any(says in reason for reason in row.reasons_wider)


def test_an_access_point_of_a_vpc_says_so() -> None:
    told = people().delegates()
    told.access_points = [replace(point, network_origin="VPC", vpc_id="vpc-1") for point in told.access_points]

    row = door(told)

    assert what(row) == BOTH
    assert row.reasons_wider == ("only calls from VPC vpc-1 go through the access point",)
