"""The accounts of an organization: all pages, the names of states, and where each stands."""

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied, AwsError
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.readers.members import Members
from raito_pipeline.model import Tag
from tests.aws.conftest import Reach
from tests.aws.stand_in import StandIn, denied, page_of

ACCOUNTS = [
    {"Id": "333300000000", "Name": "c", "State": "ACTIVE"},
    {"Id": "111100000000", "Name": "a", "State": "PENDING_CLOSURE", "Status": "ACTIVE"},
    {"Id": "222200000000", "Name": "b", "Status": "SUSPENDED"},
    {"Id": "444400000000", "State": "PENDING_ACTIVATION"},
]
UNITS = {"r-1": [{"Id": "ou-1", "Name": "production"}], "ou-1": [{"Id": "ou-2", "Name": "data"}]}
IN = {"r-1": ["444400000000"], "ou-1": ["333300000000"], "ou-2": ["111100000000", "222200000000"]}


def serves() -> StandIn:
    def pages(key: str, items: list[dict[str, str]], request: dict[str, str]) -> dict[str, object]:
        some, token = page_of(items, 1, request.get("NextToken"))
        return {key: some, "NextToken": token}

    def inside(request: dict[str, str]) -> dict[str, object]:
        return pages("Accounts", [one for one in ACCOUNTS if one["Id"] in IN[request["ParentId"]]], request)

    handlers = {
        "organizations:ListAccounts": lambda request: pages("Accounts", ACCOUNTS, request),
        "organizations:ListRoots": lambda _: {"Roots": [{"Id": "r-1", "Name": "Root"}]},
        "organizations:ListAccountsForParent": inside,
        "organizations:ListOrganizationalUnitsForParent": lambda request: pages(
            "OrganizationalUnits", UNITS.get(request["ParentId"], []), request
        ),
        "organizations:ListTagsForResource": lambda request: pages(
            "Tags", [{"Key": "id", "Value": request["ResourceId"]}, {"Key": "x", "Value": ""}], request
        ),
    }
    return StandIn(handlers)  # type: ignore[arg-type]


def members(reach: Reach, stand_in: StandIn) -> Members:
    return Members(reach(stand_in), "us-east-1", ServiceLimits({}))


def test_all_accounts_come_in_order_with_the_state_that_aws_gives(reach: Reach) -> None:
    found = members(reach, serves()).accounts(with_units=False)

    assert [(one.name, one.state, one.is_closed, one.units) for one in found] == [
        ("a", "PENDING_CLOSURE", True, None),
        ("b", "SUSPENDED", True, None),
        ("c", "ACTIVE", False, None),
        ("444400000000", "PENDING_ACTIVATION", False, None),
    ]


def test_where_an_account_stands_is_asked_from_the_root_downwards(reach: Reach) -> None:
    stand_in = serves()
    found = members(reach, stand_in).accounts(with_units=True)

    assert [(one.name, one.path) for one in found] == [
        ("a", "production/data"), ("b", "production/data"), ("c", "production"), ("444400000000", ""),
    ]  # fmt: skip
    assert stand_in.calls()["organizations:ListParents"] == 0


def test_tags_are_asked_of_those_that_are_named(reach: Reach) -> None:
    tags = members(reach, serves()).tags(["333300000000"])
    assert tags == {"333300000000": (Tag("id", "333300000000"), Tag("x", ""))}


@pytest.mark.parametrize(
    ("action", "nth"), [("ListAccountsForParent", 2), ("ListOrganizationalUnitsForParent", 3), ("ListRoots", 1)]
)
def test_a_list_that_fails_is_never_a_part_of_the_accounts(reach: Reach, action: str, nth: int) -> None:
    stand_in = serves()
    stand_in.faults[f"organizations:{action}", nth] = denied(action, "*")
    with pytest.raises(AwsDenied, match=action):
        members(reach, stand_in).accounts(with_units=True)


def test_a_page_or_tag_that_fails_is_an_error(reach: Reach) -> None:
    stand_in = serves()
    stand_in.faults["organizations:ListAccounts", 3] = denied("organizations:ListAccounts", "*")
    stand_in.faults["organizations:ListTagsForResource", 2] = denied("organizations:ListTagsForResource", "*")
    reader = members(reach, stand_in)
    with pytest.raises(AwsError):
        reader.accounts(with_units=False)
    with pytest.raises(AwsError):
        reader.tags(["333300000000"])
