"""Who really reaches what: named cases, and random accounts against the evaluator."""

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.effective import effective_batches
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import (
    EffectiveAccess,
    OrgAccountAssignment,
    OrgPermissionSet,
    OrgUser,
    arrow_schema,
    table_of,
)
from raito_pipeline.model.schema import from_batch
from tests.aws.access.effective_comparison import EffectiveFaults, compare_effective
from tests.aws.access.random_accounts import Features, random_account
from tests.aws.access.world import World

from .conftest import ACCOUNT, LINK, READ, Told, allow, deny, document, policy_arn, role_arn, trust, user_arn

BUCKETS = [f"arn:aws:s3:::{name}" for name in ("data", "data/*", "other", "other/*")]
DATA, OTHER = f"{ACCOUNT}:eu-west-1:data", f"{ACCOUNT}:us-east-1:other"
READ_ALL = document(allow("s3:GetObject", "*"))
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def rows_of(
    inputs: AccessInputs, people: Iterable[OrgUser] = (), options: AccessOptions | None = None
) -> list[EffectiveAccess]:
    batches = list(effective_batches(Account(inputs, options or AccessOptions()), people))
    rows = list(from_batch(EffectiveAccess, pa.Table.from_batches(batches, arrow_schema(EffectiveAccess))))
    keys = [tuple(getattr(row, name) for name in table_of(EffectiveAccess).key) for row in rows]
    assert len(keys) == len(set(keys)), "a key stands for one row"
    assert all((row.certainty == "certain") == (not row.conditions) for row in rows)
    return rows


def told_of(told: Told, name: str, permission: str = "s3:GetObject") -> dict[str, EffectiveAccess]:
    """The rows of a principal for one permission, by data object and the roles on the way."""
    return {
        "/".join((row.data_object, *row.via_roles)): row
        for row in rows_of(told.inputs())
        if (row.principal_name, row.permission) == (name, permission)
    }


def test_a_user_has_what_its_own_policies_and_its_groups_give_together() -> None:
    told = (
        Told().group("staff").user("ann", "staff").policy("p", READ, "group:staff").inline("user:ann", "own", READ_ALL)
    )

    found = told_of(told, "ann")

    assert {name: (row.through, row.certainty) for name, row in found.items()} == {
        ACCOUNT: (("user:ann|inline:own|",), "certain"),
        DATA: (("policy:p",), "certain"),
    }
    assert (found[DATA].data_object_kind, found[DATA].bucket) == ("bucket", "data")
    assert (found[ACCOUNT].data_object_kind, found[ACCOUNT].bucket) == ("account", None)
    assert (found[DATA].principal_type, found[DATA].principal_id, found[DATA].principal_account) == (
        "user", "AIDAann", ACCOUNT,
    )  # fmt: skip


def test_a_boundary_of_one_member_leaves_the_others_what_the_group_gives() -> None:
    edge = document(allow("s3:*", "arn:aws:s3:::other/*"))
    told = Told().group("staff").user("ann", "staff").user("bob", "staff", boundary=policy_arn("edge"))
    told.policy("edge", edge).policy("p", READ_ALL, "group:staff")

    assert {name: told_of(told, name).keys() for name in ("ann", "bob")} == {"ann": {ACCOUNT}, "bob": {OTHER}}


def test_a_deny_elsewhere_takes_a_bucket_away() -> None:
    told = Told().group("staff").user("ann", "staff").policy("p", READ_ALL, "user:ann")
    told.inline("group:staff", "no", document(deny("s3:*", "arn:aws:s3:::data/*")))

    assert {name: row.certainty for name, row in told_of(told, "ann").items()} == {OTHER: "certain"}


def test_a_chain_of_roles_is_named_from_the_first_to_the_last() -> None:
    told = Told().user("ann").role("outer", trust({"AWS": user_arn("ann")}))
    told.role("inner", trust({"AWS": role_arn("outer")})).inline("role:inner", "read", READ)

    found = told_of(told, "ann")

    assert list(found) == [f"{DATA}/outer/inner"]
    assert found[f"{DATA}/outer/inner"].through == ("role:outer", "role:inner")
    assert list(told_of(told, "outer")) == [f"{DATA}/inner"]
    assert list(told_of(told, "inner")) == [DATA]


