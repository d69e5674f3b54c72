"""A list that could not be read, through the whole way: nothing is removed, every import ends, nothing is lost."""

import gzip
import json
import sqlite3
import time
import uuid
from contextlib import closing
from typing import Any

import boto3

from raito_pipeline.model import AccessProvider, CloudTrailFile, ImportResult, UsageStatement
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import ReadStatus
from tests.end_to_end.conftest import World, failures

ACCOUNT, REGION, BUCKET, LOGS = "210000000012", "us-east-1", "marketing-sales", "marketing-cloudtrail"
SOURCE = f"ds-{ACCOUNT}"


def s3() -> Any:
    return boto3.Session(profile_name="marketing").client("s3", region_name=REGION)


def deliver_log_file(key: str) -> str:
    """A CloudTrail file that says somebody read an object of the bucket; gives the id of the event."""
    now, event = time.gmtime(), str(uuid.uuid4())
    record = {
        "eventID": event,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "eventCategory": "Data",
        "managementEvent": False,
        "userIdentity": {"type": "IAMUser", "userName": "ada"},
        "requestParameters": {"bucketName": BUCKET, "key": key},
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/{key}"},
            {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
        ],
    }
    day = time.strftime("%Y/%m/%d", now)
    name = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day}/{ACCOUNT}_CloudTrail_{REGION}_{event}.json.gz"
    s3().put_object(Bucket=LOGS, Key=name, Body=gzip.compress(json.dumps({"Records": [record]}).encode()))
    return event


def imports(world: World) -> dict[str, ImportResult]:
    tables = ("identity_store_import", "data_source_import", "access_provider_import", "data_usage_import")
    rows = {}
    for table in tables:
        if world.store.info(table, ACCOUNT) is not None:
            (rows[table],) = world.store.rows(ImportResult, ACCOUNT, table=table)
    return rows


def what(world: World) -> dict[str, int]:
    return {row.external_id: len(row.what) for row in world.store.rows(AccessProvider, ACCOUNT)}


def tasks(world: World) -> dict[str, str]:
    """The status of each task of the last job of the data source in Raito Cloud."""
    query = (
        "select job_type, status from tasks "
        "where job = (select id from jobs where data_source = ? order by number desc limit 1)"
    )
    with closing(sqlite3.connect(world.embedded.directory / "raito-cloud.sqlite")) as database:
        return dict(database.execute(query, (SOURCE,)).fetchall())


def test_a_first_sync_without_the_right_to_list_buckets_ends_every_import_in_words(world: World) -> None:
    world.embedded.aws.faults.add(Fault(kind="deny", account=ACCOUNT, service="s3", operation="ListBuckets"))

    results = world.sync(only=[ACCOUNT])

    said = failures(results)
    assert [line for line in said if line.startswith("s3_buckets") and "s3:ListAllMyBuckets" in line]
    assert not [line for line in said if "ValueError" in line or "partitioned by" in line], said
    for table in ("data_objects", "access_providers", "data_source_import"):
        assert [line for line in said if line.startswith(f"{table} {ACCOUNT}")], (table, said)
    assert [line for line in said if line.startswith("data_source_import") and "was never read" in line], said
    assert tasks(world) == {"IS": "COMPLETED", "DS": "FAILED", "DA": "FAILED", "DU": "FAILED"}
    assert [line for line in said if line.startswith("data_usage_import") and "was never read" in line], said
    assert imports(world)["identity_store_import"].status == "COMPLETED"


def test_an_hour_in_which_buckets_cannot_be_listed_costs_nothing(synced_world: World) -> None:
    world = synced_world
    counts, access = world.counts()["dataSources"][SOURCE], what(world)
    assert counts["dataObjects"]
    assert any(access.values())
    s3().put_object(Bucket=BUCKET, Key="new/in-the-bad-hour.csv", Body=b"")
    new, doubtful = deliver_log_file("new/in-the-bad-hour.csv"), deliver_log_file("2023/not-listed.csv")
    world.embedded.aws.faults.add(Fault(kind="deny", account=ACCOUNT, service="s3", operation="ListBuckets"))

    bad = world.sync(only=[ACCOUNT])

    assert [line for line in failures(bad) if not line.startswith("s3_buckets")] == []
    assert failures(bad)
    assert what(world) == access
    during = world.counts()["dataSources"][SOURCE]
    assert during["accessProviders"] == counts["accessProviders"]
    assert all(during["dataObjects"].get(kind, 0) >= count for kind, count in counts["dataObjects"].items())
    for table in ("data_source_import", "access_provider_import"):
        row = imports(world)[table]
        assert (row.removed, row.delete_untouched) == (0, False)
        assert f"s3_buckets {ACCOUNT}" in str(row.reason)
    objects = world.store.info("data_objects", ACCOUNT, REGION)
    assert objects is not None
    assert objects.status is ReadStatus.PARTIAL
    assert f"s3_buckets {ACCOUNT}" in "\n".join(objects.problems)
    waiting = [row.key for row in world.store.rows(CloudTrailFile, ACCOUNT, REGION) if not row.etag]
    assert [doubtful in key for key in waiting] == [True]

    world.embedded.aws.faults.clear()
    # That access is whole again is seen after the first; the second is about what could be sent twice.
    for options in (world.options(), world.options(skip_data_access_sync="true")):
        assert failures(world.sync(options, only=[ACCOUNT])) == []
        events = [row.external_id for row in world.store.rows(UsageStatement, ACCOUNT, REGION)]
        assert events.count(new) == events.count(doubtful) == 1
        after = world.counts()["dataSources"][SOURCE]
        assert after["usageStatements"] == counts["usageStatements"] + 2
        assert after["accessProviders"] == counts["accessProviders"]
        assert all(row.etag for row in world.store.rows(CloudTrailFile, ACCOUNT, REGION))
    assert imports(world)["data_usage_import"].reason == "nothing new to send"
    (statement,) = (row for row in world.store.rows(UsageStatement, ACCOUNT, REGION) if row.external_id == new)
    assert statement.accessed[0].data_object.full_name.endswith("new/in-the-bad-hour.csv")


def test_a_bucket_that_was_made_anew_keeps_its_access_provider_until_its_policy_was_read(synced_world: World) -> None:
    """In an estate that was started again, each bucket is younger than what is stored of it."""
    world, options = synced_world, synced_world.options(skip_identity_store_sync="true", skip_data_usage_sync="true")
    before = world.counts()["dataSources"][SOURCE]["accessProviders"]
    assert before["aws_bucket_policy"] == 2
    world.embedded.aws.faults.add(Fault(kind="deny", service="s3", operation="GetBucketPolicy"))
    world.sync(options, only=[ACCOUNT])

    row = imports(world)["access_provider_import"]
    assert (row.delete_untouched, row.removed) == (False, 0)
    assert "2 access providers that Raito Cloud holds are still there: bucketpolicy:marketing-archive" in str(
        row.reason
    )
    assert world.counts()["dataSources"][SOURCE]["accessProviders"] == before

    world.embedded.aws.faults.clear()
    assert failures(world.sync(options, only=[ACCOUNT])) == []
    assert imports(world)["access_provider_import"].delete_untouched
    assert world.counts()["dataSources"][SOURCE]["accessProviders"] == before
