"""The rights that a check tries are those of the least policy: none can be forgotten."""

import pytest

from raito_pipeline.aws.probes import NOT_TRIED, TRIED, needed
from raito_pipeline.config import AccountTarget, OrganizationTarget

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
