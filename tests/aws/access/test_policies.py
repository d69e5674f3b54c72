"""Managed and inline policies, access points, denies elsewhere, locks, and stability."""

import random
from dataclasses import replace

import pytest

from raito_pipeline.aws.access import build_access_providers
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions, Locks
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import IamUser, Tag

from .conftest import ACCOUNT, BY_RAITO, NO_S3, READ, WHEN, Told, allow, deny, document, trust, user_arn, what

DATA = f"{ACCOUNT}:eu-west-1:data"


def test_a_managed_policy_has_everybody_whom_it_is_attached_to() -> None:
    told = Told().user("ada").group("g").role("r", trust({"AWS": user_arn("ada")}))
    row = told.policy("p", READ, "user:ada", "group:g", "role:r").build()["policy:p"]
    assert (row.type, row.who_users, row.who_groups, row.who_access_providers) == (
        "aws_policy", ("ada",), ("g",), ("role:r",),
    )  # fmt: skip
    assert what(row) == {DATA: ("s3:GetObject",)}
    assert (row.incomplete, row.tags, row.policy) == (False, None, READ)


def test_which_policies_are_kept() -> None:
    told = Told().user("ada").policy("kept", READ, "user:ada").policy("nobodys", READ).policy("ec2", NO_S3, "user:ada")
    told.policy("excluded", READ, "user:ada").policy("by-raito", READ, "user:ada", tags=BY_RAITO)
    told.policy("aws", READ, "user:ada", aws=True)
    excludes = (NamePattern("exclu.+"),)
    assert sorted(told.build(AccessOptions(aws_access_managed_policy_excludes=excludes))) == [
        "policy:aws",
        "policy:kept",
    ]
    skip_aws = AccessOptions(aws_access_managed_policy_excludes=excludes, aws_access_skip_aws_managed_policies=True)
    assert sorted(told.build(skip_aws)) == ["policy:kept"]
    assert told.build(AccessOptions(aws_access_skip_managed_policies=True)) == {}


def test_whose_policy_it_is_tells_the_last_push_where_its_tags_could_not_be_read() -> None:
    told = Told().user("ada").policy("ours", READ, "user:ada", tags=None).policy("theirs", READ, "user:ada", tags=None)
    told.policy("aws", READ, "user:ada", aws=True, tags=None).policy("read", READ, "user:ada")
    told.pushed_ids = frozenset({"policy:ours", "policy:aws", "policy:read"})
    assert sorted(told.build()) == ["policy:aws", "policy:read", "policy:theirs"]


def test_a_policy_of_aws_is_locked_and_told_apart_from_one_of_the_same_name() -> None:
    found = Told().user("ada").policy("p", READ, "user:ada").policy("p", READ, "user:ada", aws=True).build()
    assert sorted(found) == ["policy:arn:aws:iam::aws:policy/p", "policy:p"]
    row = found["policy:arn:aws:iam::aws:policy/p"]
    assert row.what_locked == row.name_locked == row.delete_locked == "This policy is managed by AWS"
    assert row.who_locked is None


def test_inline_policies_of_one_principal_are_one_access_provider_with_a_stable_id() -> None:
    told = Told().user("ada").group("g").inline("user:ada", "z", READ).inline("user:ada", "a", READ)
    found = told.inline("group:g", "own", READ).build()
    user, group = found["user:ada|inline:a|z|"], found["group:g|inline:own|"]
    assert (user.name, user.who_users, user.who_groups) == ("User ada inline policies", ("ada",), None)
    assert (group.name, group.who_users, group.who_groups) == ("Group g inline policies", None, ("g",))
    assert user.naming_hint == ""
    skipping = AccessOptions(aws_access_skip_user_inline_policies=True, aws_access_skip_group_inline_policies=True)
    assert told.build(skipping) == {}


def test_a_document_that_is_not_valid_is_an_incomplete_access_provider() -> None:
    row = Told().user("ada").policy("p", "{", "user:ada").build()["policy:p"]
    assert row.what == ()
    assert row.incomplete_reasons == ("policy p: the document is not JSON",)


