"""Reading what has arrived: the queries that people and tests use, and the fields below jobs, tasks and subtasks."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ariadne import ObjectType, QueryType, SchemaBindable
from graphql import GraphQLResolveInfo
from sqlalchemy import ColumnElement, Table, func, or_, select
from sqlalchemy.engine import Connection, Row

from raito_pipeline.sandbox.raito import controls
from raito_pipeline.sandbox.raito.database import (
    Database,
    access_providers,
    data_objects,
    events,
    groups,
    jobs,
    log_files,
    rfc3339,
    subtasks,
    tasks,
    usage_statements,
    users,
)
from raito_pipeline.sandbox.raito.jobs import NotThere

MOST_OF_A_LIST = 10_000
_MOST_OF_A_LOG = 1 << 20

Answer = dict[str, Any]


def bind_queries(query: QueryType) -> list[SchemaBindable]:
    """Sets the resolvers of all queries under "Reading" in the schema; gives the object types that they need."""
    query.set_field("users", _lister(users, "identityStore", _user, (users.c.user_name, users.c.email)))
    query.set_field("groups", _lister(groups, "identityStore", _group, (groups.c.name,)))
    query.set_field("dataObjects", _lister(data_objects, "dataSource", _data_object, (data_objects.c.external_id,)))
    query.set_field(
        "accessProviders",
        _lister(access_providers, "dataSource", _access_provider, (access_providers.c.name,)),
    )
    query.set_field("usage", _lister(usage_statements, "dataSource", _statement, ()))
    query.set_field("accessControls", _access_controls)
    query.set_field("jobs", _jobs)
    query.set_field("job", _job)
    query.set_field("imports", _imports)
    job, task, subtask, log_file = (
        ObjectType("Job"),
        ObjectType("Task"),
        ObjectType("Subtask"),
        ObjectType("LogFile"),
    )
    job.set_field("tasks", _tasks)
    task.set_field("events", _task_events)
    task.set_field("subtasks", _subtasks)
    task.set_field("logFiles", _log_files)
    subtask.set_field("events", _subtask_events)
    subtask.set_field("result", _subtask_result)
    log_file.set_field("content", _log_content)
    return [job, task, subtask, log_file]


# --- lists


def _lister(
    table: Table, store: str, answer: Callable[[Row[Any]], Answer], searched: tuple[ColumnElement[str], ...]
) -> Callable[..., Answer]:
    """A resolver for a list in order of the external id; `after` is the last external id of the page before."""
    store_column = table.c["identity_store" if store == "identityStore" else "data_source"]

    def resolve(_: Any, info: GraphQLResolveInfo, **arguments: Any) -> Answer:
        conditions = [store_column == arguments[store]]
        for argument, column in (("type", "type"), ("parent", "parent"), ("user", "user")):
            if arguments.get(argument) is not None:
                conditions.append(table.c[column] == arguments[argument])
        if search := arguments.get("search"):
            conditions.append(or_(*(column.contains(search, autoescape=True) for column in searched)))
        limit = max(1, min(arguments.get("limit") or 100, MOST_OF_A_LIST))
        page = select(table).where(*conditions).order_by(table.c.external_id).limit(limit + 1)
        if after := arguments.get("after"):
            page = page.where(table.c.external_id > after)
        database: Database = info.context.database
        with database.read() as connection:
            total = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
            rows = connection.execute(page).all()
        more = len(rows) > limit
        return {
            "items": [answer(row) for row in rows[:limit]],
            "total": total,
            "next": rows[limit - 1].external_id if more else None,
        }

    return resolve


def _tags(value: str | None) -> list[Answer]:
    return json.loads(value) if value else []


def _user(row: Row[Any]) -> Answer:
    return {
        "externalId": row.external_id,
        "name": row.name,
        "userName": row.user_name,
        "email": row.email,
        "isMachine": row.is_machine,
        "tags": _tags(row.tags),
        "groupExternalIds": json.loads(row.groups),
    }


def _group(row: Row[Any]) -> Answer:
    return {
        "externalId": row.external_id,
        "name": row.name,
        "displayName": row.display_name,
        "description": row.description,
        "parentGroupExternalIds": json.loads(row.parents),
        "tags": _tags(row.tags),
    }


def _data_object(row: Row[Any]) -> Answer:
    return {
        "externalId": row.external_id,
        "name": row.name,
        "fullName": row.full_name or row.external_id,
        "type": row.type,
        "description": row.description,
        "parentExternalId": row.parent,
        "dataType": row.data_type,
        "tags": _tags(row.tags),
    }


def _access_provider(row: Row[Any]) -> Answer:
    record: Answer = json.loads(row.record)
    texts = {name: record.get(name) or "" for name in ("namingHint", "actualName", "policy")}
    flags = {name: bool(record.get(name)) for name in ("incomplete", "notInternalizable")}
    return {
        **texts,
        **flags,
        "externalId": row.external_id,
        "name": row.name,
        "type": row.type,
        "action": record["action"],
        "who": record.get("who"),
        "what": record["what"],
        "tags": record.get("tags") or [],
        "record": row.record,
    }


def _statement(row: Row[Any]) -> Answer:
    record: Answer = json.loads(row.record)
    accessed = [
        {
            "dataObject": {"type": "", **item["dataObject"]},
            "permissions": item.get("permissions") or [],
            "globalPermission": item.get("globalPermission") or "",
        }
        for item in record["accessedDataObjects"]
    ]
    return {
        "externalId": row.external_id,
        "user": row.user,
        "role": row.role,
        "success": row.success,
        "status": record.get("status") or "",
        "error": record.get("error") or "",
        "startTime": rfc3339(row.start_time),
        "bytes": row.bytes,
        "accessedDataObjects": accessed,
    }


def _access_controls(_: Any, info: GraphQLResolveInfo, dataSource: str) -> list[Answer]:  # noqa: N803
    return [
        {
            "id": row.id,
            "name": row.definition["name"],
            "type": row.actual_type or row.definition.get("type"),
            "state": controls.state(row),
            "outOfSync": controls.out_of_sync(row),
            "actualName": row.actual_name,
            "externalId": row.external_id,
            "errors": row.errors,
            "warnings": row.warnings,
            "record": json.dumps(controls.exported(row)),
        }
        for row in info.context.controls.listed(dataSource)
    ]


# --- jobs


def job_answer(database: Database, job: str) -> Answer:
    """One job; raises NotThere."""
    with database.read() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == job)).first()
    if row is None:
        raise NotThere("job", job)
    return _job_row(row)


def task_answer(database: Database, job: str, job_type: str) -> Answer:
    """One task of a job. A task that never had an event of its own is one that just started."""
    with database.read() as connection:
        row = connection.execute(select(tasks).where(tasks.c.job == job, tasks.c.job_type == job_type)).first()
    if row is not None:
        return _task_row(row)
    return {"jobId": job, "jobType": job_type, "status": "STARTED", "lastUpdate": ""} | {
        name: [] for name in ("errors", "warnings", "result")
    }


def subtask_answer(row: Row[Any]) -> Answer:
    """One subtask, from its row."""
    return {
        "jobId": row.job,
        "jobType": row.job_type,
        "subtaskId": row.id,
        "status": row.status,
        "lastUpdate": row.last_update,
        "receivedDate": row.received_date,
        "errors": row.errors,
        "result": row.result,
    }


def _job_row(row: Row[Any]) -> Answer:
    return {
        "jobId": row.id,
        "dataSourceId": row.data_source,
        "identityStoreId": row.identity_store,
        "status": row.status,
        "createdAt": row.created_at,
        "lastUpdate": row.last_update,
        "errors": row.errors,
    }


def _task_row(row: Row[Any]) -> Answer:
    numbers = ("added", "updated", "removed", "failed")
    return {
        "jobId": row.job,
        "jobType": row.job_type,
        "dataSourceId": row.data_source,
        "identityStoreId": row.identity_store,
        "status": row.status,
        "lastUpdate": row.last_update,
        "errors": row.errors,
        "warnings": row.warnings,
        "result": [
            {"objectType": item["objectType"], **{name: item.get(name) or 0 for name in numbers}} for item in row.result
        ],
    }


def _of_stores(table: Table, arguments: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    conditions = []
    if arguments.get("dataSource"):
        conditions.append(table.c.data_source == arguments["dataSource"])
    if arguments.get("identityStore"):
        conditions.append(table.c.identity_store == arguments["identityStore"])
    return conditions


def _jobs(_: Any, info: GraphQLResolveInfo, **arguments: Any) -> list[Answer]:
    query = select(jobs).where(*_of_stores(jobs, arguments)).order_by(jobs.c.number.desc()).limit(arguments["limit"])
    with info.context.database.read() as connection:
        return [_job_row(row) for row in connection.execute(query)]


def _job(_: Any, info: GraphQLResolveInfo, **given: Any) -> Answer | None:
    try:
        return job_answer(info.context.database, given["id"])
    except NotThere:
        return None


def _imports(_: Any, info: GraphQLResolveInfo, **arguments: Any) -> list[Answer]:
    query = (
        select(subtasks)
        .where(subtasks.c.kind.is_not(None), *_of_stores(subtasks, arguments))
        .order_by(subtasks.c.number.desc())
        .limit(arguments["limit"])
    )
    with info.context.database.read() as connection:
        return [_import(row) for row in connection.execute(query)]


def _import(row: Row[Any]) -> Answer:
    request = row.request or {}
    keys = [request.get(name) for name in ("fileKey", "usersFileKey", "groupsFileKey")]
    return {
        "subtaskId": row.id,
        "jobId": row.job,
        "kind": row.kind,
        "dataSource": row.data_source,
        "identityStore": row.identity_store,
        "deleteUntouched": request.get("deleteUntouched"),
        "replaceGroups": request.get("replaceGroups"),
        "fileKeys": [*(key for key in keys if key), *(request.get("fileKeys") or [])],
        "status": row.status,
        "lastUpdate": row.last_update,
        "errors": row.errors,
        "warnings": (row.result or {}).get("warnings") or [],
    }


def _tasks(job: Answer, info: GraphQLResolveInfo) -> list[Answer]:
    with info.context.database.read() as connection:
        rows = connection.execute(select(tasks).where(tasks.c.job == job["jobId"])).all()
    return [_task_row(row) for row in rows]


def _subtasks(task: Answer, info: GraphQLResolveInfo) -> list[Answer]:
    query = (
        select(subtasks)
        .where(subtasks.c.job == task["jobId"], subtasks.c.job_type == task["jobType"])
        .order_by(subtasks.c.number)
    )
    with info.context.database.read() as connection:
        return [subtask_answer(row) for row in connection.execute(query)]


def _subtask_result(subtask: Answer, info: GraphQLResolveInfo) -> Answer | None:
    """The result; the address of an exported file is signed anew for everybody who asks."""
    result: Answer | None = subtask["result"]
    if result is None or result["__typename"] != "AccessProviderExportResult":
        return result
    return {
        **result,
        "fileLocation": info.context.files.download_address(info.context.url, result["fileKey"]),
    }


def _events(connection: Connection, job: str, job_type: str, subtask: str) -> list[Answer]:
    rows = connection.execute(
        select(events)
        .where(events.c.job == job, events.c.job_type == job_type, events.c.subtask == subtask)
        .order_by(events.c.number)
    )
    return [{"status": row.status, "eventTime": row.time} for row in rows]


def _task_events(task: Answer, info: GraphQLResolveInfo) -> list[Answer]:
    with info.context.database.read() as connection:
        return _events(connection, task["jobId"], task["jobType"], "")


def _subtask_events(subtask: Answer, info: GraphQLResolveInfo) -> list[Answer]:
    with info.context.database.read() as connection:
        return _events(connection, subtask["jobId"], subtask["jobType"], subtask["subtaskId"])


def _log_files(task: Answer, info: GraphQLResolveInfo) -> list[Answer]:
    query = (
        select(log_files.c.file_key)
        .where(log_files.c.job == task["jobId"], log_files.c.job_type == task["jobType"])
        .order_by(log_files.c.number)
    )
    with info.context.database.read() as connection:
        return [{"fileKey": key} for key in connection.execute(query).scalars()]


def _log_content(log_file: Answer, info: GraphQLResolveInfo) -> str | None:
    path = info.context.files.arrived(log_file["fileKey"])
    if path is None:
        return None
    with path.open("rb") as stream:
        content: bytes = stream.read(_MOST_OF_A_LOG)
    return content.decode("utf-8", "replace")
