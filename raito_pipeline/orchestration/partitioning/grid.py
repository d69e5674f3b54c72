"""The partitions of `raito.yml` as Dagster sees them, and how those of one stage map onto another's."""

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning import partitions

# The multi-dimensional mapping is marked beta in Dagster 1.13; the lock file pins the version it was tried with.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*MultiToSingleDimensionPartitionMapping.*")


@dataclass(frozen=True)
class Cell:
    """One partition of a stored table: the account (or organization) folder and, where it has one, the region."""

    account: str
    region: str | None
    partition_key: str

    @property
    def place(self) -> tuple[str, str | None]:
        """Account and region, as the store takes them."""
        return self.account, self.region

    @property
    def label(self) -> str:
        """The cell as a person names it."""
        return self.account if self.region is None else f"{self.account}/{self.region}"


class KnownPartitions(dg.StaticPartitionsDefinition):
    """Partitions that are all known when definitions load. What Dagster compares them by is worked out once.

    It would write all keys into one text hundreds of times: a fifth of the CPU of loading five thousand accounts.
    """

    @cached_property
    def _text(self) -> str:
        return super().__str__()

    @cached_property
    def _hash(self) -> int:
        # As a plain definition of the same keys, to which it is equal.
        return hash(dg.StaticPartitionsDefinition(self.get_partition_keys()))

    def __str__(self) -> str:
        return self._text

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Grid:
    """Partition definitions and mappings, made once from the options when definitions load, and what all is called."""

    account: dg.StaticPartitionsDefinition
    account_region: dg.MultiPartitionsDefinition
    organization: dg.StaticPartitionsDefinition
    regions_to_account: dg.PartitionMapping
    organization_to_account: dg.PartitionMapping
    organization_to_regions: dg.PartitionMapping
    naming: Naming = field(default_factory=Naming)

    def definition(self, partitioned_by: str) -> dg.PartitionsDefinition[str]:
        """The partitions definition of a table by what it is partitioned by."""
        if partitioned_by == "account_region":
            return self.account_region
        return self.account if partitioned_by == "account" else self.organization

    def mapping(self, upstream: str, downstream: str) -> dg.PartitionMapping | None:
        """How the partitions of one table lead to those of another that is made of it, by what partitions them.

        None where they are the same. Raises `KeyError` where nothing of the one can be made of the other.
        """
        if upstream == downstream:
            return None
        return {
            ("account", "account_region"): self.regions_to_account,
            ("account_region", "account"): self.regions_to_account,
            ("organization", "account"): self.organization_to_account,
            ("organization", "account_region"): self.organization_to_regions,
        }[upstream, downstream]

    def names(self, owner: str) -> bool:
        """Whether `raito.yml` names an account or organization, by its partition key."""
        return self.account.has_partition_key(owner) or self.organization.has_partition_key(owner)

    def regional_keys(self, account: str) -> list[str]:
        """All region partitions of one account, in order: a range for one run."""
        dimensions = (dg.MultiPartitionKey({"account": account, "region": r}) for r in self.regions)
        return [str(key) for key in dimensions]

    @property
    def regions(self) -> list[str]:
        """Every region of any account, in order."""
        (dimension,) = (d for d in self.account_region.partitions_defs if d.name == "region")
        return list(dimension.partitions_def.get_partition_keys())


def make_grid(options: Options, naming: Naming | None = None) -> Grid:
    """The partitions of `raito.yml`: accounts, accounts x regions, organizations. Pure: nothing is contacted."""
    accounts = list(partitions.accounts(options))
    account = KnownPartitions(accounts)
    region = KnownPartitions(list(partitions.regions(options)))
    organizations = [each.key for each in partitions.organizations(options)]
    members: dict[str, list[str]] = {key: [] for key in organizations}
    for each in accounts:
        owner = partitions.organization_of(options, each)
        if owner is not None:
            members[owner].append(each)
    return Grid(
        account=account,
        account_region=dg.MultiPartitionsDefinition({"account": account, "region": region}),
        organization=KnownPartitions(organizations),
        regions_to_account=_regions_to_account(account, region),
        # Dagster has no mapping of one dimension of a partition onto other keys.
        organization_to_regions=dg.AllPartitionMapping(),
        organization_to_account=dg.StaticPartitionMapping({k: v for k, v in members.items() if v}),
        naming=naming or Naming(),
    )


def _regions_to_account(account: KnownPartitions, region: KnownPartitions) -> dg.PartitionMapping:
    """How the regions of accounts lead to them.

    Dagster looks for the dimension that is the same as `account`, whatever name it is given, and refuses a project
    where both are. They are where there is no account, and then any mapping is right.
    """
    if account == region:
        return dg.AllPartitionMapping()
    return dg.MultiToSingleDimensionPartitionMapping("account")


def cell_of(partitioned_by: str, partition_key: str) -> Cell:
    """The stored cell of a Dagster partition key."""
    if partitioned_by == "account":
        return Cell(partition_key, None, partition_key)
    if partitioned_by == "organization":
        account, region = partition_key.rsplit("_", 1)
        return Cell(account, region, partition_key)
    # Dagster orders the dimensions of a multi-partition key by name: account, then region.
    account, region = partition_key.split("|")
    return Cell(account, region, partition_key)
