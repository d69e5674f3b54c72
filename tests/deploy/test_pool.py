"""The pool of connections of compose: Dagster keeps its history through it, and Postgres sees few connections."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from tests.deploy.pool import pool
from tests.deploy.postgres import NoServer, Postgres
from tests.deploy.test_dagster_yaml import DEPLOY, counted, instance

QUESTIONS = 40


@pytest.fixture(scope="module")
def pooled(server: Postgres) -> Iterator[Postgres]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(pool(server))
        except NoServer as error:
            pytest.skip(str(error))
        yield running


def test_a_run_is_kept_through_the_pool_and_many_questions_share_few_connections(
    server: Postgres, pooled: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with instance(DEPLOY / "compose" / "dagster.yaml", pooled, tmp_path, monkeypatch) as made:
        result = dg.materialize([counted], instance=made)
        pids = set()
        for _ in range(QUESTIONS):
            assert made.get_run_by_id(result.run_id) is not None
            pids |= backends(server)
        for _ in range(QUESTIONS):
            connect(pooled, pooled.password).close()
            pids |= backends(server)
    assert result.success
    assert 1 <= len(pids) <= QUESTIONS / 4


def backends(server: Postgres) -> set[int]:
    """The processes of Postgres that serve what the pool keeps."""
    reached = psycopg2.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres")
    with closing(reached), reached.cursor() as cursor:
        cursor.execute("select pid from pg_stat_activity where datname = 'postgres' and pid <> pg_backend_pid()")
        return {pid for (pid,) in cursor.fetchall()}


def connect(pooled: Postgres, password: str) -> Any:
    """A connection through the pool."""
    return psycopg2.connect(host="127.0.0.1", port=pooled.port, user="postgres", password=password, dbname="postgres")


def test_the_pool_lets_in_nobody_without_the_password(pooled: Postgres) -> None:
    for password in ("", "secret"):
        with pytest.raises(psycopg2.OperationalError):
            connect(pooled, password)
