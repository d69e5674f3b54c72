"""The sensor that does what Raito Cloud asks: each thing once, one after the other, and never during a sync."""

import time
from collections.abc import Iterator

import dagster as dg
import pytest

from raito_pipeline.config import Options
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.continue_sync import Syncs
from raito_pipeline.orchestration.automation.jobs import make_jobs
from raito_pipeline.orchestration.automation.trigger_queue import Trigger, TriggerQueue
from raito_pipeline.orchestration.automation.trigger_runs import MOST_AT_ONCE, trigger_sensor
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.plan_runs import tables_of_a_push
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG, LAYER_TAG, REFUSED_TAG, TRIGGER_TAG
from raito_pipeline.raito.jobs import JobType
from raito_pipeline.storage.lease import Leases
from tests.orchestration.automation.test_continue_sync import add_run, any_job
from tests.orchestration.conftest import Loads, account_ids

ONE, TWO = account_ids(2)
ORG = "999988887777_eu-west-1"
PARENT = f"{ONE}:eu-west-1:bucket/folder"


class Sensed:
    """The sensor of a configuration on an instance, and the runs that are launched of its requests."""

    def __init__(self, options: Options, instance: dg.DagsterInstance) -> None:
        self.options, self.instance, self.jobs = options, instance, make_jobs()
        self.queue = TriggerQueue(options.pipeline.storage)
        self.syncs = Syncs(options, make_grid(options))
        for account in (ONE, TWO):  # each was synced before
            with Leases(options.pipeline.storage).acquire(account, "earlier", "run", "a sync", begins=True):
                pass

    def tick(self) -> tuple[list[dg.RunRequest], str]:
        """What a tick requests, and what it says."""
        sensor = trigger_sensor(self.syncs, self.jobs)
        assert sensor is not None
        result = sensor(dg.build_sensor_context(self.instance))
        assert isinstance(result, dg.SensorResult)
        skipped = result.skip_reason.skip_message if result.skip_reason else ""
        return list(result.run_requests or ()), skipped or ""

    def launch(self, request: dg.RunRequest, **tags: str) -> dg.DagsterRun:
        """Launch a request as the daemon does."""
        own = self.jobs[str(request.job_name)].tags
        key = {"dagster/run_key": str(request.run_key)}
        key |= {"dagster/partition": request.partition_key} if request.partition_key else {}
        return self.instance.create_run_for_job(any_job, tags={**own, **request.tags, **key, **tags})

    def end(self, run: dg.DagsterRun, *, failed: bool = False) -> None:
        """End a run."""
        if failed:
            self.instance.report_run_failed(run)
        else:
            self.instance.handle_new_event(_success(run))


def _success(run: dg.DagsterRun) -> dg.EventLogEntry:
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name, message="done")
    return dg.EventLogEntry(None, "info", "done", run.run_id, time.time(), None, run.job_name, event)


@pytest.fixture(scope="module")
def one_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as made:
        yield made


