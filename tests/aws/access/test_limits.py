"""What limits a principal beside the policy that gives: every source counts, for whatever gives it something."""

import pytest

from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.config.patterns import NamePattern

from .conftest import ACCOUNT, NO_S3, READ, Told, allow, deny, document, policy_arn, role_arn, trust, user_arn, what

READ_AND_WRITE = document(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::data/*"))
NO_WRITE = document(deny("s3:PutObject", "*"))
GIVEN_BY = {
    "a managed policy": ("policy:p", Told().user("ada").policy("p", READ_AND_WRITE, "user:ada"), "user:ada"),
    "an inline policy": ("user:ada|inline:p|", Told().user("ada").inline("user:ada", "p", READ_AND_WRITE), "user:ada"),
    "a role": ("role:r", Told().role("r", trust({"AWS": "*"})).inline("role:r", "p", READ_AND_WRITE), "role:r"),
    "an access point": (
        None,
        Told().user("ada").delegates().point("o", {
            "Effect": "Allow",
            "Principal": {"AWS": user_arn("ada")},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/o/object/*",
        }),
        "user:ada",
    ),
    "a bucket policy": (
        "bucketpolicy:data",
        Told().user("ada").bucket_policy("data", {
            "Effect": "Allow",
            "Principal": {"AWS": user_arn("ada")},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::data/*",
        }),
        "user:ada",
    ),
}  # fmt: skip


@pytest.mark.parametrize("giver", GIVEN_BY)
def test_a_deny_elsewhere_counts_whatever_gives_the_access(giver: str) -> None:
    external_id, told, principal = GIVEN_BY[giver]
    rows = told.policy("no", NO_WRITE, principal).build()
    row = next(row for name, row in rows.items() if name == external_id or (external_id is None and "point" in name))

    assert {name for names in what(row).values() for name in names} == {"s3:GetObject"}


def test_the_deny_of_a_group_counts_for_its_members_only() -> None:
    told = Told().user("ada", "g").user("bob").group("g").inline("group:g", "no", NO_WRITE)
    told.inline("user:ada", "own", READ_AND_WRITE).inline("user:bob", "own", READ_AND_WRITE)
    rows = told.build()

    given = {name: {each for names in what(row).values() for each in names} for name, row in rows.items()}
    assert given["user:ada|inline:own|"] == {"s3:GetObject"}
    assert given["user:bob|inline:own|"] == {"s3:GetObject", "s3:PutObject"}


def test_a_boundary_that_was_not_read_is_a_reason_wherever_access_is_given() -> None:
    told = Told().user("ada", boundary="arn:b").policy("p", READ, "user:ada").inline("user:ada", "own", READ)
    rows = told.build()

    assert {row.reasons_wider for row in rows.values()} == {
        ("user ada has a permissions boundary that was not read, which may allow less",)
    }


READ_ONLY = document(allow("s3:Get*", "*"))
BOUNDED = {
    "a managed policy": Told().user("ada", boundary=policy_arn("b")).policy("p", READ_AND_WRITE, "user:ada"),
    "an inline policy": Told().user("ada", boundary=policy_arn("b")).inline("user:ada", "p", READ_AND_WRITE),
    "a role": Told().role("r", trust({"AWS": "*"}), boundary=policy_arn("b")).inline("role:r", "p", READ_AND_WRITE),
}


@pytest.mark.parametrize("giver", BOUNDED)
def test_a_boundary_intersects_whatever_gives_the_access(giver: str) -> None:
    (row,) = BOUNDED[giver].policy("b", READ_ONLY).build().values()

    assert what(row) == {f"{ACCOUNT}:eu-west-1:data": ("s3:GetObject",)}
    assert (row.reasons_wider, row.reasons_narrower) == ((), ())


def test_a_deny_in_a_boundary_takes_away_and_a_conditional_one_is_a_reason() -> None:
    told = Told().user("ada", boundary=policy_arn("b")).policy("p", READ_AND_WRITE, "user:ada")
    mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    told.policy("b", document(allow("*", "*"), deny("s3:Put*", "*"), deny("s3:*", "*", Condition=mfa)))
    row = told.build()["policy:p"]

    assert {name for names in what(row).values() for name in names} == {"s3:GetObject"}
    assert [reason.split(":")[0] for reason in row.reasons_wider] == [
        "permissions boundary, policy b, statement 3",
    ]


def test_a_boundary_of_one_of_two_principals_leaves_it_out() -> None:
    told = Told().user("ada", boundary=policy_arn("b")).user("bob").policy("p", READ_AND_WRITE, "user:ada", "user:bob")
    row = told.policy("b", READ_ONLY).build()["policy:p"]

    assert row.who_users == ("bob",)
    assert row.reasons_narrower == ("user ada is left out: a permissions boundary or control policy allows less",)


def test_who_has_nothing_left_for_sure_is_left_out_without_a_reason() -> None:
    told = Told().user("ada", boundary=policy_arn("b")).user("bob").policy("p", READ_AND_WRITE, "user:ada", "user:bob")
    row = told.policy("b", NO_S3).build()["policy:p"]

    assert (row.who_users, row.incomplete) == (("bob",), False)


def test_a_member_with_a_boundary_is_named_and_the_group_stays() -> None:
    told = Told().user("ada", "g", boundary=policy_arn("b")).user("bob", "g").group("g").policy("p", READ, "group:g")
    row = told.policy("b", NO_S3).build()["policy:p"]

    assert (row.who_users, row.who_groups) == ((), ("g",))
    assert row.reasons_wider == (
        "group g has members who have or may have less of it (ada): "
        "a permissions boundary or control policy allows less",
    )


def test_members_who_may_be_denied_are_named_on_one_line_a_statement() -> None:
    told = Told().user("ada", "g", "all").user("bob", "g", "all").user("cat", "g").group("g").group("all")
    mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    told.policy("p", READ, "group:g").inline("group:all", "mfa", document(deny("*", "*", Condition=mfa)))
    row = told.build()["policy:p"]

    assert row.who_groups == ("g",)
    assert len(row.reasons_wider) == 1
    assert "(ada, bob): inline policy mfa, statement 1" in row.reasons_wider[0]


def test_a_boundary_does_not_limit_what_a_resource_gives_a_user_by_its_arn_but_its_deny_does() -> None:
    point = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/o"

    def given(who: str, boundary: str) -> set[str]:
        told = Told().user("ada", boundary=policy_arn("b")).role("r", trust("*"), boundary=policy_arn("b"))
        statement = {**allow(["s3:GetObject", "s3:PutObject"], f"{point}/object/*"), "Principal": {"AWS": who}}
        told.bucket_policy("data", allow("*", "arn:aws:s3:::data/*", Principal={"AWS": who}))
        row = told.point("o", statement).policy("b", boundary).build()[f"accesspoint:{point}"]
        return {name for names in what(row).values() for name in names}

    assert given(user_arn("ada"), NO_S3) == {"s3:GetObject", "s3:PutObject"}
    assert given(role_arn("r"), NO_S3) == set()
    assert given(role_arn("r"), READ_ONLY) == {"s3:GetObject"}
    no_write = document(allow("*", "*"), deny("s3:PutObject", "*"))
    assert given(user_arn("ada"), no_write) == given(role_arn("r"), no_write) == {"s3:GetObject"}


def test_a_policy_that_was_not_read_or_cannot_be_read_may_deny() -> None:
    told = Told().user("ada").policy("p", READ, "user:ada").policy("broken", "{", "user:ada")
    told.policy("gone", READ, "user:ada")
    told.policies.pop()
    row = told.build()["policy:p"]

    assert what(row) != {}
    assert set(row.reasons_wider) == {
        "policy broken: the document is not JSON: it may deny something",
        f"policy {policy_arn('gone')} was not read: it may deny something",
    }


def test_what_may_be_lost_to_a_deny_is_said() -> None:
    told = Told().user("ada").policy("p", READ, "user:ada").inline("user:ada", "no", document(deny("*", "*.csv")))
    told.inline("user:ada", "some", document(deny("s3:GetObject", "arn:aws:s3:::data/a/*")))
    row = told.build()["policy:p"]

    assert what(row) == {f"{ACCOUNT}:eu-west-1:data": ("s3:GetObject",)}
    assert row.reasons_wider == (
        "inline policy no, statement 1: Deny on *.csv, which cannot be read: some of what is shown may be refused",
        "inline policy some, statement 1: Deny on arn:aws:s3:::data/a/*: that part of what is shown is refused",
    )


LEFT_OUT = {
    "inline policies of users": AccessOptions(aws_access_skip_user_inline_policies=True),
    "managed policies": AccessOptions(aws_access_skip_managed_policies=True),
    "managed policies of AWS": AccessOptions(aws_access_skip_aws_managed_policies=True),
    "managed policies by name": AccessOptions(aws_access_managed_policy_excludes=(NamePattern("no"),)),
    "users": AccessOptions(aws_user_excludes=(NamePattern("ada"),)),
    "groups' inline policies": AccessOptions(aws_access_skip_group_inline_policies=True),
}


@pytest.mark.parametrize("aws", [False, True], ids=["own policy", "policy of AWS"])
@pytest.mark.parametrize("by", ["user:ada", "group:g"])
@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_a_deny_counts_also_where_the_import_leaves_it_out(left_out: str, by: str, aws: bool) -> None:
    told = Told().user("ada", "g").group("g").role("r", trust("*"))
    told.policy("no", NO_WRITE, by, aws=aws).inline(by, "no-tags", document(deny("s3:PutObjectTagging", "*")))
    given = document(allow(["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"], "arn:aws:s3:::data/*"))
    told.policy("p", given, "user:ada").inline("user:ada", "own", given)
    rows = told.build(LEFT_OUT[left_out])

    assert {name for row in rows.values() for names in what(row).values() for name in names} <= {"s3:GetObject"}


def test_excluded_users_have_no_inline_policies_in_the_import() -> None:
    told = Told().user("ada").inline("user:ada", "own", READ)
    assert told.build(AccessOptions(aws_user_excludes=(NamePattern("ada"),))) == {}


def test_where_iam_is_left_out_nothing_is_known_of_denies() -> None:
    point = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/o"
    statement = {**allow("s3:GetObject", f"{point}/object/*"), "Principal": {"AWS": user_arn("ada")}}
    (row,) = (
        Told().user("ada").delegates().point("o", statement).build(AccessOptions(aws_access_skip_iam=True)).values()
    )

    assert what(row) != {}
    assert row.reasons_wider == (
        "the policies of user ada were not read (aws-access-skip-iam): they may deny something",
    )
