"""Who loses a policy that denies something does not get more by it; AWS's evaluation says what they may do after."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.aws.push.rules.denials import Denials
from raito_pipeline.aws.push.types.permission_set_changes import DetachReference
from raito_pipeline.model import PushChange
from tests.aws.access.conftest import ACCOUNT, Told, allow, deny, document, policy_arn, trust, user_arn
from tests.aws.push.exported import BY_RAITO, who
from tests.aws.push.pushing import Options, imported
from tests.aws.push.test_nothing_edited import imported_of, plan_of

DATA = ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]
LIST = allow("s3:ListBucket", "arn:aws:s3:::data")
GUARD = document(LIST, deny("s3:GetObject", "arn:aws:s3:::data/*"))
WIDE = document(allow("s3:*", DATA))
ADMINISTRATOR = document(allow("*", "*"))
READ_BY_ADA, READ_BY_ALL, READ_BY_SESSION, READ_BY_BOB, READ_BY_ROOT = (
    trust(principal, "s3:GetObject", Resource=DATA[1])
    for principal in (
        {"AWS": user_arn("ada")}, "*", {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/somebody"},
        {"AWS": user_arn("bob")}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    )
)  # fmt: skip


def _account() -> Told:
    told = Told().user("ada").user("bob", "g").user("cyd", "h").group("g").group("h")
    return told.role("r", trust({"AWS": user_arn("ada")}))


UNENCRYPTED = deny("s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})


LIFTED: dict[str, tuple[Callable[[], Told], str]] = {
    "a user has both": (lambda: _account().policy("guard", GUARD, "user:ada").policy("wide", WIDE, "user:ada"), "ada"),
    "a group gives more": (lambda: _account().policy("guard", GUARD, "user:bob").inline("group:g", "i", WIDE), "bob"),
    "a role": (lambda: _account().policy("guard", GUARD, "role:r").inline("role:r", "i", WIDE), "r"),
    "a group of the policy": (lambda: _account().policy("guard", GUARD, "group:g").inline("user:bob", "i", WIDE), "g"),
    "under a condition": (
        lambda: _account().policy("guard", document(LIST, UNENCRYPTED), "user:ada").inline("user:ada", "i", WIDE),
        "ada",
    ),
    "a bucket lets them in": (
        lambda: _account().policy("guard", GUARD, "user:ada").bucket_policy("data", READ_BY_ADA), "ada",
    ),
    "a bucket lets everybody in": (
        lambda: _account().policy("guard", GUARD, "group:g").bucket_policy("data", READ_BY_ALL), "g",
    ),
    "a bucket lets a role in": (
        lambda: _account().policy("guard", GUARD, "role:r").bucket_policy("data", READ_BY_SESSION), "r",
    ),
    "two deny it, and both go": (
        lambda: _account().policy("guard", GUARD, "user:ada").policy("guard-2", GUARD, "user:ada").inline(
            "user:ada", "i", WIDE
        ),
        "ada",
    ),
    "of administrators": (
        lambda: _account().policy("guard", document(LIST, deny("iam:*", "*")), "user:ada").inline(
            "user:ada", "i", ADMINISTRATOR
        ),
        "ada",
    ),
}  # fmt: skip
NOT_LIFTED: dict[str, Callable[[], Told]] = {
    "it denies nothing": lambda: _account().policy("guard", document(LIST), "user:ada").inline("user:ada", "i", WIDE),
    "nothing else gives it": lambda: _account().policy("guard", GUARD, "user:ada").policy("wide", WIDE, "user:bob"),
    "something else is given": lambda: _account().policy("guard", GUARD, "user:ada").inline(
        "user:ada", "i", document(allow("s3:GetObject", "arn:aws:s3:::other/*"))
    ),
    "they have it by a group, too": lambda: _account().policy("guard", GUARD, "user:bob", "group:g").inline(
        "user:bob", "i", WIDE
    ),
    "a bucket lets others in": lambda: _account().policy("guard", GUARD, "user:ada").bucket_policy(
        "data", READ_BY_BOB, READ_BY_ROOT
    ),
    "a bucket leaves it to access points": lambda: _account().policy("guard", GUARD, "user:ada").delegates(),
    "Raito made it": lambda: _account().policy("guard", GUARD, "user:ada", tags=BY_RAITO).inline("user:ada", "i", WIDE),
}  # fmt: skip


def planned(told: Told, **changes: object) -> Plan:
    inputs = told.inputs()
    state, controls = imported_of(inputs)
    found = next(one for one in controls if one.external_id == "policy:guard")
    return plan_of(inputs, state, [replace(found, **changes)])  # type: ignore[arg-type]


def made(plan: Plan) -> list[PushChange]:
    return [row for row in plan.changes if row.operation not in (*IDLE, "tag", "refuse")]


@pytest.mark.parametrize("case", LIFTED)
@pytest.mark.parametrize("changes", [{"who": who()}, {"delete": True}], ids=["nobody is in it", "it is removed"])
def test_who_could_do_more_without_a_policy_keeps_it_and_that_is_said(case: str, changes: dict[str, object]) -> None:
    make, whose = LIFTED[case]

    plan = planned(make(), **changes)

    assert made(plan) == []
    assert f"{whose} what other policies give" in plan.targets[0].errors[0]


@pytest.mark.parametrize(
    "case",
    [
        "nothing else gives it",
        "something else is given",
        "it denies nothing",
        "a bucket lets others in",
        "a bucket leaves it to access points",
    ],
)
def test_whoever_could_do_no_more_loses_it(case: str) -> None:
    plan = planned(NOT_LIFTED[case](), who=who())

    assert [row.operation for row in made(plan)] == ["detach"]
    assert plan.targets[0].errors == ()


def test_what_a_policy_gives_is_taken_away_and_what_it_denies_stays() -> None:
    (row,) = made(planned(LIFTED["a user has both"][0](), what=()))

    assert "ListBucket" not in str(row.after)
    assert '"Deny"' in str(row.after)


@pytest.mark.parametrize("case", NOT_LIFTED)
def test_nothing_is_lifted(case: str) -> None:
    state, _ = imported_of(NOT_LIFTED[case]().inputs())
    holder = ("user", "bob" if "group" in case else "ada")

    assert Denials(state).lifted(policy_arn("guard"), holder) is None


@pytest.mark.parametrize("option", ["aws_access_skip_aws_managed_policies", "aws_access_skip_user_inline_policies"])
def test_what_options_leave_out_of_the_import_gives_all_the_same(option: str) -> None:
    told = _account().policy("guard", GUARD, "user:ada")
    by_aws = "managed" in option
    told = told.policy("wide", WIDE, "user:ada", aws=True) if by_aws else told.inline("user:ada", "i", WIDE)
    inputs, options = told.inputs(), Options(**{option: True})

    state = PushState.of_account(inputs, options, imported(inputs, options))

    assert Denials(state).lifted(policy_arn("guard"), ("user", "ada")) == "s3:GetObject"


def test_the_role_of_a_permission_set_keeps_what_is_denied_to_it() -> None:
    reserved = f"AWSReservedSSO_analyst_{16 * 'a'}"
    told = _account().role(reserved, path="/aws-reserved/sso.amazonaws.com/").inline(f"role:{reserved}", "i", WIDE)
    state, _ = imported_of(told.policy("guard", GUARD, f"role:{reserved}").inputs())
    loss = PushChange(0, "a", "A", "detach", DetachReference.KIND, "analyst", policy_arn("guard"), None, "")

    assert DetachReference(loss).frees == (policy_arn("guard"), "ssorole:analyst")
    reason = Denials(state).reason(*DetachReference(loss).frees)
    assert reason is not None
    assert f"denies role {reserved} what other policies give (s3:GetObject)" in reason
