"""Dagster's storage in Postgres, which keeps the connections that it made.

Dagster opens a connection for each question that it asks, thousands in a sync, and keeps one open in its webserver
alone: a quarter of the CPU of a run goes there, and most of Postgres's. In `dagster.yaml`:

    storage:
      custom:
        module: raito_pipeline.deploy.postgres
        class: KeptPostgresStorage
        config: {postgres_db: ...}  # as below `storage: postgres:`
"""

import selectors
from typing import Any

from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

RENEWED_AFTER = 60
"""Seconds: a connection that is older is closed and made anew when it is next wanted."""
_AS_MANY_AS_ASK = -1
_NO_LIMIT = 0


class KeptPostgresStorage(DagsterPostgresStorage):
    """`DagsterPostgresStorage` with the same configuration; up to three connections stay open in each process."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> DagsterPostgresStorage:  # type: ignore[override]
        """What Dagster makes of the configuration, and each of its three parts keeps one connection."""
        storage = super().from_config_value(inst_data, config_value)
        for part in (storage.event_log_storage, storage.run_storage, storage.schedule_storage):
            # What the webserver does with a time limit on questions: here there is none, as for any other process.
            part.optimize_for_webserver(
                statement_timeout=_NO_LIMIT, pool_recycle=RENEWED_AFTER, max_overflow=_AS_MANY_AS_ASK
            )
        return storage


@event.listens_for(QueuePool, "checkout")
def _open_it_anew_where_it_was_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """Find a kept connection that the other side has closed, as when Postgres was started again.

    It costs no question: from a connection that nobody asks anything there is nothing to be read but its end, or a
    message that comes by itself.
    """
    if not hasattr(connection, "fileno"):
        return
    try:
        if _has_something_to_read(connection):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection.rollback()  # whoever gets it begins a transaction of their own
    except Exception as error:
        raise DisconnectionError(f"a kept connection was closed: {error}") from error


def _has_something_to_read(connection: Any) -> bool:
    """Whether there is something to read, now. A `select` would fail on the 1,024th file of a process."""
    with getattr(selectors, "PollSelector", selectors.SelectSelector)() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))
