"""To which sync a run belongs, as its start settles it, and that no asset gets to the tables without it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg
import pytest

from raito_pipeline.config import Options
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.continue_sync import Syncs
from raito_pipeline.orchestration.automation.history import History
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync_run import SyncRun, sync_run
from raito_pipeline.orchestration.runs.tags import (
    RANGE_END,
    RANGE_START,
    command_tags,
    launched_by_command,
    layer_tags,
    scope_of,
)
from raito_pipeline.storage.lease import Leases
from tests.orchestration.automation.test_continue_sync import any_job
from tests.orchestration.conftest import Loads, account_ids

ONE, TWO = account_ids(2)
REGION = f"{ONE}|eu-west-1"
RANGE = {RANGE_START: f"{ONE}|eu-west-1", RANGE_END: f"{ONE}|us-east-1"}
TWO_ACCOUNTS = {RANGE_START: f"{ONE}|eu-west-1", RANGE_END: f"{TWO}|us-east-1"}


def test_every_asset_needs_the_start_of_a_run(loads: Loads) -> None:
    definitions = build_definitions(loads())
    made = [
        asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition) and asset.is_executable
    ]
    assert len(made) > 5
    for asset in made:
        assert Naming().resource("sync_run") in asset.required_resource_keys, asset.keys


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance in memory: no sensor looks at it."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def start(
    instance: dg.DagsterInstance, options: Options, tables: tuple[str, ...], tags: Mapping[str, str]
) -> tuple[dg.DagsterRun, dict[str, str], list[str]]:
    """Start a run with these tables and tags: its record, the sync of each account, and what went wrong."""
    grid = make_grid(options)
    syncs: dict[str, str] = {}
    keys = {"account": grid.account, "region": grid.account_region}
    by = "account" if set(tables) <= {*Layer.ACCOUNT.tables, *Layer.FINISH.tables} else "region"

    @dg.multi_asset(specs=[dg.AssetSpec(table, partitions_def=keys[by], skippable=True) for table in tables])
    def assets(sync_run: dg.ResourceParam[SyncRun]) -> Results:
        syncs.update({owner: lease.sync for owner, lease in sync_run.leases.items()})
        yield from ()

    definitions = dg.Definitions(assets=[assets], resources={"sync_run": sync_run(Services(options), grid)})
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey(table) for table in tables],
        instance=instance,
        tags=dict(tags),
        raise_on_error=False,
    )
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    failures = [event.job_failure_data.error for event in result.all_events if event.is_run_failure]
    return run, syncs, [str(error.cause.message if error and error.cause else error) for error in failures]


@pytest.fixture
def options(loads: Loads) -> Options:
    """Two accounts with two regions each; nobody waits."""
    return loads()


def test_a_run_of_the_whole_first_layer_begins_a_sync_and_others_join_it(
    options: Options, instance: dg.DagsterInstance
) -> None:
    first, began, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})
    assert began == {ONE: first.run_id}
    assert (first.tags["raito/layer"], first.tags["raito/account"]) == ("account", ONE)

    for tables, tags, layer in (
        (Layer.REGIONS.tables, RANGE, "regions"),
        (("data_objects",), {"dagster/partition": REGION}, "cells"),
        (Layer.FINISH.tables, {"dagster/partition": ONE}, "finish"),
        (("s3_buckets",), {"dagster/partition": ONE}, "cells"),
    ):
        run, joined, _ = start(instance, options, tables, tags)
        assert joined == {ONE: first.run_id}
        assert run.tags["raito/sync"] == first.run_id
        assert run.tags["raito/layer"] == layer

    again, anew, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})
    assert anew == {ONE: again.run_id}


def test_a_run_over_two_accounts_joins_the_sync_of_each(options: Options, instance: dg.DagsterInstance) -> None:
    one, _, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})
    two, _, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": TWO})
    run, syncs, _ = start(instance, options, ("data_objects",), TWO_ACCOUNTS)
    assert syncs == {ONE: one.run_id, TWO: two.run_id}
    assert run.tags["raito/account"] == f"{ONE},{TWO}"
    assert run.tags["raito/sync"] == f"{one.run_id},{two.run_id}"


def test_a_named_sync_is_kept_and_a_superseded_one_is_refused(options: Options, instance: dg.DagsterInstance) -> None:
    start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE, **layer_tags(Layer.ACCOUNT, ONE, "s1")})
    start(instance, options, Layer.FINISH.tables, {"dagster/partition": ONE, **layer_tags(Layer.FINISH, ONE, "s1")})
    start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE, **layer_tags(Layer.ACCOUNT, ONE, "s2")})

    late, syncs, errors = start(
        instance, options, Layer.REGIONS.tables, {**RANGE, **layer_tags(Layer.REGIONS, ONE, "s1")}
    )

    assert syncs == {}
    assert "a later one has begun (s2)" in errors[0]
    assert "a later one has begun (s2)" in late.tags["raito/refused"]
    assert "raito/begun" not in late.tags
    _, syncs, _ = start(instance, options, Layer.REGIONS.tables, {**RANGE, **layer_tags(Layer.REGIONS, ONE, "s2")})
    assert syncs == {ONE: "s2"}


def test_while_another_sync_has_the_account_a_run_says_so_and_does_nothing(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    options = loads()
    object.__setattr__(options.pipeline, "wait_for_sync_minutes", 0)
    with Leases(options.pipeline.storage).acquire(ONE, "other", "some-run", "layer regions", begins=True):
        run, syncs, errors = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})
        _, elsewhere, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": TWO})
    assert syncs == {}
    assert f"a sync of {ONE} is under way" in errors[0]
    assert f"a sync of {ONE} is under way" in run.tags["raito/refused"]
    assert list(elsewhere) == [TWO]
    _, syncs, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})
    assert syncs == {ONE: instance.get_runs(limit=1)[0].run_id}


def test_a_run_gives_way_to_the_next_layer_of_the_sync_that_it_waits_for(
    options: Options, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one run of an account goes at a time, each would wait for the other."""
    monkeypatch.setattr("raito_pipeline.orchestration.runs.sync_run._PATIENCE", 0.05)
    monkeypatch.setattr("raito_pipeline.orchestration.runs.sync_run._GIVES_WAY_AFTER", 0.1)
    Leases(options.pipeline.storage).acquire(ONE, "s1", "run", "layer account", begins=True).release(600)
    tags = layer_tags(Layer.REGIONS, ONE, "s1")
    instance.create_run_for_job(any_job, status=dg.DagsterRunStatus.NOT_STARTED, tags=tags)

    run, syncs, (said,) = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})

    assert syncs == {}
    assert f"a sync of {ONE} is under way (s1), and its next layer waits in the queue" in said
    assert run.tags["raito/refused"] in said


