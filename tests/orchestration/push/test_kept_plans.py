"""Plans in the storage: kept, read by their ids, the oldest removed; and when one must not be made any more."""

from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.orchestration.push.kept_plans import KEPT, PlanFolder, PlanUnknown, outdated
from raito_pipeline.storage import Store
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import control, state, who
from tests.aws.push.planned import account_plan
from tests.orchestration.push.test_plans import PLAN

OTHER = account_plan(control("a", who=who("bob")), there=state())


def test_a_plan_is_kept_with_a_page_and_read_by_its_id(tmp_path: Path) -> None:
    folder = PlanFolder(Store.open(tmp_path), ACCOUNT)
    page = folder.write(PLAN)
    assert folder.write(PLAN) == page
    assert Path(page).read_text().startswith(f"# Plan {PLAN.id} of sales")
    assert folder.read(PLAN.id) == PLAN
    with pytest.raises(PlanUnknown, match=f"no plan '../x' in .*, only {PLAN.id}"):
        folder.read("../x")


def test_the_oldest_plans_go(tmp_path: Path) -> None:
    folder = PlanFolder(Store.open(tmp_path), ACCOUNT)
    for number in range(KEPT + 3):
        folder.write(account_plan(control(f"c{number}"), there=state()))
    assert len(list(tmp_path.rglob("*.json"))) == len(list(tmp_path.rglob("*.md"))) == KEPT


def test_a_plan_is_outdated_where_what_is_stored_gives_another() -> None:
    assert outdated(PLAN, replace(PLAN, made_of={"iam_users": "run-2"})) is None
    assert outdated(PLAN, OTHER) == f"what is stored now gives plan {OTHER.id}"


def test_a_recovery_is_outdated_where_aws_was_read_anew() -> None:
    recovery = replace(PLAN, recovery="old.json")
    assert outdated(recovery, OTHER) is None, "it is another export by intention"
    assert outdated(recovery, replace(OTHER, made_of={"iam_users": "run-2"})) == "iam_users was read anew since"
