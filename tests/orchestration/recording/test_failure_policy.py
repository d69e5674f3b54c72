"""What fails a cell, and how a step ends of which cells failed."""

import logging

import dagster as dg
import pytest

from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.orchestration.recording.failure_policy import CellsFailed, FailurePolicy, ReadRefused
from raito_pipeline.storage import CellMissing, ReadStatus

LOG = logging.getLogger(__name__)
CELL, OTHER = cell_of("account", "111122223333"), cell_of("account", "444455556666")


def _fail(policy: FailurePolicy, error: Exception) -> None:
    with policy.attempt(CELL, ("iam_users", "iam_groups"), LOG, "sales 111122223333"):
        raise error


def test_an_error_that_explains_itself_is_said_as_it_is_and_fails_all_tables_of_the_work() -> None:
    policy = FailurePolicy()

    _fail(policy, CellMissing("iam_roles", "111122223333", None, "data/iam_roles"))

    (line,) = policy.lines
    assert line.startswith("iam_users 111122223333: iam_roles of 111122223333 is not there")
    assert policy.reason("iam_users", CELL) == policy.reason("iam_groups", CELL) is not None
    assert policy.reason("iam_users", OTHER) is None
    assert policy.reason("iam_roles", CELL) is None


def test_an_error_that_nobody_expected_is_said_without_secrets() -> None:
    policy = FailurePolicy()

    _fail(policy, ValueError("refused\nx-amz-security-token: Corr3ct-horse"))

    assert policy.lines[0].startswith("iam_users 111122223333: ValueError: refused x-amz-security-token: ***")


def test_the_first_reason_of_a_cell_stays() -> None:
    policy = FailurePolicy()

    _fail(policy, ReadRefused(ReadStatus.DENIED, ["ListUsers was denied"]))
    _fail(policy, ValueError("later"))

    assert policy.reason("iam_users", CELL) == "ListUsers was denied"
    assert len(policy.lines) == 2


def test_a_failure_of_dagster_and_an_interruption_go_through() -> None:
    policy = FailurePolicy()
    with pytest.raises(dg.Failure):
        _fail(policy, dg.Failure("stop"))
    with pytest.raises(KeyboardInterrupt), policy.attempt(CELL, ("iam_users",), LOG, ""):
        raise KeyboardInterrupt
    assert policy.lines == []


def test_a_step_ends_well_without_failures_and_with_every_line_otherwise() -> None:
    policy = FailurePolicy()
    policy.raise_at_the_end()
    policy.fail(CELL, ("iam_users",), "one", LOG, "")
    policy.fail(OTHER, ("iam_users",), "two", LOG, "")

    with pytest.raises(CellsFailed) as raised:
        policy.raise_at_the_end()

    assert raised.value.description == "iam_users 111122223333: one\niam_users 444455556666: two"
    assert not raised.value.allow_retries
