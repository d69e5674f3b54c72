"""Jobs, their tasks, subtasks and log files: what makes a sync visible, and the queue of what the server works off."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Row

from raito_pipeline.sandbox.raito.database import (
    Database,
    data_sources,
    events,
    identity_stores,
    jobs,
    log_files,
    now,
    subtasks,
    tasks,
)

JOB_TYPES = frozenset({"IS", "DS", "DA", "DU", "RP", "TAG"})
RUNNING = frozenset({"STARTED", "IN_PROGRESS", "DATA_RETRIEVE", "DATA_UPLOAD", "QUEUED", "DATA_PROCESSING"})
FINAL = frozenset({"COMPLETED", "FAILED", "SKIPPED", "TIMED_OUT"})
JOB_TYPE_OF = {
    "identities": "IS",
    "data-objects": "DS",
    "access-providers": "DA",
    "feedback": "DA",
    "export": "DA",
    "usage": "DU",
}


class NotThere(Exception):
    """Something that a request names does not exist. `kind` says what it would be, `identifier` which."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"{kind} {identifier!r} does not exist")
        self.kind = kind
        self.identifier = identifier


class NotValid(Exception):
    """A value in a request that is not one of those allowed."""


@dataclass(frozen=True)
class Queued:
    """One piece of work for the server: the row of its subtask, and what was asked for."""

    number: int
    job: str
    subtask: str
    kind: str
    store: str
    request: Mapping[str, Any]


class Jobs:
    """Keeps what clients report about their sync, and what the server itself is to do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, data_source: str | None, identity_store: str | None, status: str | None = None) -> str:
        """A new job; gives its id. Raises NotThere for an unknown data source or identity store."""
        identifier, instant = str(uuid.uuid4()), now()
        with self._database.write() as connection:
            _check_stores(connection, data_source, identity_store)
            number = connection.execute(select(func.coalesce(func.max(jobs.c.number), 0) + 1)).scalar_one()
            connection.execute(
                insert(jobs).values(
                    id=identifier,
                    number=number,
                    data_source=data_source or None,
                    identity_store=identity_store or None,
                    status=_status(status or "STARTED"),
                    created_at=instant,
                    last_update=instant,
                    errors=[],
                )
            )
        return identifier

    def update(self, job: str, status: str | None, errors: Sequence[str] | None) -> None:
        values: dict[str, Any] = {"last_update": now()}
        if status:
            values["status"] = _status(status)
        if errors is not None:
            values["errors"] = list(errors)
        with self._database.write() as connection:
            if connection.execute(update(jobs).where(jobs.c.id == job).values(values)).rowcount == 0:
                raise NotThere("job", job)

    def end(self, identifiers: Sequence[str]) -> None:
        """Marks jobs as part of a run that is over."""
        with self._database.write() as connection:
            for identifier in identifiers:
                changed = connection.execute(update(jobs).where(jobs.c.id == identifier).values(ended=True))
                if changed.rowcount == 0:
                    raise NotThere("job", identifier)

    def add_task_event(self, event: Mapping[str, Any]) -> None:
        """One `TaskEventInput`: the task takes on its status; errors, warnings and results replace what it had."""
        job, job_type, status = event["jobId"], _job_type(event["jobType"]), _status(event["status"])
        values = {
            "data_source": event.get("dataSourceId") or None,
            "identity_store": event.get("identityStoreId") or None,
            "status": status,
            "last_update": now(),
            "errors": event.get("errors") or [],
            "warnings": event.get("warnings") or [],
            "result": event.get("result") or [],
        }
        with self._database.write() as connection:
            _check_job(connection, job)
            statement = sqlite_insert(tasks).values(job=job, job_type=job_type, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["job", "job_type"], set_=values))
            _record(connection, job, job_type, "", status)

    def add_subtask_event(self, event: Mapping[str, Any]) -> None:
        """One `SubtaskInput`, for subtasks that the client works off itself."""
        job, job_type, status = event["jobId"], _job_type(event["jobType"]), _status(event["status"])
        values: dict[str, Any] = {"status": status, "last_update": now()}
        if event.get("receivedDate") is not None:
            values["received_date"] = event["receivedDate"]
        with self._database.write() as connection:
            _check_job(connection, job)
            statement = sqlite_insert(subtasks).values(
                job=job,
                job_type=job_type,
                id=event["subtaskId"],
                errors=[],
                data_source=event.get("dataSourceId") or None,
                identity_store=event.get("identityStoreId") or None,
                **values,
            )
            connection.execute(statement.on_conflict_do_update(index_elements=["job", "job_type", "id"], set_=values))
            _record(connection, job, job_type, event["subtaskId"], status)

    def add_log_file(self, job: str, job_type: str, file_key: str) -> None:
        with self._database.write() as connection:
            _check_job(connection, job)
            connection.execute(insert(log_files).values(job=job, job_type=_job_type(job_type), file_key=file_key))

    def queue(
        self,
        kind: str,
        job: str,
        request: Mapping[str, Any],
        *,
        data_source: str | None = None,
        identity_store: str | None = None,
    ) -> Queued:
        """Notes that the server has to do something, as a subtask in state QUEUED."""
        if not (data_source or identity_store):
            raise NotThere("identity store" if kind == "identities" else "data source", "")
        identifier, job_type = f"{kind}-{uuid.uuid4()}", JOB_TYPE_OF[kind]
        with self._database.write() as connection:
            _check_job(connection, job)
            _check_stores(connection, data_source, identity_store)
            number = connection.execute(
                insert(subtasks)
                .values(
                    job=job,
                    job_type=job_type,
                    id=identifier,
                    status="QUEUED",
                    last_update=now(),
                    errors=[],
                    kind=kind,
                    data_source=data_source,
                    identity_store=identity_store,
                    request=dict(request),
                )
                .returning(subtasks.c.number)
            ).scalar_one()
            _record(connection, job, job_type, identifier, "QUEUED")
        return Queued(number, job, identifier, kind, data_source or identity_store or "", request)

    def unfinished(self) -> list[Queued]:
        """What was queued or under way when the server last stopped, in order."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(subtasks)
                .where(subtasks.c.kind.is_not(None), subtasks.c.status.in_(("QUEUED", "DATA_PROCESSING")))
                .order_by(subtasks.c.number)
            ).all()
        return [
            Queued(
                row.number,
                row.job,
                row.id,
                row.kind,
                row.data_source or row.identity_store or "",
                row.request,
            )
            for row in rows
        ]

    def set_status(self, number: int, status: str, errors: Sequence[str] = ()) -> None:
        with self._database.write() as connection:
            finish(connection, number, status, errors=errors)

    def subtask(self, job: str, job_type: str, identifier: str) -> Row[Any]:
        """The row of a subtask; raises NotThere."""
        with self._database.read() as connection:
            row = connection.execute(
                select(subtasks).where(
                    subtasks.c.job == job, subtasks.c.job_type == job_type, subtasks.c.id == identifier
                )
            ).first()
        if row is None:
            raise NotThere(f"subtask of job {job} ({job_type})", identifier)
        return row