def test_a_condition_on_the_region_gives_the_buckets_that_are_there() -> None:
    home = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    told = Told().user("ada").policy("p", document(allow("s3:GetObject", "*", Condition=home)), "user:ada")
    row = told.build()["policy:p"]
    assert what(row) == {DATA: ("s3:GetObject",)}
    assert not row.incomplete


def test_a_kept_document_of_the_version_in_force_is_as_good_as_one_that_was_read() -> None:
    told = Told().user("ada").policy("AmazonS3ReadOnlyAccess", READ, "user:ada", aws=True)
    told.policies[0] = replace(told.policies[0], document_as_of="2026-09-30")
    row = told.build()["policy:AmazonS3ReadOnlyAccess"]
    assert what(row) == {DATA: ("s3:GetObject",)}
    assert not row.incomplete


@pytest.mark.parametrize(("version", "in_force"), [("v3", "v3 is in force, which"), ("", "the one in force")])
def test_a_kept_document_of_another_version_may_give_less_and_more(version: str, in_force: str) -> None:
    told = Told().user("ada", boundary=f"arn:aws:iam::{ACCOUNT}:policy/fence").user("bob").policy("p", READ, "user:ada")
    told.policy("q", READ, "user:bob").policy(
        "fence", document(allow("s3:*", "*"), deny("s3:PutObject", "*")), "user:bob"
    )
    older = {"default_version_id": version, "document_version_id": "v2", "document_as_of": "2026-09-30"}
    told.policies[2] = replace(told.policies[2], **older)
    said = f"policy fence: its document is of v2, as of 2026-09-30, and {in_force} may give"
    rows = told.build()
    # Where it gives, both; where it is a boundary, too; where it denies, less may be left than is shown.
    assert set(rows["policy:fence"].incomplete_reasons) >= {f"{said} less", f"{said} more"}
    assert set(rows["policy:p"].incomplete_reasons) == {f"{said} less", f"{said} more"}
    assert set(rows["policy:q"].incomplete_reasons) == {f"{said} less"}


def test_a_deny_elsewhere_of_the_only_principal_takes_from_the_what() -> None:
    told = Told().user("ada").policy("p", document(allow(["s3:GetObject", "s3:PutObject"], "*")), "user:ada")
    row = told.inline("user:ada", "no", document(deny("s3:PutObject", "*"))).build()["policy:p"]
    assert what(row) == {ACCOUNT: ("s3:GetObject",)}
    assert row.who_users == ("ada",)
    assert not row.incomplete


def test_a_deny_elsewhere_of_one_principal_takes_it_out_of_the_who() -> None:
    told = Told().user("ada", "g").user("bob").group("g").policy("p", READ, "user:ada", "user:bob")
    row = told.inline("group:g", "no", document(deny("s3:*", "*"))).build()["policy:p"]
    assert (row.who_users, what(row)) == (("bob",), {DATA: ("s3:GetObject",)})
    assert not row.incomplete


def test_a_group_with_a_member_who_is_denied_stays_a_group() -> None:
    told = Told().user("ada", "g").user("bob", "g").group("g").policy("p", READ, "group:g")
    row = told.inline("user:ada", "no", document(deny("s3:GetObject", "arn:aws:s3:::data/x/*"))).build()["policy:p"]
    assert (row.who_users, row.who_groups) == ((), ("g",))
    assert row.incomplete_reasons == (
        "group g has members who have or may have less of it (ada): inline policy no, statement 1: Deny on "
        "arn:aws:s3:::data/x/*: that part of what is shown is refused",
    )


ARN = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/p"


def test_an_access_point_opens_its_bucket_and_folders() -> None:
    told = Told().user("ada").role("r", trust({"AWS": ACCOUNT})).delegates()
    who = {"AWS": [user_arn("ada"), f"arn:aws:iam::{ACCOUNT}:role/r"]}
    told.point(
        "p", {**allow("s3:ListBucket", ARN), "Principal": who}, {**allow("s3:*", f"{ARN}/object/a/*"), "Principal": who}
    )
    row = told.build()[f"accesspoint:{ARN}"]
    assert (row.who_users, row.who_access_providers) == (("ada",), ("role:r",))
    assert what(row)[DATA] == ("s3:ListBucket",)
    assert "s3:GetObject" in what(row)[f"{DATA}/a"]
    assert "s3:GetObjectTorrent" not in what(row)[f"{DATA}/a"]
    assert not row.incomplete


