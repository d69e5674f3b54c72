"""The estate as SDKs reach it: by its profiles, and S3 Control by a name that can take an account id in front."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.sandbox.aws.estate import Estate, build_estate
from raito_pipeline.sandbox.aws.profiles import write_aws_profiles
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.embedded import embedded_estate

VARIABLE = "AWS_ENDPOINT_URL_S3_CONTROL"


def test_the_environment_of_the_estate_names_s3_control_by_a_name(tmp_path: Path) -> None:
    with embedded_estate(tmp_path / "estate") as embedded:
        assert embedded.environment[VARIABLE] == f"http://localhost:{embedded.aws.port}"
        file = (tmp_path / "estate" / "environment").read_text("utf-8")
    assert f"{VARIABLE}=http://localhost:" in file


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    """The estate, in an environment as its file sets it."""
    with EmulatedAws() as aws:
        built = build_estate()
        profiles = write_aws_profiles(tmp_path, built, aws.endpoint_url)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles.config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles.credentials))
        monkeypatch.setenv(VARIABLE, f"http://localhost:{aws.port}")
        yield built


def test_our_own_clients_and_others_read_access_points_there(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    account = estate.members[0]
    region = account.regions[0]
    ours = AwsClients(account.profile, region).client("s3control")
    found = ours.list_access_points(AccountId=account.account_id)["AccessPointList"]
    assert found

    # Other SDKs keep the account id in front of the host; here that name is made to resolve, as /etc/hosts would.
    resolve = socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **named: Any) -> Any:
        return resolve("127.0.0.1" if host == f"{account.account_id}.localhost" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    theirs = boto3.Session(profile_name=account.profile).client("s3control", region_name=region)
    assert theirs.list_access_points(AccountId=account.account_id)["AccessPointList"] == found


def test_clients_know_the_secrets_in_use_and_ask_for_none(estate: Estate) -> None:
    account = estate.members[0]
    clients = AwsClients(account.profile)
    assert clients.secrets() == ()
    clients.caller_account()
    assert clients.secrets() == (account.secret_access_key,)


def test_no_policy_of_an_access_point_has_the_bare_star_for_everybody(estate: Estate) -> None:
    principals: list[Any] = []
    for account in estate.members:
        clients = AwsClients(account.profile)
        for region in account.regions:
            control = clients.client("s3control", region)
            for point in control.list_access_points(AccountId=account.account_id)["AccessPointList"]:
                with suppress(ClientError):  # one of them has no policy
                    got = control.get_access_point_policy(AccountId=account.account_id, Name=point["Name"])
                    principals += [each["Principal"] for each in json.loads(got["Policy"])["Statement"]]
    assert {"AWS": "*"} in principals
    assert "*" not in principals
