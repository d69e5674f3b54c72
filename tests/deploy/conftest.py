from collections.abc import Iterator

import pytest

from tests.deploy.postgres import NoServer, Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A Postgres server; tests that need one are skipped, with the reason, where none can be had."""
    pytest.importorskip("dagster_postgres")
    try:
        started = postgres()
        running = started.__enter__()
    except NoServer as error:
        pytest.skip(str(error))
    yield running
    started.__exit__(None, None, None)
