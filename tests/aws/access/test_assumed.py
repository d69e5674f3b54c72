"""Which roles may be assumed, one after the other, and under which conditions."""

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.assumed import RolePath, paths_from
from raito_pipeline.config.groups import AccessOptions

from .conftest import ACCOUNT, Told, allow, deny, document, role_arn, trust, user_arn

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def paths(told: Told, kind: str, name: str) -> dict[tuple[str, ...], bool]:
    account = Account(told.inputs(), AccessOptions())
    return {path.roles: not path.conditions for path in paths_from(account, (kind, name))}


def test_each_role_is_reached_once_by_a_short_path() -> None:
    told = Told().user("ann").role("a", trust({"AWS": user_arn("ann")}))
    told.role("b", trust({"AWS": [user_arn("ann"), role_arn("a")]})).role("c", trust({"AWS": role_arn("b")}))

    assert paths(told, "user", "ann") == {("a",): True, ("b",): True, ("b", "c"): True}
    assert paths(told, "role", "a") == {("b",): True, ("b", "c"): True}
    assert paths(told, "role", "c") == {}


def test_what_follows_a_condition_depends_on_it() -> None:
    told = Told().user("ann").role("a", trust({"AWS": user_arn("ann")}, Condition=MFA))
    told.role("b", trust({"AWS": role_arn("a")}))

    assert paths(told, "user", "ann") == {("a",): False, ("a", "b"): False}
    assert paths(told, "role", "a") == {("b",): True}


def test_a_condition_that_never_holds_lets_nobody_in() -> None:
    never = {"StringEquals": {"aws:PrincipalArn": user_arn("bob")}}
    told = Told().user("ann").user("bob").role("a", trust({"AWS": [user_arn("ann"), user_arn("bob")]}, Condition=never))

    assert paths(told, "user", "ann") == {}
    assert paths(told, "user", "bob") == {("a",): True}


def test_a_deny_of_the_trust_policy_keeps_out_also_whom_a_condition_lets_in() -> None:
    no = {"Effect": "Deny", "Principal": {"AWS": user_arn("ann")}, "Action": "sts:AssumeRole"}
    told = (
        Told().user("ann").user("bob").role("a", trust({"AWS": [user_arn("ann"), user_arn("bob")]}, Condition=MFA), no)
    )

    assert paths(told, "user", "ann") == {}
    assert paths(told, "user", "bob") == {("a",): False}


def test_somebody_from_outside_begins_with_a_role() -> None:
    told = Told().role("a").role("b", trust({"AWS": role_arn("a")}))
    account = Account(told.inputs(), AccessOptions())

    assert paths_from(account, ("role", "a"), RolePath(("a",), ("why",))) == [
        RolePath(("a",), ("why",)),
        RolePath(("a", "b"), ("why",)),
    ]


def test_who_has_a_right_of_its_own_to_a_role_of_the_account_reaches_it_and_who_is_denied_does_not() -> None:
    may, may_not = (document(one("sts:AssumeRole", "*")) for one in (allow, deny))
    told = Told().user("ann", "g").user("bob").group("g").inline("group:g", "may", may)
    told.role("a", trust({"AWS": ACCOUNT})).role("b", trust({"AWS": [role_arn("a"), user_arn("bob")]}))
    told.inline("user:bob", "no", may_not)

    assert paths(told, "user", "ann") == {("a",): True, ("a", "b"): True}
    assert paths(told, "user", "bob") == {}


def test_a_right_under_a_condition_is_one_that_the_path_depends_on() -> None:
    told = Told().user("ann").role("a", trust({"AWS": ACCOUNT}))
    told.inline("user:ann", "may", document(allow("sts:AssumeRole", "*", Condition=MFA)))

    assert paths(told, "user", "ann") == {("a",): False}
