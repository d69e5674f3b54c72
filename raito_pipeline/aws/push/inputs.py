"""Which versions of its tables a push was planned on: they are noted with the plan, and compared before it is used."""

import json
from collections.abc import Mapping

from raito_pipeline.model import TABLES
from raito_pipeline.storage import CellInfo, Store

PLANNED_ON = tuple(name for name in TABLES["access_push_plan"].reads if TABLES[name].partitioned_by == "account")
"""The tables of the account that a plan is made of; what is read a region is older than all of them in a sync."""
_MADE_OF = "made of"


def versions(store: Store, account: str) -> dict[str, str]:
    """The stored version of each table that a push of an account stands on: by run and time of the read.

    Of a regional table it is that of all its regions.
    """
    versions_by_table = {table: _version(store, table, account) for table in PLANNED_ON}
    return {table: version for table, version in versions_by_table.items() if version}


def _version(store: Store, table: str, account: str) -> str:
    """Empty where the table was never read."""
    regional = TABLES[table].partitioned_by == "account_region"
    infos = (store.info(table, account, region) for region in (store.regions(table, account) if regional else (None,)))
    return "; ".join(f"{info.run_id} {info.read_at.isoformat()}" for info in infos if info is not None)


def note(versions_by_table: Mapping[str, str]) -> dict[str, str]:
    """What a cell keeps with its rows, so that `made_of` gives these versions back."""
    return {_MADE_OF: json.dumps(dict(versions_by_table))}


def made_of(info: CellInfo) -> dict[str, str] | None:
    """The versions that a plan or the results of a push were made of, or None where the cell does not say."""
    text = info.extra.get(_MADE_OF)
    return None if text is None else dict(json.loads(text))