def test_between_two_layers_the_place_of_the_sync_is_kept_and_after_the_last_it_is_free(
    options: Options, instance: dg.DagsterInstance
) -> None:
    leases = Leases(options.pipeline.storage)
    for layer, tables, tags, state in (
        (Layer.ACCOUNT, Layer.ACCOUNT.tables, {"dagster/partition": ONE}, "reserved"),
        (Layer.REGIONS, Layer.REGIONS.tables, RANGE, "reserved"),
        (Layer.FINISH, Layer.FINISH.tables, {"dagster/partition": ONE}, None),
    ):
        start(instance, options, tables, {**tags, **layer_tags(layer, ONE, "s1")})
        kept = leases.under_way(ONE)
        assert (kept.state if kept else None) == state
        assert leases.last_sync(ONE) == "s1"


@pytest.mark.parametrize(
    ("tables", "tags", "layer"),
    [
        (None, {"dagster/partition": ONE}, Layer.CELLS),
        (Layer.ACCOUNT.tables, {"dagster/partition": ONE}, Layer.ACCOUNT),
        ((*Layer.ACCOUNT.tables, *Layer.FINISH.tables), {"dagster/partition": ONE}, Layer.ACCOUNT),
        (Layer.ACCOUNT.tables[:-1], {"dagster/partition": ONE}, Layer.CELLS),
        (Layer.REGIONS.tables, RANGE, Layer.REGIONS),
        (Layer.REGIONS.tables, {"dagster/partition": REGION}, Layer.CELLS),
        (Layer.REGIONS.tables, TWO_ACCOUNTS, Layer.CELLS),
        (Layer.FINISH.tables, {"dagster/partition": ONE}, Layer.FINISH),
        (("data_objects",), {"dagster/partition": REGION, "raito/layer": "regions"}, Layer.REGIONS),
    ],
)
def test_the_layer_of_a_run(
    options: Options, tables: tuple[str, ...] | None, tags: dict[str, str], layer: Layer
) -> None:
    selected = None if tables is None else {dg.AssetKey(table) for table in tables}
    run = dg.DagsterRun("any", asset_selection=selected, tags=tags)
    assert scope_of(run, make_grid(options)).layer is layer


