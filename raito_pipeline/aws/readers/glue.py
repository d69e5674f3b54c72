"""The Glue catalog of one region: databases and tables, as the catalog answers them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsGone, AwsOptedOut
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.glue_links import Found, GlueDatabase, LocalCatalog
from raito_pipeline.aws.readers.reading import Progress, Read, UnreadElement, element_error, no_progress, now, workers
from raito_pipeline.config.groups import GlueOptions
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model.glue import GlueTable

_TABLES_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class GlueRead:
    """The tables of a catalog, and what is known of those that another system holds.

    `federated` are the tables of databases that are federated (a metastore elsewhere, a Redshift share) or links to
    those of another account or region: the next read gets them as `earlier`, because their source may not answer then,
    or their owner no longer share them. `notes` name those that did not answer now.
    """

    tables: Read[GlueTable]
    federated: tuple[GlueTable, ...] = ()
    notes: tuple[str, ...] = ()


def read_catalog(
    clients: AwsClients,
    region: str,
    options: GlueOptions,
    *,
    account_id: str = "",
    earlier: Iterable[GlueTable] = (),
    progress: Progress = no_progress,
) -> GlueRead:
    """Every table of the catalog of a region but those excluded, sorted by database and name, views included.

    A table is given once: under the database that it is in, and not again under resource links to the database or to
    the table. `account_id` is the catalog's own (where it is empty, the catalog's answer says it). A database that
    cannot be read is a problem, the others are still read; one that is held elsewhere and does not answer has the
    tables that it had `earlier`, and is a note. A region that the account has not enabled gives an opted-out read.
    Raises `AwsError` where the list of databases fails.
    """
    began = now()
    try:
        every = list(_databases(clients, region))
    except AwsOptedOut as error:
        return GlueRead(Read.opted_out(error, began))
    listed = [one for one in every if not matches_any(options.aws_glue_exclude_databases, one.name)]
    catalog = LocalCatalog.of(listed, account_id, region)
    databases = [one for one in listed if not catalog.holds_target(one)]
    answers = _tables_of_each(clients, region, options, databases, progress)
    unread = {one: answer for one, answer in answers.items() if isinstance(answer, AwsError)}
    # Of others the tables that they had are not known by database: what fails there is a problem of the whole cell.
    had = {table.database for table in earlier}
    # What a link had, and a version before did not note, is not known: then it is not away, but unread.
    away = {
        one: error for one, error in unread.items() if one.federated or (catalog.is_elsewhere(one) and one.name in had)
    }
    known = [table for table in earlier if table.database in {one.name for one in away}]
    read = [one for answer in answers.values() if not isinstance(answer, AwsError) for one in answer]
    rows = [*catalog.once(read), *known]
    rows.sort(key=lambda table: (table.database, table.name))
    outside = {one.name for one in databases if catalog.is_elsewhere(one)}
    missing = [
        UnreadElement("tables of databases", one.name, error) for one, error in unread.items() if one not in away
    ]
    return GlueRead(
        Read.complete(rows, began).without(missing),
        tuple(table for table in rows if table.database in outside),
        tuple(_away(one, error, known) for one, error in away.items()),
    )


def _tables_of_each(
    clients: AwsClients, region: str, options: GlueOptions, databases: Sequence[GlueDatabase], progress: Progress
) -> dict[GlueDatabase, Sequence[Found] | AwsError]:
    """The tables of each database but those excluded, or why they could not be read; none of one that is gone."""

    def of(database: GlueDatabase) -> Sequence[Found] | AwsError:
        try:
            tables = list(_tables(clients, region, database))
            return [one for one in tables if not matches_any(options.aws_glue_exclude_tables, one.table.name)]
        except AwsGone:
            return []
        except AwsError as error:
            return element_error(error)

    with workers(options.aws_concurrency) as pool:
        return dict(zip(databases, pool.each(of, databases, "databases", progress), strict=True))


def _away(database: GlueDatabase, error: AwsError, known: Sequence[GlueTable]) -> str:
    count = sum(table.database == database.name for table in known)
    kind = "federated" if database.federated else "linked"
    return f"the {kind} database {database.name} keeps the {count} tables that it had: {error}"


def _databases(clients: AwsClients, region: str) -> Iterator[GlueDatabase]:
    glue = Service(clients, "glue", NEXT_TOKEN, region)
    for page in glue.pages("GetDatabases", f"the catalog of {region}", MaxResults=_TABLES_A_PAGE):
        yield from (GlueDatabase.of(database) for database in page["DatabaseList"] if database.get("Name"))


def _tables(clients: AwsClients, region: str, database: GlueDatabase) -> Iterator[Found]:
    glue, name = Service(clients, "glue", NEXT_TOKEN, region), database.name
    for page in glue.pages("GetTables", f"database {name} of {region}", DatabaseName=name, MaxResults=_TABLES_A_PAGE):
        yield from (Found.of(database, answered) for answered in page["TableList"] if answered.get("Name"))
