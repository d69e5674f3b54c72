"""The Glue catalog of one region: databases and tables, as the catalog answers them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raito_pipeline.aws.clients import AwsClients, aws_call
from raito_pipeline.aws.errors import AwsError, AwsGone
from raito_pipeline.aws.reading import Progress, Read, no_progress, now, workers
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model.glue import GlueColumn, GlueTable
from raito_pipeline.storage.cells import ReadStatus

_TABLES_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class GlueSettings:
    """What of the catalog is wanted. The patterns are matched against whole names."""

    exclude_databases: tuple[NamePattern, ...] = ()
    exclude_tables: tuple[NamePattern, ...] = ()
    concurrency: int = 5


def read_tables(
    clients: AwsClients, region: str, settings: GlueSettings, progress: Progress = no_progress
) -> Read[GlueTable]:
    """Every table of the catalog of a region but those excluded, sorted by database and name, views included.

    A database that cannot be read is a problem, the others are still read. Raises nothing.
    """
    began = now()
    try:
        databases = [name for name in _databases(clients, region) if not _excluded(settings.exclude_databases, name)]
    except AwsError as error:
        return Read((), error.status, (str(error),), began)

    def of(database: str) -> Sequence[GlueTable] | AwsError:
        try:
            return [t for t in _tables(clients, region, database) if not _excluded(settings.exclude_tables, t.name)]
        except AwsGone:
            return []
        except AwsError as error:
            return error

    with workers(settings.concurrency) as pool:
        answers = pool.each(of, databases, "databases", progress)
    problems = tuple(str(answer) for answer in answers if isinstance(answer, AwsError))
    rows = [table for answer in answers if not isinstance(answer, AwsError) for table in answer]
    rows.sort(key=lambda table: (table.database, table.name))
    return Read(tuple(rows), ReadStatus.PARTIAL if problems else ReadStatus.COMPLETE, problems, began)


def _excluded(patterns: tuple[NamePattern, ...], name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in patterns)


def _databases(clients: AwsClients, region: str) -> Iterator[str]:
    request: dict[str, Any] = {"MaxResults": _TABLES_A_PAGE}
    while True:
        with aws_call("glue:GetDatabases", f"the catalog of {region}"):
            page = clients.client("glue", region).get_databases(**request)
        yield from (database["Name"] for database in page["DatabaseList"])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _tables(clients: AwsClients, region: str, database: str) -> Iterator[GlueTable]:
    request: dict[str, Any] = {"DatabaseName": database, "MaxResults": _TABLES_A_PAGE}
    while True:
        with aws_call("glue:GetTables", f"database {database} of {region}"):
            page: Mapping[str, Any] = clients.client("glue", region).get_tables(**request)
        yield from (_table(database, answered) for answered in page["TableList"])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _table(database: str, answered: Mapping[str, Any]) -> GlueTable:
    storage: Mapping[str, Any] = answered.get("StorageDescriptor") or {}
    return GlueTable(
        database=database,
        name=answered["Name"],
        location=storage.get("Location") or "",
        table_type=answered.get("TableType") or "",
        description=answered.get("Description") or "",
        parameters=_parameters(answered),
        columns=tuple(_column(column) for column in storage.get("Columns") or ()),
        partition_keys=tuple(_column(column) for column in answered.get("PartitionKeys") or ()),
    )


def _column(answered: Mapping[str, Any]) -> GlueColumn:
    return GlueColumn(
        name=answered["Name"],
        data_type=answered.get("Type") or None,
        comment=answered.get("Comment") or "",
        parameters=_parameters(answered),
    )


def _parameters(answered: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value or "") for key, value in (answered.get("Parameters") or {}).items()))
