"""Emulated AWS with one large account and a local Raito Cloud: `python -m tests.bench.one_account_server FOLDER KEYS`.

Writes `raito.yml` and `environment.json` into the folder, and serves until the process is ended. The keys of the large
bucket are made up page by page (`object_server`): moto would take a minute for a hundred thousand of them.
"""

import gzip
import json
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from moto.s3.models import s3_backends
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.aws.http import Answer
from raito_pipeline.sandbox.aws.incoming import Incoming
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.raito import worker
from raito_pipeline.sandbox.raito.imports.common import ImportWork
from raito_pipeline.sandbox.raito.seed import SeedAccount, seed_raito_cloud
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.aws_profile import write_profile
from tests.bench.access import ACCOUNT, KEY, LATENCY, seed_account
from tests.bench.object_server import ListedBucket
from tests.bench.usage import record

REGION, BUCKET, LOGS = "us-east-1", "big", "logs"
LOG_FILES, RECORDS = 80, 1000
_DATA_OBJECTS = ("dataObjectsAdded", "dataObjectsUpdated", "dataObjectsRemoved")
_STATEMENTS = (
    "statementsAdded", "statementsFailed", "statementsSkipped", "edgesCreatedOrUpdated", "edgesRemoved",
)  # fmt: skip
_XML = (("Content-Type", "application/xml"),)


class AwsWithLargeBucket(EmulatedAws):
    """The emulated AWS, in which the listing of one bucket costs it nothing."""

    def __init__(self, keys: int, latency_seconds: float) -> None:
        self._listed = ListedBucket(keys)
        super().__init__(latency_seconds=latency_seconds)

    def _carried_out(self, call: Incoming, environ: dict[str, Any]) -> Answer:
        if call.operation == "ListObjectsV2" and str(environ["PATH_INFO"]).strip("/") == BUCKET:
            query = {name: values[0] for name, values in parse_qs(str(environ["QUERY_STRING"])).items()}
            return Answer(200, _XML, self._listed.answer(query))
        return super()._carried_out(call, environ)

    def seed(self, listed: int) -> None:
        """IAM, the two buckets, and log files of events on keys of the large one."""
        seed_account()
        s3 = s3_backends[ACCOUNT]["aws"]
        for bucket in (BUCKET, LOGS):
            s3.create_bucket(bucket, REGION)
        chance, day = random.Random(1), datetime.now(UTC) - timedelta(days=1)
        for number in range(LOG_FILES):
            records = [record(chance) for _ in range(RECORDS)]
            for each in records:
                each["requestParameters"] |= {"bucketName": BUCKET, "key": self._listed.key(chance.randrange(listed))}
                each |= {"awsRegion": REGION, "eventTime": f"{day:%Y-%m-%d}T{each['eventTime'][11:]}", "resources": []}
            body = gzip.compress(json.dumps({"Records": records}).encode(), 1)
            s3.put_object(LOGS, f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day:%Y/%m/%d}/{number:05d}.json.gz", body)


def take_at_once() -> None:
    """Have the two large imports taken as they arrive: what the local Raito Cloud does with them is no figure."""
    for name, result in (
        ("data_objects", {"__typename": "DataSourceImportResult", **dict.fromkeys(_DATA_OBJECTS, 0)}),
        ("usage", {"__typename": "DataUsageImportResult", **dict.fromkeys(_STATEMENTS, 0)}),
    ):

        def taken(work: ImportWork, connection: Connection, result: dict[str, Any] = result) -> None:
            with work.database.exclusively(connection):
                work.finish(connection, {**result, "warnings": []})

        setattr(worker, f"import_{name}", taken)


def serve(folder: Path, keys: int) -> None:
    """Serve until the process is ended."""
    take_at_once()
    with AwsWithLargeBucket(keys, LATENCY) as aws:
        aws.seed(keys)
        with LocalRaitoCloud(
            folder / "raito.sqlite", folder / "files", aws.endpoint_url, "", "bench", require_login=False
        ) as raito:
            ids = seed_raito_cloud(raito, [SeedAccount(ACCOUNT, "bench", ())], access_controls=False)
            (folder / "raito.yml").write_text(
                f"domain: bench\napi-user: bench@example.com\napi-secret: none\nraito-url-override: {raito.url}\n"
                "skip-authentication: true\npipeline: {storage: data}\ntargets:\n- name: bench\n"
                "  connector-name: raito-io/cli-plugin-aws-account\n"
                f"  data-source-id: {ids.data_sources[ACCOUNT]}\n  identity-store-id: {ids.identity_stores[ACCOUNT]}\n"
                f"  aws-account-id: '{ACCOUNT}'\n  aws-profile: bench\n  aws-regions: {REGION}\n"
                f"  aws-s3-enabled: true\n  aws-s3-cloudtrail-bucket: {LOGS}\n  aws-s3-exclude-buckets: {LOGS}\n"
            )
            environment = {
                **write_profile(folder, aws.endpoint_url, "bench", key=KEY, region=REGION),
                "AWS_ENDPOINT_URL_S3_CONTROL": f"http://localhost:{aws.port}",
                "AWS_EC2_METADATA_DISABLED": "true",
                "RAITO_CONFIG_FILE": str(folder / "raito.yml"),
                "CALLS": f"{aws.endpoint_url}/sandbox-api/calls",
            }
            made = folder / "environment.part"
            made.write_text(json.dumps(environment))
            made.rename(folder / "environment.json")
            threading.Event().wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
