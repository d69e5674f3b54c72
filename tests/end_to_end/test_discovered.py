"""An account that discovery made a target is synced whole, through its role; the second sync sends nothing new.

Then what Raito Cloud asks for of it, between its syncs, is done: all that a daemon does is here, but for its process.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import dagster as dg
import pytest
from moto.s3.models import s3_backends

from raito_pipeline.cli.listen import Inbox
from raito_pipeline.config import AccountTarget, Options
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.automation.discovery import plan_of, work_of
from raito_pipeline.orchestration.automation.trigger_queue import TriggerQueue
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.tags import RANGE_START
from raito_pipeline.sandbox.aws.call_log import Call
from raito_pipeline.sandbox.controls import seeded_account
from raito_pipeline.sandbox.raito.seed import access_controls_of
from tests.end_to_end.conftest import SMALL, World, failures, started

SIZES = replace(SMALL, accounts=0, unlisted=1, roles=17, keys=20)


@dataclass(frozen=True)
class Discovered:
    """The estate after the first sync of the account that was discovered in it, and what that sync did."""

    world: World
    target: AccountTarget
    keys_before: Sequence[str]
    added: tuple[str, ...]
    failures: list[str]
    calls: list[Call]
    counts: Mapping[str, Any]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Discovered]:
    with started(tmp_path_factory.mktemp("discovered"), SIZES) as world:
        (account,) = world.embedded.estate.unlisted
        before = build_definitions(world.options()).get_repository_def().get_job("sync_account").partitions_def
        assert before is not None
        added = discovered(world.options())
        target = world.options().account(account.account_id)
        for control in access_controls_of(seeded_account(account), None):
            world.embedded.raito.define_access_control(target.data_source_id, control)
        failed = failures(world.sync())
        yield Discovered(world, target, before.get_partition_keys(), added, failed, world.calls(), world.counts())


def discovered(options: Options) -> tuple[str, ...]:
    services = Services(options)
    return work_of(services, date(2026, 11, 26)).carry_out(plan_of(services)).added


def test_a_discovered_account_is_synced_whole_and_again_with_nothing_new(synced: Discovered) -> None:
    world, target, key = synced.world, synced.target, synced.target.account_id
    assert (synced.keys_before, synced.added, synced.failures) == ([], (key,), [])
    assert target.profile == world.embedded.estate.master.profile, "reached with the organization's credentials"
    source = synced.counts["dataSources"][target.data_source_id]
    assert source["accessControls"] == {"SYNCED": 5, "REMOVED": 1}, "what was granted in Raito Cloud is in AWS"
    assert source["dataObjects"].keys() == {"datasource", "bucket", "folder", "file"}
    assert source["usageStatements"] > 0
    assert synced.counts["identityStores"][target.identity_store_id]["users"] == SIZES.users + 1, "and the account"
    assert any(call.writes for call in synced.calls if call.account == key)
    before = world.counts()

    assert failures(world.sync()) == []

    assert [call.operation for call in world.calls() if call.writes] == []
    assert world.counts() == before
    (again,) = world.store.rows(ImportResult, key, table="data_source_import")
    assert (again.added, again.removed) == (0, 0)
    assert discovered(world.options()) == ()


def message(target: AccountTarget, **asked: object) -> bytes:
    return json.dumps({"syncTrigger": {"domain": "sandbox", "dataSource": target.data_source_id, **asked}}).encode()


def done_for(world: World, text: bytes) -> Iterator[tuple[str, str, list[str]]]:
    """Hear a message, and run what the sensor requests until nothing waits: job, partition and tables of each run."""
    options = world.options()
    remarks: list[str] = []
    Inbox(options, options.accounts, remarks.append).message(text)
    repository = build_definitions(options).get_repository_def()
    sensor = repository.get_sensor_def("do_what_raito_cloud_asks")
    for _ in range(5):
        context = dg.build_sensor_context(world.instance, repository_def=repository, sensor_name=sensor.name)
        for request in sensor.evaluate_tick(context).run_requests or ():
            result = repository.get_job(str(request.job_name)).execute_in_process(
                instance=world.instance,
                partition_key=request.partition_key,
                asset_selection=request.asset_selection,
                tags=request.tags,
            )
            assert result.success
            made = {
                event.materialization.asset_key.to_user_string() for event in result.get_asset_materialization_events()
            }
            yield str(request.job_name), request.partition_key or request.tags[RANGE_START], sorted(made)
    assert TriggerQueue(options.pipeline.storage).waiting() == ()


def test_stages_and_a_part_that_raito_cloud_asks_for_are_done_and_nothing_else(synced: Discovered) -> None:
    world, target = synced.world, synced.target
    (account,) = world.embedded.estate.unlisted
    bucket, (region, (folder, *_)) = next(iter((account.folders or {}).items()))
    s3, before = s3_backends[account.account_id]["aws"], world.counts()["dataSources"][target.data_source_id]
    for place in (folder, "elsewhere"):
        s3.put_object(bucket, f"{place}/new.parquet", b"")
    mark = world.embedded.aws.calls.mark

    part = message(target, dataSourceSync=True, dataObjectParent=f"{account.account_id}:{region}:{bucket}/{folder}")
    assert list(done_for(world, part)) == [
        ("sync_stages_regions", f"{account.account_id}|{region}", ["data_objects"]),
        ("sync_stages_finish", account.account_id, ["data_source_import", "data_source_import_elements"]),
    ]
    after = world.counts()["dataSources"][target.data_source_id]
    assert after["dataObjects"] == {**before["dataObjects"], "file": before["dataObjects"]["file"] + 1}

    runs = list(done_for(world, message(target, dataSourceSync=True)))
    assert [(job, tables) for job, _, tables in runs] == [
        ("sync_stages_account", ["s3_buckets"]),
        ("sync_stages_regions", ["data_objects"]),
        ("sync_stages_finish", ["data_source_import", "data_source_import_elements"]),
    ]
    whole = world.counts()["dataSources"][target.data_source_id]
    assert whole["dataObjects"]["folder"] == before["dataObjects"]["folder"] + 1, "what lies outside of the part, too"
    assert {**whole, "dataObjects": {}} == {**before, "dataObjects": {}}, "and no other stage"
    assert not [call for call in world.embedded.aws.calls.since(mark) if call.writes]
