"""The sensor on an instance with real run records: what a tick requests, what an error does, and what a tick costs."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.continue_sync import Syncs, continue_sync, in_words
from raito_pipeline.orchestration.automation.dead_runs import GRACE, LOOKS_AGAIN_AFTER, report_dead_commands
from raito_pipeline.orchestration.automation.jobs import JOB_NAMES, make_jobs, run_request
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.tags import (
    BACKFILL_TAG,
    BEGUN_TAG,
    PROCESS_TAG,
    admitted,
    command_tags,
    layer_tags,
)
from raito_pipeline.storage import ReadStatus, Store
from raito_pipeline.storage.lease import Leases
from raito_pipeline.storage.owner import Owner
from tests.orchestration.conftest import Loads, account_ids, names

ORG = "999988887777_eu-west-1"
MANY = 300
_HOLD = """
import json, sys, time
from raito_pipeline.storage.lease import Leases
from raito_pipeline.storage.owner import Owner
from raito_pipeline.storage.owner import Owner
lease = Leases(sys.argv[1]).acquire(sys.argv[2], "s1", sys.argv[3], "layer account", begins=True)
print(json.dumps(Owner.here().fields), flush=True)
time.sleep(120)
"""


@dg.op
def _nothing() -> None:
    pass


@dg.job
def any_job() -> None:
    _nothing()


def add_run(
    instance: dg.DagsterInstance,
    options: Options,
    layer: Layer,
    owner: str,
    status: dg.DagsterRunStatus,
    sync: str = "s1",
    **tags: str,
) -> dg.DagsterRun:
    """A run of a layer in the records of an instance."""
    given = layer_tags(layer, owner, sync)
    if layer in JOB_NAMES:
        given = dict(run_request(Request(owner, layer, sync), make_grid(options)).tags)
    begun = {BEGUN_TAG: "true"} if status is not dg.DagsterRunStatus.NOT_STARTED else {}
    return instance.create_run_for_job(any_job, status=status, tags={**given, **begun, **tags})


def killed_while_holding(options: Options, owner: str, run_id: str) -> Owner:
    """A process that took the lease of an account for a run and was killed."""
    command = [sys.executable, "-c", _HOLD, str(options.pipeline.storage), owner, run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        killed = Owner.from_fields(json.loads(process.stdout.readline()))
        process.kill()
    return killed


def tick(syncs: Syncs, instance: dg.DagsterInstance) -> dg.SensorResult:
    """What a tick of the sensor gives."""
    sensor = continue_sync(syncs, make_jobs())
    result = sensor(dg.build_sensor_context(instance))
    assert isinstance(result, dg.SensorResult)
    return result


def said(result: dg.SensorResult) -> str:
    """With which words nothing was requested."""
    assert result.skip_reason is not None, result.run_requests
    return result.skip_reason.skip_message or ""


def test_every_account_goes_on_in_one_tick_and_the_words_name_what_each_waits_for(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    options = loads(accounts=4)
    one, two, three, four = account_ids(4)
    add_run(instance, options, Layer.ACCOUNT, one, dg.DagsterRunStatus.SUCCESS)
    add_run(instance, options, Layer.ACCOUNT, two, dg.DagsterRunStatus.FAILURE)
    add_run(instance, options, Layer.ACCOUNT, three, dg.DagsterRunStatus.SUCCESS)
    add_run(instance, options, Layer.REGIONS, three, dg.DagsterRunStatus.SUCCESS)
    waiting = add_run(instance, options, Layer.ACCOUNT, four, dg.DagsterRunStatus.NOT_STARTED)

    result = tick(Syncs(options, make_grid(options)), instance)

    assert names(result.run_requests) == [
        ("sync_account_regions", one),
        ("sync_account_regions", two),
        ("sync_account_finish", three),
    ]
    for request in result.run_requests or ():
        instance.create_run_for_job(any_job, status=dg.DagsterRunStatus.NOT_STARTED, tags=dict(request.tags))
    after = said(tick(Syncs(options, make_grid(options)), instance))
    assert f"{four} waits for account, because run {waiting.run_id[:8]} is queued" in after
    assert f"{three} waits for finish" in after


def test_the_words_of_an_account_that_fails_to_be_looked_at_do_not_keep_the_others(
    loads: Loads, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    options = loads()
    broken, fine = account_ids(2)
    for account in (broken, fine):
        add_run(instance, options, Layer.ACCOUNT, account, dg.DagsterRunStatus.SUCCESS)
    # Where a file is expected lies a folder: the lease cannot be read.
    (tmp_path / "data" / "_leases" / f"account={broken}.json").mkdir(parents=True)
    syncs = Syncs(options, make_grid(options))

    first, again = tick(syncs, instance), tick(syncs, instance)

    for result in (first, again):
        assert names(result.run_requests) == [("sync_account_regions", fine)]
    now = datetime.now(UTC)  # as whatever Raito Cloud asks for looks at one account
    assert syncs.decision(broken, instance, syncs.history.refresh(instance, now), now).unknown


def test_a_cell_that_failed_is_named_and_the_last_layer_runs_again_once_it_was_made(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    options = loads()
    account = account_ids(2)[0]
    add_run(instance, options, Layer.ACCOUNT, account, dg.DagsterRunStatus.SUCCESS)
    cells = [(table, region) for table in Layer.REGIONS.tables for region in ("eu-west-1", "us-east-1")]
    cells.remove(("usage_statements", "us-east-1"))
    line = f"usage_statements {account}/us-east-1: AWS denied s3:GetObject"
    _run_that_fails(instance, options, account, cells, line)
    add_run(instance, options, Layer.FINISH, account, dg.DagsterRunStatus.SUCCESS)
    syncs = Syncs(options, make_grid(options))
    assert f"{account} waits for usage_statements us-east-1, because it failed in run" in said(tick(syncs, instance))
    assert "AWS denied s3:GetObject" in said(tick(syncs, instance))

    hand = add_run(instance, options, Layer.CELLS, account, dg.DagsterRunStatus.STARTED)
    store = Store.open(options.pipeline.storage, hand.run_id, "s1")
    with Leases(options.pipeline.storage).acquire(account, "s1", hand.run_id, "cells"):
        store.write("usage_statements", (), account, "us-east-1", status=ReadStatus.COMPLETE)
        assert "(cells) is running" in said(tick(syncs, instance))
    instance.report_run_failed(hand)  # another cell that it was asked for failed

    assert names(tick(syncs, instance).run_requests) == [("sync_account_finish_again", account)]
    assert names(tick(Syncs(options, make_grid(options)), instance).run_requests) == [
        ("sync_account_finish_again", account)
    ]


def _run_that_fails(
    instance: dg.DagsterInstance, options: Options, account: str, cells: list[tuple[str, str]], line: str
) -> None:
    """A run of the regions that makes some cells and ends as a step of ours does."""

    @dg.op
    def regions(context: dg.OpExecutionContext) -> None:
        for table, region in cells:
            context.log_event(dg.AssetMaterialization(table, partition=f"{account}|{region}"))
        raise dg.Failure(description=line, allow_retries=False)

    @dg.job
    def layer() -> None:
        regions()

    tags = {**run_request(Request(account, Layer.REGIONS, "s1"), make_grid(options)).tags, BEGUN_TAG: "true"}
    layer.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def _fill(instance: dg.DagsterInstance, options: Options) -> None:
    """Many accounts with a sync behind them; of every third, a layer of another one has ended."""
    grid = make_grid(options)
    for number, account in enumerate(account_ids(MANY)):
        layers = [(layer, sync) for sync in ("s1",) for layer in (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH)]
        for layer, sync in [*layers, *([(Layer.ACCOUNT, "s3")] if number % 3 == 0 else [])]:
            tags = {**run_request(Request(account, layer, sync), grid).tags, BEGUN_TAG: "true"}
            instance.add_run(dg.DagsterRun("any", status=dg.DagsterRunStatus.SUCCESS, tags=tags))


def test_hundreds_of_accounts_are_looked_at_in_one_tick(loads: Loads) -> None:
    options = loads(accounts=MANY)
    seconds = []
    with dg.DagsterInstance.ephemeral() as instance:
        _fill(instance, options)
        syncs = Syncs(options, make_grid(options))
        for _ in range(2):
            began = time.process_time()
            syncs.report_dead_runs(instance, datetime.now(UTC))
            decisions = list(syncs.decisions(instance, datetime.now(UTC)))
            requests = [run_request(each.request, syncs.grid) for each in decisions if each.request]
            seconds.append(time.process_time() - began)
            assert len(requests) == (MANY + 2) // 3
            assert len(in_words(decisions)) < 5_000
    print(f"of {3 * MANY + MANY // 3} runs: first tick {seconds[0]:.2f} s of CPU, second tick {seconds[1]:.2f} s")
    # Far more than it takes: what looks at each account for each account takes minutes.
    assert seconds[0] < 20
    assert seconds[1] < 10


def test_a_run_whose_process_is_dead_is_reported_as_failed_and_its_sync_goes_on(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    options = loads()
    account = account_ids(2)[0]
    dead = add_run(instance, options, Layer.ACCOUNT, account, dg.DagsterRunStatus.STARTED)
    syncs, now = Syncs(options, make_grid(options)), datetime.now(UTC)

    with Leases(options.pipeline.storage).acquire(account, "s1", dead.run_id, "layer account"):
        assert syncs.report_dead_runs(instance, now) == []
        assert syncs.report_dead_runs(instance, now + 2 * GRACE) == []
    missed = now + 2 * GRACE + LOOKS_AGAIN_AFTER
    assert syncs.report_dead_runs(instance, missed) == []  # it may be about to end
    (text,) = syncs.report_dead_runs(instance, missed + GRACE)

    assert f"run {dead.run_id[:8]} (account of {account}) gives no sign of life" in text
    assert names(tick(syncs, instance).run_requests) == [("sync_account_regions", account)]


def test_a_run_whose_process_was_provably_killed_is_reported_at_the_first_look(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    options = loads()
    one, two = account_ids(2)
    of_daemon = add_run(instance, options, Layer.ACCOUNT, one, dg.DagsterRunStatus.STARTED)
    killed = killed_while_holding(options, one, of_daemon.run_id)
    left = {**command_tags(), PROCESS_TAG: killed.name}
    of_command = add_run(instance, options, Layer.ACCOUNT, two, dg.DagsterRunStatus.STARTED, "s2", **left)
    again = {**left, "dagster/parent_run_id": of_command.run_id}
    add_run(instance, options, Layer.ACCOUNT, two, dg.DagsterRunStatus.STARTED, "s3", **again)
    add_run(instance, options, Layer.ACCOUNT, two, dg.DagsterRunStatus.STARTED, "s4", **command_tags())

    texts = Syncs(options, make_grid(options)).report_dead_runs(instance, datetime.now(UTC))

    assert [text.split(" was killed")[0] for text in texts] == [
        f"run {of_daemon.run_id[:8]} (layer account of {one})",
        f"run {of_command.run_id[:8]} (account of {two})",
    ]
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    assert {run.run_id for run in failed} == {of_daemon.run_id, of_command.run_id}
    assert report_dead_commands(instance) == []


def test_a_backfill_of_a_job_is_continued_like_any_other_run(loads: Loads, instance: dg.DagsterInstance) -> None:
    options = loads()
    accounts = account_ids(2)
    for account in accounts:
        tags = {BACKFILL_TAG: "not-an-asset-backfill"}
        add_run(instance, options, Layer.ACCOUNT, account, dg.DagsterRunStatus.SUCCESS, f"own-{account}", **tags)
    requests = tick(Syncs(options, make_grid(options)), instance).run_requests
    assert names(requests) == [("sync_account_regions", account) for account in accounts]


def _origin(location: str) -> Any:
    """The origin of a run that a code location of this name launched, as an instance records it."""
    repository = {
        "__class__": "ExternalRepositoryOrigin",
        "repository_location_origin": {"__class__": "RegisteredRepositoryLocationOrigin", "location_name": location},
        "repository_name": "__repository__",
    }
    origin = {
        "__class__": "ExternalPipelineOrigin",
        "external_repository_origin": repository,
        "pipeline_name": "any_job",
    }
    return dg.deserialize_value(json.dumps(origin))


def test_the_runs_of_another_code_location_are_left_to_it(loads: Loads, instance: dg.DagsterInstance) -> None:
    """Two raito.yml on one instance, with the same account (or component) and storages of their own."""
    options = loads()
    ours, theirs = account_ids(2)
    for account, location in ((ours, "ours"), (theirs, "theirs")):
        tags = {**layer_tags(Layer.ACCOUNT, account, "s1"), BEGUN_TAG: "true"}
        status = dg.DagsterRunStatus.STARTED if location == "theirs" else dg.DagsterRunStatus.SUCCESS
        run = instance.create_run_for_job(any_job, tags=tags, status=status, remote_job_origin=_origin(location))
        assert run.remote_job_origin is not None
    syncs = Syncs(options, make_grid(options))
    assert set(syncs.history.refresh(instance, datetime.now(UTC))) == {ours, theirs}  # no sensor has told it yet

    sensor = continue_sync(syncs, make_jobs())
    context = dg.build_sensor_context(instance)
    context._code_location_origin = _origin("ours").repository_origin.code_location_origin
    result = sensor(context)

    assert isinstance(result, dg.SensorResult)
    assert names(result.run_requests) == [("sync_account_regions", ours)]
    assert set(syncs.history.refresh(instance, datetime.now(UTC))) == {ours}


def test_a_run_of_a_location_that_was_renamed_counts_while_it_is_at_work_in_our_storage(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    """It holds the lease of its account, and where it is dead nobody else finds that out."""
    options = loads()
    ours, theirs = account_ids(2)
    syncs = Syncs(options, make_grid(options))
    syncs.history.of_location("ours")
    made = []
    for account, storage in ((ours, options.pipeline.storage), (theirs, "elsewhere")):
        origin, tags = _origin("before"), layer_tags(Layer.ACCOUNT, account, "s1")
        run = instance.create_run_for_job(
            any_job, tags=tags, status=dg.DagsterRunStatus.STARTED, remote_job_origin=origin
        )
        instance.add_run_tags(run.run_id, admitted(run, storage))
        made.append(run)

    runs = syncs.history.refresh(instance, datetime.now(UTC))
    assert [[run.run_id for run in of_owner] for of_owner in runs.values()] == [[made[0].run_id]]

    now = datetime.now(UTC)
    for later in (now, now + GRACE):
        said = syncs.report_dead_runs(instance, later)
    assert [text.split(" (")[0] for text in said] == [f"run {made[0].run_id[:8]}"]
    assert not any(syncs.history.refresh(instance, datetime.now(UTC)).values())
