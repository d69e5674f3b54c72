"""All tables of an account: found, moved, removed, and those of others left alone."""

from pathlib import Path

from raito_pipeline.model import S3Bucket
from raito_pipeline.storage import Store
from raito_pipeline.storage.accounts import files_of_account, move_account, remove_account, table_of_file

ROW = S3Bucket("data", "eu-west-1", None, True, None)


def filled(folder: Path) -> Store:
    store = Store.open(folder)
    for account in ("1", "11", "1-two"):
        store.write("s3_buckets", [ROW], account)
        for region in ("eu-west-1", "us-east-1"):
            store.write("data_objects", [], account, region)
    store.confirm("s3_buckets", "1")
    return store


def keys(folder: Path) -> dict[str, list[str]]:
    store = Store.open(folder)
    found = {account: store.regions("data_objects", account) for account in store.accounts("s3_buckets")}
    return {account: regions for account, regions in found.items() if store.info("s3_buckets", account)}


def test_the_files_are_those_of_the_account_alone(tmp_path: Path) -> None:
    store = filled(tmp_path)
    paths = [info.path for info in files_of_account(store, "1")]
    assert len(paths) == len(set(paths)) == 4, "with the confirmation"
    assert {table_of_file(store, path) for path in paths} == {"s3_buckets", "data_objects"}
    assert len(list(files_of_account(store, "1", "eu-west-1"))) == 1


def test_moving_replaces_and_a_second_time_does_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path)
    before = store.info("s3_buckets", "1")

    assert (move_account(store, "1", "1-two"), move_account(store, "1", "1-two")) == (4, 0)

    after = Store.open(tmp_path).info("s3_buckets", "1-two")
    assert before is not None
    assert after is not None
    assert (after.read_at, after.rows, after.account) == (before.read_at, 1, "1-two")
    assert list(Store.open(tmp_path).rows(S3Bucket, "1-two")) == [ROW]
    assert Store.open(tmp_path).info("s3_buckets", "1") is None
    assert Store.open(tmp_path).info("s3_buckets", "11") is not None


def test_removing_an_account_or_a_region_of_it_leaves_the_rest(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert remove_account(store, "1", "us-east-1") == 1
    assert Store.open(tmp_path).info("data_objects", "1", "eu-west-1") is not None
    assert (remove_account(store, "1"), remove_account(store, "1")) == (3, 0)
    assert set(keys(tmp_path)) == {"11", "1-two"}