@pytest.fixture
def instance(one_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """The instance of all these tests, without any run: making one takes longer than a tick."""
    one_instance.wipe()
    return one_instance


@pytest.fixture
def sensed(loads: Loads, instance: dg.DagsterInstance) -> Sensed:
    return Sensed(loads(), instance)


def test_nothing_is_done_where_nothing_waits(sensed: Sensed) -> None:
    assert sensed.tick() == ([], "Raito Cloud asks for nothing")


def test_a_push_is_one_run_that_exports_what_is_out_of_sync(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push"), Trigger(ONE, "push")])
    (request,), _ = sensed.tick()
    assert (request.job_name, request.partition_key) == ("push_out_of_sync", ONE)
    tags = sensed.jobs["push_out_of_sync"].tags
    assert (tags[LAYER_TAG], tags["raito/out-of-sync-only"]) == ("cells", "true")
    tables = set(tables_of_a_push())
    assert {"access_controls", "access_push_plan", "access_push_results", "iam_roles"} <= tables
    assert not tables & {"access_provider_import", "data_source_import", "identity_store_import", "data_objects"}


def test_a_daemon_that_was_killed_before_the_launch_requests_the_same_run_again(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push")])
    (first,), _ = sensed.tick()
    (again,), _ = sensed.tick()
    assert first.run_key == again.run_key


def test_it_is_done_once_and_what_comes_meanwhile_is_done_after_it(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push")])
    (request,), _ = sensed.tick()
    run = sensed.launch(request)
    sensed.queue.put([Trigger(ONE, "push")])
    requests, said = sensed.tick()
    assert requests == []
    assert f"is done by run {run.run_id[:8]}" in said
    assert "waits, because" in said
    sensed.end(run)
    (second,), _ = sensed.tick()
    assert second.run_key != request.run_key
    sensed.end(sensed.launch(second))
    assert "is done" in sensed.tick()[1]
    assert sensed.queue.waiting() == ()
    assert sensed.tick() == ([], "Raito Cloud asks for nothing")


def test_accounts_do_not_wait_for_each_other(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push"), Trigger(TWO, "push")])
    assert {request.partition_key for request in sensed.tick()[0]} == {ONE, TWO}


@pytest.mark.parametrize("layer", [Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH, Layer.CELLS])
def test_while_an_account_is_synced_its_triggers_wait(sensed: Sensed, layer: Layer) -> None:
    sensed.queue.put([Trigger(ONE, "push"), Trigger(TWO, "push")])
    add_run(sensed.instance, sensed.options, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.SUCCESS)
    if layer is not Layer.ACCOUNT:
        add_run(sensed.instance, sensed.options, Layer.REGIONS, ONE, dg.DagsterRunStatus.SUCCESS)
    add_run(sensed.instance, sensed.options, layer, ONE, dg.DagsterRunStatus.STARTED)
    requests, _ = sensed.tick()
    assert [request.partition_key for request in requests] == [TWO]
    assert [each.taken for each in sensed.queue.waiting()] == [False, True]


def test_between_the_layers_of_a_sync_they_wait_too(sensed: Sensed) -> None:
    add_run(sensed.instance, sensed.options, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.SUCCESS)
    sensed.queue.put([Trigger(ONE, "push")])
    requests, said = sensed.tick()
    assert requests == []
    assert "goes on with regions" in said


def test_a_run_that_another_sync_kept_out_is_launched_again_when_that_is_over(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push")])
    (request,), _ = sensed.tick()
    sensed.end(sensed.launch(request, **{REFUSED_TAG: "another sync is under way"}), failed=True)
    (again,), _ = sensed.tick()
    assert again.run_key != request.run_key
    (same,), _ = sensed.tick()
    assert same.run_key == again.run_key
    sensed.end(sensed.launch(again))
    sensed.tick()
    assert sensed.queue.waiting() == ()


def test_a_run_that_failed_is_said_and_not_launched_again(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push")])
    (request,), _ = sensed.tick()
    sensed.end(sensed.launch(request), failed=True)
    assert "was not done: run" in sensed.tick()[1]
    assert sensed.queue.waiting() == ()


def test_a_part_is_read_then_uploaded(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "part", (JobType.DATA_SOURCE,), PARENT, (f"{PARENT}/x",))])
    (read,), _ = sensed.tick()
    assert (read.job_name, read.partition_key) == ("sync_stages_regions", f"{ONE}|eu-west-1")
    assert (read.tags["raito/data-object-parent"], read.tags[ACCOUNT_TAG]) == (PARENT, ONE)
    run = sensed.launch(read)
    assert sensed.tick()[0] == []
    sensed.end(run)
    (upload,), _ = sensed.tick()
    assert (upload.job_name, upload.partition_key) == ("sync_stages_finish", ONE)
    assert upload.tags["raito/data-object-excludes"] == f"{PARENT}/x"
    assert upload.tags[TRIGGER_TAG] == read.tags[TRIGGER_TAG]
    sensed.end(sensed.launch(upload))
    sensed.tick()
    assert sensed.queue.waiting() == ()


def test_a_part_that_could_not_be_read_is_not_uploaded(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "part", (JobType.DATA_SOURCE,), PARENT)])
    (read,), _ = sensed.tick()
    sensed.end(sensed.launch(read), failed=True)
    assert sensed.tick()[0] == []
    assert sensed.queue.waiting() == ()


def test_a_sync_begins_with_its_first_layer_and_of_an_organization_with_its_only_one(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "sync"), Trigger(ORG, "sync")])
    requests, _ = sensed.tick()
    assert {(each.job_name, each.partition_key) for each in requests} == {
        ("sync_account", ONE),
        ("sync_organization", ORG),
    }
    assert all(each.tags["raito/sync"] == f"trigger-{each.tags[TRIGGER_TAG]}" for each in requests)


def _tables(request: dg.RunRequest) -> set[str]:
    return {key.to_user_string() for key in request.asset_selection or ()}


def test_stages_of_a_sync_are_their_tables_layer_by_layer_also_after_one_that_failed(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "sync", (JobType.DATA_SOURCE,))])
    (account,), _ = sensed.tick()
    assert (account.job_name, account.partition_key, _tables(account)) == ("sync_stages_account", ONE, {"s3_buckets"})
    sensed.end(sensed.launch(account), failed=True)
    (regions,), _ = sensed.tick()
    assert (regions.job_name, _tables(regions)) == ("sync_stages_regions", {"data_objects"})
    assert regions.tags["dagster/asset_partition_range_start"] == f"{ONE}|eu-west-1"
    assert regions.tags["dagster/asset_partition_range_end"] == f"{ONE}|us-east-1"
    sensed.end(sensed.launch(regions))
    (finish,), _ = sensed.tick()
    assert _tables(finish) == {"data_source_import", "data_source_import_elements"}
    sensed.end(sensed.launch(finish), failed=True)
    assert sensed.tick()[0] == []
    assert sensed.queue.waiting() == ()


