"""One account of two regions with nothing stored, as uploads work with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import AccessProvider, DataObject
from raito_pipeline.orchestration.partitioning.grid import Grid, cell_of, make_grid
from raito_pipeline.orchestration.recording.guard import Verdict
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.imports import (
    AccessProviderUpload,
    AccountIdentityUpload,
    DataObjectUpload,
    OrganizationIdentityUpload,
    Upload,
    UsageUpload,
)
from raito_pipeline.orchestration.upload.work import Work
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.deletions import Elements, remember
from raito_pipeline.raito.jobs import Job, Task
from raito_pipeline.storage import Store
from tests.model.test_schema import example_row
from tests.orchestration.conftest import FIRST, Loads
from tests.raito.conftest import connection_to

ACCOUNT, REGIONS, MASTER = str(FIRST), ("eu-west-1", "us-east-1"), "999988887777"
UPLOADS = (OrganizationIdentityUpload, AccountIdentityUpload, DataObjectUpload, AccessProviderUpload, UsageUpload)
WHOLE = Verdict(())


@pytest.fixture
def options(loads: Loads) -> Options:
    """One account of two regions, and its organization."""
    return loads(accounts=1)


@pytest.fixture
def grid(options: Options) -> Grid:
    return make_grid(options)


@pytest.fixture
def work(options: Options, tmp_path: Path) -> Iterator[Work]:
    """The account, whole, with nothing stored; nothing answers at the address of Raito Cloud."""
    services = Services(options)
    with RaitoClient(connection_to("http://127.0.0.1:9")) as client:
        task = Task(Job(client, "job-1", "source-0", "store-0"), UsageUpload.job_type)
        store = Store.open(options.pipeline.storage, "run-1", "s1")
        yield Work(services, store, cell_of("account", ACCOUNT), options.accounts[0], task, WHOLE, tmp_path)


def data_object(name: str) -> DataObject:
    return replace(example_row(DataObject, null=False), full_name=name)


def provider(name: str, *others: str) -> AccessProvider:
    return replace(example_row(AccessProvider, null=True), external_id=name, who_access_providers=others or None)


def ids_of(upload: Upload, work: Work) -> dict[str, list[str]]:
    return {kind: [each for batch in batches for each in batch] for kind, batches in (upload.ids(work) or {}).items()}


def sends(work: Work, count: int) -> None:
    rows = [data_object(f"{ACCOUNT}:eu-west-1:{number}") for number in range(count)]
    work.store.write("data_objects", rows, ACCOUNT, "eu-west-1")


def held(work: Work, count: int, owner: str = "source-0") -> None:
    """Raito Cloud holds the account and so many of its data objects."""
    names = [ACCOUNT, *(f"{ACCOUNT}:eu-west-1:{number}" for number in range(count))]
    remember(work.store, "data_source_import", work.cell.place, owner, Elements.of({"data object": [names]}))
