"""The least IAM policy follows the options of a target: each leaves out or adds what follows from it."""

from typing import Any

import pytest

from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.config import AccountTarget, OrganizationTarget
from raito_pipeline.config.discovery import Discovery
from tests.orchestration.conftest import FIRST, Loads


@pytest.fixture
def target(loads: Loads) -> AccountTarget:
    return loads(accounts=1).accounts[0]


def granted(target: AccountTarget | OrganizationTarget, mode: Any = "read", **more: Any) -> dict[str, set[str]]:
    """The resources by action."""
    found: dict[str, set[str]] = {}
    for statement in least_policy(target, mode, **more)["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


def writing(actions: dict[str, set[str]]) -> list[str]:
    reads = ("Get", "List", "Describe")
    return sorted(action for action in actions if not action.partition(":")[2].startswith(reads))


def test_reading_writes_nothing_and_a_push_reads_too(target: AccountTarget, loads: Loads) -> None:
    (organization,) = loads(accounts=1).organizations
    for each in (target, organization):
        read, push = granted(each), granted(each, "push")
        assert writing(read) == []
        assert read.keys() <= push.keys()
        assert writing(push)


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({"skip_data_access_sync": True, "skip_identity_store_sync": True}, {"iam:GetAccountAuthorizationDetails"}),
        ({"skip_data_source_sync": True, "skip_data_usage_sync": True}, {"s3:ListBucket"}),
        ({"aws_access_skip_s3_access_points": True}, {"s3:ListAccessPoints", "s3:GetAccessPointPolicy"}),
    ],
)
def test_what_is_not_synced_is_not_asked_for(target: AccountTarget, options: dict[str, Any], gone: set[str]) -> None:
    assert gone <= granted(target).keys()
    assert gone.isdisjoint(granted(target.model_copy(update=options)))


def test_nothing_is_pushed_where_access_is_not_synced(target: AccountTarget) -> None:
    assert writing(granted(target.model_copy(update={"skip_data_access_sync": True}), "push")) == []


def test_glue_takes_the_place_of_listing_buckets(target: AccountTarget) -> None:
    glue = granted(target.model_copy(update={"aws_glue_enabled": True, "aws_s3_enabled": False}))
    assert "s3:ListBucket" not in glue
    assert f"arn:aws:glue:eu-west-1:{FIRST}:catalog" in glue["glue:GetTables"]


def test_logs_and_inventories_are_read_in_their_own_buckets_alone(target: AccountTarget) -> None:
    logs = target.model_copy(update={"aws_s3_cloudtrail_bucket": "trail"})
    assert granted(logs)["s3:GetObject"] == {"arn:aws:s3:::trail/*"}
    inventories = granted(target, inventories=("s3://lists/daily/",))
    assert inventories["s3:GetObject"] == {"arn:aws:s3:::lists/daily/*"}
    assert "s3:GetObject" not in granted(target)


def test_bucket_policies_are_asked_for_where_they_are_read(target: AccountTarget) -> None:
    assert "s3:GetBucketPolicy" in granted(target)
    assert "s3:GetBucketPolicy" not in granted(target, bucket_policies=False)


def test_arns_are_of_the_partition_of_the_target(target: AccountTarget) -> None:
    china = target.model_copy(update={"regions": ("cn-north-1",), "aws_regions": ("cn-north-1",)})
    if china.aws_partition == "aws-cn":
        resources = {resource for every in granted(china, "push").values() for resource in every} - {"*"}
        assert {resource.split(":")[1] for resource in resources} == {"aws-cn"}


def test_discovery_asks_for_what_its_filters_need_and_may_assume_its_role_alone(loads: Loads) -> None:
    (organization,) = loads(accounts=1).organizations
    plain = granted(organization).keys()

    def more(**filters: Any) -> dict[str, set[str]]:
        found = granted(organization, discovery=Discovery(role="teams/raito-#account#", **filters))
        return {action: places for action, places in found.items() if action not in plain}

    assert more() == {
        "organizations:ListAccounts": {"*"},
        "sts:AssumeRole": {"arn:aws:iam::*:role/teams/raito-*"},
    }
    assert more(tags=("a:b",)).keys() - more() == {"organizations:ListTagsForResource"}
    assert {"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"} < set(
        more(exclude_units=("x",))
    )