def test_stages_of_an_account_that_was_never_synced_are_its_first_sync(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    sensed = Sensed(loads(accounts=3), instance)
    third = account_ids(3)[2]
    sensed.queue.put([Trigger(third, "sync", (JobType.DATA_USAGE,))])
    assert "its first sync does all of it" in sensed.tick()[1]
    (request,), _ = sensed.tick()
    assert (request.job_name, request.partition_key) == ("sync_account", third)


def test_what_takes_least_goes_first(sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "sync"), Trigger(ONE, "push")])
    (request,), said = sensed.tick()
    assert (request.job_name, said) == ("push_out_of_sync", "")


def test_a_push_of_an_account_that_was_never_synced_is_left_to_its_first_sync(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    sensed = Sensed(loads(accounts=3), instance)
    sensed.queue.put([Trigger(account_ids(3)[2], "push"), Trigger("000000000000", "push")])
    requests, said = sensed.tick()
    assert requests == []
    assert "its first sync does all of it" in said
    assert "in no target of raito.yml" in said
    assert sensed.queue.waiting() == ()


def test_there_is_no_sensor_where_the_socket_is_switched_off(loads: Loads) -> None:
    options = loads("disable-websocket: true")
    names = {sensor.name for sensor in build_definitions(options).sensors or ()}
    assert names == {"continue_sync"}


def test_the_code_location_evaluates_every_kind_of_trigger(loads: Loads, instance: dg.DagsterInstance) -> None:
    options = loads(accounts=4)
    sensed = Sensed(options, instance)
    third, fourth = account_ids(4)[2:]
    for account in (third, fourth):
        with Leases(options.pipeline.storage).acquire(account, "earlier", "run", "a sync", begins=True):
            pass
    kinds = [
        Trigger(ONE, "push"),
        Trigger(TWO, "part", (JobType.DATA_SOURCE,), f"{TWO}:us-east-1:bucket"),
        Trigger(third, "sync", (JobType.DATA_USAGE,)),
        Trigger(fourth, "sync"),
        Trigger(ORG, "sync"),
    ]
    sensed.queue.put(kinds)
    repository = build_definitions(options).get_repository_def()
    name = "do_what_raito_cloud_asks"
    context = dg.build_sensor_context(instance, repository_def=repository, sensor_name=name)

    requests = repository.get_sensor_def(name).evaluate_tick(context).run_requests or ()

    assert [(each.job_name, each.partition_key) for each in requests] == [
        ("push_out_of_sync", ONE),
        ("sync_stages_regions", f"{TWO}|us-east-1"),
        ("sync_stages_account", third),
        ("sync_account", fourth),
        ("sync_organization", ORG),
    ]
    assert all(repository.get_job(str(each.job_name)) for each in requests)


def test_a_part_of_a_region_that_raito_yml_names_no_more_keeps_nothing_else_waiting(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    sensed = Sensed(loads(), instance)
    gone = Trigger(ONE, "part", (JobType.DATA_SOURCE,), f"{ONE}:eu-central-1:bucket/folder")
    sensed.queue.put([gone, Trigger(TWO, "push")])
    repository = build_definitions(sensed.options).get_repository_def()
    sensor = repository.get_sensor_def("do_what_raito_cloud_asks")

    tick = sensor.evaluate_tick(dg.build_sensor_context(instance, repository_def=repository))

    assert [(each.job_name, each.partition_key) for each in tick.run_requests or ()] == [("push_out_of_sync", TWO)]
    assert [each.owner for each in sensed.queue.waiting()] == [TWO]


def test_of_many_accounts_some_begin_in_each_tick(loads: Loads, instance: dg.DagsterInstance) -> None:
    accounts = account_ids(MOST_AT_ONCE + 5)
    sensed = Sensed(loads(accounts=len(accounts)), instance)
    for account in accounts:
        with Leases(sensed.options.pipeline.storage).acquire(account, "earlier", "run", "a sync", begins=True):
            pass
    sensed.queue.put([Trigger(account, "push") for account in accounts])
    assert len(sensed.tick()[0]) == MOST_AT_ONCE
    assert sum(each.taken for each in sensed.queue.waiting()) == MOST_AT_ONCE
    keys = {request.partition_key for request in sensed.tick()[0]}
    assert keys == set(accounts)


def test_what_waits_for_an_account_that_aws_has_closed_since_is_dropped(loads: Loads, sensed: Sensed) -> None:
    sensed.queue.put([Trigger(ONE, "push"), Trigger(ONE, "sync")])
    options = loads()
    first, second = options.accounts
    closed = first.model_copy(update={"closed": "2026-11-26"})
    options = options.model_copy(update={"accounts": (closed, second)})
    sensed.syncs = Syncs(options, make_grid(options))

    requests, said = sensed.tick()

    assert requests == []
    assert said.count("was not done: AWS has closed the account (2026-11-26)") == 2
    assert sensed.queue.waiting() == ()
