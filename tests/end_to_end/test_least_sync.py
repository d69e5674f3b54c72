"""A whole sync with its push under exactly what `raito-pipeline info --iam-policy push` prints, enforced."""

import pytest

from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.storage import ReadStatus
from tests.aws_actions import enforceable
from tests.end_to_end.conftest import World, failures
from tests.end_to_end.limited import allow, limited_credentials


def test_a_whole_sync_works_under_the_least_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    options = world.options()
    with limited_credentials(world.embedded) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for organization in options.organizations:
            allow(organization.account_id, enforceable(least_policy(organization, "push")))
        for target in options.accounts:
            allow(target.account_id, enforceable(least_policy(target, "push")))
        results = world.sync()
    assert failures(results) == [], failures(results)
    denied = [f"{call.service}:{call.operation}" for call in world.calls() if call.status == 403]
    assert denied == []
    for account in world.accounts:
        for table in ("iam_policies", "s3_buckets", "access_providers"):
            info = world.store.info(table, account)
            assert info is not None
            assert (info.status, info.problems) == (ReadStatus.COMPLETE, ()), table
    made = world.counts()["dataSources"]["ds-210000000012"]["accessControls"]
    assert made["SYNCED"] == 6  # the seventh was to be removed
