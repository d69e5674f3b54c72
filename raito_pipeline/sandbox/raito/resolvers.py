"""Binds the schema to the state: every operation that clients of Raito Cloud send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, wraps
from pathlib import Path
from typing import Any

from ariadne import (
    InterfaceType,
    MutationType,
    ObjectType,
    QueryType,
    ScalarType,
    SchemaBindable,
    UnionType,
    make_executable_schema,
)
from graphql import EnumValueNode, GraphQLError, GraphQLResolveInfo, GraphQLSchema, StringValueNode, ValueNode
from sqlalchemy.engine import Row

from raito_pipeline.sandbox.raito.catalog import AlreadyThere, Catalog
from raito_pipeline.sandbox.raito.controls import Controls
from raito_pipeline.sandbox.raito.database import Database, rfc3339
from raito_pipeline.sandbox.raito.jobs import JOB_TYPE_OF, Jobs, NotThere, NotValid, Queued
from raito_pipeline.sandbox.raito.queries import bind_queries, job_answer, subtask_answer, task_answer
from raito_pipeline.sandbox.raito.uploads import UploadedFiles
from raito_pipeline.sandbox.raito.worker import ImportWorkers

SCHEMA_FILE = Path(__file__).with_name("schema.graphql")
MOST_OF_A_PAGE = 100

Answer = dict[str, Any]
Resolver = Callable[..., Any]


@dataclass(frozen=True)
class Versions:
    """What `SupportedCLIVersion` answers: constraints on the versions of clients, and a word to those that are old."""

    supported: str = ">=0.0.0-0"
    deprecated: str = "<0.40.0"
    message: str = "please update the client"


@dataclass(frozen=True)
class Context:
    """What resolvers work with. `url` is the address that the client used for this server, without a path."""

    url: str
    trigger_url: str
    versions: Versions
    database: Database
    catalog: Catalog
    jobs: Jobs
    files: UploadedFiles
    workers: ImportWorkers
    controls: Controls


@cache
def build_schema() -> GraphQLSchema:
    """The executable schema, from the schema file. It holds no state; that comes with each request's context."""
    query, mutation = QueryType(), MutationType()
    _bind_catalog(query)
    _bind_changes_of_the_catalog(mutation)
    _bind_jobs(query, mutation)
    _bind_imports(query, mutation)
    by_typename = [
        UnionType(name, lambda value, *_: value["__typename"])
        for name in (
            "DataSourceResult",
            "IdentityStoreResult",
            "PagedItemsResult",
            "SubtaskResult",
            "EndOfTargetsSyncResult",
            "CliTriggerUrlResult",
        )
    ]
    bindables: list[SchemaBindable | type[Enum]] = [
        query,
        mutation,
        *by_typename,
        InterfaceType("PagedItem", lambda value, *_: value["__typename"]),
        InterfaceType("BaseError", lambda value, *_: value["__typename"]),
        _data_source_fields(),
        ScalarType("SyncMethod", literal_parser=_word),
        ScalarType("Sort", literal_parser=_word),
        *bind_queries(query),
    ]
    return make_executable_schema(SCHEMA_FILE.read_text("utf-8"), bindables)


def _word(node: ValueNode, _variables: dict[str, Any] | None = None) -> str:
    if isinstance(node, StringValueNode | EnumValueNode):
        return node.value
    raise GraphQLError("a word is expected", node)


def told(resolve: Resolver) -> Resolver:
    """Turns errors of the state into errors of GraphQL, for operations whose answer is no union."""

    @wraps(resolve)
    def told_resolve(*args: Any, **kwargs: Any) -> Any:
        try:
            return resolve(*args, **kwargs)
        except (NotThere, NotValid, AlreadyThere) as error:
            raise GraphQLError(str(error)) from None

    return told_resolve


def _or_error(resolve: Resolver) -> Resolver:
    """Turns errors of the state into the error members of a union."""

    @wraps(resolve)
    def answered(*args: Any, **kwargs: Any) -> Any:
        try:
            return resolve(*args, **kwargs)
        except NotThere as error:
            return {"__typename": "NotFoundError", "message": str(error)}
        except AlreadyThere as error:
            return {"__typename": "AlreadyExistsError", "message": str(error), "id": error.identifier}
        except NotValid as error:
            return {"__typename": "InvalidInputError", "message": str(error)}

    return answered


# --- data sources, identity stores


