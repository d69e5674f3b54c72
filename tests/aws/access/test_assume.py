"""Who may assume a role: named in its trust policy or let in by the account, and not kept out by its own policies."""

from typing import Any

import pytest

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.assume import assumable, assumers, users_through_roles
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider

from .conftest import ACCOUNT, NO_S3, READ, Told, allow, deny, document, policy_arn, role_arn, trust, user_arn

ASSUME = "sts:AssumeRole"
NAMED, ROOT = trust({"AWS": [user_arn("ada"), user_arn("bob")]}), trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
MAY, MAY_NOT = document(allow(ASSUME, role_arn("r"))), document(deny(ASSUME, "*"))


def told(*statements: dict[str, Any], boundary: str | None = None) -> Told:
    made = Told().user("ada", "g", boundary=policy_arn("b") if boundary else None).user("bob").group("g")
    if boundary:
        made.policy("b", boundary)
    return made.role("r", *statements).inline("role:r", "own", READ)


def role(made: Told) -> AccessProvider:
    return made.build()["role:r"]


# -- a policy of the user has a Deny ----------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["user:ada", "group:g"])
@pytest.mark.parametrize("trusted", [NAMED, trust("*")], ids=["by name", "everybody"])
def test_a_deny_keeps_a_user_out(trusted: dict[str, Any], whose: str) -> None:
    assert role(told(trusted).inline(whose, "no", MAY_NOT)).who_users == ("bob",)
    assert role(told(trusted).policy("no", MAY_NOT, whose)).who_users == ("bob",)


@pytest.mark.parametrize(
    "other",
    [
        document(deny(ASSUME, role_arn("other"))),
        document(deny("sts:TagSession", "*")),
        document({"Effect": "Deny", "Action": ASSUME, "NotResource": role_arn("r")}),
        NO_S3,
    ],
)
def test_a_deny_of_something_else_keeps_nobody_out(other: str) -> None:
    row = role(told(NAMED).inline("user:ada", "no", other))
    assert (row.who_users, row.incomplete) == (("ada", "bob"), False)


def test_a_deny_without_mfa_is_one_reason_for_all_whom_it_may_keep_out() -> None:
    made = told(NAMED).inline("group:g", "mfa", document(deny("*", "*", Condition=MFA)))
    made.users[1] = made.users[0].__class__(**{**_fields(made.users[1]), "group_names": ("g",)})
    row = role(made)

    assert row.who_users == ("ada", "bob")
    assert row.reasons_wider == (
        "trust policy: ada, bob may be kept from assuming it: inline policy mfa, statement 1: "
        "Deny under a condition (BoolIfExists aws:MultiFactorAuthPresent)",
    )


WITH = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
OFFICE, ELSEWHERE = ({operator: {"aws:SourceIp": "192.0.2.0/24"}} for operator in ("IpAddress", "NotIpAddress"))
DENIED = NAMED | {"Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "own", "users"),
    [
        ([NAMED, DENIED | {"Condition": MFA}, DENIED | {"Condition": WITH}], None, ()),
        ([NAMED], document(deny(ASSUME, "*", Condition=MFA), deny(ASSUME, role_arn("r"), Condition=WITH)), ("bob",)),
        ([NAMED, DENIED | {"Condition": MFA}], document(deny("*", "*", Condition=WITH)), ("bob",)),
        ([NAMED], document(deny(ASSUME, "*", Condition=MFA), deny(ASSUME, "x", Condition=WITH)), ("ada", "bob")),
        ([NAMED | {"Condition": OFFICE}, NAMED | {"Condition": ELSEWHERE}], None, ("ada", "bob")),
        ([NAMED | {"Condition": OFFICE}, NAMED | {"Condition": WITH}], None, ()),
        ([ROOT], document(allow(ASSUME, "*", Condition=OFFICE), allow(ASSUME, "*", Condition=ELSEWHERE)), ("ada",)),
        ([ROOT], document(allow(ASSUME, "*", Condition=OFFICE), allow(ASSUME, "x", Condition=ELSEWHERE)), ()),
        ([ROOT | {"Condition": OFFICE}, ROOT | {"Condition": ELSEWHERE}], MAY, ("ada",)),
    ],
    ids=[
        "denied by the trust policy",
        "denied by policies of the user",
        "denied by both together",
        "denied something else",
        "named by the trust policy",
        "named in some calls",
        "allowed by policies of the user",
        "allowed something else",
        "the account",
    ],
)
def test_conditions_that_leave_no_call_out_together_decide(
    statements: list[dict[str, Any]], own: str | None, users: tuple[str, ...]
) -> None:
    made = told(*statements)
    if own:
        made.inline("user:ada", "own", own)

    assert role(made).who_users == users


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


# -- boundaries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "boundary", "users"),
    [
        (NAMED, NO_S3, ("ada", "bob")),
        (trust("*"), NO_S3, ("bob",)),
        (NAMED, document(allow("*", "*"), deny(ASSUME, role_arn("r"))), ("bob",)),
        (trust("*"), document(allow(ASSUME, "*")), ("ada", "bob")),
    ],
    ids=["by name", "everybody", "by name, and a Deny", "everybody, and allowed"],
)
def test_a_boundary_limits_whom_the_trust_policy_does_not_name(
    trusted: dict[str, Any], boundary: str, users: tuple[str, ...]
) -> None:
    assert role(told(trusted, boundary=boundary)).who_users == users