def test_the_place_of_a_command_is_kept_for_its_own_process(options: Options, instance: dg.DagsterInstance) -> None:
    leases = Leases(options.pipeline.storage)
    for owner, tags, own in ((ONE, {}, False), (TWO, command_tags(), True)):
        start(
            instance,
            options,
            Layer.ACCOUNT.tables,
            {"dagster/partition": owner, **layer_tags(Layer.ACCOUNT, owner, "s1"), **tags},
        )
        kept = leases.under_way(owner)
        assert kept is not None
        assert kept.reserved_for_process == own


def test_a_run_of_an_account_that_was_taken_out_of_raito_yml_says_so_and_leaves_nothing(
    options: Options, instance: dg.DagsterInstance
) -> None:
    run, syncs, errors = start(instance, options, ("s3_buckets",), {"dagster/partition": "999900001111"})

    assert syncs == {}
    assert f"999900001111 is of no target of {options.file} any more" in errors[0]
    assert "is of no target" in run.tags["raito/refused"]
    assert Leases(options.pipeline.storage).last_sync("999900001111") is None


def test_a_run_without_a_partition_is_for_nobody_and_says_so(options: Options, instance: dg.DagsterInstance) -> None:
    _, syncs, errors = start(instance, options, Layer.ACCOUNT.tables, {})

    assert syncs == {}
    assert "this run is for no account: nothing was done. Launch it for a partition" in errors[0]


def again(run: dg.DagsterRun) -> dict[str, str]:
    """The tags of a run that Dagster makes of another one, by a retry or by hand: those of that one, and its id."""
    return {**run.tags, "dagster/parent_run_id": run.run_id, "dagster/root_run_id": run.run_id}


def test_a_run_that_is_tried_again_has_not_begun_by_the_tags_of_the_one_before_it(
    options: Options, instance: dg.DagsterInstance
) -> None:
    first, _, _ = start(instance, options, Layer.ACCOUNT.tables, {"dagster/partition": ONE})
    queued = instance.add_run(dg.DagsterRun("any", status=dg.DagsterRunStatus.STARTED, tags=again(first)))

    views = History().refresh(instance, datetime.now(UTC))[ONE]

    assert [(view.run_id, view.begun) for view in views] == [(first.run_id, True), (queued.run_id, False)]


def test_a_run_that_was_refused_and_is_let_in_the_next_time_is_gone_on_with(
    options: Options, instance: dg.DagsterInstance
) -> None:
    object.__setattr__(options.pipeline, "wait_for_sync_minutes", 0)
    tags = {"dagster/partition": ONE, **layer_tags(Layer.ACCOUNT, ONE, "s2")}
    with Leases(options.pipeline.storage).acquire(ONE, "s1", "some-run", "layer regions", begins=True):
        refused, _, _ = start(instance, options, Layer.ACCOUNT.tables, tags)

    start(instance, options, Layer.ACCOUNT.tables, again(refused))

    views = History().refresh(instance, datetime.now(UTC))[ONE]
    assert [(bool(view.refused), view.begun) for view in views] == [(True, False), (False, True)]
    grid = make_grid(options)
    decision = Syncs(options, grid).decision(ONE, instance, {ONE: views}, datetime.now(UTC))
    assert decision.request is not None
    assert decision.request.layer is Layer.REGIONS


def test_what_is_executed_again_in_the_ui_is_no_run_of_a_command() -> None:
    assert launched_by_command(command_tags())
    assert not launched_by_command({**command_tags(), "dagster/parent_run_id": "r", "dagster/root_run_id": "r"})
