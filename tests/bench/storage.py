"""What the storage is asked for by one sync of an account with three regions, where the tables lie on S3."""

import configparser
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import dagster as dg

from raito_pipeline.config import load
from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import layers, run_sync
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.call_log import Call
from raito_pipeline.sandbox.aws.estate import EstateSettings
from raito_pipeline.sandbox.embedded import Embedded, embedded_estate
from raito_pipeline.storage.lease import HEARTBEAT_SECONDS
from tests.bench.figure import Figure

ACCOUNT, ORGANIZATION = "210000000012", "210000000001_eu-west-1"
"""an account with three regions, and the organization that it belongs to"""
STORAGE_ACCOUNT, PROFILE, BUCKET = "210000000099", "tables", "tables-of-the-pipeline"
MOST_CALLS, MOST_WRITES, MOST_WRITES_AT_FIRST = 150, 40, 55
"""calls of one sync; its first one writes each of the account's 38 tables"""
SMALL = EstateSettings(
    users=12, groups=4, roles=42, policies=10, keys=20, tables=6, people=6, organization_groups=2, permission_sets=3,
    log_days=1,
)  # fmt: skip


@dataclass(frozen=True)
class StorageCost:
    """The calls to the storage by operation, those that write among them, and the calls of AWS itself."""

    operations: Mapping[str, int]
    writes: int
    of_aws: int
    seconds: float
    asked: tuple[Call, ...] = ()

    @property
    def renewals(self) -> int:
        """How often the lease is renewed in that time, whatever the sync does."""
        return int(self.seconds / HEARTBEAT_SECONDS)

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(self.operations.values())

    @property
    def text(self) -> str:
        """The operations, the most frequent first."""
        counted = sorted(self.operations.items(), key=lambda each: (-each[1], each[0]))
        return ", ".join(f"{count} {operation}" for operation, count in counted)


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables for the time of a `with` block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def add_storage(embedded: Embedded) -> None:
    """A bucket for tables in an account of its own, and a profile that reaches it."""
    key = f"AKIA{STORAGE_ACCOUNT}ROOT"
    install_access_key(STORAGE_ACCOUNT, key, "not-a-secret")
    for variable, section, values in (
        ("AWS_CONFIG_FILE", f"profile {PROFILE}", {"region": "eu-west-1", "endpoint_url": embedded.aws.endpoint_url}),
        (
            "AWS_SHARED_CREDENTIALS_FILE",
            PROFILE,
            {"aws_access_key_id": key, "aws_secret_access_key": "not-a-secret"},
        ),
    ):
        file, parser = Path(embedded.environment[variable]), configparser.ConfigParser()
        parser.read(file)
        parser[section] = values
        with file.open("w") as stream:
            parser.write(stream)
    client = boto3.Session(profile_name=PROFILE).client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def syncs(folder: Path, sizes: EstateSettings, times: int) -> Iterator[StorageCost]:
    """Sync one account so often, after its organization; what each of these syncs cost. Raises `RuntimeError`."""
    with embedded_estate(folder / "estate", sizes) as embedded, environment(**embedded.environment):
        add_storage(embedded)
        with dg.DagsterInstance.ephemeral(str(folder)) as instance:
            text = embedded.config_file.read_text()
            embedded.config_file.write_text(
                text.replace("storage: data", f"storage: s3://{BUCKET}/raito\n  storage-profile: {PROFILE}")
            )
            options = load(embedded.config_file)
            for number in range(-1, times):
                place = ORGANIZATION if number < 0 else ACCOUNT
                wanted = [each for each in layers(options, make_grid(options), f"sync-{number}") if place in each.place]
                mark, began = embedded.aws.calls.mark, time.monotonic()
                definitions = build_definitions(options, Services(options))
                results = run_sync(definitions, instance, wanted, lambda _layer, _result: None)
                failed = [line for result in results for line in (*result.failures, *result.skipped)]
                if failed:
                    raise RuntimeError(f"the sync of {place} failed: {failed}")
                if number >= 0:
                    yield cost_of(embedded.aws.calls.since(mark), time.monotonic() - began)


def cost_of(calls: list[Call], seconds: float) -> StorageCost:
    """The cost of the calls of a sync that took so long."""
    asked = [call for call in calls if call.account == STORAGE_ACCOUNT]
    operations = Counter(call.operation for call in asked)
    writes = sum(call.writes for call in asked)
    return StorageCost(operations, writes, len(calls) - len(asked), seconds, tuple(asked))


def figures() -> Iterator[Figure]:
    """The lines of the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        for name, cost in zip(("first", "second", "third"), syncs(Path(folder), SMALL, 3), strict=True):
            said = f"{cost.calls} ({cost.text}), beside {cost.of_aws} calls of AWS"
            yield Figure(f"storage calls of the {name} sync of an account with three regions", said, str(MOST_CALLS))
            goal = MOST_WRITES_AT_FIRST if name == "first" else MOST_WRITES
            yield Figure(f"of them writing, {name} sync", f"{cost.writes} ({cost.renewals} renewals)", str(goal))