def data_source_answer(row: Row[Any]) -> Answer:
    return {
        "__typename": "DataSource",
        "id": row.id,
        "name": row.name,
        "type": row.type,
        "description": row.description,
        "syncMethod": row.sync_method,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
        "parent_id": row.parent,
        "usageFirstUsed": rfc3339(row.usage_first_used),
        "usageLastUsed": rfc3339(row.usage_last_used),
    }


def identity_store_answer(row: Row[Any]) -> Answer:
    return {
        "__typename": "IdentityStore",
        "id": row.id,
        "name": row.name,
        "type": row.type,
        "description": row.description,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
        "native": row.native,
        "master": row.master,
        "icon": row.icon,
        "canBeLinked": row.can_be_linked,
        "canBeMaster": row.can_be_master,
    }


def _data_source_fields() -> ObjectType:
    fields = ObjectType("DataSource")

    @fields.field("identityStores")
    def identity_stores(source: Answer, info: GraphQLResolveInfo) -> list[Answer]:
        context: Context = info.context
        return [identity_store_answer(row) for row in context.catalog.identity_stores(source["id"])]

    @fields.field("parent")
    def parent(source: Answer, info: GraphQLResolveInfo) -> Answer | None:
        context: Context = info.context
        return data_source_answer(context.catalog.data_source(source["parent_id"])) if source["parent_id"] else None

    return fields


