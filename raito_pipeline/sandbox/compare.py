"""What a sync of the embedded estate arrived at, counted three times: in AWS, in the tables, in Raito Cloud."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount
from raito_pipeline.sandbox.count_access import count_access_providers
from raito_pipeline.sandbox.count_aws import AwsCounter
from raito_pipeline.sandbox.count_tables import TableCounter
from raito_pipeline.sandbox.count_usage import count_statements
from raito_pipeline.sandbox.raito.seed import data_source_id, identity_store_id, organization_store_id
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

_ACCOUNT_ITSELF = "datasource"
_IN_SYNC = "SYNCED"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of one account, counted in each place."""

    account: str
    what: str
    aws: int
    tables: int
    raito: int

    @property
    def equal(self) -> bool:
        """True where the three counts agree."""
        return self.aws == self.tables == self.raito


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every line that was counted."""

    lines: tuple[Line, ...]

    @property
    def equal(self) -> bool:
        """True where all lines agree and there are any."""
        return bool(self.lines) and all(line.equal for line in self.lines)


def compare(estate: Estate, endpoint_url: str, storage: Path, raito: LocalRaitoCloud) -> Comparison:
    """Count everything in the emulated AWS at `endpoint_url`, in the tables below `storage`, and in Raito Cloud."""
    counts = raito.counts()
    tables = TableCounter(storage)
    lines = list(_organization(estate, endpoint_url, tables, counts))
    for account in estate.members:
        lines += _account(AwsCounter(estate, account, endpoint_url), account, tables, counts)
    return Comparison(tuple(lines))


def show(console: Console, comparison: Comparison) -> None:
    """Print the comparison as a table, one block an account."""
    table = Table("account", "what", "AWS", "tables", "Raito Cloud", "", title="What arrived")
    before = None
    for line in comparison.lines:
        if before not in (None, line.account):
            table.add_section()
        mark = "[green]✓[/]" if line.equal else "[red]✗[/]"
        shown = line.account if line.account != before else ""
        table.add_row(shown, line.what, *(f"{n:,}" for n in (line.aws, line.tables, line.raito)), mark)
        before = line.account
    for column in table.columns[2:5]:
        column.justify = "right"
    console.print(table)


def _organization(estate: Estate, endpoint_url: str, tables: TableCounter, counts: Mapping[str, Any]) -> Iterator[Line]:
    account = estate.master
    aws = AwsCounter(estate, account, endpoint_url).organization()
    stored = tables.organization(account.account_id)
    arrived = counts["identityStores"][organization_store_id(account.account_id)]
    for what in ("users", "groups"):
        yield Line(f"{account.name} {account.account_id}", what, aws[what], stored[what], arrived[what])


def _account(
    counter: AwsCounter, account: EstateAccount, tables: TableCounter, counts: Mapping[str, Any]
) -> Iterator[Line]:
    name, account_id = f"{account.name} {account.account_id}", account.account_id
    store = counts["identityStores"][identity_store_id(account_id)]
    source = counts["dataSources"][data_source_id(account_id)]
    identities, stored = counter.identities(), tables.identities(account_id)
    for what in ("users", "groups"):
        yield Line(name, what, identities[what], stored[what], store[what])
    objects = {kind: n for kind, n in source["dataObjects"].items() if kind != _ACCOUNT_ITSELF}
    yield from _by_type(name, counter.data_objects(), tables.data_objects(account_id), objects)
    providers = count_access_providers(counter, account)
    yield from _by_type(name, providers, tables.access_providers(account_id), source["accessProviders"])
    statements = count_statements(counter)
    yield Line(name, "usage statements", statements, tables.usage_statements(account_id), source["usageStatements"])
    in_sync = source["accessControls"].get(_IN_SYNC, 0)
    yield Line(name, "access controls pushed", counter.made_by_raito(), tables.pushed(account_id), in_sync)


def _by_type(name: str, aws: Mapping[str, int], tables: Mapping[str, int], raito: Mapping[str, int]) -> Iterator[Line]:
    for kind in sorted({*aws, *tables, *raito}):
        yield Line(name, kind, aws.get(kind, 0), tables.get(kind, 0), raito.get(kind, 0))
