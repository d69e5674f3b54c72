"""A role of another account, assumed with the credentials of a profile."""

import json

import pytest

from raito_pipeline.aws.connection.clients import AwsClients, AwsError, WrongAccount
from raito_pipeline.config.discovery import AssumedRole
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.conftest import READ_ACCOUNT

MEMBER = "444455556666"
ROLE = AssumedRole(f"arn:aws:iam::{MEMBER}:role/teams/raito-sync", "nightly", "acme")
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{READ_ACCOUNT}:root"}}


def add_role(account: str = MEMBER, name: str = "raito-sync", path: str = "/teams/") -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    iam_of(account).create_role(name, document, path, None, "", [], "3600")


@pytest.mark.usefixtures("emulated_aws")
def test_the_clients_are_of_the_account_of_the_role() -> None:
    add_role()
    clients = AwsClients("there", "eu-west-1", role=ROLE)

    assert clients.caller_account() == MEMBER
    assert clients.caller_arn() == f"arn:aws:sts::{MEMBER}:assumed-role/raito-sync/nightly"
    assert [role["RoleName"] for role in clients.client("iam").list_roles()["Roles"]] == ["raito-sync"]
    with pytest.raises(WrongAccount):
        clients.require_account(READ_ACCOUNT)


def test_the_role_is_assumed_once_and_the_profile_stays_what_it_is(emulated_aws: EmulatedAws) -> None:
    add_role()
    clients = AwsClients("there", "eu-west-1", role=ROLE)
    for service in ("iam", "s3", "glue"):
        clients.client(service)  # type: ignore[call-overload]
    clients.caller_account()

    assert [call.operation for call in emulated_aws.calls.since(0) if call.service == "sts"] == [
        "AssumeRole",
        "GetCallerIdentity",
    ]
    assert AwsClients("there", "eu-west-1").caller_account() == READ_ACCOUNT
    assert any(text for text in clients.secrets())


@pytest.mark.usefixtures("emulated_aws")
def test_a_role_that_cannot_be_assumed_is_one_line_that_names_it() -> None:
    with pytest.raises(AwsError) as caught:
        AwsClients("there", "eu-west-1", role=ROLE).caller_account()

    assert ROLE.arn in str(caught.value)
    assert "sts:AssumeRole" in str(caught.value)
    assert "profile there with the external id acme" in str(caught.value)
    assert "\n" not in str(caught.value)