def test_an_access_point_never_mixes_the_access_of_different_principals() -> None:
    told = Told().user("ada").user("bob").delegates()
    told.point(
        "p",
        {**allow(["s3:GetObject", "s3:PutObject"], f"{ARN}/object/*"), "Principal": {"AWS": user_arn("ada")}},
        {**allow("s3:GetObject", f"{ARN}/object/b/*"), "Principal": {"AWS": user_arn("bob")}},
    )
    row = told.build()[f"accesspoint:{ARN}"]
    assert (row.who_users, what(row)) == (("ada",), {DATA: ("s3:GetObject", "s3:PutObject")})
    assert row.incomplete


def test_an_access_point_for_everybody_or_on_a_bucket_that_is_left_out() -> None:
    told = Told().point("p", {**allow("s3:GetObject", f"{ARN}/object/*"), "Principal": "*"})
    row = told.build()[f"accesspoint:{ARN}"]
    assert (row.who_users, row.what) == ((), ())
    assert "everybody (*)" in row.incomplete_reasons[0]
    hidden = Told().point("p", trust("*", "s3:GetObject"), bucket="hidden").build()[f"accesspoint:{ARN}"]
    assert hidden.incomplete
    assert Told().point("p").build() == {}


def test_locks_names_and_owners() -> None:
    tags = (Tag("env", "prod"), Tag("nice", "Nice name"), Tag("own", "ada,email:b@x"))
    told = (
        Told()
        .user("ada")
        .policy("p", READ, "user:ada", tags=tags)
        .policy("q", document(allow("s3:X", "*"), allow("s3:GetObject", "*")), "user:ada")
    )
    locks = Locks(
        lock_all_who=True,
        lock_what_by_name=(NamePattern("q"),),
        lock_delete_by_tag=("env:prod",),
        lock_inheritance_when_incomplete=True,
        fully_lock_when_incomplete=True,
        lock_all_owners=False,
    )
    found = told.build(
        AccessOptions(
            locks=locks,
            tag_overwrite_key_for_access_provider_name="nice",
            tag_overwrite_key_for_access_provider_owners="own",
        )
    )
    p, q = found["policy:p"], found["policy:q"]
    assert p.name == "Nice name"
    assert p.actual_name == "p"
    assert Tag("raito_owner", "ada,email:b@x") in (p.tags or ())
    locked = [
        [
            bool(x)
            for x in (
                r.who_locked,
                r.inheritance_locked,
                r.what_locked,
                r.name_locked,
                r.delete_locked,
                r.owners_locked,
            )
        ]
        for r in (p, q)
    ]
    assert locked == [[True, False, False, True, True, True], [True, True, True, False, False, False]]
    assert (p.not_internalizable, q.not_internalizable) == (False, True)


