"""What is said of a push that is not made: its plan is outdated, or AWS denied all of it."""

from dataclasses import replace

from raito_pipeline.model import PushResult
from raito_pipeline.orchestration.push.making import NOBODY, Approval, PlanOutdated, PushDenied
from tests.model.test_schema import example_row

WELL = replace(example_row(PushResult, null=True), access_control_name="A", changes_made=2, changes_failed=0, errors=())
BADLY = replace(WELL, access_control_name="B", changes_made=0, changes_failed=1, errors=("AWS said no", "and no again"))


def test_nobody_approves_anything() -> None:
    assert Approval(None, False) == NOBODY


def test_an_outdated_plan_says_how_to_get_a_new_one() -> None:
    error = PlanOutdated("sales", "the plan was not made of the iam_roles that is stored now")
    assert "nothing was changed" in str(error)
    assert "raito-pipeline plan sales" in str(error)


def test_a_push_of_which_all_was_denied_says_the_first_and_how_many() -> None:
    assert str(PushDenied([WELL, BADLY])) == "AWS denied every change of the push. The first of 2: AWS said no"
