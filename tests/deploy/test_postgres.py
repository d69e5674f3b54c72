"""What is asked of Dagster's history in Postgres, with connections that are kept."""

import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from tests.deploy.postgres import Postgres
from tests.deploy.test_dagster_yaml import DEPLOY, counted, instance

QUESTIONS = 30
FD_SETSIZE = 1_024
"""how many files `select` knows"""


@pytest.fixture
def kept(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance as compose has it."""
    with instance(DEPLOY / "compose" / "dagster.yaml", server, tmp_path, monkeypatch) as made:
        yield made


def test_questions_share_a_connection_and_what_they_say_is_what_is_there(
    kept: dg.DagsterInstance, server: Postgres
) -> None:
    with opened(server) as connections:
        result = dg.materialize([counted], instance=kept)
        for _ in range(QUESTIONS):
            assert kept.get_run_by_id(result.run_id) is not None
    assert result.success
    assert kept.get_latest_materialization_event(dg.AssetKey("counted")) is not None
    assert connections() <= QUESTIONS / 5


def test_a_connection_that_postgres_closed_is_opened_anew(kept: dg.DagsterInstance, server: Postgres) -> None:
    run = dg.materialize([counted], instance=kept).run_id
    others = "from pg_stat_activity where datname = 'postgres' and pid <> pg_backend_pid()"
    for _ in range(3):
        assert asked(server, f"select count(pg_terminate_backend(pid)) {others}")
        while asked(server, f"select count(*) {others}"):
            time.sleep(0.05)
        assert kept.get_run_by_id(run) is not None
        assert kept.all_logs(run)


def test_many_threads_ask_at_once(kept: dg.DagsterInstance) -> None:
    run = dg.materialize([counted], instance=kept).run_id
    with ThreadPoolExecutor(12) as threads:
        assert all(threads.map(lambda _: kept.get_run_by_id(run) is not None, range(QUESTIONS)))


def test_another_process_has_the_same_storage(kept: dg.DagsterInstance, server: Postgres) -> None:
    with dg.DagsterInstance.from_ref(kept.get_ref()) as other, opened(server) as connections:
        for _ in range(QUESTIONS):
            assert other.get_run_by_id("no such run") is None
    assert connections() <= 2


def test_a_process_with_many_files_asks_as_any_other(kept: dg.DagsterInstance) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2_048, limits[1]), limits[1]))
    try:
        with ExitStack() as files:
            while (number := os.open(os.devnull, os.O_RDONLY)) <= FD_SETSIZE:
                files.callback(os.close, number)
            files.callback(os.close, number)
            with dg.DagsterInstance.from_ref(kept.get_ref()) as other:
                assert [other.get_run_by_id("no such run") for _ in range(3)] == [None] * 3
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextmanager
def opened(server: Postgres) -> Iterator[Any]:
    """Counts the connections to the database that were opened in the block; Postgres counts what has ended, too."""
    before, counts = _opened(server), []
    yield lambda: counts[0]
    counts.append(_opened(server) - before - 1)


def _opened(server: Postgres) -> int:
    time.sleep(0.1)
    return int(asked(server, "select sessions from pg_stat_database where datname = 'postgres'"))


def asked(server: Postgres, question: str) -> Any:
    """The one value that Postgres answers."""
    reached = psycopg2.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres")
    with closing(reached), reached.cursor() as cursor:
        cursor.execute(question)
        (answer,) = cursor.fetchone() or (None,)
        return answer
