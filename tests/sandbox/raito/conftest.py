"""A local Raito Cloud for each test, or one that a whole module shares where nothing in it is counted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .wire import CLIENT_ID, DOMAIN, Wire, metadata

Start = Callable[..., LocalRaitoCloud]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a cloud on the state of this test; whatever was started is stopped at the end."""
    started: list[LocalRaitoCloud] = []

    def begin(*, require_login: bool = False) -> LocalRaitoCloud:
        cloud = LocalRaitoCloud(
            tmp_path / "raito.sqlite",
            tmp_path / "files",
            "http://127.0.0.1:9",
            CLIENT_ID,
            DOMAIN,
            require_login=require_login,
        )
        started.append(cloud)
        return cloud.start()

    yield begin
    for cloud in started:
        cloud.stop()


@pytest.fixture
def cloud(start: Start) -> LocalRaitoCloud:
    return start()


@pytest.fixture
def wire(cloud: LocalRaitoCloud) -> Wire:
    return Wire(cloud.url)


@pytest.fixture
def store(cloud: LocalRaitoCloud) -> str:
    """The id of an identity store."""
    return cloud.catalog.create_identity_store("IAM of one account")


@pytest.fixture
def source(cloud: LocalRaitoCloud, store: str) -> str:
    """The id of a data source with metadata, linked to the identity store."""
    identifier = cloud.catalog.create_data_source("One account")
    cloud.catalog.set_data_source_metadata(identifier, metadata())
    cloud.catalog.link(identifier, store)
    return identifier
