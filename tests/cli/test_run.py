"""`raito-pipeline run`: one sync in this process, also of a component in somebody's Dagster project."""

import json
from pathlib import Path

import dagster as dg

from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.instance import instance_of_this_directory
from raito_pipeline.cli.run import TerminalSync
from raito_pipeline.cli.summary import summary
from raito_pipeline.config import load
from raito_pipeline.orchestration.naming import COMPONENT_TAG
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.sync import LayerResult, layers
from raito_pipeline.storage import ReadStatus, Store

from .conftest import ACCOUNT, FILE, PushedAccount, Run

SKIPPED = ("--skip-identity-store-sync", "--skip-data-access-sync", "--skip-data-usage-sync")


def materialized(instance: dg.DagsterInstance) -> set[str]:
    return {key.to_user_string() for key in instance.all_asset_keys()}


def test_a_run_in_a_project_makes_the_assets_of_its_component(component: Path, run: Run) -> None:
    status, said = run("run", "--json", *SKIPPED)
    assert (status, json.loads(said)["status"]) == (0, 0), said

    with instance_of_this_directory() as instance:
        keys, runs = materialized(instance), instance.get_runs()
        latest = instance.get_latest_materialization_event(dg.AssetKey(["lake", "eu", "data_source_import"]))
    assert {"lake/eu/iam_users", "lake/eu/data_objects", "lake/eu/data_source_import"} <= keys
    assert [key for key in keys if not key.startswith("lake/eu/")] == []
    assert len(runs) == 3
    assert {each.tags.get(COMPONENT_TAG) for each in runs} == {"eu"}
    assert latest is not None
    assert component.name == "eu"


def test_a_sync_whose_tables_cannot_be_read_afterwards_is_not_said_to_be_complete(tmp_path: Path) -> None:
    file, users = tmp_path / "raito.yml", tmp_path / "data" / "iam_users"
    given = {"raito": "http://127.0.0.1:9", "storage": tmp_path / "data", "pipeline": "mode: apply"}
    file.write_text(FILE.format(**given, source="ds", store="is", account=ACCOUNT, region="eu-west-1"))
    users.parent.mkdir()
    users.symlink_to(users)  # the system gives an error for it
    options = load(file)
    terminal = TerminalSync(options, Terminal(stderr=True), "s1")
    layer = next(iter(layers(options, make_grid(options), "s1")))

    terminal._layer(layer, LayerResult(layer, 1.0, (), (), "run-1"))

    places, stored = tuple(terminal._places.values()), terminal._stored
    found = summary("s1", places, stored, terminal._ended, seconds=1, storage="data", unusable=terminal._unread)
    assert found.status == 3
    (cause,) = found.places[0].causes
    assert "iam_users" in cause.reason
    assert "could not be read" in cause.reason


def test_an_import_that_an_option_leaves_out_is_out_of_scope(pushed_account: PushedAccount) -> None:
    """In the sync of the test before."""
    store = Store.open(pushed_account.folder / "data")
    infos = {table: store.info(table, ACCOUNT) for table in ("identity_store_import", "data_source_import")}
    assert {table: info.status for table, info in infos.items() if info is not None} == {
        "identity_store_import": ReadStatus.OUT_OF_SCOPE,
        "data_source_import": ReadStatus.COMPLETE,
    }
    left_out = infos["identity_store_import"]
    assert left_out is not None
    assert left_out.extra["reason"] == "skip-identity-store-sync is on"
