"""Permission sets as an access provider type: read and pushed in the organization, and only what Raito made."""

from raito_pipeline.aws.provider_types.permission_set import PERMISSION_SET
from raito_pipeline.aws.push.pushed_types import PushedType
from tests.orchestration.conftest import Loads

SETS = "arn:aws:sso:::permissionSet/*/*"


def pushed() -> PushedType:
    assert isinstance(PERMISSION_SET.push, PushedType)
    return PERMISSION_SET.push


def test_an_account_needs_no_right_of_identity_center(loads: Loads) -> None:
    target = loads(accounts=1).accounts[0]
    actions = {action for right in PERMISSION_SET.read_rights(target) for action in right.actions}
    assert actions == {"iam:GetAccountAuthorizationDetails"}
    assert list(pushed().rights(target)) == []


def test_changes_of_permission_sets_are_allowed_by_the_tag_of_raito_alone(loads: Loads) -> None:
    (organization,) = loads(accounts=1).organizations
    for right in pushed().organization_rights(organization):
        on_sets = SETS in right.resources
        changes = [a for a in right.actions if not a.split(":")[1].startswith(("Get", "List", "Describe"))]
        if on_sets and changes:
            assert right.condition is not None, right.name
            assert right.condition[0].endswith("Tag/creator")


def test_a_new_one_has_to_carry_the_tag_and_an_old_one_has_it(loads: Loads) -> None:
    (organization,) = loads(accounts=1).organizations
    conditions = {
        action: right.condition[0]
        for right in pushed().organization_rights(organization)
        for action in right.actions
        if right.condition is not None
    }
    assert conditions["sso:CreatePermissionSet"].startswith("aws:RequestTag/")
    assert conditions["sso:DeletePermissionSet"].startswith("aws:ResourceTag/")


def test_its_people_are_of_the_organization_and_it_is_named_by_its_reserved_role() -> None:
    description = PERMISSION_SET.description
    assert (description.identity_store, description.organization_only) == ("aws-organization", True)  # type: ignore[union-attr]
    assert pushed().named("AWSReservedSSO_Analysts_0123456789abcdef") == "Analysts"
