"""Tables follow their target to its key: what an earlier version or another order of the file stored is found again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import ImportResult, S3Bucket
from raito_pipeline.orchestration.partitioning.partition_keys import KeyInUse, settle_key
from raito_pipeline.storage import Store
from raito_pipeline.storage.lease import Leases
from tests.config.conftest import Loads as LoadsText
from tests.config.conftest import account, loads, raito_yml

__all__ = ["loads"]
ACCOUNT = "123456789012"


def options(loads: LoadsText, *names: str) -> Options:
    return loads(raito_yml(*(account(name=name) for name in names)))


def store_of(given: Options) -> Store:
    return Store.open(given.pipeline.storage)


def synced(store: Store, key: str, target: str) -> None:
    """What a sync of a target leaves under a key: a bucket of its name, and whose import it was."""
    store.write("s3_buckets", [S3Bucket(f"of-{target}", "eu-west-1", None, True, None)], key)
    result = ImportResult(
        target, "DS", "job", "COMPLETED", True, None, 1, 1, "", 1, 0, 0, 0, (), (), datetime(2026, 1, 1, tzinfo=UTC)
    )
    store.write("data_source_import", [result], key)
    store.write("data_objects", [], key, "eu-west-1")


def stored(given: Options) -> dict[str, str]:
    """The target whose bucket lies under each key."""
    store = store_of(given)
    return {
        key: bucket.name.removeprefix("of-")
        for key in store.accounts("s3_buckets")
        for bucket in store.earlier(S3Bucket, key)
    }


def test_a_target_that_is_added_below_changes_no_key_and_moves_nothing(loads: LoadsText) -> None:
    alone = options(loads, "one")
    synced(store_of(alone), ACCOUNT, "one")

    both = options(loads, "one", "two")

    assert [target.partition for target in alone.accounts] == [ACCOUNT]
    assert [target.partition for target in both.accounts] == [ACCOUNT, f"{ACCOUNT}-two"]
    for key in (ACCOUNT, f"{ACCOUNT}-two"):
        assert settle_key(both, store_of(both), key) == ()
    assert stored(both) == {ACCOUNT: "one"}


@pytest.mark.parametrize("first", [0, 1])
def test_a_target_that_is_put_above_takes_the_key_and_the_tables_of_the_other_go_with_it(
    loads: LoadsText, first: int
) -> None:
    both = options(loads, "new", "one")
    synced(store_of(both), ACCOUNT, "one")
    keys = [target.partition for target in both.accounts]
    assert keys == [ACCOUNT, f"{ACCOUNT}-one"]

    for _ in range(2):
        settle_key(both, store_of(both), keys[first])

    assert stored(both) == {f"{ACCOUNT}-one": "one"}
    assert store_of(both).regions("data_objects", f"{ACCOUNT}-one") == ["eu-west-1"]
    assert [row.target for row in store_of(both).rows(ImportResult, keys[1], table="data_source_import")] == ["one"]


@pytest.mark.parametrize("only", ["new", "one"])
def test_they_go_with_it_also_where_one_of_the_two_is_synced_alone(loads: LoadsText, only: str) -> None:
    both = options(loads, "new", "one")
    synced(store_of(both), ACCOUNT, "one")
    alone = loads(raito_yml(account(name="new"), account(name="one")), only_targets=[only])

    settle_key(alone, store_of(both), alone.accounts[0].partition)

    assert stored(both) == {f"{ACCOUNT}-one": "one"}


def test_nothing_moves_to_a_key_whose_tables_are_damaged(loads: LoadsText) -> None:
    both = options(loads, "two", "one")
    store = store_of(both)
    synced(store, ACCOUNT, "one")
    synced(store, f"{ACCOUNT}-one", "one")
    Path(store.uri("s3_buckets", f"{ACCOUNT}-one")).write_bytes(b"no table")
    for key in (ACCOUNT, f"{ACCOUNT}-one"):
        assert settle_key(both, store, key) == ()


def test_what_earlier_versions_stored_moves_to_the_key_of_today(loads: LoadsText) -> None:
    """They gave both targets of an account long keys, and left under the short one what was stored before that."""
    both = options(loads, "one", "two")
    synced(store_of(both), ACCOUNT, "one")
    for name in ("one", "two"):
        synced(store_of(both), f"{ACCOUNT}-{name}", name)

    moved = [line for key in (ACCOUNT, f"{ACCOUNT}-two") for line in settle_key(both, store_of(both), key)]

    assert len(moved) == 1
    assert f"moved from {ACCOUNT}-one to {ACCOUNT}" in moved[0]
    assert stored(both) == {ACCOUNT: "one", f"{ACCOUNT}-two": "two"}
    assert settle_key(both, store_of(both), ACCOUNT) == ()


def test_a_target_that_is_left_alone_takes_its_tables_to_the_short_key(loads: LoadsText) -> None:
    alone = options(loads, "two")
    synced(store_of(alone), ACCOUNT, "one")
    synced(store_of(alone), f"{ACCOUNT}-two", "two")

    assert len(settle_key(alone, store_of(alone), ACCOUNT)) == 1

    assert stored(alone) == {ACCOUNT: "two"}


def test_nothing_moves_while_the_other_key_is_being_synced(loads: LoadsText) -> None:
    both = options(loads, "new", "one")
    synced(store_of(both), ACCOUNT, "one")
    lease = Leases(both.pipeline.storage).acquire(f"{ACCOUNT}-one", "sync", "run", "layer account", 0.0, True)
    try:
        with pytest.raises(KeyInUse, match="nothing was done"):
            settle_key(both, store_of(both), ACCOUNT)
    finally:
        lease.release()
    assert stored(both) == {ACCOUNT: "one"}


def test_a_folder_is_moved_whole(loads: LoadsText, tmp_path: Path) -> None:
    both = options(loads, "new", "one")
    synced(store_of(both), ACCOUNT, "one")
    settle_key(both, store_of(both), ACCOUNT)
    left = [each for each in (tmp_path / "data").rglob(f"account={ACCOUNT}/**/*") if each.is_file()]
    assert left == []
