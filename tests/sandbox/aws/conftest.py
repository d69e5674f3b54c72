"""One emulated AWS for all tests of this folder, emptied before each test, and clients in accounts of their own."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.center import INSTANCE, OTHER_ACCOUNT, STORE, Center

ACCOUNT = "111111111111"
REGION = "eu-west-1"
KEYS = {ACCOUNT: "AKIAACCOUNTONE000001", OTHER_ACCOUNT: "AKIAACCOUNTTWO000002"}

CREDENTIALS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")

# What makes a client for a service: client("iam"), client("s3", OTHER_ACCOUNT, "us-east-1").
ClientOf = Callable[..., Any]


@pytest.fixture(scope="session")
def running_aws() -> Iterator[EmulatedAws]:
    with EmulatedAws() as aws:
        yield aws


@pytest.fixture
def aws(running_aws: EmulatedAws) -> EmulatedAws:
    running_aws.reset_state()
    for account, key in KEYS.items():
        install_access_key(account, key, "secret")
    return running_aws


@pytest.fixture(scope="session")
def kept_clients(running_aws: EmulatedAws) -> ClientOf:
    return client_factory(running_aws)


@pytest.fixture
def client(aws: EmulatedAws, kept_clients: ClientOf) -> ClientOf:
    assert len(aws.calls) == 0
    return kept_clients


def client_factory(aws: EmulatedAws) -> ClientOf:
    """Clients without retries, so that one call is one request; made once each, as making one takes long."""
    kept: dict[tuple[Any, ...], Any] = {}
    # One session for all, as each would read the models of its services anew.
    session = boto3.Session(region_name=REGION)

    def client_of(
        service: str,
        account: str = ACCOUNT,
        region: str = REGION,
        credentials: Sequence[str] = (),
        **config: Any,
    ) -> Any:
        place = (service, account, region, *credentials, *sorted(config.items()))
        if place not in kept:
            kept[place] = made = session.client(  # type: ignore[call-overload]
                service,
                region,
                endpoint_url=aws.endpoint_url,
                config=Config(retries={"total_max_attempts": 1}, **config),
                **dict(zip(CREDENTIALS, credentials or (KEYS[account], "secret"), strict=False)),
            )
            made.meta.events.register("before-call.s3-control", without_account_in_host)
        return kept[place]

    return client_of


def without_account_in_host(params: dict[str, Any], **_: Any) -> None:
    """Hook for S3 Control clients: an address on this machine has no subdomains."""
    params["url"] = re.sub(r"//\d{12}\.", "//", params["url"])


def code(call: Any, **arguments: Any) -> str:
    """The code that AWS refuses the call with, or "done"."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


@pytest.fixture
def center(aws: EmulatedAws, client: ClientOf) -> Center:
    aws.pace.provisioning_seconds = 0.02
    aws.pace.new_role_seconds = 0.0
    set_identity_center_home(ACCOUNT, REGION, INSTANCE, STORE)
    return Center(aws, client("sso-admin"), client("identitystore"), client("iam", OTHER_ACCOUNT))
