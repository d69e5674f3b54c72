"""Regions and accounts that were synced before and are gone from `raito.yml`.

A region that is left out by mistake must not be emptied in Raito Cloud. As long as its removal is not confirmed
(`pipeline: removed-regions`), its tables stay, its buckets keep their place in access, and imports remove nothing.
"""

from dataclasses import dataclass

from raito_pipeline.config import AccountTarget, Options
from raito_pipeline.config.names import as_key
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.storage import CellMissing, CellUnusable, ReadStatus, Store

IS_GONE = "is gone from aws-regions"
_TABLES = ("data_objects", "access_points")
"""the regional tables that imports are made of"""
_OF_ALL = "s3_buckets"
"""a table that every sync of an account writes"""


def gone_regions(options: Options, store: Store, account: str) -> tuple[str, ...]:
    """The regions of an account that are gone from `aws-regions`, and whose removal is not confirmed."""
    return tuple(r for r in _gone(options, store, account) if f"{account}/{r}" not in options.pipeline.removed_regions)


def with_gone_regions(options: Options, store: Store, target: AccountTarget) -> AccountTarget:
    """A target that reads those regions, too: what lies in one that may be gone by mistake keeps its access."""
    left = gone_regions(options, store, target.partition)
    return target.model_copy(update={"regions": (*target.regions, *left)})


def confirmed_regions(options: Options, store: Store, account: str) -> tuple[str, ...]:
    """Those that are gone, are meant to be, and still have tables."""
    return tuple(r for r in _gone(options, store, account) if f"{account}/{r}" in options.pipeline.removed_regions)


def reasons(options: Options, store: Store, account: str) -> tuple[str, ...]:
    """What is to be said of each region that is gone without confirmation."""
    return tuple(_reason(account, region) for region in gone_regions(options, store, account))


@dataclass(frozen=True)
class Kept:
    """Why what is stored of a region stays, and whether somebody has said that the region is meant to be gone."""

    reason: str
    confirmed: bool


def kept(options: Options, store: Store, account: str, region: str) -> Kept | None:
    """Why nothing is stored of a region in place of what is; None where it is not gone."""
    if region in gone_regions(options, store, account):
        return Kept(_reason(account, region), confirmed=False)
    if region not in confirmed_regions(options, store, account):
        return None
    reason = f"region {region} of {account} is gone, as `removed-regions` says: its tables go with what they hold"
    return Kept(f"{reason} in Raito Cloud, by the next import that may remove it", confirmed=True)


def _reason(account: str, region: str) -> str:
    return (
        f"region {region} of {account} was synced before and {IS_GONE}: if that is meant, confirm it "
        f"with `raito-pipeline run --confirm-removed {account}/{region}`, or with `pipeline: removed-regions`"
    )


def gone_accounts(options: Options, store: Store) -> tuple[str, ...]:
    """The accounts that were synced before and are in no target any more. Their data sources are left alone.

    What lies under a key that a target had is none of them: its tables follow it (`partition_keys.py`).
    """
    every = options.every_account
    known = {as_key(key) for each in every for key in (each.partition, f"{each.account_id}-{each.name}")}
    listed = (account for account in store.accounts(_OF_ALL) if account not in known)
    return tuple(each for each in listed if store.info(_OF_ALL, each) is not None or store.unusable(_OF_ALL, each))


def forget(store: Store, account: str, region: str) -> None:
    """Remove the tables of a region."""
    for table in Layer.REGIONS.tables:
        store.remove(table, account, region)


def _gone(options: Options, store: Store, account: str) -> list[str]:
    stored = {region for table in _TABLES for region in store.regions(table, account)}
    return [
        region
        for region in sorted(stored)
        if not partitions.in_scope(options, account, region) and _was_synced(store, account, region)
    ]


def _was_synced(store: Store, account: str, region: str) -> bool:
    return any(_was_read(store, table, account, region) for table in _TABLES)


def _was_read(store: Store, table: str, account: str, region: str) -> bool:
    """Whether a table of a region was read once: also where what is stored of it cannot be used any more."""
    try:
        store.require(table, account, region)
    except CellUnusable:
        return True
    except CellMissing:
        return False
    info = store.info(table, account, region)
    return info is not None and info.status is not ReadStatus.OUT_OF_SCOPE
