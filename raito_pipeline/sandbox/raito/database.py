"""The tables of the local Raito Cloud and how they are reached: SQLite in WAL mode, many readers, one writer."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import Connection, Engine

metadata = MetaData()

settings = Table("settings", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

data_sources = Table(
    "data_sources",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("type", String, nullable=False, default=""),
    Column("description", Text, nullable=False, default=""),
    Column("sync_method", String, nullable=False, default="ON_PREM"),
    Column("parent", String),
    Column("created_at", String, nullable=False),
    Column("modified_at", String, nullable=False),
    Column("metadata", JSON),
    # Unix seconds of the earliest and the latest statement that was ever imported.
    Column("usage_first_used", Integer),
    Column("usage_last_used", Integer),
)

identity_stores = Table(
    "identity_stores",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("type", String, nullable=False, default=""),
    Column("description", Text, nullable=False, default=""),
    Column("icon", String, nullable=False, default=""),
    Column("can_be_linked", Boolean, nullable=False, default=False),
    Column("can_be_master", Boolean, nullable=False, default=False),
    Column("native", Boolean, nullable=False, default=False),
    Column("master", Boolean, nullable=False, default=False),
    Column("created_at", String, nullable=False),
    Column("modified_at", String, nullable=False),
)

links = Table(
    "identity_store_links",
    metadata,
    Column("data_source", String, primary_key=True),
    Column("identity_store", String, primary_key=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("data_source", String),
    Column("identity_store", String),
    Column("status", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("last_update", String, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("ended", Boolean, nullable=False, default=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("job", String, primary_key=True),
    Column("job_type", String, primary_key=True),
    Column("data_source", String),
    Column("identity_store", String),
    Column("status", String, nullable=False),
    Column("last_update", String, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("result", JSON, nullable=False),
)

subtasks = Table(
    "subtasks",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job", String, nullable=False),
    Column("job_type", String, nullable=False),
    Column("id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("last_update", String, nullable=False),
    Column("received_date", Float),
    Column("errors", JSON, nullable=False),
    # What the server itself works off: its kind ("identities", "export", ...), what was asked for, and what came of it.
    Column("kind", String),
    Column("data_source", String),
    Column("identity_store", String),
    Column("request", JSON),
    Column("result", JSON),
    Index("subtask_key", "job", "job_type", "id", unique=True),
)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job", String, nullable=False),
    Column("job_type", String, nullable=False),
    Column("subtask", String, nullable=False, default=""),
    Column("status", String, nullable=False),
    Column("time", String, nullable=False),
    Index("event_key", "job", "job_type", "subtask"),
)

log_files = Table(
    "log_files",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job", String, nullable=False),
    Column("job_type", String, nullable=False),
    Column("file_key", String, nullable=False),
    Index("log_file_key", "job", "job_type"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("key", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("length", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("arrived", Boolean, nullable=False, default=False),
)

users = Table(
    "users",
    metadata,
    Column("identity_store", String, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("user_name", String, nullable=False),
    Column("email", String, nullable=False),
    Column("is_machine", Boolean, nullable=False),
    Column("tags", Text),
    Column("groups", Text, nullable=False),
    Index("user_by_name", "identity_store", "user_name"),
    sqlite_with_rowid=False,
)

groups = Table(
    "groups",
    metadata,
    Column("identity_store", String, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("display_name", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("parents", Text, nullable=False),
    Column("tags", Text),
    Index("group_by_name", "identity_store", "name"),
    sqlite_with_rowid=False,
)

data_objects = Table(
    "data_objects",
    metadata,
    Column("data_source", String, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("name", String, nullable=False),
    # Null where it equals the external id, as it nearly always does: half the size, and half an index.
    Column("full_name", String),
    Column("type", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("parent", String, nullable=False),
    Column("data_type", String),
    Column("tags", Text),
    Index("data_object_by_name", "data_source", "full_name", sqlite_where=text("full_name IS NOT NULL")),
    Index("data_object_by_type", "data_source", "type"),
    sqlite_with_rowid=False,
)

access_providers = Table(
    "access_providers",
    metadata,
    Column("data_source", String, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("type", String, nullable=False),
    Column("record", Text, nullable=False),
    Index("access_provider_by_type", "data_source", "type"),
    sqlite_with_rowid=False,
)

usage_statements = Table(
    "usage_statements",
    metadata,
    Column("data_source", String, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("role", String, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("start_time", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("record", Text, nullable=False),
    sqlite_with_rowid=False,
)

usage_edges = Table(
    "usage_edges",
    metadata,
    Column("data_source", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("data_object", String, primary_key=True),
    Column("permission", String, primary_key=True),
    Column("statements", Integer, nullable=False),
    Column("first_used", Integer, nullable=False),
    Column("last_used", Integer, nullable=False),
    sqlite_with_rowid=False,
)

access_controls = Table(
    "access_controls",
    metadata,
    Column("data_source", String, primary_key=True),
    Column("id", String, primary_key=True),
    # Order of definition, which is the order of the export.
    Column("number", Integer, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("exported", JSON),
    Column("exported_revision", Integer),
    Column("synced", JSON),
    Column("synced_revision", Integer),
    Column("actual_name", String, nullable=False, default=""),
    Column("external_id", String),
    Column("actual_type", String),
    Column("errors", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("removed", Boolean, nullable=False, default=False),
)


def now() -> str:
    """The present instant as RFC 3339 text with microseconds, in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def rfc3339(seconds: int | float | None) -> str:
    """Unix seconds as RFC 3339 text in UTC; "" for None, as Raito Cloud answers where there is nothing yet."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Database:
    """One SQLite file. `read` and `write` give a connection inside a transaction; writers take turns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = threading.Lock()
        self._pooled = _engine(path)
        self._own = _engine(path, poolclass=NullPool)
        metadata.create_all(self._pooled)

    def close(self) -> None:
        self._pooled.dispose()
        self._own.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and changes nothing."""
        with self._pooled.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are kept together, or not at all after an exception."""
        with self._pooled.connect() as connection, self.exclusively(connection):
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of one's own, outside any transaction; temporary tables made on it are gone at the end."""
        with self._own.connect() as connection:
            yield connection

    @contextmanager
    def exclusively(self, connection: Connection) -> Iterator[None]:
        """A writing transaction on that connection.

        BEGIN IMMEDIATE takes SQLite's write lock at once, so that a transaction never fails half-way because
        somebody else wrote; the lock in front lets the threads of this process queue without SQLite's busy wait.
        """
        with self._turn:
            connection.execution_options(immediate=True)
            try:
                with connection.begin():
                    yield
            finally:
                connection.execution_options(immediate=False)


def _engine(path: Path, **options: Any) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60, "check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        # The driver's own transaction handling is off: BEGIN is sent below, where the kind of transaction is known.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=FILE", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
