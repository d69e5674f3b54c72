"""Somebody's Dagster project with two components and an executor of its own syncs an account of the embedded estate.

Each step is a process of its own there: no connection, lease or job in Raito Cloud is shared by memory.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from raito_pipeline.component import build_definitions, naming_of
from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.sync import layers, run_sync
from raito_pipeline.orchestration.runs.tags import SYNC_TAG
from raito_pipeline.storage import Store
from tests.dagster_project import write_project
from tests.end_to_end.conftest import World, failures, started
from tests.matrix.faulty_sync import SMALL

ACCOUNT, SYNC = "210000000012", "command-1"
COMPONENT = "type: raito_pipeline.RaitoAwsComponent\n"
PREFIXED = f"{COMPONENT}attributes: {{name: us, translation: {{key_prefix: lake}}}}\n"
SOMEBODY = """\
import dagster as dg

from assets import OWN


@dg.asset
def iam_users(services: dg.ResourceParam[str]) -> None: ...


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(assets=[iam_users], resources={"services": OWN}, executor=dg.multiprocess_executor)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(tmp_path_factory.mktemp("own"), SMALL, events_on_disk=True) as world:  # steps are processes
        yield world


def of_targets(world: World, *names: str) -> str:
    """The configuration of the estate, less all other targets."""
    whole = yaml.safe_load(world.embedded.config_file.read_text("utf-8"))
    return yaml.safe_dump({**whole, "targets": [each for each in whole["targets"] if each["name"] in names]})


@pytest.fixture(scope="module")
def project(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {
        "assets/__init__.py": 'OWN = "not ours"\n',
        "estate_project/defs/eu/defs.yaml": PREFIXED.replace("us", "eu"),
        "estate_project/defs/eu/raito.yml": of_targets(world, "aws-organization", "marketing"),
        "estate_project/defs/us/defs.yaml": PREFIXED,
        "estate_project/defs/us/raito.yml": of_targets(world, "finance"),
        "estate_project/defs/own.py": SOMEBODY,
    }
    return write_project(tmp_path_factory.mktemp("project"), "estate_project", files)


def run(world: World, project: Path, job: str, tags: Mapping[str, str]) -> dg.DagsterRun:
    """Run a job of the project with the executor of the project, as a worker of its runs does."""
    given = (str(project), "estate_project", job)
    recipe = dg.build_reconstructable_job("tests.dagster_project", "job_of_project", reconstructable_args=given)
    result = dg.execute_job(recipe, instance=world.instance, tags=dict(tags))
    assert result.success
    return result.dagster_run


def asked(world: World, operation: str) -> list[dict[str, Any]]:
    """What Raito Cloud was asked for by an operation."""
    given = [
        (e.get("arguments") or {}).get(operation, {})
        for e in world.embedded.raito.log
        if operation in (e.get("operations") or ())
    ]
    return [each.get("input") or each for each in given]


@pytest.mark.slow_daemon
def test_a_sync_is_one_job_where_each_step_is_a_process(
    world: World, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(project / "src"))
    options = load(project / "src" / "estate_project" / "defs" / "eu" / "raito.yml")
    naming = prefixed(options)
    before = [layer for layer in layers(options, make_grid(options), SYNC) if layer.name != "access, upload, push"]
    ended = run_sync(build_definitions(options, naming=naming), world.instance, before, lambda *_: None, naming)
    assert failures(ended) == []
    world.embedded.raito.log.clear()

    last = run(world, project, "eu_sync_account_finish_again", {"dagster/partition": ACCOUNT, SYNC_TAG: SYNC})

    assert len(asked(world, "createJob")) == 1
    assert [each["status"] for each in asked(world, "updateJob")] == ["IN_PROGRESS", "COMPLETED"]
    tasks = {each["jobType"]: each["status"] for each in asked(world, "addTaskEvent")}
    assert tasks == dict.fromkeys(("DS", "IS", "DA", "DU"), "COMPLETED")
    info = Store.open(options.pipeline.storage).info("access_providers", ACCOUNT)
    assert info is not None
    assert (info.sync, info.problems) == (SYNC, ())
    lease = json.loads((Path(options.pipeline.storage) / f"_leases/account={ACCOUNT}.json").read_text("utf-8"))
    assert (lease["state"], lease["sync"], lease["run_id"]) == ("free", SYNC, last.run_id)
    started_steps = world.instance.all_logs(last.run_id, of_type=dg.DagsterEventType.STEP_WORKER_STARTED)
    assert len({event.step_key for event in started_steps}) == 2


def prefixed(options: Options) -> Naming:
    """What a component `eu` with `key_prefix: lake` calls everything."""
    return naming_of(options, "eu", lambda _, named: named.replace_attributes(key=named.key.with_prefix("lake")))
