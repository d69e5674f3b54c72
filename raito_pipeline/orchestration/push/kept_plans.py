"""Plans of an account in the storage: kept, read by their ids, the oldest removed.

Each is `_plans/account=ID/PLAN_ID.json`, which `raito-pipeline apply` and an approval in Dagster take up, and a `.md`
to read.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raito_pipeline.aws.push.account_plan import AccountPlan, from_file, to_file
from raito_pipeline.aws.push.inputs import PLANNED_ON
from raito_pipeline.orchestration.push.plan_pages import page_of
from raito_pipeline.orchestration.push.remembered import EXPORT
from raito_pipeline.storage import Store
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.files import PLANS, put

KEPT = 20
"""plans of an account that are kept; the oldest go first"""


class PlanUnknown(Exception):
    """There is no such plan in the storage."""

    def __init__(self, plan_id: str, places: Mapping[str, Sequence[str]]) -> None:
        """`places` holds the ids of the plans that each folder has that was looked into."""
        looked = [
            f"in {place}{''.join([', only ', ', '.join(known)] if known else [])}" for place, known in places.items()
        ]
        super().__init__(
            f"there is no plan {plan_id!r} {'; nor '.join(looked)}: nothing was changed. "
            f"`raito-pipeline plan` makes one and says its id."
        )
        self.plan_id, self.places = plan_id, places

    @classmethod
    def in_all(cls, unknown: "Sequence[PlanUnknown]") -> "PlanUnknown":
        """One error of a plan that several folders do not have."""
        return cls(unknown[0].plan_id, {place: known for each in unknown for place, known in each.places.items()})


@dataclass(frozen=True)
class PlanFolder:
    """The plans of one account in the storage."""

    store: Store
    account: str
    folder: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", posixpath.join(self.store.root, PLANS, f"account={self.account}"))

    def write(self, plan: AccountPlan) -> str:
        """Keep a plan, and give the address of the page to read it whole. Raises `StorageError`."""
        page = posixpath.join(self.folder, f"{plan.id}.md")
        with storage_errors(f"plan {plan.id} of {self.account}", "kept", self.store.files.scheme + self.folder):
            put(self.store.files, page, page_of(plan).encode())
            put(self.store.files, self._path(plan.id), to_file([plan]))
            self._remove_old()
        return self.store.files.scheme + page

    def read(self, plan_id: str) -> AccountPlan:
        """A plan by its id. Raises `PlanUnknown`, `PlanUnreadable`, `StorageError`."""
        address = self.store.files.scheme + self.folder
        with storage_errors(f"plan {plan_id} of {self.account}", "read", address):
            names = self.store.files.listing(self.folder)
            content = self.store.files.read(self._path(plan_id)) if f"{plan_id}.json" in names else None
        if content is None:
            known = sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))
            raise PlanUnknown(plan_id, {address: known})
        (plan,) = from_file(content, self._path(plan_id))
        return plan

    def _path(self, plan_id: str) -> str:
        return posixpath.join(self.folder, f"{plan_id}.json")

    def _remove_old(self) -> None:
        listing = self.store.files.listing(self.folder)
        files = sorted(
            (info for name, info in listing.items() if name.endswith(".json")), key=lambda info: info.mtime_ns or 0
        )
        for old in files[:-KEPT]:
            page = f"{old.base_name.removesuffix('.json')}.md"
            for info in (old, listing.get(page)):
                if info is not None:
                    self.store.files.delete(info.path)


def outdated(plan: AccountPlan, now: AccountPlan) -> str | None:
    """Why a plan must not be made any more, or None: what is stored now gives the same plan.

    A recovery is made of an export of its own: what was read of AWS has to be what is stored.
    """
    if plan.recovery is None:
        return None if plan.id == now.id else f"what is stored now gives plan {now.id}"
    newer = [table for table in PLANNED_ON if table != EXPORT and plan.made_of.get(table) != now.made_of.get(table)]
    return f"{newer[0]} was read anew since" if newer else None
