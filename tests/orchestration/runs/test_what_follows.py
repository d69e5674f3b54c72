"""What a run says where nothing goes on with its sync, on an instance that keeps what is turned off."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.runs.tags import BACKFILL_TAG, RunScope, command_tags
from raito_pipeline.orchestration.runs.what_follows import nothing_follows

OURS = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ours"), "__repository__")
OF_AN_ACCOUNT = RunScope(Layer.ACCOUNT, ("1",))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def turn_off(instance: dg.DagsterInstance, name: str) -> None:
    """What the switch of a sensor in the UI does."""
    origin = RemoteInstigatorOrigin(OURS, name)
    data = SensorInstigatorData(sensor_type=None)
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.STOPPED, data))


def run_of(
    location: str | None = "ours", selection: frozenset[dg.AssetKey] | None = None, **tags: str
) -> dg.DagsterRun:
    where = (
        None if location is None else RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__")
    )
    origin = None if where is None else RemoteJobOrigin(where, "sync_account")
    return dg.DagsterRun("sync_account", tags=tags, remote_job_origin=origin, asset_selection=selection)


def test_a_run_after_which_a_layer_has_to_follow_says_that_none_will(instance: dg.DagsterInstance) -> None:
    assert nothing_follows(instance, run_of(), OF_AN_ACCOUNT, Naming()) is None

    turn_off(instance, "continue_sync")

    said = nothing_follows(instance, run_of(), OF_AN_ACCOUNT, Naming())
    assert said is not None
    assert said.startswith("the sensor continue_sync is turned off: the sync stops after this run")
    # a run of a command of Dagster has no location, and whatever sensor of the name there is would go on with it
    assert nothing_follows(instance, run_of(None), OF_AN_ACCOUNT, Naming()) == said
    backfill_of_the_job = run_of(**{BACKFILL_TAG: "b"})
    assert nothing_follows(instance, backfill_of_the_job, OF_AN_ACCOUNT, Naming()) == said


def test_what_goes_on_without_that_sensor_says_nothing(instance: dg.DagsterInstance) -> None:
    turn_off(instance, "continue_sync")

    of_assets = run_of(selection=frozenset({dg.AssetKey("iam_users")}), **{BACKFILL_TAG: "b"})
    assert nothing_follows(instance, of_assets, OF_AN_ACCOUNT, Naming()) is None
    assert nothing_follows(instance, run_of(**command_tags()), OF_AN_ACCOUNT, Naming()) is None
    assert nothing_follows(instance, run_of(), RunScope(Layer.FINISH, ("1",)), Naming()) is None
    assert nothing_follows(instance, run_of("another"), OF_AN_ACCOUNT, Naming()) is None
    assert nothing_follows(instance, run_of(), OF_AN_ACCOUNT, Naming("eu")) is None
