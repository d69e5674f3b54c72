"""What access providers are made of: the place of the account in its organization."""

from raito_pipeline.model import OrgAccount

from .conftest import ACCOUNT, Told


def test_an_account_finds_its_own_place_among_those_of_its_organization() -> None:
    told = Told().organization()
    own = told.place
    assert own is not None
    other = OrgAccount("999988887777", own.organization_id, True, (), own.policy_types)
    inputs = told.inputs()

    assert inputs.organization == own
    assert type(inputs)(**{**vars(inputs), "org_accounts": [other, own]}).organization == own
    assert type(inputs)(**{**vars(inputs), "org_accounts": [other]}).organization is None


def test_without_an_organization_nothing_is_known_of_it() -> None:
    inputs = Told().inputs()
    assert (inputs.account_id, inputs.organization, inputs.org_control_policies) == (ACCOUNT, None, [])
