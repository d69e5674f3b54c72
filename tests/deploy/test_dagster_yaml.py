"""The instances that `deploy/` declares are loaded by Dagster itself, on a Postgres server."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import yaml

from raito_pipeline.definitions import defs
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG, LAYER_TAG
from tests.deploy.postgres import Postgres

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(DEPLOY.glob("*/dagster.yaml"))
NOT_HERE = {"K8sRunLauncher": "dagster-k8s is installed only where a deployment has it"}


@contextmanager
def instance(file: Path, server: Postgres, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of a `dagster.yaml`, less its encrypted connection, and less a launcher that is not installed."""
    values = {
        "DAGSTER_PG_USERNAME": "postgres",
        "DAGSTER_PG_PASSWORD": server.password,
        "DAGSTER_PG_HOST": "127.0.0.1",
        "DAGSTER_PG_PORT": str(server.port),
        "DAGSTER_PG_DB": "postgres",
        "DAGSTER_LOGS_BUCKET": "logs-of-runs",
        "DAGSTER_LOGS_FOLDER": str(folder / "logs"),
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    for name, value in values.items():
        patch.setenv(name, value)
    config = yaml.safe_load(file.read_text())
    if config.get("run_launcher", {}).get("class") in NOT_HERE:
        del config["run_launcher"]
    database = config["storage"]["custom"]["config"]["postgres_db"]
    database.pop("params", None)
    database["port"] = server.port
    (folder / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(folder)) as made:
        yield made


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_an_instance_loads_and_keeps_its_history_in_postgres(
    file: Path, server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with instance(file, server, tmp_path, monkeypatch) as made:
        assert made.run_retries_enabled
        assert made.run_monitoring_enabled
        assert made.run_monitoring_max_runtime_seconds == 6 * 3600
        for storage in (made.run_storage, made.event_log_storage, made.schedule_storage):
            assert "Postgres" in type(storage).__name__
        limits = made.get_concurrency_config()
        assert limits.pool_config.default_pool_limit == 1
        assert made.info_dict()["telemetry"] == {"enabled": False}


def test_runs_are_limited_by_the_tags_and_pools_that_they_carry() -> None:
    pools = {asset.op.pool for asset in defs().assets or () if isinstance(asset, dg.AssetsDefinition)} - {None}
    assert pools == {"raito_organization"}
    for file in FILES:
        config = yaml.safe_load(file.read_text())
        limited = {limit["key"] for limit in config["concurrency"]["runs"]["tag_concurrency_limits"]}
        assert limited == {ACCOUNT_TAG}, file
        assert set(
            config.get("run_launcher", {}).get("config", {}).get("propagate_tags", {}).get("allow_list", [])
        ) <= {LAYER_TAG}


@dg.asset
def counted() -> dg.MaterializeResult[None]:
    print("one line of a run")
    return dg.MaterializeResult(metadata={"rows": 1})


def test_a_run_is_recorded_in_postgres_and_found_by_the_next_process(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shutil.copytree(DEPLOY / "compose", tmp_path / "again") / "dagster.yaml"
    with instance(file, server, tmp_path, monkeypatch) as made:
        assert dg.materialize([counted], instance=made, tags={ACCOUNT_TAG: "012345678901"}).success

    with dg.DagsterInstance.from_config(str(tmp_path)) as later:
        [record] = later.get_run_records(dg.RunsFilter(tags={ACCOUNT_TAG: "012345678901"}))
        assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
        made_event = later.get_latest_materialization_event(dg.AssetKey("counted"))
        assert made_event is not None
        assert made_event.run_id == record.dagster_run.run_id