def test_the_same_account_gives_the_same_rows_in_whatever_order_aws_answers() -> None:
    told = Told().group("g")
    for number in range(12):
        told.user(f"u{number}", *(["g"] if number % 2 else []))
        told.role(f"r{number}", trust({"AWS": user_arn(f"u{number}")})).inline(f"role:r{number}", "own", READ)
        told.policy(f"p{number}", READ, f"user:u{number}", "group:g", f"role:r{number}")
        told.inline(f"user:u{number}", "b", READ).inline(f"user:u{number}", "a", READ)
    told.inline("user:u1", "no", document(deny("s3:*", "arn:aws:s3:::data/x*")))
    first = build_access_providers(told.inputs(), AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
    shuffle = random.Random(7).shuffle
    for rows in (told.users, told.groups, told.roles, told.policies, told.attachments):
        shuffle(rows)
    assert build_access_providers(told.inputs(), AccessOptions(), ACCESS_PROVIDER_TYPES.imported) == first
    assert all(isinstance(user, IamUser) and user.create_date == WHEN for user in told.users)


HOME = document(allow("s3:GetObject", "arn:aws:s3:::data/home/${aws:username}/*"))


def test_the_variables_and_conditions_of_one_users_policy_are_about_that_user() -> None:
    only_bob = {"StringEquals": {"aws:username": "bob"}}
    told = Told().user("ada").inline("user:ada", "home", HOME)
    told.inline("user:ada", "of-bob", document(allow("s3:*", "*", Condition=only_bob)))

    row = told.build()["user:ada|inline:home|of-bob|"]

    assert what(row) == {f"{DATA}/home/ada": ("s3:GetObject",)}
    assert not row.incomplete


def test_a_variable_of_a_policy_of_several_is_a_reason() -> None:
    row = Told().user("ada").user("bob").policy("home", HOME, "user:ada", "user:bob").build()["policy:home"]

    assert row.what == ()
    assert "${aws:username}" in row.reasons_narrower[0]


def test_a_deny_under_a_condition_on_somebody_else_limits_nobody_else() -> None:
    not_ada = {"StringEquals": {"aws:username": "bob"}}
    no = document({**deny("s3:*", "*"), "Condition": not_ada})
    told = Told().user("ada", "g").user("bob", "g").group("g").policy("p", READ, "user:ada").inline("group:g", "no", no)

    row = told.policy("q", READ, "user:bob").build()

    assert (row["policy:p"].who_users, row["policy:p"].incomplete) == (("ada",), False)
    assert row["policy:q"].what == ()


BY_TAG = document(
    allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/home}/*"),
    allow("s3:PutObject", "arn:aws:s3:::data/*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}),
)
RED, BLUE = (Tag("home", "data"), Tag("Team", "red")), (Tag("home", "data"),)


def tagged(**users: tuple[Tag, ...]) -> Told:
    told = Told()
    for name, tags in users.items():
        told.user(name)
        told.users[-1] = replace(told.users[-1], tags=tags)
    return told


@pytest.mark.parametrize(
    ("told", "permissions", "incomplete"),
    [
        (tagged(ann=RED), {"s3:GetObject", "s3:PutObject"}, False),
        (tagged(ann=RED, bob=RED), {"s3:GetObject", "s3:PutObject"}, False),
        (tagged(ann=BLUE), {"s3:GetObject"}, False),
        (tagged(ann=()), set(), False),
        (tagged(ann=RED, bob=BLUE), set(), True),
        (tagged(ann=RED).group("staff"), set(), True),
        (tagged(ann=RED).role("reader"), set(), True),
    ],
    ids=["red", "both red", "blue", "untagged", "different", "a group", "a role, whose sessions may have tags"],
)
def test_a_policy_that_asks_who_calls_is_read_for_its_holders_where_it_gives_each_the_same(
    told: Told, permissions: set[str], *, incomplete: bool
) -> None:
    holders = [
        *(f"user:{each.user_name}" for each in told.users),
        *(f"group:{each.group_name}" for each in told.groups),
    ]
    told.policy("p", BY_TAG, *holders, *(f"role:{each.role_name}" for each in told.roles))

    row = told.build()["policy:p"]

    assert {name for names in what(row).values() for name in names} == permissions
    assert row.incomplete == incomplete


def test_the_tags_of_users_that_are_left_out_are_not_known() -> None:
    told = tagged(ann=()).policy("p", BY_TAG, "user:ann")

    assert told.build(AccessOptions(aws_user_excludes=(NamePattern("ann"),)))["policy:p"].incomplete


THROUGH_ATHENA = document(
    allow(
        "s3:GetObject",
        "arn:aws:s3:::data/*",
        Condition={"StringEquals": {"aws:CalledViaFirst": "athena.amazonaws.com"}},
    )
)
UNLESS_THROUGH_A_SERVICE = document(
    deny("s3:*", "*", Condition={"Bool": {"aws:ViaAWSService": "true"}}), allow("ec2:*", "*")
)


def test_access_through_a_service_is_claimed_where_nothing_else_asks_for_services() -> None:
    told = Told().user("ann").group("g").user("bob", "g").policy("p", THROUGH_ATHENA, "user:ann", "group:g")
    row = told.build()["policy:p"]
    assert (len(row.what), row.incomplete, len(row.notes)) == (1, False, 1)

    for whom in ("user:ann", "user:bob", "group:g"):
        held = Told().user("ann").group("g").user("bob", "g").policy("p", THROUGH_ATHENA, "user:ann", "group:g")
        row = held.inline(whom, "own", UNLESS_THROUGH_A_SERVICE).build()["policy:p"]
        assert (row.what, row.incomplete) == ((), True), whom