def test_roles_that_trust_each_other_end() -> None:
    told = Told().user("ann").role("a", trust({"AWS": [user_arn("ann"), role_arn("b")]}))
    told.role("b", trust({"AWS": role_arn("a")})).inline("role:b", "read", READ).inline("role:a", "read", READ)

    assert told_of(told, "ann").keys() == {f"{DATA}/a", f"{DATA}/a/b"}
    assert told_of(told, "a").keys() == {DATA, f"{DATA}/b"}


def test_trust_under_a_condition_makes_all_that_the_role_has_conditional() -> None:
    told = Told().user("ann").role("r", trust({"AWS": user_arn("ann")}, Condition=MFA)).inline("role:r", "read", READ)

    (row,) = told_of(told, "ann").values()

    assert row.certainty == "conditional"
    assert ["MultiFactorAuthPresent" in text for text in row.conditions] == [True]
    assert told_of(told, "r")[DATA].certainty == "certain"


def test_a_certain_way_into_a_role_goes_before_a_short_one() -> None:
    told = Told().user("ann").role("helper", trust({"AWS": user_arn("ann")}))
    told.role("r", trust({"AWS": user_arn("ann")}, Condition=MFA), trust({"AWS": role_arn("helper")}))
    told.inline("role:r", "read", READ)

    (row,) = told_of(told, "ann").values()

    assert (row.via_roles, row.certainty) == (("helper", "r"), "certain")


def test_a_statement_with_a_condition_gives_access_that_depends_on_it() -> None:
    text = document(
        allow(
            "s3:GetObject",
            "arn:aws:s3:::data/*",
            Sid="Office",
            Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
        )
    )

    (row,) = told_of(Told().user("ann").policy("p", text, "user:ann"), "ann").values()

    assert (row.certainty, row.through) == ("conditional", ("policy:p",))
    (condition,) = row.conditions
    assert condition.startswith("policy p, statement 1 (Office): Condition (IpAddress aws:SourceIp)")


def test_what_one_statement_gives_for_sure_is_certain_whatever_others_say() -> None:
    text = document(allow("s3:*", "arn:aws:s3:::data/*", Condition=MFA), allow("s3:GetObject", "arn:aws:s3:::data/*"))
    told = Told().user("ann").policy("p", text, "user:ann")

    assert told_of(told, "ann")[DATA].certainty == "certain"
    assert told_of(told, "ann", "s3:PutObject")[DATA].certainty == "conditional"


def test_a_deny_under_a_condition_makes_conditional_what_it_is_about_and_nothing_else() -> None:
    force = document(deny("s3:GetObject", "arn:aws:s3:::data/*", Condition=NO_MFA))
    told = Told().user("ann").policy("p", document(allow(["s3:GetObject", "s3:PutObject"], "*")), "user:ann")
    told.policy("force", force, "user:ann")

    found = told_of(told, "ann")

    assert {name: row.certainty for name, row in found.items()} == {DATA: "conditional", OTHER: "certain"}
    assert "policy force, statement 1" in found[DATA].conditions[0]
    assert {name: row.certainty for name, row in told_of(told, "ann", "s3:PutObject").items()} == {ACCOUNT: "certain"}


def test_a_deny_of_one_bucket_and_a_part_of_another_leaves_neither_certain() -> None:
    about = ["arn:aws:s3:::data/*", "arn:aws:s3:::other/secret/*"]
    told = Told().user("ann").policy("p", READ_ALL, "user:ann")
    told.policy("force", document(deny("s3:GetObject", about, Condition=NO_MFA)), "user:ann")

    assert {name: row.certainty for name, row in told_of(told, "ann").items()} == {
        DATA: "conditional",
        OTHER: "conditional",
    }


def test_a_deny_of_everything_without_mfa_leaves_the_account_as_one_row() -> None:
    told = Told().user("ann").policy("p", READ_ALL, "user:ann")
    told.policy("force", document(deny("*", "*", Condition=NO_MFA)), "user:ann")

    assert {name: row.certainty for name, row in told_of(told, "ann").items()} == {ACCOUNT: "conditional"}


def test_a_boundary_that_was_not_read_makes_everything_conditional() -> None:
    told = Told().user("ann", boundary=policy_arn("gone")).policy("p", READ, "user:ann")

    (row,) = told_of(told, "ann").values()

    assert "permissions boundary" in row.conditions[0]


