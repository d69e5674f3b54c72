"""A plan as a value: its id follows from the work, and a file gives it back as it was."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.push.account_plan import AccountPlan, PlanUnreadable, exports_in, from_file, to_file
from tests.aws.push.exported import control, policy_control, state, who
from tests.aws.push.planned import WHEN, account_plan

OLDER = Path(__file__).parent / "plan-of-before.json"


def plan() -> AccountPlan:
    return account_plan(control("a"), policy_control("b", who=who("bob"), position=1), there=state())


def test_a_file_gives_back_what_was_written() -> None:
    other = replace(plan(), account="111122223333-other", recovery="old.yaml")
    assert from_file(to_file([plan(), other]), "f") == (plan(), other)


def test_the_id_follows_from_the_work_alone() -> None:
    same = replace(plan(), made_at=WHEN + timedelta(hours=1), made_of={"iam_users": "run-2"}, read_at={})
    others = [
        account_plan(control("a"), there=state()),
        account_plan(control("a", who=who("bob")), policy_control("b", who=who("bob"), position=1), there=state()),
        replace(plan(), account="elsewhere"),
    ]
    assert plan().id == same.id
    assert len({plan().id, *(each.id for each in others)}) == 4


def _edited(**changes: Any) -> bytes:
    whole = json.loads(to_file([plan()]))
    return json.dumps({**whole, **changes}).encode()


def _with_plan(**changes: Any) -> bytes:
    whole = json.loads(to_file([plan()]))
    return json.dumps({**whole, "plans": [{**whole["plans"][0], **changes}]}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"accessProviders: []", "it is no JSON"),
        (b"[]", "its `format` is not 'raito-pipeline plan'"),
        (_edited(format="other"), "its `format`"),
        (_edited(version=99), "its version is 99"),
        (_with_plan(changes=[]), "was changed after it was made"),
        (_with_plan(targets=[{}]), "missing required field"),
    ],
)
def test_what_is_no_plan_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(PlanUnreadable, match=reason):
        from_file(content, "plan.json")


def test_a_file_of_before_is_told_apart_and_its_export_can_be_planned_anew() -> None:
    """The file of `plan()`, as it was written before changes had a column `beside`."""
    content = OLDER.read_bytes()

    with pytest.raises(PlanUnreadable, match=r"older version.*apply --from plan\.json` plans its export anew"):
        from_file(content, "plan.json")
    with pytest.raises(PlanUnreadable, match="was changed after it was made"):
        from_file(content.replace(b"user/ada", b"user/eve"), "plan.json")

    (found,) = exports_in(content)
    assert (found.account, found.controls) == (plan().account, plan().controls)


def test_an_export_of_raito_cloud_holds_no_plans() -> None:
    assert [exports_in(each) for each in (b"accessProviders: []", b"[]", b'{"accessProviders": []}')] == [()] * 3
