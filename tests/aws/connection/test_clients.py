"""Clients: which hosts and accounts they reach."""

import platform
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from raito_pipeline.aws.connection.clients import AwsClients, bucket_call
from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsError, AwsOptedOut
from raito_pipeline.config.regions import aws_partition
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.conftest import READ_ACCOUNT
from tests.aws_profile import use_profile, write_profile

ACCOUNT = "111122223333"
REGIONS = (
    "eu-west-1",
    "us-gov-west-1",
    "cn-north-1",
    "eusc-de-east-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
)


class Seen(Exception):
    """Ends a call before it is sent."""


def host_of(clients: AwsClients, region: str) -> str:
    """The host that a call of S3 Control goes to."""
    control = clients.client("s3control", region)

    def stop(request: Any, **_: Any) -> None:
        raise Seen(request.url.split("/")[2])

    control.meta.events.register("before-send.s3-control.*", stop)
    with pytest.raises(Seen) as seen:
        control.list_access_points(AccountId=ACCOUNT)
    return str(seen.value)


def plain_profile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "config").write_text("[profile there]\nregion = eu-west-1\n")
    (folder / "credentials").write_text(
        "[there]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
    )
    files = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
    use_profile(monkeypatch, files)


@pytest.mark.parametrize("region", REGIONS)
def test_hosts_of_aws_have_the_account_in_front_in_every_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    plain_profile(tmp_path, monkeypatch)
    assert host_of(AwsClients("there"), region).startswith(f"{ACCOUNT}.")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000", "https://gateway.example.com", "https://amazonaws.com.example"]
)
def test_an_address_set_by_hand_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    use_profile(monkeypatch, write_profile(tmp_path, url))
    assert host_of(AwsClients("there"), "eu-west-1") == url.split("//")[1]


@pytest.mark.parametrize("region", REGIONS)
def test_arns_are_of_the_partition_of_the_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    plain_profile(tmp_path, monkeypatch)
    expected = Session().get_partition_for_region(region)
    assert AwsClients("there", region).s3_arn("data") == f"arn:{expected}:s3:::data"
    assert aws_partition(region) == expected


def test_plain_http_to_another_machine_is_refused_unless_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_profile(monkeypatch, write_profile(tmp_path, "http://emulator.example.com:5000"))

    for service in ("iam", "s3", "sts"):
        with pytest.raises(AwsCredentialsInvalid, match=r"emulator.example.com:5000: plain http .*allow-plain-http"):
            AwsClients("there").client(service)

    assert host_of(AwsClients("there", allow_plain_http=True), "eu-west-1") == "emulator.example.com:5000"


def test_each_call_says_which_product_and_which_sdk_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_profile(tmp_path, monkeypatch)
    client = AwsClients("there").client("iam", "eu-west-1")

    def stop(request: Any, **_: Any) -> None:
        agent = request.headers["User-Agent"]
        raise Seen(agent.decode() if isinstance(agent, bytes) else agent)

    client.meta.events.register("before-send.iam.*", stop)
    with pytest.raises(Seen) as sent:
        client.list_users()
    agent = str(sent.value)
    assert [part.partition("/")[0] for part in agent.split()] == [
        "Boto3",
        "Python",
        platform.system(),
        "raito-pipeline",
        "Botocore",
    ]


@pytest.mark.parametrize(("everywhere", "kind"), [(False, AwsOptedOut), (True, AwsCredentialsInvalid)])
def test_a_region_that_refuses_what_is_good_elsewhere_now_is_not_enabled(
    emulated_aws: EmulatedAws, everywhere: bool, kind: type[AwsError]
) -> None:
    """A key that was good when the sync began and is turned off meanwhile is refused everywhere."""
    clients = AwsClients("there", "us-east-1", attempts=1)
    clients.require_account(READ_ACCOUNT)
    for service in ("s3", "sts") if everywhere else ("s3",):
        emulated_aws.faults.add(Fault(kind="deny", service=service, status=403, code="InvalidAccessKeyId"))

    for _ in range(3):
        with pytest.raises(kind) as caught, bucket_call(clients, "s3:ListBucket", "logs", "eu-west-1") as s3:
            s3.list_objects_v2(Bucket="logs")
        assert type(caught.value) is kind
        assert caught.value.__cause__ is not caught.value
    asked = [call.operation for call in emulated_aws.calls.since(0) if call.service == "sts"]
    assert len(asked) == (4 if everywhere else 2)
