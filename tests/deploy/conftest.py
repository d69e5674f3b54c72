from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.deploy.postgres import NoServer, Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A Postgres server; tests that need one are skipped, with the reason, where none can be had."""
    pytest.importorskip("dagster_postgres")
    with ExitStack() as stack:
        try:
            running = stack.enter_context(postgres())
        except NoServer as error:
            pytest.skip(str(error))
        yield running
