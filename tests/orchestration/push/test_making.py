"""What is said of a push that is not made: its plan is outdated, or AWS denied all of it."""

from raito_pipeline.orchestration.push.making import NOBODY, Approval, PlanOutdated, PushDenied
from tests.orchestration.push.results import BADLY, WELL


def test_nobody_approves_anything() -> None:
    assert Approval(None, False) == NOBODY


def test_an_outdated_plan_says_how_to_get_a_new_one() -> None:
    error = PlanOutdated("sales", "the plan was not made of the iam_roles that is stored now")
    assert "nothing was changed" in str(error)
    assert "raito-pipeline plan sales" in str(error)


def test_a_push_of_which_all_was_denied_says_the_first_and_how_many() -> None:
    assert str(PushDenied([WELL, BADLY])) == "AWS denied every change of the push. The first of 2: AWS said no"
