"""One measured piece of work in a process of its own: `python -m tests.bench.object_work WAY PORT FOLDER WORKERS`.

Prints a JSON object: CPU seconds, wall seconds, peak of the memory in MB, LIST calls, data objects.
"""

import os
import sys
from pathlib import Path

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.data_objects.marks import PAGE_MARKS
from raito_pipeline.aws.readers.s3 import S3Keys
from raito_pipeline.aws.readers.s3_objects import write_s3_objects
from raito_pipeline.config.groups import Login, RaitoService, S3Options
from raito_pipeline.model import S3Bucket
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.connection import Connection
from raito_pipeline.raito.files.data_objects import write_data_objects
from raito_pipeline.raito.upload import upload
from raito_pipeline.storage import Store
from tests.aws_profile import write_profile
from tests.bench.process import tell

ACCOUNT, REGION = "111122223333", "us-east-1"


def paginate(clients: AwsClients, _url: str, _folder: Path, _workers: int) -> dict[str, int]:
    """What plain pagination with botocore costs: every key is seen, and nothing is done with it."""
    pages = keys = 0
    for page in clients.client("s3", REGION).get_paginator("list_objects_v2").paginate(Bucket="big"):
        pages += 1
        keys += len(page["Contents"])
    return {"calls": pages, "objects": keys}


def sync(clients: AwsClients, url: str, folder: Path, workers: int) -> dict[str, int]:
    """Keys -> Parquet -> import file -> upload, as the assets do it."""
    store = Store.open(folder)
    lister = S3Keys(clients, REGION)
    before = store.info("data_objects", ACCOUNT, REGION)
    marks = "" if before is None else before.extra.get(PAGE_MARKS, "")
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        bucket = S3Bucket("big", REGION, None, True, ())
        report = write_s3_objects(
            writer, lister, ACCOUNT, REGION, [bucket], S3Options(aws_concurrency=workers), marks=marks
        )
    file = write_data_objects(folder / "data-objects.json", store, ACCOUNT, [REGION], ACCOUNT)
    with RaitoClient(
        Connection(RaitoService(raito_url_override=url, skip_authentication=True), Login(domain="bench"))
    ) as raito:
        upload(raito, file)
    return {"calls": report.pages + report.splits, "objects": file.elements}


def again(clients: AwsClients, url: str, folder: Path, workers: int) -> dict[str, int]:
    """Two syncs of the same keys; the calls are those of the second."""
    first = sync(clients, url, folder, workers)
    second = sync(clients, url, folder, workers)
    return {**second, "first": first["calls"]}


WAYS = {"paginate": paginate, "sync": sync, "again": again}


def main(way: str, port: str, folder: str, workers: str) -> None:
    """Do the work and print what it took."""
    url, place = f"http://127.0.0.1:{port}", Path(folder)
    os.environ.update(write_profile(place, url, "bench", region=REGION))
    clients = AwsClients("bench", concurrency=int(workers))
    clients.client("s3", REGION)
    tell(lambda: WAYS[way](clients, url, place, int(workers)))


if __name__ == "__main__":
    main(*sys.argv[1:])
