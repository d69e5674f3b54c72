"""One who and one what of many: what all of the who have, with its basis."""

from raito_pipeline.aws.access.resource_policies import largest_common_grant
from raito_pipeline.aws.policy import Claim
from raito_pipeline.aws.policy.resources import PermissionTarget

DATA = PermissionTarget("data")
READ, WRITE, LIST = (Claim(DATA, name) for name in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"))
FIRST, SECOND = frozenset({("policy", "statement 1")}), frozenset({("policy", "statement 2")})


def test_where_all_have_the_same_all_of_it_is_given() -> None:
    claims = {("user", "ada"): {READ: FIRST, LIST: SECOND}, ("role", "job"): {READ: SECOND, LIST: SECOND}}

    who, what = largest_common_grant(claims)

    assert who == [("role", "job"), ("user", "ada")]
    assert what == {READ: FIRST | SECOND, LIST: SECOND}


def test_many_with_a_part_count_more_than_one_with_all() -> None:
    three = {("user", name): {READ: FIRST} for name in ("ada", "bob", "cyd")}

    who, what = largest_common_grant({**three, ("user", "dan"): {READ: FIRST, WRITE: FIRST}})

    assert [name for _, name in who] == ["ada", "bob", "cyd", "dan"]
    assert set(what) == {READ}


def test_one_with_much_counts_more_than_two_with_little_that_differs() -> None:
    who, what = largest_common_grant({
        ("user", "ada"): {READ: FIRST, WRITE: FIRST, LIST: FIRST},
        ("user", "bob"): {},
    })  # fmt: skip

    assert who == [("user", "ada")]
    assert set(what) == {READ, WRITE, LIST}


def test_nobody_has_nothing() -> None:
    assert largest_common_grant({}) == ([], {})
    assert largest_common_grant({("user", "ada"): {}}) == ([("user", "ada")], {})
