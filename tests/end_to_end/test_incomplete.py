"""A list that could not be read, through the whole way: nothing is removed, every import ends, nothing is lost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from raito_pipeline.model import ImportResult
from raito_pipeline.sandbox.aws.faults import Fault
from tests.end_to_end.conftest import World, failures, started

ACCOUNT = "210000000012"
SOURCE = f"ds-{ACCOUNT}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One estate; the tests of this module follow one another."""
    with started(tmp_path_factory.mktemp("incomplete")) as world:
        yield world


def imports(world: World) -> dict[str, ImportResult]:
    tables = ("identity_store_import", "data_source_import", "access_provider_import", "data_usage_import")
    rows = {}
    for table in tables:
        if world.store.info(table, ACCOUNT) is not None:
            (rows[table],) = world.store.rows(ImportResult, ACCOUNT, table=table)
    return rows


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
    assert tasks(world) == {"IS": "COMPLETED", "DS": "FAILED", "DA": "FAILED", "DU": "COMPLETED"}
    assert imports(world)["identity_store_import"].status == "COMPLETED"
