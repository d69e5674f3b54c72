"""Access providers of permission sets: who by the assignments of the account, what by the reserved role."""

from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider, OrgAccountAssignment, OrgPermissionSet, Tag

from .conftest import ACCOUNT, BY_RAITO, LINK, READ, Told, what

ROLE = "AWSReservedSSO_Analysts_0123456789abcdef"
SET = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"


def told(
    *assigned: tuple[str, str, str | None], tags: tuple[Tag, ...] | None = (), accounts: tuple[str, ...] = (ACCOUNT,)
) -> Told:
    """An account with the permission set Analysts, which somebody has."""
    account = Told().role(ROLE).inline(f"role:{ROLE}", "own", READ)
    account.permission_sets = [OrgPermissionSet("arn:aws:sso:::instance/1", SET, "Analysts", "", tags, accounts)]
    account.assignments = [OrgAccountAssignment(ACCOUNT, SET, *each) for each in assigned]
    return account


def build(account: Told) -> dict[str, AccessProvider]:
    return account.build(AccessOptions(organization=LINK))


def test_who_is_assigned_has_what_the_reserved_role_has() -> None:
    account = told(("USER", "u-2", "bob"), ("GROUP", "g-1", "staff"), ("USER", "u-1", "ada"))
    account.assignments.append(OrgAccountAssignment("999988887777", SET, "USER", "u-3", "elsewhere"))
    row = build(account)[f"ssorole:{ROLE}"]

    assert (row.name, row.type) == ("Analysts", "aws_sso_role")
    assert (row.who_users, row.who_groups, row.who_access_providers) == (("ada", "bob"), ("staff",), None)
    assert what(row)
    assert not row.incomplete
    assert "only the WHO can be edited" in str(row.what_locked)


def test_somebody_whom_the_store_does_not_know_is_said() -> None:
    row = build(told(("USER", "u-9", None)))[f"ssorole:{ROLE}"]

    assert (row.who_users, row.incomplete) == ((), True)
    assert row.reasons_who == ("user u-9 is assigned, but not in the identity store",)


def test_one_that_was_not_read_has_an_unknown_who() -> None:
    for account in (told(accounts=("999988887777",)), Told().role(ROLE).inline(f"role:{ROLE}", "own", READ)):
        row = build(account)[f"ssorole:{ROLE}"]
        assert (row.who_users, row.who_groups) == (None, None)
        assert row.reasons_who == ("permission set Analysts is not among those read of the organization",)


def test_what_raito_made_is_left_out_also_before_the_organization_is_read_again() -> None:
    assert build(told(tags=BY_RAITO)) == {}
    account = Told().role(ROLE).inline(f"role:{ROLE}", "own", READ)
    account.pushed = frozenset({"Analysts"})
    assert build(account) == {}
    for tags, left in ((None, 0), ((), 1), ((Tag("team", "sales"),), 1)):
        account = told(tags=tags)
        account.pushed = frozenset({"Analysts"})
        assert len(build(account)) == left


def test_without_an_organization_it_is_a_role() -> None:
    rows = told(("USER", "u-1", "ada")).build(AccessOptions())
    assert [row.type for row in rows.values()] == ["aws_role"]
