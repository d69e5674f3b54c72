"""Processes of their own that hold leases and write tables.

They are forked from one that has imported what they need: each would else take a second for it.
"""

import multiprocessing
import os
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection

from raito_pipeline.model import S3Bucket
from raito_pipeline.storage import Store
from raito_pipeline.storage.lease import Leases

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def hold(
    environment: Mapping[str, str], location: str, kept_for_process: Mapping[str, bool | None], told: Connection
) -> None:
    """Take the leases of accounts for `sync-1` and do nothing more; the connection hears of it.

    Of an account with True or False the place is kept, for this process or for the sync.
    """
    os.environ.update(environment)
    for account, for_process in kept_for_process.items():
        lease = Leases(location).acquire(account, "sync-1", "run-1", "layer regions")
        if for_process is not None:
            lease.reserve_for_process = for_process
            lease.release(reserve_seconds=600)
    told.send("held")
    time.sleep(120)


def rows(name: str, count: int) -> list[S3Bucket]:
    """Buckets that are called by the name and a number."""
    return [S3Bucket(f"{name}-{n}", "eu-west-1", None, True, None) for n in range(count)]


def write_often(location: str, name: str, times: int, count: int) -> None:
    """Write the buckets of account 1, again and again."""
    for _ in range(times):
        Store.open(location).write("s3_buckets", rows(name, count), "1")