def _bind_catalog(query: QueryType) -> None:
    @query.field("dataSource")
    @_or_error
    def data_source(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        return data_source_answer(info.context.catalog.data_source(given["id"]))

    @query.field("identityStore")
    @_or_error
    def identity_store(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        return identity_store_answer(info.context.catalog.identity_store(given["id"]))

    @query.field("dataSources")
    @told
    def data_sources(_: Any, info: GraphQLResolveInfo, **arguments: Any) -> Answer:
        rows = [data_source_answer(row) for row in info.context.catalog.data_sources()]
        wanted = (arguments.get("filter") or {}).get("parent")
        return _page([row for row in rows if not wanted or row["parent_id"] == wanted], arguments)

    @query.field("identityStores")
    @told
    def identity_stores(_: Any, info: GraphQLResolveInfo, **arguments: Any) -> Answer:
        return _page([identity_store_answer(row) for row in info.context.catalog.identity_stores()], arguments)

    @query.field("SupportedCLIVersion")
    def supported(_: Any, info: GraphQLResolveInfo) -> Answer:
        versions: Versions = info.context.versions
        deprecated = {"deprecatedVersions": versions.deprecated, "msg": versions.message}
        return {"supportedVersions": versions.supported, "deprecatedVersions": deprecated}

    @query.field("cliTriggerUrl")
    def cli_trigger_url(_: Any, info: GraphQLResolveInfo) -> Answer:
        return {"__typename": "CliTriggerUrl", "url": info.context.trigger_url}


def _bind_changes_of_the_catalog(mutation: MutationType) -> None:
    @mutation.field("createDataSource")
    @_or_error
    def create_data_source(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        catalog: Catalog = info.context.catalog
        identifier = catalog.create_data_source(
            given["input"]["name"],
            given["input"].get("description") or "",
            given["input"].get("syncMethod") or "ON_PREM",
            given["input"].get("parent"),
        )
        return data_source_answer(catalog.data_source(identifier))

    @mutation.field("createIdentityStore")
    @_or_error
    def create_identity_store(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        catalog: Catalog = info.context.catalog
        identifier = catalog.create_identity_store(given["input"]["name"], given["input"].get("description") or "")
        return identity_store_answer(catalog.identity_store(identifier))

    @mutation.field("addIdentityStoreToDataSource")
    @_or_error
    def link(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        info.context.catalog.link(given["dsId"], given["isId"])
        return data_source_answer(info.context.catalog.data_source(given["dsId"]))

    @mutation.field("setDataSourceMetaData")
    @_or_error
    def set_data_source_metadata(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        info.context.catalog.set_data_source_metadata(given["id"], given["input"])
        return data_source_answer(info.context.catalog.data_source(given["id"]))

    @mutation.field("setIdentityStoreMetaData")
    @_or_error
    def set_identity_store_metadata(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        info.context.catalog.set_identity_store_metadata(given["id"], given["input"])
        return identity_store_answer(info.context.catalog.identity_store(given["id"]))


def _page(rows: Sequence[Answer], arguments: Mapping[str, Any]) -> Answer:
    """One relay page. A cursor is the id of the element it stands for."""
    search, wanted_type = arguments.get("search"), (arguments.get("filter") or {}).get("type")
    rows = [row for row in rows if not search or search.lower() in f"{row['name']} {row['description']}".lower()]
    rows = [row for row in rows if not wanted_type or row["type"] == wanted_type]
    for order in reversed(arguments.get("order") or []):
        for field, direction in order.items():
            rows = sorted(rows, key=lambda row: str(row[field]), reverse=direction == "DESC")
    start = 0
    if after := arguments.get("after"):
        places = [place for place, row in enumerate(rows) if row["id"] == after]
        if not places:
            raise NotValid(f"{after!r} is not a cursor of this listing")
        start = places[0] + 1
    end = start + min(arguments.get("limit") or MOST_OF_A_PAGE, MOST_OF_A_PAGE)
    page = rows[start:end]
    return {
        "__typename": "PagedResult",
        "pageInfo": {
            "hasNextPage": end < len(rows),
            "hasPreviousPage": start > 0,
            "startCursor": page[0]["id"] if page else None,
            "endCursor": page[-1]["id"] if page else None,
        },
        "edges": [{"cursor": row["id"], "node": row} for row in page],
    }


# --- jobs


def _bind_jobs(query: QueryType, mutation: MutationType) -> None:
    @mutation.field("createJob")
    @told
    def create_job(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        jobs: Jobs = info.context.jobs
        identifier = jobs.create(
            given["input"].get("dataSourceId"), given["input"].get("identityStoreId"), given["input"].get("status")
        )
        return job_answer(info.context.database, identifier)

    @mutation.field("updateJob")
    @told
    def update_job(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        info.context.jobs.update(given["id"], given["input"].get("status"), given["input"].get("errors"))
        return job_answer(info.context.database, given["id"])

    @mutation.field("addTaskEvent")
    @told
    def add_task_event(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        info.context.jobs.add_task_event(given["input"])
        return task_answer(info.context.database, given["input"]["jobId"], given["input"]["jobType"])

    @mutation.field("addSubtaskEvent")
    @told
    def add_subtask_event(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        jobs: Jobs = info.context.jobs
        jobs.add_subtask_event(given["input"])
        return subtask_answer(
            jobs.subtask(given["input"]["jobId"], given["input"]["jobType"], given["input"]["subtaskId"])
        )

    @mutation.field("addLogFileToTask")
    @told
    def add_log_file(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        context: Context = info.context
        if context.files.arrived(given["input"]["fileKey"]) is None:
            raise NotThere("uploaded file", given["input"]["fileKey"])
        context.jobs.add_log_file(given["input"]["jobId"], given["input"]["jobType"], given["input"]["fileKey"])
        return task_answer(context.database, given["input"]["jobId"], given["input"]["jobType"])

    @mutation.field("endOfTargetsSync")
    @told
    def end_of_targets(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        info.context.jobs.end(given["input"].get("jobIds") or [])
        return {"__typename": "EndOfTargetsSync", "success": True}

    @query.field("jobSubtask")
    @told
    def job_subtask(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        return subtask_answer(info.context.jobs.subtask(given["jobId"], given["jobType"], given["subtaskId"]))


# --- imports and export


def _bind_imports(query: QueryType, mutation: MutationType) -> None:
    imports = (
        ("importIdentityRequest", "identities"),
        ("importDataSourceRequest", "data-objects"),
        ("importAccessProvidersRequest", "access-providers"),
        ("importDataUsageRequest", "usage"),
        ("importAccessProvidersSyncFeedback", "feedback"),
    )
    for field, kind in imports:
        mutation.set_field(field, _import_resolver(kind))

    @query.field("exportAccessProvidersRequest")
    @told
    def export(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        out_of_sync = bool(((given.get("filter") or {}).get("status") or {}).get("outOfSync"))
        source = given["input"]["exportSettings"]["dataSource"]
        queued = info.context.jobs.queue(
            "export", given["input"]["jobId"], {"outOfSync": out_of_sync}, data_source=source
        )
        return _queued(info.context, queued)


def _import_resolver(kind: str) -> Resolver:
    @told
    def resolve(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer:
        wanted = given["input"]["importSettings"]
        queued = info.context.jobs.queue(
            kind,
            given["input"]["jobId"],
            wanted,
            data_source=wanted.get("dataSource"),
            identity_store=wanted.get("identityStore"),
        )
        return _queued(info.context, queued)

    return resolve


def _queued(context: Context, queued: Queued) -> Answer:
    # The answer is made before the work begins, so that it always says QUEUED.
    answer = subtask_answer(context.jobs.subtask(queued.job, JOB_TYPE_OF[queued.kind], queued.subtask))
    context.workers.put(queued)
    return {"subtask": answer}
