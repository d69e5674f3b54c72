"""The rights that a check tries are those of the least policy: none can be forgotten."""

import pytest

from raito_pipeline.aws.probes import NOT_TRIED, TRIED, Probes, needed
from raito_pipeline.aws.readers.instances import Home
from raito_pipeline.config import AccountTarget, OrganizationTarget
from tests.aws.conftest import Reach
from tests.aws.identity_center import BESIDE, MASTER, ORG, REGION, STORE_BESIDE, Answer, center, instance, refused
from tests.aws.stand_in import Refused

ACCOUNT = {
    "name": "sales",
    "connector_name": "raito-io/cli-plugin-aws-account",
    "domain": "example",
    "partition": "111122223333",
    "account_id": "111122223333",
    "regions": ("eu-west-1",),
    "aws_s3_cloudtrail_bucket": "logs",
}


@pytest.mark.parametrize("glue", [False, True])
def test_every_action_that_reading_needs_is_tried_or_says_why_not(glue: bool) -> None:
    account = AccountTarget(**ACCOUNT, aws_s3_enabled=not glue, aws_glue_enabled=glue)  # type: ignore[arg-type]
    organization = OrganizationTarget(
        name="people", connector_name="x", domain="example", account_id="111122223333", region="eu-west-1"
    )
    for target in (account, organization):
        actions = needed(target)
        assert len(actions) > 3
        assert [action for action in actions if (action in TRIED) == (action in NOT_TRIED)] == []


def test_rights_are_tried_on_the_instance_that_a_sync_reads(reach: Reach) -> None:
    beside = instance(BESIDE, STORE_BESIDE, ACCOUNT["account_id"])

    def refuses(_action: str, request: Answer) -> Refused | None:
        of_beside = BESIDE in request.values() or STORE_BESIDE in request.values()
        return refused("ValidationException") if of_beside else None

    clients = reach(center(instances=[beside, instance()], fails=refuses))
    organization = OrganizationTarget(
        name="people", connector_name="x", domain="example", account_id=MASTER, region=REGION
    )
    for home in (Home(), Home(ORG)):  # where nothing says which it is, one that works is enough
        tried = {each.action: each.error for each in Probes(clients, organization, home).tried()}
        asked = [action for action in TRIED if action.startswith(("sso:", "identitystore:"))]
        assert {action: tried[action] for action in asked} == dict.fromkeys(asked)

    tried = {each.action: each.error for each in Probes(clients, organization, Home(BESIDE)).tried()}
    assert "ValidationException" in str(tried["identitystore:ListUsers"])
