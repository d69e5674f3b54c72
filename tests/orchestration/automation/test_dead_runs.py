"""Runs whose process is dead are reported as failed: proven by lease or tag, or silent for longer than they may be."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.dead_runs import (
    ELSEWHERE_FOR,
    GRACE,
    LOOKS_AGAIN_AFTER,
    STARTS_WITHIN,
    DeadRuns,
    report_dead_commands,
)
from raito_pipeline.orchestration.automation.history import History, RunView
from raito_pipeline.orchestration.runs.tags import (
    BEGUN_TAG,
    STORAGE_TAG,
    admitted,
    command_tags,
    layer_tags,
    storage_name,
)
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage.lease import Leases
from raito_pipeline.storage.owner import Owner
from tests.storage.conftest import aws, running_aws, s3, s3_location

__all__ = ["aws", "running_aws", "s3", "s3_location"]
ACCOUNT = "111122223333"
WAIT = timedelta(minutes=10)
STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
DEAD = replace(Owner.here(), pid=2**22 + 1)
"""a process of this machine with a number that none can have"""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path)


def runs(instance: dg.DagsterInstance) -> Mapping[str, tuple[RunView, ...]]:
    return History().refresh(instance, datetime.now(UTC))


def run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = STARTED, **tags: str) -> str:
    given = {
        **layer_tags(Layer.ACCOUNT, ACCOUNT, "s1"),
        **{name.replace("__", "/"): text for name, text in tags.items()},
    }
    return instance.add_run(dg.DagsterRun("any", status=status, tags=given)).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


def killed(folder: Path) -> None:
    """The process that holds the lease is dead from now on."""
    (file,) = (path for path in folder.rglob("*.json") if ACCOUNT in path.name)
    said = json.loads(file.read_text())
    assert Owner.here().pid == said["owner"]["pid"]
    said["owner"] = DEAD.fields
    file.write_text(json.dumps(said))


def test_a_run_that_holds_its_lease_is_left_alone(instance: dg.DagsterInstance, leases: Leases) -> None:
    run_id = run(instance, **{BEGUN_TAG.replace("/", "__"): "true"})
    dead = DeadRuns(WAIT)
    with leases.acquire(ACCOUNT, "s1", run_id, "layer account"):
        for hours in (0, 5, 10):
            now = datetime.now(UTC) + timedelta(hours=hours)
            assert list(dead.report(instance, leases, runs(instance), now)) == []
    assert status_of(instance, run_id) is STARTED


def test_a_run_whose_process_is_provably_gone_is_reported_at_once_and_once(
    instance: dg.DagsterInstance, leases: Leases, tmp_path: Path
) -> None:
    run_id = run(instance)
    leases.acquire(ACCOUNT, "s1", run_id, "layer account")
    killed(tmp_path)
    dead, now = DeadRuns(WAIT), datetime.now(UTC)

    assert list(dead.report(instance, leases, runs(instance), now)) == [
        f"run {run_id[:8]} (layer account of {ACCOUNT}) was killed with its process {DEAD.pid} on {DEAD.host}. "
        "It was reported as failed."
    ]
    assert status_of(instance, run_id) is FAILURE
    assert list(dead.report(instance, leases, runs(instance), now)) == []


@pytest.mark.parametrize(
    "later", [lambda now: now + LOOKS_AGAIN_AFTER, lambda now: now - timedelta(hours=1)], ids=["", "clock was ahead"]
)
def test_a_run_that_was_seen_with_its_lease_is_looked_at_again_after_the_time_of_a_heartbeat(
    instance: dg.DagsterInstance, leases: Leases, tmp_path: Path, later: Callable[[datetime], datetime]
) -> None:
    run_id = run(instance)
    leases.acquire(ACCOUNT, "s1", run_id, "layer account")
    dead, now = DeadRuns(WAIT), datetime.now(UTC)
    assert list(dead.report(instance, leases, runs(instance), now)) == []
    killed(tmp_path)

    before = now + LOOKS_AGAIN_AFTER - timedelta(seconds=1)
    assert list(dead.report(instance, leases, runs(instance), before)) == []
    assert len(list(dead.report(instance, leases, runs(instance), later(now)))) == 1


def test_an_account_that_waits_or_runs_asks_the_storage_once_in_the_time_of_a_heartbeat(
    instance: dg.DagsterInstance, aws: EmulatedAws, s3_location: str
) -> None:
    """A minute of ticks, in each of which nothing has changed: what is asked then is asked for nothing."""
    leases, dead, now = Leases(s3_location), DeadRuns(WAIT), datetime.now(UTC)

    def asked() -> int:
        mark = aws.calls.mark
        for seconds in range(0, 60, 5):
            assert list(dead.report(instance, leases, runs(instance), now + timedelta(seconds=seconds))) == []
        return len(aws.calls.since(mark))

    run(instance, dg.DagsterRunStatus.NOT_STARTED)
    assert asked() == 0
    starting = run(instance)
    assert asked() <= 60 / LOOKS_AGAIN_AFTER.total_seconds(), "it has not asked for its lease yet"
    with leases.acquire(ACCOUNT, "s1", starting, "layer account"):
        assert asked() <= 60 / LOOKS_AGAIN_AFTER.total_seconds()


def test_a_run_that_begun_and_has_no_lease_is_reported_after_a_while(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    run_id = run(instance, **{BEGUN_TAG.replace("/", "__"): "true"})
    dead, now = DeadRuns(WAIT), datetime.now(UTC)
    ahead = now + timedelta(hours=1)

    assert list(dead.report(instance, leases, runs(instance), ahead)) == []
    assert list(dead.report(instance, leases, runs(instance), now)) == []
    assert list(dead.report(instance, leases, runs(instance), now + GRACE - timedelta(seconds=1))) == []
    (text,) = dead.report(instance, leases, runs(instance), now + GRACE)

    assert text.startswith(f"run {run_id[:8]} (account of {ACCOUNT}) gives no sign of life")
    assert status_of(instance, run_id) is FAILURE


def step_of_its_own(instance: dg.DagsterInstance, run_id: str) -> None:
    """A step of the run is a process of its own, as with the multiprocess executor or a pod a step."""
    found = instance.get_run_by_id(run_id)
    data = instance.report_engine_event("the executor is at work", found).event_specific_data
    kind = dg.DagsterEventType.STEP_WORKER_STARTED.value
    event = dg.DagsterEvent(kind, "any", step_key="iam_users", message="it has started", event_specific_data=data)
    instance.report_dagster_event(event, run_id=run_id)


def test_a_run_of_processes_is_left_alone_between_its_steps_and_reported_after_a_day(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    """The next process takes its time to start, or a step of somebody else is at work, which knows of no lease."""
    run_id = run(instance, **{BEGUN_TAG.replace("/", "__"): "true"})
    step_of_its_own(instance, run_id)
    with leases.acquire(ACCOUNT, "s1", run_id, "layer account") as lease:
        lease.reserve_seconds = 600
    dead, now = DeadRuns(WAIT), datetime.now(UTC)

    for seconds in (0, 60, 3_600):
        assert list(dead.report(instance, leases, runs(instance), now + timedelta(seconds=seconds))) == []
    assert status_of(instance, run_id) is STARTED
    (text,) = dead.report(instance, leases, runs(instance), now + ELSEWHERE_FOR)
    assert "gives no sign of life" in text


def test_a_run_of_processes_that_gives_no_sign_of_life_in_the_middle_of_a_step_is_reported(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    leases = Leases(tmp_path, heartbeat_seconds=3_600, dead_after_seconds=0)
    run_id = run(instance, **{BEGUN_TAG.replace("/", "__"): "true"})
    step_of_its_own(instance, run_id)
    leases.acquire(ACCOUNT, "s1", run_id, "layer account")
    dead, now = DeadRuns(WAIT), datetime.now(UTC)

    assert list(dead.report(instance, leases, runs(instance), now)) == []
    assert len(list(dead.report(instance, leases, runs(instance), now + GRACE))) == 1


def test_a_run_whose_lease_lies_in_another_storage_is_left_alone(
    instance: dg.DagsterInstance, leases: Leases, tmp_path: Path
) -> None:
    """The storage of raito.yml was changed: runs know it at once, this process when its location is loaded again."""
    tags = admitted(dg.DagsterRun("any"), tmp_path / "moved")
    run_id = run(instance, **{name.replace("/", "__"): text for name, text in {**tags, BEGUN_TAG: "true"}.items()})
    dead, now = DeadRuns(WAIT), datetime.now(UTC)

    for seconds in (0, 60, 3_600):
        assert list(dead.report(instance, leases, runs(instance), now + timedelta(seconds=seconds))) == []
    assert status_of(instance, run_id) is STARTED

    elsewhere = Leases(tmp_path / "moved")
    assert list(dead.report(instance, elsewhere, runs(instance), now)) == []
    assert len(list(dead.report(instance, elsewhere, runs(instance), now + GRACE))) == 1


def test_an_account_waits_a_day_for_a_run_that_began_in_another_storage(
    instance: dg.DagsterInstance, leases: Leases, tmp_path: Path
) -> None:
    """The container was replaced when raito.yml got another storage, and the run died with it."""
    tags = {BEGUN_TAG: "true", STORAGE_TAG: storage_name(tmp_path / "before")}
    run_id = run(instance, **{name.replace("/", "__"): text for name, text in tags.items()})
    dead, now = DeadRuns(WAIT), datetime.now(UTC)

    assert list(dead.report(instance, leases, runs(instance), now + ELSEWHERE_FOR - timedelta(minutes=1))) == []
    (text,) = dead.report(instance, leases, runs(instance), now + ELSEWHERE_FOR)

    assert "in another storage" in text
    assert status_of(instance, run_id) is FAILURE


def test_a_run_that_is_tried_again_is_looked_for_here_whatever_storage_the_one_before_it_had(
    instance: dg.DagsterInstance, leases: Leases, tmp_path: Path
) -> None:
    tags = {**admitted(dg.DagsterRun("any"), tmp_path / "before"), "dagster/parent_run_id": "before"}
    run(instance, **{name.replace("/", "__"): text for name, text in tags.items()})
    dead, late = DeadRuns(WAIT), datetime.now(UTC) + WAIT + STARTS_WITHIN + GRACE

    assert list(dead.report(instance, leases, runs(instance), late)) == []
    assert len(list(dead.report(instance, leases, runs(instance), late + GRACE))) == 1


def test_a_run_that_is_tried_again_may_wait_for_the_lease_of_the_one_before_it(
    instance: dg.DagsterInstance, leases: Leases, tmp_path: Path
) -> None:
    """The machine of the run before it is gone: its lease ends two minutes after its last sign of life."""
    before = run(instance, dg.DagsterRunStatus.FAILURE)
    tags = {**admitted(dg.DagsterRun("any", run_id=before), tmp_path), "dagster/parent_run_id": before}
    again = run(instance, **{name.replace("/", "__"): text for name, text in tags.items()})
    dead, now = DeadRuns(WAIT), datetime.now(UTC)

    for seconds in (0, 60, 120):
        assert list(dead.report(instance, leases, runs(instance), now + timedelta(seconds=seconds))) == []
    assert status_of(instance, again) is STARTED


def test_a_run_that_had_its_lease_again_in_between_begins_anew(instance: dg.DagsterInstance, leases: Leases) -> None:
    run_id = run(instance, **{BEGUN_TAG.replace("/", "__"): "true"})
    dead, now = DeadRuns(WAIT), datetime.now(UTC)
    list(dead.report(instance, leases, runs(instance), now))
    with leases.acquire(ACCOUNT, "s1", run_id, "layer account"):
        list(dead.report(instance, leases, runs(instance), now + GRACE / 2))

    assert list(dead.report(instance, leases, runs(instance), now + GRACE)) == []


def test_a_run_may_wait_for_its_lease_and_then_take_its_time_to_start(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    run(instance)
    dead, now = DeadRuns(WAIT), datetime.now(UTC)
    late = now + WAIT + STARTS_WITHIN + timedelta(minutes=1)

    assert list(dead.report(instance, leases, runs(instance), now + WAIT)) == []
    assert list(dead.report(instance, leases, runs(instance), late - timedelta(minutes=2))) == []
    assert list(dead.report(instance, leases, runs(instance), late)) == []  # suspected from now on
    assert len(list(dead.report(instance, leases, runs(instance), late + GRACE))) == 1


@pytest.mark.parametrize(
    ("tags", "reported"),
    [
        ({}, True),
        ({"raito__process": Owner.here().name}, False),
        ({"raito__process": replace(DEAD, machine="another").name}, False),
        ({"raito__process": "no name of a process"}, False),
        # executed again in the UI: Dagster makes it, not the command
        ({"dagster__parent_run_id": "abc"}, False),
    ],
)
def test_the_next_command_reports_those_whose_process_is_gone(
    instance: dg.DagsterInstance, tags: dict[str, str], reported: bool
) -> None:
    of_command = {name.replace("/", "__"): text for name, text in command_tags().items()}
    run_id = run(instance, **{**of_command, "raito__process": DEAD.name, **tags})

    lines = report_dead_commands(instance)

    assert (len(lines) == 1, status_of(instance, run_id) is FAILURE) == (reported, reported)
    if reported:
        assert lines[0].startswith(f"run {run_id[:8]} (account of {ACCOUNT}) was killed with its process {DEAD.pid}")


def test_a_dead_run_that_was_being_cancelled_is_cancelled(instance: dg.DagsterInstance) -> None:
    of_command = {name.replace("/", "__"): text for name, text in command_tags().items()}
    run_id = run(instance, dg.DagsterRunStatus.CANCELING, **{**of_command, "raito__process": DEAD.name})

    assert len(report_dead_commands(instance)) == 1

    assert status_of(instance, run_id) is dg.DagsterRunStatus.CANCELED
