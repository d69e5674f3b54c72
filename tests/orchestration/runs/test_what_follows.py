"""What a run says where nothing goes on with its sync, on an instance that keeps what is turned off."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.runs.tags import BACKFILL_TAG, RunScope, command_tags
from raito_pipeline.orchestration.runs.what_follows import nothing_follows

OF_AN_ACCOUNT = RunScope(Layer.ACCOUNT, ("1",))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def repository(location: str) -> dict[str, Any]:
    """Whose something is, as an instance records it."""
    return {
        "__class__": "ExternalRepositoryOrigin",
        "repository_location_origin": {"__class__": "RegisteredRepositoryLocationOrigin", "location_name": location},
        "repository_name": "__repository__",
    }


def turn_off(instance: dg.DagsterInstance, name: str) -> None:
    """What the switch of a sensor in the UI leaves in the instance."""
    sensor = {"__class__": "ExternalJobOrigin", "external_repository_origin": repository("ours"), "job_name": name}
    state = {
        "__class__": "InstigatorState",
        "origin": sensor,
        "job_type": {"__enum__": "InstigatorType.SENSOR"},
        "status": {"__enum__": "InstigatorStatus.STOPPED"},
        "job_specific_data": {"__class__": "SensorInstigatorData"},
    }
    instance.add_instigator_state(dg.deserialize_value(json.dumps(state)))  # type: ignore[arg-type]


def run_of(location: str | None = "ours", *tables: str, tags: Mapping[str, str] | None = None) -> dg.DagsterRun:
    """A run of a location (None: of a command of Dagster), of these tables alone where there are some."""
    origin: Any = None
    selection = frozenset(dg.AssetKey(table) for table in tables)
    if location is not None:
        job = {"external_repository_origin": repository(location), "pipeline_name": "sync_account"}
        origin = dg.deserialize_value(json.dumps({"__class__": "ExternalPipelineOrigin", **job}))
    return dg.DagsterRun("sync_account", tags=tags, remote_job_origin=origin, asset_selection=selection or None)


def test_a_run_after_which_a_layer_has_to_follow_says_that_none_will(instance: dg.DagsterInstance) -> None:
    assert nothing_follows(instance, run_of(), OF_AN_ACCOUNT, Naming()) is None

    turn_off(instance, "continue_sync")

    said = nothing_follows(instance, run_of(), OF_AN_ACCOUNT, Naming())
    assert said is not None
    assert said.startswith("the sensor continue_sync is turned off: the sync stops after this run")
    # a run of a command of Dagster has no location, and whatever sensor of the name there is would go on with it
    assert nothing_follows(instance, run_of(None), OF_AN_ACCOUNT, Naming()) == said
    backfill_of_the_job = run_of(tags={BACKFILL_TAG: "b"})
    assert nothing_follows(instance, backfill_of_the_job, OF_AN_ACCOUNT, Naming()) == said


def test_what_goes_on_without_that_sensor_says_nothing(instance: dg.DagsterInstance) -> None:
    turn_off(instance, "continue_sync")

    of_assets = run_of("ours", "iam_users", tags={BACKFILL_TAG: "b"})
    assert nothing_follows(instance, of_assets, OF_AN_ACCOUNT, Naming()) is None
    assert nothing_follows(instance, run_of(tags=command_tags()), OF_AN_ACCOUNT, Naming()) is None
    assert nothing_follows(instance, run_of(), RunScope(Layer.FINISH, ("1",)), Naming()) is None
    assert nothing_follows(instance, run_of("another"), OF_AN_ACCOUNT, Naming()) is None
    assert nothing_follows(instance, run_of(), OF_AN_ACCOUNT, Naming("eu")) is None
