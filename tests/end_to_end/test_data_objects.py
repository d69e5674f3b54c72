"""Data objects through the whole way: a part of them alone, and a bucket out of its S3 Inventory."""

import csv
import gzip
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import boto3

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.definitions import build_definitions
from raito_pipeline.model import DataObject, ImportResult
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import LayerResult, run_sync, subtree_layers
from raito_pipeline.sandbox.compare import compare
from raito_pipeline.storage import ReadStatus
from tests.end_to_end.conftest import ACCOUNT, World, failures

REGION, BUCKET = "us-east-1", "marketing-sales"
FULL = f"{ACCOUNT}:{REGION}:{BUCKET}"
OTHER_STAGES = dict.fromkeys(("skip_identity_store_sync", "skip_data_access_sync", "skip_data_usage_sync"), "true")


def s3() -> Any:
    return boto3.Session(profile_name="marketing").client("s3", region_name=REGION)


def names(world: World) -> set[str]:
    return {row.full_name for row in world.store.rows(DataObject, ACCOUNT, REGION)}


def sync_below(world: World, subtree: Subtree) -> tuple[LayerResult, ...]:
    options = world.options()
    definitions = world.built.definitions(Services(options))
    return run_sync(definitions, world.instance, list(subtree_layers(options, subtree)), lambda _layer, _result: None)


def objects_in_raito_cloud(world: World) -> int:
    return sum(world.counts()["dataSources"][f"ds-{ACCOUNT}"]["dataObjects"].values())


def but_for_objects(world: World) -> dict[str, Any]:
    """What Raito Cloud holds of the account beside data objects."""
    return {**world.counts()["dataSources"][f"ds-{ACCOUNT}"], "dataObjects": {}}


def test_a_part_is_read_and_sent_alone_and_nothing_is_removed(synced_world: World) -> None:
    world, client, gone = synced_world, s3(), "2023/gone.csv"
    client.put_object(Bucket=BUCKET, Key=gone, Body=b"")
    objects = world.options(**OTHER_STAGES)
    assert failures(world.sync(objects, only=[ACCOUNT])) == []
    before, count, held = names(world), objects_in_raito_cloud(world), but_for_objects(world)
    for key in ("2023/new/x.csv", "2023/left-out/y.csv", "elsewhere/z.csv"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"")
    client.delete_object(Bucket=BUCKET, Key=gone)
    mark = world.embedded.aws.calls.mark

    results = sync_below(world, Subtree.of(f"{FULL}/2023", [f"{FULL}/2023/left-out"]))

    assert failures(results) == []
    assert names(world) == (before | {f"{FULL}/2023/new", f"{FULL}/2023/new/x.csv"}) - {f"{FULL}/{gone}"}
    calls = [call.operation for call in world.embedded.aws.calls.since(mark) if call.service == "s3"]
    assert calls == ["ListObjectsV2"]
    assert objects_in_raito_cloud(world) == count + 2
    (row,) = world.store.rows(ImportResult, ACCOUNT, table="data_source_import")
    assert (row.delete_untouched, row.added, row.removed) == (False, 2, 0)
    assert f"{FULL}/2023" in str(row.reason)

    assert failures(world.sync(objects, only=[ACCOUNT])) == []
    embedded = world.embedded
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    lines = [line for line in comparison.lines if line.what in ("bucket", "folder", "file")]
    assert len(lines) == 3
    assert [line for line in lines if not line.equal] == []
    assert but_for_objects(world) == held, "and no other stage"


def test_a_part_of_a_region_that_was_never_read_is_not_complete(world: World) -> None:
    assert world.materialize(["s3_buckets"], ACCOUNT).success
    (layer, _) = subtree_layers(world.options(), Subtree.of(f"{FULL}/2023"))
    options = world.options()
    run_sync(build_definitions(options, Services(options)), world.instance, [layer], lambda _layer, _result: None)
    info = world.store.info("data_objects", ACCOUNT, REGION)
    assert info is not None
    assert info.status is ReadStatus.PARTIAL
    assert all(name.startswith(f"{FULL}/2023/") for name in names(world))


def test_nobody_holds_a_part_of_another_account(world: World) -> None:
    assert list(subtree_layers(world.options(), Subtree.of("999999999999:us-east-1:data"))) == []
    assert make_grid(world.options())


def _deliver_inventory(keys: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([BUCKET, quote_plus(key, safe="/"), "1"] for key in keys)
    body = gzip.compress(text.getvalue().encode())
    now = datetime.now(UTC)
    folder = f"inventory/{BUCKET}/daily"
    manifest = {
        "sourceBucket": BUCKET,
        "creationTimestamp": str(int(now.timestamp() * 1000)),
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": f"{folder}/data/1.csv.gz", "MD5checksum": hashlib.md5(body).hexdigest()}],
    }
    client = s3()
    client.put_object(Bucket="marketing-cloudtrail", Key=f"{folder}/data/1.csv.gz", Body=body)
    name = f"{folder}/{now:%Y-%m-%dT%H-%MZ}/manifest.json"
    client.put_object(Bucket="marketing-cloudtrail", Key=name, Body=json.dumps(manifest).encode())


def test_a_bucket_out_of_its_inventory_is_the_same_as_listed(world: World) -> None:
    key = f"{ACCOUNT}|{REGION}"
    assert world.materialize(["s3_buckets"], ACCOUNT).success
    assert world.materialize(["data_objects"], key).success
    listed = {row.full_name: row for row in world.store.rows(DataObject, ACCOUNT, REGION)}
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    _deliver_inventory([entry["Key"] for page in pages for entry in page["Contents"]])
    file = world.embedded.config_file
    option = f"pipeline:\n  s3-inventory:\n    {BUCKET}: s3://marketing-cloudtrail/inventory/\n"
    file.write_text(file.read_text("utf-8").replace("pipeline:\n", option), encoding="utf-8")
    mark = world.embedded.aws.calls.mark

    assert world.materialize(["data_objects"], key).success

    assert {row.full_name: row for row in world.store.rows(DataObject, ACCOUNT, REGION)} == listed
    info = world.store.info("data_objects", ACCOUNT, REGION)
    assert info is not None
    assert info.status is ReadStatus.COMPLETE
    calls = world.embedded.aws.calls.since(mark)
    assert [call.operation for call in calls if call.operation == "GetObject"] == ["GetObject"] * 2
