"""What is stored of an account that is wanted no more: its tables and plans, its lease, its discovered entry, and what
is noted of its jobs in Raito Cloud.

Nothing of Raito Cloud is touched; what it holds by the last imports can be said. Dagster shows the partitions of the
configuration: with the target, its partition is gone. The record of its runs goes as that of all runs does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from raito_pipeline.config import AccountTarget, Options
from raito_pipeline.config.edit import without_accounts
from raito_pipeline.model import TABLES, ImportResult
from raito_pipeline.orchestration.config_file import read_beside, write_beside
from raito_pipeline.orchestration.partitioning.partitions import region_key
from raito_pipeline.raito.open_jobs import FOLDER as JOBS
from raito_pipeline.raito.open_jobs import OpenJobs
from raito_pipeline.storage import Store
from raito_pipeline.storage.accounts import files_of_account, remove_account, table_of_file
from raito_pipeline.storage.lease import Lease, Leases


@dataclass(frozen=True)
class Held:
    """How many elements Raito Cloud holds of a target by a stored import, and the table of that import."""

    target: str
    table: str
    elements: int | None


@dataclass(frozen=True)
class Forgotten:
    """What there is of an account, or of one of its regions: files by table, what Raito Cloud holds, and its target.

    `wanted` says why a sync would store it again; None where nothing would. `has_entry` is whether it stands in the
    file of discovered targets.
    """

    key: str
    region: str | None
    files: Mapping[str, int]
    held: tuple[Held, ...]
    target: AccountTarget | None
    wanted: str | None
    has_entry: bool
    with_jobs: tuple[str, ...] = ()
    """the names of its target, as its imports and the file have it, under which jobs are noted"""

    @property
    def label(self) -> str:
        """As a person names it."""
        return self.key if self.region is None else f"{self.key}|{self.region}"


def look(options: Options, key: str, region: str | None) -> Forgotten:
    """What there is of a partition. Raises `StorageError`."""
    store = Store.open(options.pipeline.storage)
    files = Counter(table_of_file(store, info.path) for info in files_of_account(store, key, region))
    target = next((each for each in options.accounts if each.partition == key), None)
    has_entry = region is None and target is not None and target.discovered
    held = () if region is not None else tuple(_held(store, key))
    with_jobs = () if region is not None else tuple(_with_jobs(options, store, key, held))
    files.update({JOBS: len(with_jobs)} if with_jobs else {})
    return Forgotten(key, region, files, held, target, _wanted(options, target, region), has_entry, with_jobs)


def _with_jobs(options: Options, store: Store, key: str, held: Iterable[Held]) -> Iterator[str]:
    """The names under which jobs of the account are noted; none that is the name of another target by now."""
    others = {each.name for each in options.targets if not (isinstance(each, AccountTarget) and each.partition == key)}
    own = {each.target for each in held} | {each.name for each in options.accounts if each.partition == key}
    jobs = OpenJobs(store)
    yield from (name for name in sorted(own - others) if jobs.is_noted(name))


def _wanted(options: Options, target: AccountTarget | None, region: str | None) -> str | None:
    if target is None or target.closed is not None:
        return None
    if region is not None:
        if region not in map(region_key, target.regions):
            return None
        return f"{region} is one of the regions of the target {target.name} in {options.file}"
    if target.discovered:
        return f"its account is open, and `discover` would find it again: `exclude-accounts: {target.account_id}` first"
    return f"it is the target {target.name} of {options.file}: take it out there first"


def _held(store: Store, key: str) -> list[Held]:
    held = []
    for table, spec in TABLES.items():
        if spec.row_type is ImportResult and spec.partitioned_by == "account":
            held += [Held(row.target, table, row.held) for row in store.earlier(ImportResult, key, table=table)]
    return held


def forget(options: Options, forgotten: Forgotten, run_id: str) -> int:
    """Remove what was found; gives how many files. Raises `SyncUnderWay`, `StorageError`, `NotEditable`, `OSError`."""
    store = Store.open(options.pipeline.storage)
    leases = Leases(options.pipeline.storage)
    with _place(leases, forgotten, run_id):
        count = remove_account(store, forgotten.key, forgotten.region)
        for name in forgotten.with_jobs:
            OpenJobs(store).write(name, ())
        count += len(forgotten.with_jobs)
        if forgotten.has_entry and forgotten.target is not None:
            file = options.pipeline.discovered_file
            write_beside(file, without_accounts(read_beside(file) or "", {forgotten.target.account_id}, file))
    if forgotten.region is None:
        leases.remove(forgotten.key)
    return count


def _place(leases: Leases, forgotten: Forgotten, run_id: str) -> Lease:
    """The account for ourselves. Raises `SyncUnderWay`.

    After a region is forgotten its account is in the sync that it was in: what is made by hand then joins that one.
    """
    last = None if forgotten.region is None else leases.last_sync(forgotten.key)
    begins = last is None or leases.under_way(forgotten.key) is not None  # a place that is kept is kept from us, too
    return leases.acquire(forgotten.key, run_id if begins else last, run_id, "forget", 0.0, begins)


def parts_of(text: str) -> tuple[str, str | None]:
    """The account and the region of `ACCOUNT`, `ACCOUNT|REGION` or `ACCOUNT/REGION`."""
    account, separator, region = text.strip().replace("/", "|").partition("|")
    return account, region if separator else None