def test_a_boundary_limits_a_role_that_the_trust_policy_names() -> None:
    made = Told().role("s", trust({"Service": "x"}), boundary=policy_arn("b")).policy("b", NO_S3)
    row = role(made.role("r", trust({"AWS": role_arn("s")})).inline("role:r", "own", READ))
    assert row.reasons_who == ()


# -- the account ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("principal", [f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT])
def test_the_account_is_whoever_of_it_has_a_right_of_its_own(principal: str) -> None:
    made = told(trust({"AWS": principal}))
    assert (role(made).who_users, role(made).incomplete) == ((), False)

    made.inline("group:g", "may", MAY)
    assert (role(made).who_users, role(made).incomplete) == (("ada",), False)

    made.policy("admin", document(allow("*", "*")), "user:bob")
    assert role(made).who_users == ("ada", "bob")

    made.inline("user:bob", "no", MAY_NOT)
    assert role(made).who_users == ("ada",)


@pytest.mark.parametrize(("boundary", "users"), [(NO_S3, ()), (MAY, ("ada",))])
def test_a_boundary_limits_a_right_of_its_own(boundary: str, users: tuple[str, ...]) -> None:
    assert role(told(ROOT, boundary=boundary).inline("user:ada", "may", MAY)).who_users == users


UNSURE = {
    "a condition of the right": (ROOT, document(allow(ASSUME, "*", Condition=MFA)), "inline policy may, statement 1"),
    "a variable": (ROOT, document(allow(ASSUME, role_arn("${aws:SourceVpc}"))), "inline policy may, statement 1"),
    "a condition of the trust": (ROOT | {"Condition": MFA}, MAY, "statement 1: Condition"),
    "a document that cannot be read": (ROOT, "{", "inline policy may: the document is not JSON: it may allow it"),
}


@pytest.mark.parametrize("name", UNSURE)
def test_who_may_be_let_in_is_named_in_a_reason(name: str) -> None:
    trusted, right, reason = UNSURE[name]
    row = role(told(trusted).inline("user:ada", "may", right))

    assert row.who_users == ()
    assert any("ada may be let assume it" in text and reason in text for text in row.reasons_who), row.reasons_who


def test_a_deny_of_the_trust_policy_keeps_out_whom_it_lets_in_by_the_account() -> None:
    denied = trust({"AWS": user_arn("ada")}) | {"Effect": "Deny"}
    assert role(told(trust("*"), denied)).who_users == ("bob",)
    assert len(role(told(trust("*"), denied | {"Condition": MFA})).reasons_wider) == 1
    assert len(role(told(NAMED, denied | {"Condition": MFA})).reasons_wider) == 1


# -- roles ----------------------------------------------------------------------------------------------------------


def chain() -> Told:
    """ada and bob may assume a, a may assume b, b may assume r and a."""
    made = told(trust({"AWS": role_arn("b")})).role("a", NAMED, trust({"AWS": role_arn("b")}))
    return made.role("b", trust({"AWS": role_arn("a")}))


def test_users_who_come_by_way_of_roles_are_named() -> None:
    row = role(chain())

    assert row.who_users == ()
    assert row.reasons_who == (
        "trust policy: role b may assume it, which the who of a role cannot hold; "
        "users who may assume it by way of roles: ada, bob",
    )


def test_who_may_assume_which_role_is_one_answer_for_all_roles() -> None:
    account = Account(chain().inputs(), AccessOptions())

    found = assumable(account)
    assert {name: (sorted(each.users), sorted(each.roles)) for name, each in found.items()} == {
        "r": ([], ["b"]),
        "a": (["ada", "bob"], ["b"]),
        "b": ([], ["a"]),
    }
    assert users_through_roles(account, "r") == {"ada", "bob"}
    assert users_through_roles(account, "a") == set()
    assert assumers(account, "r") is found["r"]


def test_roles_with_a_right_of_their_own_are_among_those_of_the_account() -> None:
    made = told(ROOT).role("s", trust({"Service": "x"})).inline("role:s", "may", MAY)
    assert "role s may assume it" in role(made).reasons_who[0]


def test_everybody_is_one_reason_whatever_the_roles() -> None:
    made = told(trust("*")).role("s", trust({"Service": "x"}))
    assert role(made).reasons_who == ("trust policy, statement 1: wildcard principal *",)


# -- NotPrincipal ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spared", "boundary", "users"),
    [
        ([user_arn("ada"), ACCOUNT], None, ("ada",)),
        ([user_arn("ada")], None, ()),
        ([ACCOUNT], None, ()),
        ([user_arn("ada"), ACCOUNT], document(allow("*", "*")), ()),
    ],
    ids=["with the account", "without the account", "the account alone", "with a boundary"],
)
def test_a_deny_spares_whom_it_names_with_the_account_and_nobody_with_a_boundary(
    spared: list[str], boundary: str | None, users: tuple[str, ...]
) -> None:
    but = {"Effect": "Deny", "NotPrincipal": {"AWS": spared}, "Action": ASSUME}
    assert role(told(NAMED, but, boundary=boundary)).who_users == users
    assert role(told(trust("*"), but, boundary=boundary)).who_users == users
