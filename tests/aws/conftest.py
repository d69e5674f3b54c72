"""How the tests of the readers reach a stand-in for AWS: by a profile with an address, as the product does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws

from .stand_in import StandIn, serving

Reach = Callable[..., AwsClients]


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    """Serve a `StandIn` and give clients of it; each call is tried once unless `attempts` says otherwise."""
    with ExitStack() as stack:

        def clients(stand_in: StandIn, *, attempts: int = 1, concurrency: int = 5) -> AwsClients:
            url = stack.enter_context(serving(stand_in))
            (tmp_path / "config").write_text(f"[profile there]\nregion = us-east-1\nendpoint_url = {url}\n")
            (tmp_path / "credentials").write_text(
                "[there]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = not-a-secret\n"
            )
            monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
            monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
            for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
                monkeypatch.delenv(name, raising=False)
            return AwsClients("there", concurrency=concurrency, attempts=attempts)

        yield clients


@pytest.fixture
def emulated_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAws]:
    """The emulated AWS with the empty account 111122223333, which the profile `there` reaches."""
    key = "AKIAREADREADREADREAD"
    with EmulatedAws() as aws:
        install_access_key("111122223333", key, "not-a-secret")
        config, credentials = tmp_path / "config", tmp_path / "credentials"
        config.write_text(f"[profile there]\nregion = us-east-1\nendpoint_url = {aws.endpoint_url}\n")
        credentials.write_text(f"[there]\naws_access_key_id = {key}\naws_secret_access_key = not-a-secret\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield aws
