"""Bucket policies are imported, and refused by a push."""

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.config.groups import PushOptions
from tests.aws.push.exported import control, state


@pytest.mark.parametrize("external_id", ["bucketpolicy:data", None])
@pytest.mark.parametrize("delete", [False, True])
def test_an_access_control_of_it_is_refused_and_nothing_is_planned(external_id: str | None, delete: bool) -> None:
    policy = control("a", type="aws_bucket_policy", external_id=external_id, delete=delete)

    plan = plan_push([policy], state(), PushOptions(), ACCESS_PROVIDER_TYPES.push)

    (target,) = plan.targets
    assert target.errors == ("bucket policies are read only, and a push changes none",)
    assert [change.operation for change in plan.changes] == ["refuse"]


def test_an_access_control_of_another_type_does_not_replace_one() -> None:
    role = control("a", external_id="bucketpolicy:data")

    (target,) = plan_push([role], state(), PushOptions(), ACCESS_PROVIDER_TYPES.push).targets

    assert "aws_bucket_policy cannot be removed by a push: nothing new is made" in target.errors[0]
