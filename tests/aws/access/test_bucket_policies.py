"""Access providers of bucket policies: who and what, what is locked, and who has no name."""

from typing import Any

from raito_pipeline.model import AccessProvider

from .conftest import ACCOUNT, Told, allow, deny, document, role_arn, user_arn, what

DATA = "arn:aws:s3:::data"
HERE = f"{ACCOUNT}:eu-west-1:data"
ANN, JOBS = {"AWS": user_arn("ann")}, {"AWS": role_arn("jobs")}
FINANCE = "210000000023"
LOCKED = "Bucket policies are read only"


def people() -> Told:
    return Told().group("staff").user("ann", "staff").user("bob").role("jobs")


def shown(*statements: dict[str, Any], told: Told | None = None, **more: Any) -> AccessProvider:
    return (told or people()).bucket_policy("data", *statements, **more).build()["bucketpolicy:data"]


def reads(principal: Any, **more: Any) -> dict[str, Any]:
    return allow("s3:GetObject", f"{DATA}/*", Principal=principal, **more)


def test_users_and_roles_are_in_the_who_and_everything_is_locked() -> None:
    row = shown(reads({"AWS": [user_arn("ann"), role_arn("jobs")]}))

    assert (row.who_users, row.who_groups, row.who_access_providers) == (("ann",), (), ("role:jobs",))
    assert what(row) == {HERE: ("s3:GetObject",)}
    assert (row.name, row.type, row.incomplete) == ("data bucket policy", "aws_bucket_policy", False)
    assert row.not_internalizable
    locks = (row.who_locked, row.inheritance_locked, row.what_locked, row.name_locked, row.delete_locked)
    assert locks == (LOCKED,) * 5
    assert row.owners_locked is None


def test_folders_and_the_bucket_itself_are_what_is_given() -> None:
    row = shown(allow(["s3:ListBucket", "s3:GetObject"], [DATA, f"{DATA}/2024/*"], Principal=ANN))

    assert what(row) == {HERE: ("s3:ListBucket",), f"{HERE}/2024": ("s3:GetObject",)}


def test_a_star_in_a_bucket_policy_is_the_bucket() -> None:
    row = shown(allow("s3:GetObject", "*", Principal=ANN))

    assert what(row) == {HERE: ("s3:GetObject",)}


def test_its_own_denies_take_away() -> None:
    statements = (
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{DATA}/*", Principal=ANN),
        deny("s3:*", f"{DATA}/*", Principal=JOBS),
    )
    assert "s3:DeleteObject" in what(shown(*statements))[HERE]

    row = shown(statements[0], deny("s3:DeleteObject", f"{DATA}/*", Principal="*"))
    assert what(row)[HERE] == ("s3:GetObject", "s3:PutObject")


def test_a_deny_of_the_principal_itself_takes_away() -> None:
    told = people().inline("user:ann", "no", document(deny("s3:*", "*")))

    row = shown(reads({"AWS": [user_arn("ann"), user_arn("bob")]}), told=told)

    assert (row.who_users, what(row)) == (("bob",), {HERE: ("s3:GetObject",)})


def test_everybody_is_every_user_and_role_of_the_account_and_a_reason() -> None:
    row = shown(reads("*"))

    assert (row.who_users, row.who_access_providers) == (("ann", "bob"), ("role:jobs",))
    assert row.reasons_who == ("bucket policy of data, statement 1: everybody (*) has it, also outside of the account",)


def test_a_public_access_block_keeps_out_whoever_is_outside() -> None:
    for blocks in (
        {"public_access_block": ("RestrictPublicBuckets",)},
        {"account_public_access_block": ("RestrictPublicBuckets",)},
    ):
        row = shown(reads("*"), **blocks)
        assert (row.who_users, row.reasons_who, row.incomplete) == (("ann", "bob"), (), False)
    assert shown(reads("*"), public_access_block=("BlockPublicPolicy",)).reasons_who


def test_everybody_under_a_condition_on_who_is_whoever_fulfils_it() -> None:
    only_jobs = {"ArnLike": {"aws:PrincipalArn": role_arn("j*")}}

    row = shown(reads("*", Condition=only_jobs))

    assert (row.who_users, row.who_access_providers) == ((), ("role:jobs",))
    assert what(row) == {HERE: ("s3:GetObject",)}


def test_another_account_is_named_with_its_target_where_raito_yml_has_it() -> None:
    theirs = [f"arn:aws:iam::{FINANCE}:role/reader", "arn:aws:iam::444455556666:root"]
    told = people()
    told.linked[FINANCE] = "finance"

    row = shown(reads({"AWS": [*theirs, user_arn("ann")]}), told=told)

    assert row.who_users == ("ann",)
    assert [reason.partition(": ")[2] for reason in row.reasons_who] == [
        f"principal {theirs[0]} is of another account (target finance)",
        f"principal {theirs[1]} is of another account",
    ]


def test_who_is_no_principal_or_no_whole_one_is_a_reason() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/jobs/night"
    for principal, says in (
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:group/staff"}, "group/staff is not known"),
        ({"AWS": session}, "is one session of role jobs"),
        ({"Service": "logging.s3.amazonaws.com"}, "logging.s3.amazonaws.com"),
    ):
        row = shown(reads(principal))
        assert (row.who_users, row.what) == ((), ())
        assert says in row.reasons_who[0]


def test_what_gives_nobody_anything_itself_is_no_access_provider() -> None:
    points = {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}}
    for statement in (
        reads({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        reads({"AWS": ACCOUNT}),
        reads({"AWS": "AIDAJQABLZS4A3QDU576Q"}),
        reads("*", Condition=points),
        deny("s3:*", "*", Principal="*"),
        allow("sqs:*", "*", Principal=ANN),
    ):
        assert "bucketpolicy:data" not in people().bucket_policy("data", statement).build(), statement


def test_access_points_of_another_account_are_a_reason() -> None:
    told = people()
    told.linked[FINANCE] = "finance"

    row = shown(reads("*", Condition={"StringEquals": {"s3:DataAccessPointAccount": FINANCE}}), told=told)

    assert (row.who_users, row.what) == ((), ())
    assert "access points of other accounts (210000000023; target finance)" in row.reasons_who[0]


def test_acls_that_count_are_noted_and_nothing_is_incomplete() -> None:
    row = shown(reads(ANN), acls_off=False)
    assert not row.incomplete
    assert "ACLs are not off" in row.notes[0]
    assert shown(reads(ANN), acls_off=None).notes == ()


def test_a_condition_that_is_not_known_gives_nobody_anything() -> None:
    row = shown(reads(ANN, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))

    assert (row.who_users, row.what) == ((), ())
    assert "IpAddress aws:SourceIp" in row.reasons_who[0]


def test_a_policy_that_cannot_be_read_is_shown_as_such() -> None:
    row = shown(text="[]")

    assert (row.what, row.incomplete, row.policy) == ((), True, "[]")


def test_only_denies_count_where_the_option_says_so_and_none_where_it_is_off() -> None:
    told = people().bucket_policy("data", reads(ANN), deny("s3:*", f"{DATA}/*", Principal={"AWS": user_arn("bob")}))
    told.policy("p", document(allow("s3:GetObject", f"{DATA}/*")), "user:ann", "user:bob")
    told.bucket_policy_use = "deny-only"

    rows = told.build()

    assert list(rows) == ["policy:p"]
    assert rows["policy:p"].who_users == ("ann",)


def test_the_same_account_gives_the_same_rows() -> None:
    told = people().bucket_policy("data", reads("*"), deny("s3:PutObject", "*", Principal=JOBS))
    assert told.build() == told.build()
