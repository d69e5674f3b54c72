"""State outlives the process: everything is there after a restart, and what was under way is finished."""

import json
import time

from raito_pipeline.sandbox.raito.seed import SeedAccount, seed_raito_cloud

from .conftest import Start
from .wire import Wire, metadata, small_tree, statement


def test_what_arrived_is_there_after_a_restart(start: Start) -> None:
    cloud = start()
    wire = Wire(cloud.url)
    source = seed_raito_cloud(cloud, [SeedAccount("111122223333", "A", ("ann",))]).data_sources["111122223333"]
    cloud.catalog.set_data_source_metadata(source, metadata())
    wire.result("data-objects", source, small_tree())
    wire.result("usage", source, [statement(1)])
    cloud.define_access_control(source, {"id": "a", "name": "A"})
    before = wire.counts()
    cloud.stop()

    wire = Wire(start().url)

    assert wire.counts() == before
    again = wire.result("data-objects", source, small_tree())
    assert (again["dataObjectsAdded"], again["dataObjectsUpdated"], again["dataObjectsRemoved"]) == (0, 0, 0)
    assert wire.result("usage", source, [statement(1)])["statementsSkipped"] == 1
    found = wire.ask(f'{{ dataSource(id: "{source}") {{ ... on DataSource {{ usageLastUsed }} }} }}')
    assert found["usageLastUsed"].startswith("2026-11-")


def test_jobs_and_their_results_are_there_after_a_restart(start: Start) -> None:
    cloud = start()
    wire = Wire(cloud.url)
    source = cloud.catalog.create_data_source("A")
    job, job_type, subtask = wire.start("data-objects", source, fileKey=wire.upload(json.dumps(small_tree()).encode()))
    wire.wait(job, job_type, subtask)
    cloud.stop()

    wire = Wire(start().url)

    assert wire.poll(job, job_type, subtask)["result"]["dataObjectsAdded"] == 5
    (found,) = wire.ask(f'{{ imports(dataSource: "{source}") {{ kind status deleteUntouched }} }}')
    assert found == {"kind": "data-objects", "status": "COMPLETED", "deleteUntouched": True}


def test_an_import_that_was_under_way_is_done_after_a_restart(start: Start) -> None:
    cloud = start()
    wire = Wire(cloud.url)
    source = cloud.catalog.create_data_source("A")
    wire.order(on="import:data-objects", delay=60)
    started = wire.start("data-objects", source, fileKey=wire.upload(json.dumps(small_tree()).encode()))
    second = wire.start("data-objects", source, fileKey=wire.upload(json.dumps(small_tree()).encode()))
    begun = time.monotonic()
    cloud.stop()
    assert time.monotonic() - begun < 30

    wire = Wire(start().url)

    assert wire.wait(*started)["result"]["dataObjectsAdded"] == 5
    assert wire.wait(*second)["result"]["dataObjectsAdded"] == 0


def test_an_address_that_was_signed_before_still_holds(start: Start) -> None:
    cloud = start()
    address = Wire(cloud.url).sign(b"[]")
    port = cloud.url.rsplit(":", 1)[1]
    cloud.stop()

    url = start().url
    response = Wire(url).session.put(
        address["URL"].replace(port, url.rsplit(":", 1)[1]),
        data=b"[]",
        headers={"X-Amz-Checksum-Sha256": address["signedHeaders"]["X-Amz-Checksum-Sha256"][0]},
        timeout=10,
    )

    assert response.status_code == 200


def test_starting_and_stopping_twice_does_no_harm(start: Start) -> None:
    cloud = start()
    assert cloud.start() is cloud
    cloud.stop()
    cloud.stop()
