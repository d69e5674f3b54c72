"""Resource links of Glue: databases and tables that stand for others, of this catalog or of another one.

Glue lists the tables of a link as if they were its own; taken at its word, each table would be there twice.
https://docs.aws.amazon.com/lake-formation/latest/dg/resource-links-about.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from raito_pipeline.aws.readers.glue_tables import table_of
from raito_pipeline.model.glue import GlueTable


class LinkTarget(NamedTuple):
    """What a link stands for. Catalog and region are empty where the answer does not say: then they are our own."""

    catalog: str
    region: str
    database: str
    table: str = ""

    @classmethod
    def of(cls, answered: Mapping[str, Any] | None) -> "LinkTarget | None":
        """`TargetDatabase` or `TargetTable` of an answer; null where it is no link."""
        if not answered or not answered.get("DatabaseName"):
            return None
        fields = (answered.get(name) or "" for name in ("CatalogId", "Region", "DatabaseName", "Name"))
        return cls(*fields)


class GlueDatabase(NamedTuple):
    """A database as `GetDatabases` answers it, as far as it matters."""

    name: str
    catalog: str
    target: LinkTarget | None
    federated: bool

    @classmethod
    def of(cls, answered: Mapping[str, Any]) -> "GlueDatabase":
        """Of an answer with a name."""
        target = LinkTarget.of(answered.get("TargetDatabase"))
        federated = bool(answered.get("FederatedDatabase"))
        return cls(answered["Name"], answered.get("CatalogId") or "", target, federated)


class Found(NamedTuple):
    """A table as it was listed, and what it stands for where it is a link or was seen through one."""

    table: GlueTable
    target: LinkTarget | None

    @classmethod
    def of(cls, database: GlueDatabase, answered: Mapping[str, Any]) -> "Found":
        """Of an answer of `GetTables` for a database."""
        target = LinkTarget.of(answered.get("TargetTable"))
        if target is None and database.target is not None:
            target = database.target._replace(table=answered["Name"])
        return cls(table_of(database.name, answered, linked=target is not None), target)


@dataclass(frozen=True, slots=True)
class LocalCatalog:
    """The catalog of one account and region, and the databases in it that are read for themselves."""

    account_id: str
    region: str
    databases: frozenset[str]

    @classmethod
    def of(cls, databases: Iterable[GlueDatabase], account_id: str, region: str) -> "LocalCatalog":
        """`account_id` may be empty: databases say which catalog they are in."""
        own = [one for one in databases if one.target is None]
        said = next((one.catalog for one in own if one.catalog), "")
        return cls(account_id or said, region, frozenset(one.name for one in own))

    def holds_target(self, database: GlueDatabase) -> bool:
        """True for a link to a database that is read for itself."""
        return database.target is not None and self._own(database.target) and database.target.database in self.databases

    def is_elsewhere(self, database: GlueDatabase) -> bool:
        """True for what another system, account or region holds: it may not answer, whatever this catalog does."""
        return database.federated or (database.target is not None and not self._own(database.target))

    def once(self, tables: Iterable[Found]) -> Iterator[GlueTable]:
        """Each table once: those of the catalog, and what links show beside them, the first link by name."""
        listed = sorted(tables, key=lambda one: (one.target is not None, one.table.database, one.table.name))
        seen: set[LinkTarget] = set()
        for table, target in listed:
            identity = self._full(target or LinkTarget("", "", table.database, table.name))
            if identity not in seen:
                seen.add(identity)
                yield table

    def _own(self, target: LinkTarget) -> bool:
        catalog = not target.catalog or not self.account_id or target.catalog == self.account_id
        return catalog and (not target.region or target.region == self.region)

    def _full(self, target: LinkTarget) -> LinkTarget:
        """The same target, without catalog and region where they are our own."""
        return target._replace(catalog="", region="") if self._own(target) else target
