"""One emulated AWS for all tests of this folder, emptied before each test, and clients in accounts of their own."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws

ACCOUNT = "111111111111"
OTHER_ACCOUNT = "222222222222"
REGION = "eu-west-1"
KEYS = {ACCOUNT: "AKIAACCOUNTONE000001", OTHER_ACCOUNT: "AKIAACCOUNTTWO000002"}

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


@pytest.fixture
def client(aws: EmulatedAws) -> ClientOf:
    return client_factory(aws)


def client_factory(aws: EmulatedAws) -> ClientOf:
    """Clients without retries, so that one call is one request."""

    def client_of(service: str, account: str = ACCOUNT, region: str = REGION, **config: Any) -> Any:
        session = boto3.Session(KEYS[account], "secret", region_name=region)
        settings = Config(retries={"total_max_attempts": 1}, **config)
        made = session.client(service, endpoint_url=aws.endpoint_url, config=settings)  # type: ignore[call-overload]
        made.meta.events.register("before-call.s3-control", without_account_in_host)
        return made

    return client_of


def without_account_in_host(params: dict[str, Any], **_: Any) -> None:
    """Hook for S3 Control clients: an address on this machine has no subdomains."""
    params["url"] = re.sub(r"//\d{12}\.", "//", params["url"])
