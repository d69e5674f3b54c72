import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from raito_pipeline.sandbox.aws.accounts import AccessKeyNotUsable, account_of, install_access_key, remove_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, KEYS, OTHER_ACCOUNT, REGION, ClientOf

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
USER, PASSWORD = "pipeline@example.com", "not a Good password by Cognito's rules"


def cognito(aws: EmulatedAws) -> Any:
    return boto3.client(
        "cognito-idp",
        endpoint_url=aws.endpoint_url,
        region_name=REGION,
        aws_access_key_id="unused",
        aws_secret_access_key="unused",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_keys_tell_accounts_apart(client: ClientOf) -> None:
    assert client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert client("sts", OTHER_ACCOUNT).get_caller_identity()["Account"] == OTHER_ACCOUNT


@pytest.mark.parametrize("key", ["AKIASHORT", "AKIA" + "x" * 16, "AKIA" + "A" * 17, "AKIA-AAAAAAAAAAAAAAA"])
@pytest.mark.usefixtures("aws")
def test_keys_that_would_mean_another_account_are_refused(key: str) -> None:
    with pytest.raises(AccessKeyNotUsable):
        install_access_key(ACCOUNT, key, "secret")


@pytest.mark.usefixtures("aws")
def test_a_key_can_move_and_go() -> None:
    key = KEYS[ACCOUNT]
    install_access_key(OTHER_ACCOUNT, key, "secret")
    assert account_of(key) == OTHER_ACCOUNT
    remove_access_key(key)
    assert account_of(key) == "123456789012"


def test_assuming_a_role_leads_into_its_account(client: ClientOf, aws: EmulatedAws) -> None:
    client("iam", OTHER_ACCOUNT).create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    assumed = client("sts").assume_role(RoleArn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/reader", RoleSessionName="test")
    session = boto3.Session(
        assumed["Credentials"]["AccessKeyId"],
        assumed["Credentials"]["SecretAccessKey"],
        assumed["Credentials"]["SessionToken"],
        region_name=REGION,
    )
    sts = session.client("sts", endpoint_url=aws.endpoint_url)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/reader/test"
    assert aws.calls.since()[-1].account == OTHER_ACCOUNT


def test_resetting_empties_everything(client: ClientOf, aws: EmulatedAws) -> None:
    client("iam").create_user(UserName="ann")
    aws.reset_state()
    install_access_key(ACCOUNT, KEYS[ACCOUNT], "secret")
    assert client("iam").list_users()["Users"] == []
    assert [call.operation for call in aws.calls] == ["ListUsers"]


def test_resetting_takes_back_what_another_one_had_set_for_the_process(client: ClientOf, aws: EmulatedAws) -> None:
    with EmulatedAws(longest_page=1):
        aws.reset_state()
    install_access_key(ACCOUNT, KEYS[ACCOUNT], "secret")
    for name in ("ann", "bob"):
        client("iam").create_user(UserName=name)
    assert len(client("iam").list_users()["Users"]) == 2


def test_logging_in(aws: EmulatedAws) -> None:
    client_id = aws.create_user_pool(USER, PASSWORD)
    login = cognito(aws)

    def initiate(flow: str, **parameters: str) -> dict[str, Any]:
        answer = login.initiate_auth(AuthFlow=flow, ClientId=client_id, AuthParameters=parameters)
        return dict(answer["AuthenticationResult"])

    first = initiate("USER_PASSWORD_AUTH", USERNAME=USER, PASSWORD=PASSWORD)
    assert first["ExpiresIn"] == 3600
    again = initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=first["RefreshToken"])
    assert again["IdToken"]
    with pytest.raises(login.exceptions.NotAuthorizedException):
        initiate("USER_PASSWORD_AUTH", USERNAME=USER, PASSWORD="wrong")


def test_what_is_not_emulated_is_told_in_the_protocols_shape(client: ClientOf) -> None:
    for service, operation, arguments in (
        ("iam", "list_service_specific_credentials", {}),
        ("sso-admin", "list_application_providers", {}),
        ("s3control", "list_jobs", {"AccountId": ACCOUNT}),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(client(service), operation)(**arguments)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 400


def test_connections_are_kept(client: ClientOf, aws: EmulatedAws) -> None:
    others = set(aws._server._connections)
    iam = client("iam")
    for _ in range(50):
        iam.list_users()
    assert len(aws._server._connections - others) <= 3


def test_many_clients_at_once(client: ClientOf) -> None:
    iam = client("iam", max_pool_connections=20)
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda number: iam.create_user(UserName=f"user-{number}"), range(100)))
        details = list(threads.map(lambda _: iam.get_account_authorization_details(), range(5)))
    assert {len(page["UserDetailList"]) for page in details} == {100}


def test_latency_is_added_to_each_call_but_calls_overlap(client: ClientOf, aws: EmulatedAws) -> None:
    iam = client("iam", max_pool_connections=10)
    iam.list_users()
    aws.latency_seconds = 0.5
    try:
        started = time.monotonic()
        with ThreadPoolExecutor(10) as threads:
            list(threads.map(lambda _: iam.list_users(), range(10)))
        assert 0.5 <= time.monotonic() - started < 4.0  # one after the other take 5
    finally:
        aws.latency_seconds = 0.0


def test_bodies_and_odd_keys_come_through(client: ClientOf) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket-one", CreateBucketConfiguration={"LocationConstraint": REGION})
    body = bytes(range(256)) * 10_000
    for key in ("plain", "ä b/c+d %20&=?#", "/slash//in front"):
        s3.put_object(Bucket="bucket-one", Key=key, Body=body, Metadata={"a": "b"})
        found = s3.get_object(Bucket="bucket-one", Key=key)
        assert found["Body"].read() == body
        head = s3.head_object(Bucket="bucket-one", Key=key)
        assert (head["ContentLength"], head["Metadata"]) == (len(body), {"a": "b"})
    part = s3.get_object(Bucket="bucket-one", Key="plain", Range="bytes=10-19")
    assert part["Body"].read() == body[10:20]


def test_a_stopped_server_answers_no_more() -> None:
    aws = EmulatedAws()
    install_access_key(ACCOUNT, KEYS[ACCOUNT], "secret")
    iam = boto3.client(
        "iam",
        endpoint_url=aws.endpoint_url,
        region_name=REGION,
        aws_access_key_id=KEYS[ACCOUNT],
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    iam.list_users()
    aws.stop()
    aws.stop()
    with pytest.raises(EndpointConnectionError):
        iam.list_users()


def test_a_request_that_is_no_call_does_not_break_the_server(client: ClientOf, aws: EmulatedAws) -> None:
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{aws.endpoint_url}/nobody/knows?this", timeout=60)
    assert client("iam").list_users()["Users"] == []
