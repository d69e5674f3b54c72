"""Whom no import showed keep what Raito did not make, also once the import shows them because others were taken out."""

from collections.abc import Callable
from typing import Any

import pytest

from raito_pipeline.aws.push.account.imported import EVERYBODY, OF_ALL
from tests.aws.access.conftest import ACCOUNT, Told, allow, document, trust, user_arn
from tests.aws.push.account.test_taken_away import DATA, MFA, pushed, steps, told, who
from tests.aws.push.pushing import Options, imported

POINT = f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/sales"
WITH_ADA, WITHOUT = True, False


def a_policy(ada: bool) -> Told:
    """bob and the role r may not read, so that the import shows ada alone."""
    holders = ("user:ada", "user:bob", "role:r") if ada else ("user:bob", "role:r")
    return told().policy("p", document(allow("s3:GetObject", DATA)), *holders)


def a_point(ada: bool) -> Told:
    """bob has less than ada, and an access provider has one what."""
    objects = f"{POINT}/object"
    statements = [allow("s3:GetObject", f"{objects}/a/*", Principal={"AWS": user_arn("bob")})]
    if ada:
        statements.append(allow(["s3:GetObject", "s3:PutObject"], f"{objects}/*", Principal={"AWS": user_arn("ada")}))
    return Told().user("ada").user("bob").delegates().point("sales", *statements)


OF_EACH_TYPE: dict[str, tuple[Callable[[bool], Told], tuple[str, ...]]] = {
    "policy:p": (a_policy, ("role:r", "user:bob")),
    f"accesspoint:{POINT}": (a_point, (user_arn("bob"),)),
}


def taken(made: Any) -> list[tuple[str, str]]:
    return [step for step in steps(made) if step[0] != "tag"]


@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_who_is_shown_once_others_are_gone_keeps_it(external_id: str) -> None:
    account, kept = OF_EACH_TYPE[external_id]
    first = pushed(account(WITH_ADA), external_id, who=who())
    assert taken(first)
    assert first.unshown == {external_id: kept}
    what = {"what": pushed_what(account(WITH_ADA), external_id)}

    second = pushed(account(WITHOUT), external_id, unshown=dict(first.unshown), who=who(), **what)

    assert taken(second) == []
    assert second.unshown == first.unshown
    # Whom somebody gave it by hand since is shown, and goes.
    by_hand = pushed(account(WITH_ADA), external_id, unshown=dict(first.unshown), who=who(), **what)
    assert taken(by_hand)
    assert by_hand.unshown == first.unshown


def pushed_what(account: Told, external_id: str) -> Any:
    return imported(account.inputs(), Options())[external_id].what


@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_who_was_granted_it_meanwhile_is_remembered_no_more_and_who_was_taken_out_goes(external_id: str) -> None:
    account, kept = OF_EACH_TYPE[external_id]
    granted = pushed(account(WITHOUT), external_id, unshown={external_id: kept}, who=who("bob"))
    assert not any("bob" in name for name in granted.unshown[external_id])

    gone = pushed(account(WITHOUT), external_id, unshown={external_id: kept}, who=who(), deleted_who=who("bob"))

    assert taken(gone)
    assert not any("bob" in name for name in gone.unshown[external_id])
    # Where nothing was noted, what the import shows counts.
    assert taken(pushed(account(WITHOUT), external_id, who=who()))


@pytest.mark.parametrize("external_id", OF_EACH_TYPE)
def test_where_the_note_is_lost_only_who_is_said_to_be_taken_out_goes(external_id: str) -> None:
    account, _ = OF_EACH_TYPE[external_id]
    lost = {"unshown": {OF_ALL: [EVERYBODY]}, "what": pushed_what(account(WITHOUT), external_id)}

    kept = pushed(account(WITHOUT), external_id, who=who(), **lost)

    assert taken(kept) == []
    assert any("bob" in name for name in kept.unshown[external_id])
    assert taken(pushed(account(WITHOUT), external_id, who=who(), deleted_who=who("bob"), **lost))


def test_who_may_assume_a_role_under_a_condition_is_said_and_remembered() -> None:
    statements = [trust({"AWS": user_arn("ada")}), trust({"AWS": user_arn("bob")}, Condition=MFA)]
    account = told().role("own", *statements).inline("role:own", "i", document(allow("s3:PutObject", DATA)))

    made = pushed(account, "role:own", who=who())

    assert made.unshown == {"role:own": ("user:bob",)}
    assert made.targets[0].warnings == ("whom the import does not show in its who keep it: user bob",)
