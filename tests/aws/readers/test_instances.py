"""Which of several instances of Identity Center is the organization's, and what is said of the others."""

import pytest

from raito_pipeline.aws.readers.instances import Home, Instance, NoIdentityCenter, choose

OURS = Instance("arn:aws:sso:::instance/ssoins-1", "d-1", "999988887777")
OTHER = Instance("arn:aws:sso:::instance/ssoins-2", "d-2", "111122223333")


def chosen(home: Home, *listed: Instance) -> list[str]:
    return [one.store_id for one in choose(listed, home)[0]]


@pytest.mark.parametrize(
    ("home", "stores"),
    [
        (Home(), ["d-1", "d-2"]),  # which has permission sets is known when they are asked for
        (Home(instance_arn=OTHER.arn), ["d-2"]),
        (Home(identity_store_id="d-2"), ["d-2"]),
        (Home(identity_store_id="arn:aws:identitystore::999988887777:identitystore/d-2"), ["d-2"]),
        (Home(owner="999988887777"), ["d-1"]),
        # the ARN says more than the store, and that more than the owner
        (Home(instance_arn=OTHER.arn, identity_store_id="d-1", owner="999988887777"), ["d-2"]),
        (Home(identity_store_id="d-2", owner="999988887777"), ["d-2"]),
        # what the options name is not there: the next thing that they know decides
        (Home(instance_arn="arn:aws:sso:::instance/gone", owner="999988887777"), ["d-1"]),
        (Home(instance_arn="arn:aws:sso:::instance/gone"), ["d-1", "d-2"]),
    ],
)
def test_what_the_options_know_decides(home: Home, stores: list[str]) -> None:
    assert chosen(home, OTHER, OURS) == stores


def test_an_instance_that_the_options_name_and_that_is_not_there_is_said() -> None:
    gone = Home(instance_arn="arn:aws:sso:::instance/gone")

    assert choose([OURS], gone) == (
        [OURS],
        [
            "there is no Identity Center instance arn:aws:sso:::instance/gone, so another one was read; correct "
            "aws-organization-identity-center-instance-arn"
        ],
    )
    assert choose([OURS], Home(instance_arn=OURS.arn))[1] == []


def test_one_that_is_not_active_or_names_no_store_is_not_read_and_said() -> None:
    made = Instance(OURS.arn, "d-3", "1", "CREATE_IN_PROGRESS")

    usable, notes = choose([made, OTHER], Home(owner="111122223333"))

    assert usable == [OTHER]
    assert notes == [
        "the Identity Center instance arn:aws:sso:::instance/ssoins-1 of account 1 is CREATE_IN_PROGRESS, so it was "
        "not read"
    ]
    assert chosen(Home(), Instance("arn", "")) == []


def test_those_that_are_left_are_named() -> None:
    assert choose([OURS, OTHER], Home(owner="999988887777"))[1] == [
        "the Identity Center instance arn:aws:sso:::instance/ssoins-2 of account 111122223333 is not the "
        "organization's, so it was not read"
    ]


def test_an_answer_without_status_is_of_an_active_instance() -> None:
    assert Instance.of({"InstanceArn": "a", "IdentityStoreId": "d", "OwnerAccountId": None}) == Instance("a", "d")
    assert Instance("a", "d").status == "ACTIVE"


def test_where_there_is_none_the_error_says_what_lies_beside_and_what_to_do() -> None:
    text = str(NoIdentityCenter("eu-west-1", None, ["one is DELETED", "one is DELETED"]))

    assert "of an organization in eu-west-1 (one is DELETED)." in text
    assert "with profile default chain" in text
    assert "Correct aws-organization-region or aws-organization-profile" in text
