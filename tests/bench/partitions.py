"""What a sync of one account costs among few partitions and among five thousand."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from raito_pipeline.config import load
from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import layers, run_sync
from raito_pipeline.sandbox.embedded import Embedded, embedded_estate
from tests.bench.figure import Figure

OTHERS, REGIONS = 1_000, ("eu-west-1", "us-east-1", "eu-central-1", "us-west-2", "eu-north-1")
ACCOUNT = "210000000023"


def figures() -> Iterator[Figure]:
    """How long a code location takes to load, then one sync that has nothing new among few and many partitions."""
    yield from _loads()
    yield from _syncs()


def _loads() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "raito.yml"
        for accounts in (10, 100, 1_000, 5_000):
            login = "domain: acme\napi-user: somebody@acme.example\napi-secret: none\ntargets:\n"
            file.write_text(login + others(accounts))
            began = time.process_time()
            build_definitions(load(file)).get_repository_def().load_all_definitions()
            measured = f"{time.process_time() - began:.2f} s of CPU"
            goal = "2 s" if accounts == 5_000 else ""
            yield Figure(f"load of a location, {accounts:,} accounts of {len(REGIONS)} regions", measured, goal)


def _syncs() -> Iterator[Figure]:
    """The same sync of two regions that have nothing new, in a small and in a large configuration."""
    with tempfile.TemporaryDirectory() as folder, embedded_estate(Path(folder) / "estate") as embedded:
        os.environ.update(embedded.environment)
        os.environ.pop("AWS_PROFILE", None)
        large = Path(folder) / "estate" / "large.yml"
        large.write_text(embedded.config_file.read_text("utf-8").replace("targets:\n", f"targets:\n{others(OTHERS)}"))
        _sync(embedded, embedded.config_file)
        few = min(_sync(embedded, embedded.config_file) for _ in range(3))
        many = min(_sync(embedded, large) for _ in range(3))
    yield Figure(
        f"second sync of one account among {OTHERS * len(REGIONS):,} partitions / among 7",
        f"{many[0] / few[0]:.2f} of the CPU ({many[0]:.1f} s / {few[0]:.1f} s), {many[1]} / {few[1]} AWS calls",
        "the calls of the one; CPU near 1",
    )


def _sync(embedded: Embedded, file: Path) -> tuple[float, int]:
    """CPU seconds (with the estate's) and AWS calls of one sync of the account, the loading of the file included."""
    mark, began = embedded.aws.calls.mark, time.process_time()
    options = load(file)
    wanted = [layer for layer in layers(options, make_grid(options), "bench") if ACCOUNT in layer.place]
    with tempfile.TemporaryDirectory() as home, dg.DagsterInstance.local_temp(home) as instance:
        results = run_sync(
            build_definitions(options, Services(options)), instance, wanted, lambda _layer, _result: None
        )
    if not all(result.success for result in results):
        raise RuntimeError(f"the sync failed: {[result.failures for result in results]}")
    return time.process_time() - began, len(embedded.aws.calls.since(mark))


def others(accounts: int) -> str:
    """So many account targets, as lines of a `raito.yml`."""
    return "".join(
        f"- name: other-{n}\n  connector-name: raito-io/cli-plugin-aws-account\n  data-source-id: other-{n}\n"
        f"  identity-store-id: other-{n}\n  aws-account-id: '{300000000000 + n}'\n  aws-profile: other-{n}\n"
        f"  aws-regions: {','.join(REGIONS)}\n"
        for n in range(accounts)
    )
