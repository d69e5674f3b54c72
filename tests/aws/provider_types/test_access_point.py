"""Access points as an access provider type: rights by region, and the bucket policy only where it is asked for."""

import pytest

from raito_pipeline.aws.provider_types.access_point import ACCESS_POINT
from raito_pipeline.aws.push.pushed_types import PushedType
from raito_pipeline.config import AccountTarget
from tests.orchestration.conftest import FIRST, Loads

PLACES = tuple(f"arn:aws:s3:{region}:{FIRST}:accesspoint/*" for region in ("eu-west-1", "us-east-1"))


@pytest.fixture
def target(loads: Loads) -> AccountTarget:
    return loads(accounts=1).accounts[0]


def pushed() -> PushedType:
    assert isinstance(ACCESS_POINT.push, PushedType)
    return ACCESS_POINT.push


def actions(target: AccountTarget) -> dict[str, tuple[str, ...]]:
    return {action: right.resources for right in pushed().rights(target) for action in right.actions}


def test_points_of_the_regions_of_the_target_are_read(target: AccountTarget) -> None:
    rights = {action: right.resources for right in ACCESS_POINT.read_rights(target) for action in right.actions}
    assert rights["s3:GetAccessPointPolicy"] == PLACES
    assert rights["s3:ListAccessPoints"] == ("*",)


@pytest.mark.parametrize("skipped", ["skip_data_access_sync", "aws_access_skip_s3_access_points"])
def test_where_they_are_not_imported_nothing_is_read(target: AccountTarget, skipped: str) -> None:
    assert list(ACCESS_POINT.read_rights(target.model_copy(update={skipped: True}))) == []


def test_an_organization_has_none(loads: Loads) -> None:
    (organization,) = loads(accounts=1).organizations
    assert list(ACCESS_POINT.read_rights(organization)) == []
    assert list(pushed().organization_rights(organization)) == []


def test_a_bucket_policy_is_written_only_where_the_option_asks_for_it(target: AccountTarget) -> None:
    assert "s3:PutBucketPolicy" not in actions(target)
    assert "s3:GetBucketPolicy" in actions(target)
    delegating = target.model_copy(update={"aws_access_point_delegation": True})
    assert "s3:PutBucketPolicy" in actions(delegating)
    assert actions(delegating)["s3:PutAccessPointPolicy"] == PLACES


def test_its_what_is_below_one_bucket_and_its_name_is_that_in_the_arn() -> None:
    assert ACCESS_POINT.description.common_parent == "bucket"  # type: ignore[union-attr]
    assert pushed().named(f"arn:aws:s3:eu-west-1:{FIRST}:accesspoint/door") == "door"
