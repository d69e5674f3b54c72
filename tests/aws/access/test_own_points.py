"""Policies of users, groups and roles on the ARN of an access point: what they give on its bucket through it alone."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.own_points import depends_on_who
from raito_pipeline.aws.access.reach import reach_of
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider

from .conftest import ACCOUNT, Told, allow, deny, document, policy_arn, user_arn, what

DATA, HERE = "arn:aws:s3:::data", f"{ACCOUNT}:eu-west-1:data"
DOOR = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door"
ON_DOOR = allow("s3:GetObject", f"{DOOR}/object/*")
READS = {HERE: ("s3:GetObject",)}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
THROUGH = f"policy p, statement 1: it gives access to calls through access point {DOOR} alone"


def people(*on_point: dict[str, Any]) -> Told:
    return Told().group("staff").user("ann", "staff").user("bob").role("etl").point("door", *on_point)


def provider(told: Told, *statements: dict[str, Any], whom: tuple[str, ...] = ("user:ann",)) -> AccessProvider:
    return told.policy("p", document(*(statements or (ON_DOOR,))), *whom).build()["policy:p"]


@pytest.mark.parametrize("whom", ["user:ann", "group:staff", "role:etl"])
def test_what_a_policy_gives_through_an_access_point_is_shown_on_its_bucket(whom: str) -> None:
    row = provider(people().delegates(), whom=(whom,))

    assert (what(row), row.incomplete, row.notes) == (READS, False, (THROUGH,))


def test_folders_and_the_bucket_are_those_behind_the_access_point() -> None:
    row = provider(
        people().delegates(),
        allow("s3:GetObject", f"{DOOR}/object/team/*"),
        allow(["s3:ListBucket", "s3:PutBucketAcl"], DOOR),
    )

    assert (what(row), row.incomplete) == ({HERE: ("s3:ListBucket",), f"{HERE}/team": ("s3:GetObject",)}, False)


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_policies_give_it_as_well(kind: str) -> None:
    name = {"user": "ann", "group": "staff", "role": "etl"}[kind]
    told = people().delegates().inline(f"{kind}:{name}", "own", document(ON_DOOR))
    external_id = "role:etl" if kind == "role" else f"{kind}:{name}|inline:own|"

    row = told.build()[external_id]

    assert (what(row), row.incomplete) == (READS, False)


def test_without_consent_of_the_bucket_it_gives_nothing_and_that_is_noted() -> None:
    row = provider(people())

    assert (row.what, row.incomplete) == ((), False)
    assert "it gives nothing through access point" in row.notes[0]


def test_under_a_condition_it_is_not_the_bucket_that_permits_nothing() -> None:
    mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    row = provider(people().delegates(), ON_DOOR | mfa)

    assert (row.what, row.incomplete, row.notes) == ((), True, ())
    assert "aws:MultiFactorAuthPresent" in row.reasons_narrower[0]


def test_rights_of_their_own_are_consent_and_then_the_bucket_is_theirs_without_the_access_point() -> None:
    row = provider(people(), ON_DOOR, allow("s3:GetObject", f"{DATA}/*"))

    assert (what(row), row.incomplete, row.notes) == (READS, False, ())


DENIED = {
    "the access point": lambda told: replace_point(told, deny("*", f"{DOOR}/object/*", Principal="*")),
    "the bucket": lambda told: told.bucket_policy("data", deny("s3:*", f"{DATA}/*", Principal="*")),
    "the user itself": lambda told: told.inline("user:ann", "no", document(deny("s3:*", f"{DOOR}/object/*"))),
    "its group, on the bucket": lambda told: told.inline("group:staff", "no", document(deny("s3:*", f"{DATA}/*"))),
}


def replace_point(told: Told, *statements: dict[str, Any], **more: Any) -> Told:
    text = document(*statements) if statements else None
    told.access_points = [replace(point, policy=text, **more) for point in told.access_points]
    return told


@pytest.mark.parametrize("by", DENIED)
def test_a_deny_of_either_takes_it_away(by: str) -> None:
    row = provider(DENIED[by](people().delegates()))

    assert (row.what, row.incomplete) == ((), False)


def test_a_deny_of_whoever_does_not_come_through_an_access_point_leaves_it() -> None:
    own = {"s3:DataAccessPointAccount": ACCOUNT}
    consent = allow("*", [DATA, f"{DATA}/*"], Principal="*", Condition={"StringEquals": own})
    others = deny("*", [DATA, f"{DATA}/*"], Principal="*", Condition={"StringNotEquals": own})

    row = provider(people().bucket_policy("data", consent, others))

    assert (what(row), row.incomplete) == (READS, False)


UNKNOWN = {
    "a Deny under a condition": lambda told: told.inline("user:ann", "no", document(deny("*", "*", Condition=MFA))),
    "a VPC": lambda told: replace_point(told, network_origin="VPC", vpc_id="vpc-1"),
    "a boundary that was not read": lambda told: told.user("zoe", boundary=policy_arn("gone")),
    "an access point policy that cannot be read": lambda told: replace_point(told, {"Effect": "Maybe"}),
    "a bucket policy that was not read": lambda told: unread(told),
    "bucket policies that are off": lambda told: off(told),
}


def unread(told: Told) -> Told:
    told.bucket_policies = []
    return told.bucket_policy("data", policy=None, policy_read=False)


def off(told: Told) -> Told:
    told.bucket_policies, told.bucket_policy_use = [], "off"
    return told


@pytest.mark.parametrize("what_is_not_known", UNKNOWN)
def test_what_is_not_known_for_sure_stays_a_reason(what_is_not_known: str) -> None:
    whom = ("user:ann", "user:zoe") if "boundary" in what_is_not_known else ("user:ann",)

    row = provider(UNKNOWN[what_is_not_known](people().delegates()), whom=whom)

    assert (row.what, row.incomplete) == ((), True)
    assert [f"resource {DOOR}/object/* is an access point" in reason for reason in row.reasons_narrower] == [True]


def test_where_those_who_have_the_policy_have_not_the_same_by_it_nothing_is_claimed() -> None:
    told = people().delegates().inline("user:bob", "no", document(deny("s3:GetObject", f"{DOOR}/object/*")))

    row = provider(told, whom=("user:ann", "user:bob"))

    assert (row.what, row.who_users, row.incomplete) == ((), ("ann", "bob"), True)


def test_a_member_of_a_group_who_has_less_keeps_it_a_reason() -> None:
    told = people().delegates().inline("user:ann", "no", document(deny("s3:GetObject", f"{DOOR}/object/*")))

    row = provider(told, whom=("group:staff",))

    assert (row.what, row.incomplete) == ((), True)


def test_who_is_left_out_for_other_access_has_it_without_being_shown() -> None:
    told = people().delegates().inline("user:bob", "no", document(deny("s3:PutObject", "arn:aws:s3:::other/*")))

    row = provider(told, ON_DOOR, allow("s3:PutObject", "arn:aws:s3:::other/*"), whom=("user:ann", "user:bob"))

    assert row.who_users == ("ann",)
    assert what(row) == {f"{ACCOUNT}:us-east-1:other": ("s3:PutObject",)}
    assert f"{THROUGH}, also to those who are left out" in row.reasons_narrower


@pytest.mark.parametrize(
    ("resource", "shown", "says"),
    [
        (f"{DOOR[:-4]}*/object/*", READS, "is an access point"),
        (f"{DOOR[:-4]}gone/object/*", {}, "is an access point"),
        (f"{DOOR}/object/*.csv", {}, "is an access point"),
        (f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/door/object/*", {}, "is an access point"),
    ],
)
def test_other_access_points_and_keys_without_a_name_stay_a_reason(
    resource: str, shown: dict[str, tuple[str, ...]], says: str
) -> None:
    row = provider(people().delegates(), allow("s3:GetObject", resource))

    assert (what(row), row.incomplete) == (shown, True)
    assert says in row.reasons_narrower[0]


def test_a_file_behind_an_access_point_is_the_file() -> None:
    told = people().delegates().data_object("a/c.csv")

    row = provider(told, allow("s3:GetObject", f"{DOOR}/object/a/c.csv"))

    assert (what(row), row.incomplete) == ({f"{HERE}/a/c.csv": ("s3:GetObject",)}, False)


def test_names_of_users_are_theirs_where_it_is_one_user() -> None:
    home = allow("s3:GetObject", f"{DOOR}/object/home/${{aws:username}}/*")
    inline = people().delegates().inline("user:ann", "own", document(home)).build()["user:ann|inline:own|"]
    both = provider(people().delegates(), home, whom=("user:ann", "user:bob"))

    assert (what(inline), inline.incomplete) == ({f"{HERE}/home/ann": ("s3:GetObject",)}, False)
    assert (both.what, both.incomplete) == ((), True)


def test_a_boundary_limits_it_at_both() -> None:
    def bounded(*statements: dict[str, Any]) -> AccessProvider:
        told = Told().user("ann", boundary=policy_arn("edge")).policy("edge", document(*statements)).point("door")
        return provider(told.delegates())

    assert what(bounded(allow("s3:GetObject", "*"))) == READS
    assert what(bounded(allow("s3:GetObject", f"{DATA}/*"))) == {}
    assert what(bounded(allow("s3:GetObject", f"{DOOR}/object/*"))) == {}


def test_an_access_point_of_a_bucket_that_is_left_out_stays_a_reason() -> None:
    told = Told().user("ann").point("door", bucket="hidden").delegates("hidden")

    row = provider(told)

    assert (row.what, row.incomplete) == ((), True)


def test_a_policy_of_the_access_point_that_names_somebody_else_takes_nothing_away() -> None:
    told = people(allow("s3:GetObject", f"{DOOR}/object/*", Principal={"AWS": user_arn("bob")})).delegates()

    assert what(provider(told)) == READS


def test_where_it_would_take_too_many_answers_it_stays_a_reason() -> None:
    told = Told().delegates()
    names = [f"u{number}" for number in range(72)]
    for name in names:
        told.user(name)
    for number in range(70):
        told.point(f"door{number}")

    row = provider(told, allow("s3:GetObject", f"{DOOR}*/object/*"), whom=tuple(f"user:{name}" for name in names))

    assert (row.what, row.incomplete) == ((), True)


def test_a_bucket_policy_that_names_one_user_gives_that_one_what_others_have_not() -> None:
    own = {"Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}}
    told = people().bucket_policy("data", allow("*", f"{DATA}/*", Principal={"AWS": user_arn("bob")}, **own))
    told.policy("p", document(ON_DOOR), "user:ann", "user:bob")
    account = Account(told.inputs(), AccessOptions())

    reached = {name: [each.target.bucket for each in reach_of(account, ("user", name))] for name in ("ann", "bob")}

    assert reached == {"ann": [], "bob": ["data"]}
    assert {name: depends_on_who(account, ("user", name)) for name in reached} == {"ann": False, "bob": True}
