"""Roles and permission sets: who by trust or assignment, what by inline policies."""

from typing import Any

import pytest

from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import OrgAccountAssignment, OrgPermissionSet, Tag

from .conftest import ACCOUNT, BY_RAITO, LINK, NO_S3, READ, Told, allow, deny, document, trust, user_arn, what

SSO = "AWSReservedSSO_Readers_0123456789abcdef"


def test_a_role_has_the_users_that_it_trusts_and_the_what_of_its_inline_policies() -> None:
    told = Told().user("ada").user("bob").role("r", trust({"AWS": [user_arn("bob"), user_arn("ada")]}))
    row = told.inline("role:r", "own", READ).build()["role:r"]
    assert (row.type, row.name, row.naming_hint, row.actual_name) == ("aws_role", "r", "r", "r")
    assert (row.who_users, row.who_groups, row.who_access_providers) == (("ada", "bob"), (), None)
    assert what(row) == {f"{ACCOUNT}:eu-west-1:data": ("s3:GetObject",)}
    assert (row.incomplete, row.incomplete_reasons, row.policy) == (False, (), f"{READ}\n")


OTHER = "999900001111"
TRUSTS: dict[str, tuple[dict[str, Any], tuple[str, ...], str | None]] = {
    "wildcard actions": (trust({"AWS": user_arn("ada")}, "STS:Assume*"), ("ada",), None),
    "another action": (trust({"AWS": user_arn("ada")}, "sts:TagSession"), (), None),
    "a service": (trust({"Service": "glue.amazonaws.com"}), (), "Service glue.amazonaws.com"),
    "a federation": (trust({"Federated": "x"}, "sts:AssumeRoleWithSAML"), (), "sts:AssumeRoleWithSAML"),
    "everybody": (trust("*"), ("ada",), "wildcard principal"),
    "everybody of AWS": (trust({"AWS": "*"}), ("ada",), "wildcard principal"),
    "the account": (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), (), None),
    "the account by its id": (trust({"AWS": ACCOUNT}), (), None),
    "another account": (trust({"AWS": OTHER}), (), "another account"),
    "another account's user": (trust({"AWS": user_arn("ada", OTHER)}), (), "another account"),
    "a user who is gone": (trust({"AWS": "AIDAGONE"}), (), "not known"),
    "an unknown user": (trust({"AWS": user_arn("eve")}), (), "not known in the account"),
    "a role": (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/s"}), (), "role s may assume it"),
    "itself": (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/r"}), (), None),
    "a condition": (
        trust({"AWS": user_arn("ada")}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        (),
        "Condition (Bool aws:MultiFactorAuthPresent)",
    ),
    "NotPrincipal": (
        {"Effect": "Allow", "NotPrincipal": {"AWS": user_arn("ada")}, "Action": "sts:AssumeRole"},
        (),
        "NotPrincipal",
    ),
}


@pytest.mark.parametrize("name", TRUSTS)
def test_trust_policies(name: str) -> None:
    statement, users, reason = TRUSTS[name]
    told = Told().user("ada").role("r", statement).role("s", trust({"Service": "ec2.amazonaws.com"}))
    row = told.inline("role:r", "own", READ).build()["role:r"]
    assert row.who_users == users
    assert row.incomplete is (reason is not None)
    if reason is not None:
        assert len(row.incomplete_reasons) == 1
        assert reason in row.incomplete_reasons[0]


def test_a_deny_in_the_trust_policy_takes_its_principal_out() -> None:
    told = Told().user("ada").user("bob")
    told.role(
        "r",
        trust({"AWS": [user_arn("ada"), user_arn("bob")]}),
        {"Effect": "Deny", "Principal": {"AWS": user_arn("ada")}, "Action": "sts:*"},
    )
    row = told.inline("role:r", "own", READ).build()["role:r"]
    assert (row.who_users, row.incomplete) == (("bob",), False)


def test_a_trust_policy_that_is_not_valid_is_one_reason() -> None:
    row = Told().role("r", text="{").inline("role:r", "own", READ).build()["role:r"]
    assert row.incomplete_reasons == ("trust policy: the document is not JSON",)


def test_which_roles_are_kept() -> None:
    told = Told().user("ada")
    for name in ("with-what", "with-policy", "without", "excluded", "by-raito"):
        told.role(name, trust({"AWS": user_arn("ada")}), tags=BY_RAITO if name == "by-raito" else ())
    for name in ("with-what", "excluded", "by-raito"):
        told.inline(f"role:{name}", "own", READ)
    told.inline("role:without", "own", NO_S3)
    told.policy("p", READ, "role:with-policy", "role:excluded").policy("q", NO_S3, "role:without")
    found = told.build(AccessOptions(aws_access_role_excludes=(NamePattern("excl.*"),)))
    assert sorted(found) == ["policy:p", "role:with-policy", "role:with-what"]
    assert found["policy:p"].who_access_providers == ("role:with-policy",)
    assert "aws-access-role-excludes" in found["policy:p"].incomplete_reasons[0]


def test_a_deny_of_an_attached_policy_counts_for_the_role() -> None:
    told = Told().role("r", trust({"AWS": ACCOUNT})).inline("role:r", "own", READ)
    told.policy("no", document(deny("s3:GetObject", "*")), "role:r")
    row = told.build()["role:r"]
    assert row.what == ()
    assert not row.incomplete


def _permission_set(told: Told, tags: tuple[Tag, ...] = ()) -> Told:
    told.permission_sets.append(OrgPermissionSet("i", "arn:ps", "Readers", "", tags, (ACCOUNT,)))
    for kind, name in (("USER", "ada@x"), ("USER", "bob@x"), ("GROUP", "Team")):
        told.assignments.append(OrgAccountAssignment(ACCOUNT, "arn:ps", kind, f"id-{name}", name))
    told.assignments.append(OrgAccountAssignment(OTHER, "arn:ps", "USER", "id-eve", "eve@x"))
    return told.role(SSO, trust({"Federated": "x"}, "sts:AssumeRoleWithSAML")).inline(f"role:{SSO}", "own", READ)


def test_a_permission_set_has_the_assignments_of_the_account() -> None:
    row = _permission_set(Told()).build(AccessOptions(organization=LINK))[f"ssorole:{SSO}"]
    assert (row.type, row.name) == ("aws_sso_role", "Readers")
    assert (row.who_users, row.who_groups) == (("ada@x", "bob@x"), ("Team",))
    assert row.what_locked == row.name_locked == row.delete_locked
    assert row.what_locked == "For imported permission sets, only the WHO can be edited"
    assert row.who_locked is None
    assert not row.incomplete


def test_permission_sets_made_by_raito_are_not_imported() -> None:
    assert _permission_set(Told(), BY_RAITO).build(AccessOptions(organization=LINK)) == {}


def test_a_permission_set_that_was_pushed_after_the_organization_was_read_is_not_imported() -> None:
    told = _permission_set(Told(pushed=frozenset({"Readers"})))
    told.permission_sets.clear()
    assert told.build(AccessOptions(organization=LINK)) == {}

    # what the organization says of it counts: somebody else's may have the name since
    known = _permission_set(Told(pushed=frozenset({"Readers"})))
    assert list(known.build(AccessOptions(organization=LINK))) == [f"ssorole:{SSO}"]


def test_without_an_organization_the_reserved_role_is_a_role() -> None:
    assert list(_permission_set(Told()).build()) == [f"role:{SSO}"]


def test_an_assignment_to_somebody_unknown_is_told() -> None:
    told = _permission_set(Told())
    told.assignments.append(OrgAccountAssignment(ACCOUNT, "arn:ps", "USER", "gone", None))
    row = told.build(AccessOptions(organization=LINK))[f"ssorole:{SSO}"]
    assert row.incomplete_reasons == ("user gone is assigned, but not in the identity store",)


def test_a_permission_set_that_was_not_read_has_an_unknown_who() -> None:
    told = Told().role(SSO, trust("*")).inline(f"role:{SSO}", "own", document(allow("s3:*", "*")))
    row = told.build(AccessOptions(organization=LINK))[f"ssorole:{SSO}"]
    assert (row.who_users, row.who_groups) == (None, None)
    assert row.incomplete


def test_a_role_is_kept_for_the_policy_that_is_attached_to_it_also_where_its_boundary_leaves_nothing_of_it() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/b"
    told = Told().user("ada").role("r", trust({"AWS": user_arn("ada")}), boundary=boundary)
    told.policy("p", READ, "user:ada", "role:r").policy("b", document(allow("ec2:*", "*")))
    rows = told.build()

    assert (rows["policy:p"].who_users, rows["policy:p"].who_access_providers) == (("ada",), None)
    assert (rows["role:r"].who_users, rows["role:r"].what) == (("ada",), ())
    skipped = told.build(AccessOptions(aws_access_skip_managed_policies=True))
    assert skipped == {}
