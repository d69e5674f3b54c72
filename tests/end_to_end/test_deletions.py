"""What is filtered away, or gone from raito.yml, is not removed from Raito Cloud before somebody says so."""

import pytest

from raito_pipeline.model import AccessProvider, ImportResult
from raito_pipeline.raito.deletions import disagreement
from raito_pipeline.storage import ReadStatus
from tests.end_to_end.conftest import ACCOUNT, World, failures

NAME = "marketing"
TABLES = ("identity_store_import", "data_source_import", "access_provider_import")
ONLY_OBJECTS = dict.fromkeys(("skip_identity_store_sync", "skip_data_access_sync", "skip_data_usage_sync"), "true")
OBJECTS_AND_ACCESS = dict.fromkeys(("skip_identity_store_sync", "skip_data_usage_sync"), "true")


@pytest.fixture
def world(synced_world: World) -> World:
    """An account that was synced before."""
    return synced_world


def row(world: World, table: str) -> ImportResult:
    (found,) = world.store.rows(ImportResult, ACCOUNT, table=table)
    return found


def held(world: World, what: str = "dataObjects") -> int:
    count: int = sum(world.counts()["dataSources"][f"ds-{ACCOUNT}"][what].values())
    return count


def what(world: World) -> dict[str, int]:
    return {each.external_id: len(each.what) for each in world.store.rows(AccessProvider, ACCOUNT)}


def test_raito_cloud_counts_what_was_expected(world: World) -> None:
    for table in TABLES:
        found = row(world, table)
        assert (found.expected_added, found.expected_removed, disagreement(found)) == (0, 0, None), table
    assert row(world, "data_source_import").held == held(world)


def test_a_filter_that_empties_removes_nothing_until_it_is_confirmed(world: World) -> None:
    before, file = held(world), world.embedded.config_file
    text = file.read_text("utf-8")
    one = f"aws-s3-exclude-buckets: {NAME}-cloudtrail"
    assert one in text
    file.write_text(text.replace(one, 'aws-s3-exclude-buckets: ".*"'), encoding="utf-8")

    for _ in range(2):
        world.sync(world.options(**ONLY_OBJECTS), only=[ACCOUNT])
        found, info = row(world, "data_source_import"), world.store.info("data_source_import", ACCOUNT)
        assert (found.delete_untouched, found.removed, held(world)) == (False, 0, before)
        assert f"it would remove {before - 1:,} of the {before:,} data objects" in str(found.reason)
        assert info is not None
        assert info.status is ReadStatus.PARTIAL

    assert failures(world.sync(world.options(max_import_deletions="1", **ONLY_OBJECTS), only=[ACCOUNT])) == []
    found = row(world, "data_source_import")
    assert (found.delete_untouched, found.removed, found.expected_removed, held(world)) == (
        True,
        before - 1,
        before - 1,
        1,
    )

    file.write_text(text, encoding="utf-8")
    for added in (before - 1, 0):
        assert failures(world.sync(world.options(**ONLY_OBJECTS), only=[ACCOUNT])) == []
        found = row(world, "data_source_import")
        assert (found.added, found.removed, found.delete_untouched, held(world)) == (added, 0, True, before)


def test_a_region_that_is_gone_from_the_file_stays_until_that_is_confirmed(world: World) -> None:
    before, access, file = held(world), what(world), world.embedded.config_file
    target = world.options().account(ACCOUNT)
    kept, gone = target.regions[0], target.regions[-1]
    text = file.read_text("utf-8")
    regions = ",".join(target.regions)
    assert regions in text
    file.write_text(text.replace(regions, kept, 1), encoding="utf-8")
    assert world.options().account(ACCOUNT).regions == (kept,)

    for _ in range(2):
        world.sync(world.options(**OBJECTS_AND_ACCESS), only=[ACCOUNT])
        for table in ("data_source_import", "access_provider_import"):
            found = row(world, table)
            assert (found.delete_untouched, found.removed) == (False, 0)
            assert f"region {gone} of {ACCOUNT} was synced before and is gone" in str(found.reason)
        assert held(world) == before
        assert what(world) == access

    confirmed = ",".join(f"{ACCOUNT}/{region}" for region in target.regions[1:])
    assert failures(world.sync(world.options(removed_regions=confirmed, **OBJECTS_AND_ACCESS), only=[ACCOUNT])) == []
    found = row(world, "data_source_import")
    assert (found.delete_untouched, found.reason) == (True, None)
    assert found.removed == found.expected_removed > 0
    assert held(world) == before - found.removed
    assert failures(world.sync(world.options(**ONLY_OBJECTS), only=[ACCOUNT])) == []
    assert row(world, "data_source_import").reason is None
