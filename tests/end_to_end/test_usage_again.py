"""What reaches Raito Cloud of a log file that CloudTrail delivers again, with more in it."""

import gzip
import json
import uuid

import boto3

from raito_pipeline.model import CloudTrailFile, ImportResult
from tests.end_to_end.conftest import ACCOUNT, World, failures

REGION, BUCKET = "us-east-1", "marketing-cloudtrail"
OTHER_STAGES = dict.fromkeys(("skip_identity_store_sync", "skip_data_source_sync", "skip_data_access_sync"), "true")


def test_a_log_file_that_changed_after_its_upload_is_sent_again(synced_world: World) -> None:
    world, usage = synced_world, synced_world.options(**OTHER_STAGES)
    before = world.counts()["dataSources"][f"ds-{ACCOUNT}"]["usageStatements"]
    key = max(row.key for row in world.store.rows(CloudTrailFile, ACCOUNT, REGION))
    s3 = boto3.Session(profile_name="marketing").client("s3", region_name=REGION)
    records = json.loads(gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))["Records"]
    records.append({**records[0], "eventID": str(uuid.uuid4())})
    s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(json.dumps({"Records": records}).encode()))

    assert failures(world.sync(usage, only=[ACCOUNT])) == []

    assert world.counts()["dataSources"][f"ds-{ACCOUNT}"]["usageStatements"] == before + 1
    assert failures(world.sync(usage, only=[ACCOUNT])) == []
    (row,) = world.store.rows(ImportResult, ACCOUNT, table="data_usage_import")
    assert row.reason == "nothing new to send"
