"""Why steps and runs failed, of real runs of each way to fail."""

from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from raito_pipeline.orchestration.runs.failures import causes, failure_lines
from raito_pipeline.orchestration.runs.sync_run import NoTargetOfIt


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def cells() -> None:
    raise dg.Failure("iam_users 1: denied\niam_roles 1: throttled", allow_retries=False)


def wrapped() -> None:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("outer") from error


def of_ours() -> None:
    try:
        raise OSError("no such file")
    except OSError as error:
        raise NoTargetOfIt("1", "raito.yml") from error


def of_many_lines() -> None:
    raise ValueError("the range\n        is none.\nsecret: password=hunter2hunter2")


INNER, OURS = ["KeyError: 'inner'"], [str(NoTargetOfIt("1", "raito.yml"))]


@pytest.mark.parametrize(
    ("where", "work", "lines"),
    [
        ("step", cells, ["iam_users 1: denied", "iam_roles 1: throttled"]),
        ("step", wrapped, INNER),
        ("run", wrapped, INNER),
        ("step", of_ours, OURS),
        ("run", of_ours, OURS),
        ("run", of_many_lines, ["ValueError: the range is none. secret: ***"]),
    ],
)
def test_the_error_that_explains_it_is_said_in_one_line_wherever_it_was_raised(
    instance: dg.DagsterInstance, where: str, work: Callable[[], None], lines: list[str]
) -> None:
    @dg.resource
    def before_all_steps() -> None:
        if where == "run":
            work()

    @dg.op(required_resource_keys={"before"})
    def step() -> None:
        work()

    @dg.job(resource_defs={"before": before_all_steps})
    def any_job() -> None:
        step()

    result = any_job.execute_in_process(instance=instance, raise_on_error=False)

    failed = [event for event in result.all_events if event.is_step_failure or event.is_run_failure]
    assert failure_lines(failed[0]) == lines
    assert failed[0].is_step_failure == (where == "step")
    assert list(causes(result.all_events[0])) == []


def test_a_run_without_an_error_says_what_dagster_says(instance: dg.DagsterInstance) -> None:
    @dg.op
    def nothing() -> None:
        """Nothing."""

    @dg.job
    def any_job() -> None:
        nothing()

    run = instance.create_run_for_job(any_job)
    event = instance.report_run_failed(run, "the worker of the run is gone")

    assert failure_lines(event) == ["the worker of the run is gone"]
