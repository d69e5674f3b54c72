"""How the tests of the readers reach a stand-in for AWS: by a profile with an address, as the product does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws_profile import use_profile, write_profile
from tests.orchestration.conftest import loads as loads

from .stand_in import StandIn, serving

READ_ACCOUNT = "111122223333"
Reach = Callable[..., AwsClients]


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    """Serve a `StandIn` and give clients of it; each call is tried once unless `attempts` says otherwise."""
    with ExitStack() as stack:

        def clients(stand_in: StandIn, *, attempts: int = 1, concurrency: int = 5) -> AwsClients:
            url = stack.enter_context(serving(stand_in))
            use_profile(monkeypatch, write_profile(tmp_path, url))
            return AwsClients("there", concurrency=concurrency, attempts=attempts)

        yield clients


@pytest.fixture
def emulated_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAws]:
    """The emulated AWS with the empty account `READ_ACCOUNT`, which the profile `there` reaches."""
    key = "AKIAREADREADREADREAD"
    with EmulatedAws() as aws:
        install_access_key(READ_ACCOUNT, key, "not-a-secret")
        use_profile(monkeypatch, write_profile(tmp_path, aws.endpoint_url, key=key))
        yield aws