def test_an_access_point_gives_each_principal_its_own() -> None:
    arn = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door"
    ann = {**trust({"AWS": user_arn("ann")}, "s3:GetObject"), "Resource": f"{arn}/object/*"}
    bob = {**trust({"AWS": user_arn("bob")}, "s3:GetObject"), "Resource": f"{arn}/object/a/*"}
    told = Told().user("ann").user("bob").delegates().point("door", ann, bob)

    assert {name: row.through for name, row in told_of(told, "ann").items()} == {DATA: (f"accesspoint:{arn}",)}
    assert {name: row.data_object_kind for name, row in told_of(told, "bob").items()} == {f"{DATA}/a": "folder"}


DOOR = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/door"


def test_a_policy_on_an_access_point_gives_its_bucket_to_calls_through_that_alone() -> None:
    told = Told().group("staff").user("ann", "staff").user("bob").point("door").delegates()
    told.policy("p", document(allow("s3:GetObject", f"{DOOR}/object/*")), "group:staff")

    (row,) = told_of(told, "ann").values()

    assert (row.data_object, row.through, row.certainty) == (DATA, ("policy:p",), "conditional")
    assert row.conditions == (f"policy p, statement 1: to calls through access point {DOOR}",)
    assert told_of(told, "bob") == {}


def test_what_is_given_by_an_access_point_under_a_condition_has_both() -> None:
    text = document(allow("s3:GetObject", f"{DOOR}/object/*", Condition=MFA))
    told = Told().user("ann").point("door").delegates().inline("user:ann", "own", text)

    (row,) = told_of(told, "ann").values()

    (condition,) = row.conditions
    assert "MultiFactorAuthPresent" in condition
    assert condition.endswith(f"; to calls through access point {DOOR}")


def test_an_access_point_gives_nothing_that_the_bucket_does_not_permit() -> None:
    told = (
        Told().user("ann").point("door").inline("user:ann", "own", document(allow("s3:GetObject", f"{DOOR}/object/*")))
    )

    assert told_of(told, "ann") == {}


def test_the_bucket_itself_is_certain_whatever_an_access_point_gives_beside() -> None:
    both = document(allow("s3:GetObject", [f"{DOOR}/object/*", "arn:aws:s3:::data/*"]))
    told = Told().user("ann").point("door").delegates().inline("user:ann", "own", both)

    assert [row.certainty for row in told_of(told, "ann").values()] == ["certain"]


def test_a_condition_on_a_listing_gives_nothing_to_calls_that_list_no_keys() -> None:
    here = allow(
        ["s3:ListBucket", "s3:GetBucketLocation"], "arn:aws:s3:::data", Condition={"StringLike": {"s3:prefix": "x/*"}}
    )
    elsewhere = allow("s3:GetObject", "arn:aws:s3:::data/*", Condition={"StringNotLike": {"s3:prefix": "x/*"}})
    told = Told().user("ann").inline("user:ann", "own", document(here, elsewhere))

    assert {row.permission for row in rows_of(told.inputs())} == {"s3:ListBucket", "s3:GetObject"}


def test_what_calls_of_services_have_depends_on_the_denies_of_such_calls() -> None:
    own = document(allow("s3:GetObject", "arn:aws:s3:::*/*", Condition={"Bool": {"aws:ViaAWSService": "true"}}))
    athena = {"StringEquals": {"aws:CalledViaFirst": "athena.amazonaws.com"}}
    told = Told().user("ann").inline("user:ann", "own", own)
    told.bucket_policy("data", deny("s3:*", "arn:aws:s3:::data/*", Principal="*", Condition=athena))

    rows = told_of(told, "ann")

    assert {name: len(row.conditions) for name, row in rows.items()} == {DATA: 2, OTHER: 1}
    assert any("bucket policy of data, statement 1: Deny of calls with" in text for text in rows[DATA].conditions)


def test_a_deny_of_the_list_of_buckets_is_its_condition_whatever_else_is_about_the_account() -> None:
    told = Told().user("ann").inline("user:ann", "own", document(allow("s3:*", "*")))
    told.inline("user:ann", "no", document(deny("s3:*", "arn:aws:s3:::*", Condition=MFA)))

    assert [row.certainty for row in told_of(told, "ann", "s3:ListAllMyBuckets").values()] == ["conditional"]
    assert [row.certainty for row in told_of(told, "ann", "s3:CreateJob").values()] == ["certain"]


