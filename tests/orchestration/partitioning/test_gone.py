"""Regions and accounts that were synced before and are gone from raito.yml: what is said of them, and what may go."""

from pathlib import Path

import pytest

from raito_pipeline.config import Options, load
from raito_pipeline.orchestration.partitioning.gone import (
    confirmed_regions,
    forget,
    gone_accounts,
    gone_regions,
    reasons,
)
from raito_pipeline.storage import ReadStatus, Store
from raito_pipeline.storage.accounts import move_account
from tests.config.conftest import account, raito_yml

ACCOUNT = "123456789012"
BOTH = "eu-central-1,us-east-1"


def options(folder: Path, *targets: str, pipeline: str = "", only: str = "", **overrides: str) -> Options:
    file = folder / "raito.yml"
    file.write_text(raito_yml(*targets) + (f"pipeline:\n  {pipeline}\n" if pipeline else ""))
    given = {name.replace("_", "-"): text for name, text in overrides.items()}
    return load(file, {"HOME": str(folder)}, [only] if only else None, given)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An account that was synced in two regions, while a third was left out."""
    store = Store.open(tmp_path / "data")
    store.write("s3_buckets", (), ACCOUNT)
    for region in BOTH.split(","):
        for table in ("data_objects", "access_points", "usage_statements", "cloudtrail_files"):
            store.write(table, (), ACCOUNT, region)
    store.write("data_objects", (), ACCOUNT, "eu-west-1", status=ReadStatus.OUT_OF_SCOPE)
    return store


def test_a_region_that_was_synced_and_is_gone_is_said_with_what_to_do(tmp_path: Path, store: Store) -> None:
    assert gone_regions(options(tmp_path, account(regions=BOTH)), store, ACCOUNT) == ()
    less = options(tmp_path, account(regions="eu-central-1"))
    assert gone_regions(less, store, ACCOUNT) == ("us-east-1",)
    assert confirmed_regions(less, store, ACCOUNT) == ()
    (said,) = reasons(less, store, ACCOUNT)
    assert f"region us-east-1 of {ACCOUNT} was synced before and is gone from aws-regions" in said
    assert f"--confirm-removed {ACCOUNT}/us-east-1" in said


def test_a_region_whose_tables_are_damaged_was_synced_all_the_same(tmp_path: Path, store: Store) -> None:
    for table in ("data_objects", "access_points"):
        cell = Path(store.require(table, ACCOUNT, "us-east-1"))
        cell.write_bytes(cell.read_bytes()[:-20])
    less = options(tmp_path, account(regions="eu-central-1"))
    assert gone_regions(less, store, ACCOUNT) == ("us-east-1",)
    assert len(reasons(less, store, ACCOUNT)) == 1


@pytest.mark.parametrize("how", ["option", "command"])
def test_a_removal_that_is_confirmed_is_not_said(tmp_path: Path, store: Store, how: str) -> None:
    place, target = f"{ACCOUNT}/us-east-1", account(regions="eu-central-1")
    if how == "option":
        confirmed = options(tmp_path, target, pipeline=f"removed-regions: [{place}]")
    else:
        confirmed = options(tmp_path, target, removed_regions=place)
    assert reasons(confirmed, store, ACCOUNT) == ()
    assert confirmed_regions(confirmed, store, ACCOUNT) == ("us-east-1",)
    for _ in range(2):
        forget(store, ACCOUNT, "us-east-1")
        assert confirmed_regions(confirmed, store, ACCOUNT) == ()
    assert store.info("usage_statements", ACCOUNT, "us-east-1") is None
    assert store.info("data_objects", ACCOUNT, "eu-central-1") is not None


def test_an_account_is_gone_only_if_no_target_names_it(tmp_path: Path, store: Store) -> None:
    other = account(name="two", account_id="210987654321", regions="eu-central-1")
    both = (account(regions=BOTH), other)
    assert gone_accounts(options(tmp_path, *both), store) == ()
    assert gone_accounts(options(tmp_path, *both, only="two"), store) == ()
    assert gone_accounts(options(tmp_path, other), store) == (ACCOUNT,)


def test_of_what_moved_or_was_forgotten_no_account_is_gone(tmp_path: Path, store: Store) -> None:
    """Folders stay where files were; and the tables of a target under its other key are moved by its next sync."""
    only_one = options(tmp_path, account())
    store.write("s3_buckets", (), f"{ACCOUNT}-one")
    assert gone_accounts(only_one, store) == (), "it is the target `one`, under the key that it had below another one"
    store.write("s3_buckets", (), f"{ACCOUNT}-two")
    assert gone_accounts(only_one, store) == (f"{ACCOUNT}-two",)
    Path(store.uri("s3_buckets", f"{ACCOUNT}-two")).write_bytes(b"no table")
    assert gone_accounts(only_one, store) == (f"{ACCOUNT}-two",)
    move_account(store, f"{ACCOUNT}-two", f"{ACCOUNT}-one")
    assert gone_accounts(only_one, store) == ()
