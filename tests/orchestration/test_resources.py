"""What the assets work with: found by partition, made once, and contacting nothing before it is used."""

import pytest
from pydantic import SecretStr

from raito_pipeline.aws.connection.errors import AwsDenied
from raito_pipeline.orchestration.resources import Services
from tests.orchestration.conftest import FIRST, Loads

ONE, TWO, ORGANIZATION = str(FIRST), str(FIRST + 1), "999988887777_eu-west-1"


def test_targets_are_found_by_their_partitions(loads: Loads) -> None:
    services = Services(loads(accounts=2))

    assert services.account(TWO).name == "account-1"
    assert services.organization(ORGANIZATION).identity_store_id == "d-1234567890"
    assert services.accounts_of_organization(ORGANIZATION) == {ONE, TWO}
    target = services.organization_target(ORGANIZATION)
    assert target is not None
    assert target.name == "organization"
    linked = services.organization_of(ONE)
    assert linked is not None
    assert linked.key == ORGANIZATION


def test_targets_of_one_user_share_a_client_of_raito_cloud_and_others_do_not(loads: Loads) -> None:
    options = loads("skip-authentication: true", accounts=2)
    services = Services(options)
    one, two = options.accounts
    somebody = two.model_copy(update={"api_user": "somebody@example.com"})

    assert services.raito(one) is services.raito(two)
    assert services.raito(one) is not services.raito(somebody)


def test_a_log_bucket_that_cannot_be_listed_is_remembered_for_its_account_only(loads: Loads) -> None:
    options = loads(accounts=2)
    services = Services(options)
    error = AwsDenied("denied", action="s3:ListBucket", resource="logs")

    services.refuse_logs(options.accounts[0], error)

    services.require_logs(options.accounts[1])
    with pytest.raises(AwsDenied) as raised:
        services.require_logs(options.accounts[0])
    assert raised.value is error


def test_the_address_of_the_webhook_is_a_secret(loads: Loads) -> None:
    webhook = "https://hooks.example.com/services/T0/B0/secret"
    options = loads()
    pipeline = options.pipeline.model_copy(update={"alert_webhook": SecretStr(webhook)})
    assert Services(options.model_copy(update={"pipeline": pipeline})).secrets() == {"nothing", webhook}


def test_the_password_of_the_file_is_a_secret_before_anybody_logged_in(loads: Loads) -> None:
    assert Services(loads()).secrets() == {"nothing"}
