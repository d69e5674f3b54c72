"""What is stored of an account or region is shown first, then removed whole, and nothing else is."""

from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import ImportResult, S3Bucket
from raito_pipeline.orchestration.partitioning.forgetting import forget, look, parts_of
from raito_pipeline.raito.open_jobs import OpenJob, OpenJobs
from raito_pipeline.storage import Store
from raito_pipeline.storage.lease import Leases, SyncUnderWay
from tests.config.conftest import Loads, account, loads, organization, raito_yml
from tests.config.test_discovered import DISCOVER, entry, kept
from tests.model.test_schema import example_row

__all__ = ["loads"]
GONE, HERE = "999900001111", "123456789012"
STORED = {"s3_buckets": 1, "data_objects": 2, "data_source_import": 1, "_jobs": 1}


def stored(options: Options) -> Store:
    store = Store.open(options.pipeline.storage)
    for key in (GONE, HERE):
        store.write("s3_buckets", [S3Bucket("data", "eu-west-1", None, True, None)], key)
        for region in ("eu-central-1", "us-east-1"):
            store.write("data_objects", [], key, region)
        target = "one" if key == HERE else "gone"
        store.write("data_source_import", [replace(example_row(ImportResult, null=False), target=target)], key)
        OpenJobs(store).write(target, [OpenJob("job", "http://raito", "domain", None, None, ())])
        Leases(options.pipeline.storage).acquire(key, "s", "r", "layer account", 0.0, True).release()
    return store


@pytest.mark.parametrize(
    ("text", "parts"), [("1", ("1", None)), ("1|eu-west-1", ("1", "eu-west-1")), (" 1/eu-west-1", ("1", "eu-west-1"))]
)
def test_a_partition_is_named_as_dagster_or_a_person_names_it(text: str, parts: tuple[str, str | None]) -> None:
    assert parts_of(text) == parts


def test_an_account_that_is_gone_from_the_file_goes_whole_and_alone(loads: Loads) -> None:
    options = loads(raito_yml(account()))
    store = stored(options)

    found = look(options, GONE, None)
    assert (dict(found.files), found.wanted, found.target) == (STORED, None, None)
    assert forget(options, found, "run") == 5

    assert look(options, GONE, None).files == {}
    assert dict(look(options, HERE, None).files) == STORED
    left = [path for path in Path(store.root).rglob("*") if path.is_file()]
    assert [path for path in left if GONE in str(path) or path.name == "gone.json"] == []
    assert list(Path(store.root, "_leases").glob(f"*{HERE}.json"))


def test_what_a_sync_would_store_again_is_said(loads: Loads) -> None:
    options = loads(raito_yml(account()))
    stored(options)

    assert "take it out" in str(look(options, HERE, None).wanted)
    assert "regions of the target one" in str(look(options, HERE, "eu-central-1").wanted)
    gone = look(options, HERE, "us-east-1")
    assert gone.wanted is None
    assert forget(options, gone, "run") == 1
    assert dict(look(options, HERE, None).files) == {**STORED, "data_objects": 1}


def test_a_discovered_account_loses_its_entry_which_comes_back_only_while_it_is_open(
    loads: Loads, tmp_path: Path
) -> None:
    kept(tmp_path, entry("old", GONE, 'closed: "2026-11-26"'), entry("open", HERE))
    options = loads(raito_yml(organization(), top=DISCOVER))
    stored(options)

    assert "exclude-accounts" in str(look(options, HERE, None).wanted)
    found = look(options, GONE, None)
    assert (found.wanted, found.has_entry) == (None, True)
    forget(options, found, "run")

    again = loads(raito_yml(organization(), top=DISCOVER))
    assert [target.account_id for target in again.accounts] == [HERE]


def test_nothing_is_removed_while_the_account_is_being_synced(loads: Loads) -> None:
    options = loads(raito_yml(account()))
    stored(options)
    lease = Leases(options.pipeline.storage).acquire(GONE, "sync", "run", "layer account", 0.0, True)
    try:
        with pytest.raises(SyncUnderWay):
            forget(options, look(options, GONE, None), "forget")
    finally:
        lease.release()
    assert look(options, GONE, None).files


def test_after_a_region_its_account_is_in_the_sync_that_it_was_in(loads: Loads) -> None:
    """What is made by hand then joins that sync, and its imports stand on whole tables of one sync."""
    options = loads(raito_yml(account()))
    stored(options)
    leases = Leases(options.pipeline.storage)
    sync = leases.acquire(HERE, "s1", "run", "layer account", 0.0, True)
    sync.release(reserve_seconds=600)
    with pytest.raises(SyncUnderWay):  # the place of its next layer is kept
        forget(options, look(options, HERE, "us-east-1"), "forget-1")
    leases.acquire(HERE, "s1", "finish", "layer finish").release()

    assert forget(options, look(options, HERE, "us-east-1"), "forget-1") == 1

    assert (leases.last_sync(HERE), leases.under_way(HERE)) == ("s1", None)