def finish(
    connection: Connection,
    number: int,
    status: str,
    *,
    result: Mapping[str, Any] | None = None,
    errors: Sequence[str] = (),
) -> None:
    """Writes the new state of a subtask within a transaction of the caller, so that both are kept or neither is."""
    row = connection.execute(
        update(subtasks)
        .where(subtasks.c.number == number)
        .values(status=status, last_update=now(), errors=list(errors), result=dict(result) if result else None)
        .returning(subtasks.c.job, subtasks.c.job_type, subtasks.c.id)
    ).one()
    _record(connection, row.job, row.job_type, row.id, status)


def _record(connection: Connection, job: str, job_type: str, subtask: str, status: str) -> None:
    connection.execute(insert(events).values(job=job, job_type=job_type, subtask=subtask, status=status, time=now()))


def _check_job(connection: Connection, job: str) -> None:
    if connection.execute(select(jobs.c.id).where(jobs.c.id == job)).first() is None:
        raise NotThere("job", job)


def _check_stores(connection: Connection, data_source: str | None, identity_store: str | None) -> None:
    for table, kind, identifier in (
        (data_sources, "data source", data_source),
        (identity_stores, "identity store", identity_store),
    ):
        if identifier and connection.execute(select(table.c.id).where(table.c.id == identifier)).first() is None:
            raise NotThere(kind, identifier)


def _status(status: str) -> str:
    if status not in RUNNING | FINAL:
        raise NotValid(f"{status!r} is not a status; known are {', '.join(sorted(RUNNING | FINAL))}")
    return status


def _job_type(job_type: str) -> str:
    if job_type not in JOB_TYPES:
        raise NotValid(f"{job_type!r} is not a job type; known are {', '.join(sorted(JOB_TYPES))}")
    return job_type