SAME = {
    "the same": (MFA, MFA),
    "one of several": ({**MFA, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, MFA),
    "the same where the key is missing": (
        {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
        {"StringNotEquals": {"aws:sourcevpce": "vpce-1"}},
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_given_where_a_deny_holds_is_not_given(name: str) -> None:
    gives, refuses = SAME[name]
    told = Told().user("ann").inline("user:ann", "own", document(allow("s3:GetObject", "*", Condition=gives)))
    told.inline("user:ann", "no", document(deny("s3:*", "arn:aws:s3:::data/*", Condition=refuses)))

    assert {target: row.certainty for target, row in told_of(told, "ann").items()} == {OTHER: "conditional"}


def _organization(*assigned: tuple[str, str]) -> Told:
    reserved = "AWSReservedSSO_Readers_0123456789abcdef"
    told = Told().role(reserved).inline(f"role:{reserved}", "AwsSSOInlinePolicy", READ)
    told.role("inner", trust({"AWS": role_arn(reserved)})).policy("p", READ_ALL, "role:inner")
    told.permission_sets = [OrgPermissionSet("i", "arn:set", "Readers", "", (), (ACCOUNT,))]
    told.assignments = [OrgAccountAssignment(ACCOUNT, "arn:set", kind, who, None) for kind, who in assigned]
    return told


PEOPLE = (OrgUser("d-1", "u-1", "eve", "Eve", None, ("g-1",)), OrgUser("d-1", "u-2", "may", "May", None, ()))


@pytest.mark.parametrize("assigned", [("USER", "u-1"), ("GROUP", "g-1")])
def test_people_have_the_permission_sets_that_are_assigned_to_them_or_their_groups(assigned: tuple[str, str]) -> None:
    told = _organization(assigned)

    rows = [
        row
        for row in rows_of(told.inputs(), PEOPLE, AccessOptions(organization=LINK))
        if row.principal_type == "org_user"
    ]

    reserved = "AWSReservedSSO_Readers_0123456789abcdef"
    assert [
        (row.principal_name, row.principal_account, row.data_object, row.via_roles, row.through) for row in rows
    ] == [
        ("eve", None, DATA, (reserved,), (f"ssorole:{reserved}",)),
        ("eve", None, ACCOUNT, (reserved, "inner"), (f"ssorole:{reserved}", "role:inner", "policy:p")),
    ]


def test_a_user_of_another_account_of_the_same_file_is_named_with_what_it_takes() -> None:
    far = "444455556666"
    inner = trust({"AWS": role_arn("shared")})
    told = Told().role("shared", trust({"AWS": user_arn("zoe", far)})).inline("role:shared", "read", READ)
    told.role("inner", inner).policy("all", READ_ALL, "role:inner")
    zoe = replace(Told().user("zoe").users[0], arn=user_arn("zoe", far))
    batches = list(effective_batches(Account(told.inputs(), AccessOptions()), (), [zoe]))

    rows = [row for batch in batches for row in from_batch(EffectiveAccess, batch) if row.principal_account == far]

    assert [(row.principal_name, row.data_object, row.via_roles, row.certainty) for row in rows] == [
        ("zoe", DATA, ("shared",), "conditional"),
        ("zoe", ACCOUNT, ("shared", "inner"), "conditional"),
    ]
    assert rows[0].conditions == (f"account {far}: its policies have to let {zoe.arn} assume the role, too",)


FAR = "444455556666"
ZOE = {"AWS": user_arn("zoe", FAR)}
ALL_OF_FAR = {"AWS": f"arn:aws:iam::{FAR}:root"}


def but(*arns: str) -> dict[str, Any]:
    return {"Effect": "Deny", "NotPrincipal": {"AWS": list(arns)}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("trusted", "enters"),
    [
        ([trust(ZOE, Condition={"StringEquals": {"aws:PrincipalAccount": FAR}})], True),
        ([trust(ZOE, Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}})], False),
        ([trust(ZOE, Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{FAR}:user/*"}})], True),
        ([trust(ZOE, Condition={"StringEquals": {"aws:PrincipalType": "AssumedRole"}})], False),
        ([trust(ZOE), trust(ALL_OF_FAR) | {"Effect": "Deny"}], False),
        ([trust(ZOE), trust({"AWS": FAR}) | {"Effect": "Deny"}], False),
        ([trust(ZOE), trust({"AWS": ACCOUNT}) | {"Effect": "Deny"}], True),
        ([trust(ZOE), but(ZOE["AWS"], ALL_OF_FAR["AWS"])], True),
        ([trust(ZOE), but(ZOE["AWS"])], False),
        ([trust(ZOE), but(user_arn("ann"), ACCOUNT)], False),
    ],
)
def test_a_user_of_another_account_is_asked_by_its_own_account(trusted: list[dict[str, Any]], enters: bool) -> None:
    told = Told().role("shared", *trusted).inline("role:shared", "read", READ)
    zoe = replace(Told().user("zoe").users[0], arn=ZOE["AWS"])
    batches = list(effective_batches(Account(told.inputs(), AccessOptions()), (), [zoe]))

    rows = [row for batch in batches for row in from_batch(EffectiveAccess, batch) if row.principal_account == FAR]

    assert [row.via_roles for row in rows] == ([("shared",)] if enters else [])


def test_a_deny_is_a_condition_of_what_it_may_refuse_and_of_nothing_else() -> None:
    told = Told().user("ann").inline("user:ann", "give", document(allow(["s3:GetObject", "s3:ListBucket"], BUCKETS)))
    told.inline("user:ann", "no", document(deny("s3:*", ["arn:aws:s3:::data/secret/*", "arn:aws:s3:::other/x/*"])))

    rows = [row for row in rows_of(told.inputs()) if row.permission in ("s3:GetObject", "s3:ListBucket")]

    assert {(row.permission, row.certainty) for row in rows} == {
        ("s3:GetObject", "conditional"),
        ("s3:ListBucket", "certain"),
    }


def test_a_deny_is_a_condition_of_what_a_bucket_policy_gives_only_where_it_is_about_it() -> None:
    told = Told().user("ann").user("bob")
    told.inline("user:ann", "no", document(deny("s3:List*", "*", Condition=MFA)))
    gives = allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::data", "arn:aws:s3:::data/*"], Principal="*")
    of_bob = deny("s3:GetObject", "arn:aws:s3:::data/*", Principal={"AWS": user_arn("bob")}, Condition=MFA)

    rows = rows_of(told.bucket_policy("data", gives, of_bob).inputs())

    assert {(row.principal_name, row.permission, row.certainty) for row in rows} == {
        ("ann", "s3:GetObject", "certain"),
        ("ann", "s3:ListBucket", "conditional"),
        ("bob", "s3:GetObject", "conditional"),
        ("bob", "s3:ListBucket", "certain"),
    }


def test_what_is_given_under_a_condition_is_left_out_where_more_is_given_for_certain() -> None:
    told = Told().user("ann").inline("user:ann", "give", READ)
    at_work = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    told.inline("user:ann", "more", document(allow("s3:GetObject", "arn:aws:s3:::*/a/*", Condition=at_work)))

    assert [(row.data_object, row.certainty) for row in rows_of(told.inputs()) if "other" not in row.data_object] == [
        (DATA, "certain")
    ]


def test_who_has_equal_policies_has_equal_rows_and_variables_are_those_of_each() -> None:
    home = document(allow("s3:GetObject", "arn:aws:s3:::data/${aws:username}/*"))
    told = Told().group("staff").user("ann", "staff").user("bob", "staff").policy("home", home, "group:staff")

    assert told_of(told, "ann").keys() == {f"{DATA}/ann"}
    assert told_of(told, "bob").keys() == {f"{DATA}/bob"}


def test_twice_is_the_same_in_the_same_order() -> None:
    inputs = random_account(7, Features(conditions=True, boundaries=True)).inputs()

    assert rows_of(inputs) == rows_of(inputs)


# -- random accounts -------------------------------------------------------------------------------------------------


# `make probes` tries more of them, as `test_random_accounts.py` does.
ACCOUNTS = max(1, int(os.environ.get("RAITO_PIPELINE_PROBES", "0")) // 10_000)
FIRST = int(os.environ.get("RAITO_PIPELINE_PROBES_FROM", "3"))
"""by default an account with many rows of both kinds"""


@pytest.mark.timeout(0 if ACCOUNTS > 1 else 60)
def test_rows_of_random_accounts_are_what_aws_allows_for_certain_and_where_their_conditions_are_met() -> None:
    found = EffectiveFaults()
    for seed in range(FIRST, FIRST + ACCOUNTS):
        features = Features(True, True, True, True, True, True, True, on_points=0.08 if seed % 5 else 0.5)
        inputs = random_account(seed, features).inputs()
        found += compare_effective(World(inputs), rows_of(inputs))
        assert found.wrong == [], seed
    print(f"accounts {FIRST} to {FIRST + ACCOUNTS - 1}: {dict(found.tried)}")
    assert min(found.tried["certain"], found.tried["conditions met"]) > 30, found.tried
