"""What people are shown of a plan and of results, and what limits hold back."""

from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.config import Options
from raito_pipeline.orchestration.push.shown import held_back_of, plan_metadata, results_metadata
from tests.aws.push.conftest import trust
from tests.aws.push.exported import control, role, state
from tests.aws.push.planned import account_plan
from tests.orchestration.conftest import Loads
from tests.orchestration.push.results import BADLY, WELL


@pytest.fixture
def options(loads: Loads) -> Options:
    return loads(accounts=1)


def _emptied(count: int) -> Any:
    """A plan that takes its only user from each of so many roles."""
    names = [f"role{number}" for number in range(count)]
    there = state(roles=tuple(role(name, trust("ada", "bob")) for name in names))
    gone = [control(name, external_id=f"role:{name}", actual_name=name, delete=True) for name in names]
    return account_plan(*(replace(each, position=n) for n, each in enumerate(gone)), there=there)


def test_what_takes_from_most_is_held_back_by_the_limits_of_the_file(options: Options) -> None:
    limits = options.pipeline
    generous = options.model_copy(update={"pipeline": limits.model_copy(update={"max_push_loss_share": 1.0})})

    held = held_back_of(options, _emptied(20))

    assert held.reason
    assert len(held.positions) == 20
    assert not held_back_of(options, _emptied(2)).reason, "few may always go"
    assert not held_back_of(generous, _emptied(20)).reason


def test_a_plan_is_shown_in_numbers_words_and_its_first_changes(options: Options) -> None:
    plan = _emptied(20)

    shown = plan_metadata(plan, "/plans/x.md", held_back_of(options, plan))

    assert (shown["changes"], shown["access controls"]) == (len(plan.changes), 20)
    assert shown["changes by operation"]["delete role"] == 20
    assert "held back" in shown
    assert isinstance(shown["first changes"], dg.TableMetadataValue)
    assert len(shown["first changes"].records) == 5


def test_results_are_shown_with_each_error_under_its_access_control() -> None:
    shown = results_metadata([WELL, BADLY], ["a warning"])

    counted = {"access controls": 2, "failed access controls": 1, "changes made": 2, "changes failed": 1}
    assert {name: shown[name] for name in counted} == counted
    assert "B: and no again" in str(shown["failures"])
    assert "a warning" in str(shown["warnings of Raito Cloud"])
