"""Every schedule option as the code location loads it, and what its ticks request."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.config import Options
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.jobs import run_request
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.automation.starts import Looked, due
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.sync import layers
from raito_pipeline.orchestration.runs.tags import ASIDE_TAG
from raito_pipeline.storage.lease import Leases
from tests.orchestration.automation.test_continue_sync import add_run
from tests.orchestration.conftest import Loads, account_ids

ORG = "999988887777_eu-west-1"
CRONS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "0 6 * * *", "5 */2 * * MON")
COMBINATIONS = [
    (),
    *((f'cron: "{text}"',) for text in CRONS),
    ("frequency: 60",),
    ("sync-at-startup: true",),
    ("frequency: 90", "sync-at-startup: true"),
    ('cron: "@hourly"', "sync-at-startup: true"),
    ('cron: "@hourly"', "frequency: 60"),
    ('cron: "@hourly"', "frequency: 60", "sync-at-startup: true"),
]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _requests(
    definitions: dg.Definitions, instance: dg.DagsterInstance, name: str, cursor: str | None = None
) -> tuple[Sequence[dg.RunRequest], str | None, str | None]:
    """What a tick requests, the words with which it requests nothing, and the cursor after it.

    Each run has a key of its own, by which Dagster launches it once.
    """
    requests, *rest = _ticked(definitions, instance, name, cursor)
    assert len({request.run_key for request in requests if request.run_key}) == len(requests)
    return requests, *rest


def _ticked(
    definitions: dg.Definitions, instance: dg.DagsterInstance, name: str, cursor: str | None
) -> tuple[Sequence[dg.RunRequest], str | None, str | None]:
    repository = definitions.get_repository_def()
    if repository.has_schedule_def(name):
        context = dg.build_schedule_context(instance, NOON, repository_def=repository)
        schedule = repository.get_schedule_def(name).evaluate_tick(context)
        return schedule.run_requests or (), schedule.skip_message, None
    context = dg.build_sensor_context(instance, cursor, repository_def=repository, sensor_name=name)
    sensor = repository.get_sensor_def(name).evaluate_tick(context)
    return sensor.run_requests or (), sensor.skip_message, sensor.cursor


def _check(definitions: dg.Definitions, options: Options, requests: Sequence[dg.RunRequest], default: str) -> None:
    """Each requested job is there and has the requested partition."""
    repository = definitions.get_repository_def()
    grid = make_grid(options)
    for request in requests:
        job = repository.get_job(request.job_name or default)
        assert job.partitions_def is not None
        assert request.partition_key in job.partitions_def.get_partition_keys()
        assert request.partition_key in {*grid.organization.get_partition_keys(), *grid.account.get_partition_keys()}
        assert request.tags["raito/account"] == request.partition_key
        assert request.tags["raito/sync"]


Loaded = tuple[Options, dg.Definitions]


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, ...], Loaded]:
    """What was loaded for each combination of options: the ticks of one and its jobs are looked at in two tests."""
    return {}


@pytest.fixture
def loaded(loads: Loads, made: dict[tuple[str, ...], Loaded], given: tuple[str, ...]) -> Loaded:
    """A configuration with some options, and its definitions."""
    if given not in made:
        options = loads(*given)
        made[given] = options, build_definitions(options)
    return made[given]


@pytest.fixture(scope="module")
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance without runs for all combinations: making one takes longer than any tick."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as instance:
        yield instance


@pytest.mark.parametrize("given", COMBINATIONS, ids=lambda given: " ".join(given) or "none")
def test_every_option_loads_and_its_ticks_request_runs_that_are_there(
    loaded: Loaded, empty_instance: dg.DagsterInstance, given: tuple[str, ...]
) -> None:
    options, definitions = loaded
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    names = {each.name for each in (*repository.schedule_defs, *repository.sensor_defs)}
    by_cron = {"sync_organizations_by_cron", "sync_accounts_by_cron"} if "cron" in str(given) else set()
    by_sensor = {"sync_by_frequency"} if "startup" in str(given) or (given and not by_cron) else set()
    assert names == {"continue_sync", "do_what_raito_cloud_asks", *by_cron, *by_sensor}

    requested = []
    for name in sorted(names):
        default = "sync_organization" if "organizations" in name else "sync_account"
        requests, skipped, _cursor = _requests(definitions, empty_instance, name)
        _check(definitions, options, requests, default)
        assert bool(requests) != bool(skipped)
        if name not in ("continue_sync", "do_what_raito_cloud_asks"):
            requested += [request.partition_key for request in requests]
    starts_now = by_cron or "startup" in str(given)
    assert set(requested) == ({ORG, *account_ids(2)} if starts_now else set())


@pytest.mark.parametrize("given", COMBINATIONS, ids=lambda given: " ".join(given) or "none")
def test_the_command_finds_every_job_of_its_layers(loaded: Loaded) -> None:
    options, definitions = loaded
    job = definitions.resolve_implicit_global_asset_job_def()
    tables = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert {table for layer in layers(options, make_grid(options), "sync") for table in layer.tables} <= tables


HOUR = timedelta(hours=1)
# how long ago the last sync was launched, how long ago the sensor first looked, frequency, starting, whether due
DUE: list[tuple[timedelta | None, timedelta, timedelta | None, bool, bool]] = [
    (None, 0 * HOUR, HOUR, False, False),
    (None, HOUR, HOUR, False, True),
    (None, 0 * HOUR, None, True, True),
    (None, 0 * HOUR, HOUR, True, True),
    (None, 5 * HOUR, None, False, False),
    (0.9 * HOUR, 5 * HOUR, HOUR, False, False),
    (HOUR, 5 * HOUR, HOUR, False, True),
    (2 * HOUR, 0 * HOUR, HOUR, False, True),
    (2 * HOUR, 5 * HOUR, 3 * HOUR, False, False),
    (2 * HOUR, 5 * HOUR, None, True, True),
    (0.9 * HOUR, 5 * HOUR, None, True, False),
    (0.9 * HOUR, 5 * HOUR, HOUR, True, False),
]


@pytest.mark.parametrize(("began", "looked", "frequency", "starting", "expected"), DUE)
def test_when_a_sync_is_due(
    began: timedelta | None, looked: timedelta, frequency: timedelta | None, starting: bool, expected: bool
) -> None:
    last = None if began is None else NOON - began
    assert due(NOON, last, NOON - looked, frequency, starting=starting) is expected


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "7",
        "[]",
        "no JSON",
        '{"first": "2026-11-27"}',
        '{"first": "2026-11-27T12:00:00", "process": "p"}',
        '{"first": "2999-01-01T00:00:00+00:00", "process": "p"}',
    ],
)
def test_a_cursor_of_another_form_or_of_a_clock_that_was_ahead_keeps_no_sync_from_being_due(cursor: str) -> None:
    assert Looked.read(cursor, NOON).first == NOON


def test_at_start_up_a_sync_begins_once_a_process(loads: Loads, instance: dg.DagsterInstance) -> None:
    options = loads("sync-at-startup: true")
    first = build_definitions(options)
    requests, _, cursor = _requests(first, instance, "sync_by_frequency")
    assert len(requests) == 3
    again, skipped, cursor = _requests(first, instance, "sync_by_frequency", cursor)
    assert (list(again), skipped) == ([], "no sync is due")

    restarted, _, _ = _requests(build_definitions(options), instance, "sync_by_frequency", cursor)
    assert len(restarted) == 3


def test_a_schedule_leaves_out_an_account_whose_sync_is_open_and_says_so(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    options = loads('cron: "@hourly"', "sync-at-startup: true")
    definitions = build_definitions(options)
    busy, free = account_ids(2)
    request = run_request(Request(busy, Layer.ACCOUNT, "earlier"), make_grid(options))
    job = definitions.resolve_job_def("sync_account")
    run = instance.create_run_for_job(job, tags={**request.tags, "dagster/partition": busy})

    by_cron, _, _ = _requests(definitions, instance, "sync_accounts_by_cron")
    by_start, _, _ = _requests(definitions, instance, "sync_by_frequency")

    assert [each.partition_key for each in by_cron] == [free]
    assert {each.partition_key for each in by_start} == {ORG, free}

    instance.report_run_failed(run)
    after, _, _ = _requests(definitions, instance, "sync_accounts_by_cron")
    assert [each.partition_key for each in after] == [busy, free]


def test_while_the_storage_is_away_no_layer_follows_and_a_schedule_keeps_its_turn(
    loads: Loads, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    options = loads('cron: "@daily"')
    begun, other = account_ids(2)
    add_run(instance, options, Layer.ACCOUNT, begun, dg.DagsterRunStatus.SUCCESS)
    away, definitions = tmp_path / "data", build_definitions(options)
    away.write_text("not a folder", encoding="utf-8")

    waits, said, _ = _requests(definitions, instance, "continue_sync")
    by_cron, _, _ = _requests(definitions, instance, "sync_accounts_by_cron")
    away.unlink()
    goes_on, _, _ = _requests(definitions, instance, "continue_sync")

    assert (list(waits), f"{begun} is looked at again at the next tick, because StorageError" in str(said)) == (
        [],
        True,
    )
    assert [each.partition_key for each in by_cron] == [begun, other]
    assert [each.tags["raito/account"] for each in goes_on] == [begun]


def test_drift_is_looked_for_in_every_account_that_was_synced(loads: Loads, instance: dg.DagsterInstance) -> None:
    given = loads(accounts=3)
    pipeline = given.pipeline.model_copy(update={"drift_schedule": "@hourly"})
    options = given.model_copy(update={"pipeline": pipeline})
    for account in account_ids(3)[:2]:
        Leases(options.pipeline.storage).acquire(account, "first", "run", "layer account", begins=True).release()

    requests, _, _ = _requests(build_definitions(options), instance, "look_for_drift_by_schedule")

    assert [each.partition_key for each in requests] == account_ids(3)[:2]


@pytest.mark.parametrize("over", [True, False])
def test_a_push_beside_the_syncs_takes_no_turn_of_a_schedule(
    loads: Loads, instance: dg.DagsterInstance, over: bool
) -> None:
    """It may run at the minute of a schedule that comes once a day: the sync waits for it in the queue."""
    options = loads('cron: "@hourly"')
    pushed, other = account_ids(2)
    for layer in (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH) if over else (Layer.ACCOUNT,):
        add_run(instance, options, layer, pushed, dg.DagsterRunStatus.SUCCESS)
    add_run(instance, options, Layer.CELLS, pushed, dg.DagsterRunStatus.STARTED, **{ASIDE_TAG: "true"})

    requests, _, _ = _requests(build_definitions(options), instance, "sync_accounts_by_cron")

    assert [each.partition_key for each in requests] == ([pushed, other] if over else [other])
