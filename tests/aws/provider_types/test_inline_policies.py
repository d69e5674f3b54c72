"""Inline policies of users and groups as access provider types: imported, and pushed as managed policies."""

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES, SameAs
from raito_pipeline.aws.provider_types.inline_policies import GROUP_INLINE_POLICIES, USER_INLINE_POLICIES
from raito_pipeline.aws.provider_types.managed_policy import MANAGED_POLICY
from raito_pipeline.config.groups import AccessOptions
from tests.aws.access.conftest import READ, Told
from tests.orchestration.conftest import Loads

BOTH = (USER_INLINE_POLICIES, GROUP_INLINE_POLICIES)


def test_both_are_to_raito_cloud_what_a_managed_policy_is() -> None:
    for each in BOTH:
        assert isinstance(each.push, SameAs)
    resolved = {each.description.type for each in ACCESS_PROVIDER_TYPES.types if each.name.startswith("inline")}
    assert resolved == {MANAGED_POLICY.description.type}  # type: ignore[union-attr]


def test_reading_them_needs_no_more_than_reading_iam(loads: Loads) -> None:
    target = loads(accounts=1).accounts[0]
    for each in BOTH:
        actions = [action for right in each.read_rights(target) for action in right.actions]
        assert actions == ["iam:GetAccountAuthorizationDetails"]


def test_all_of_one_principal_are_one_access_provider() -> None:
    told = Told().user("ada").group("staff").inline("user:ada", "a", READ).inline("user:ada", "b", READ)
    rows = told.inline("group:staff", "c", READ).build(AccessOptions())

    assert sorted(key.partition(":")[0] for key in rows) == ["group", "user"]
    user = next(row for row in rows.values() if row.external_id.startswith("user:"))
    assert (user.who_users, user.type) == (("ada",), "aws_policy")
