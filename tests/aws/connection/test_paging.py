"""Pages of a listing are followed to the last one, or the listing fails."""

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied, AwsUnreachable
from raito_pipeline.aws.connection.paging import MARKER, NEXT_TOKEN, Service
from tests.aws.conftest import Reach
from tests.aws.iam_account import IamAccount, small_account
from tests.aws.stand_in import StandIn


@pytest.mark.parametrize(
    ("page", "last", "following"),
    [
        ({"IsTruncated": True, "Marker": "b"}, None, "b"),
        ({"IsTruncated": True, "Marker": "c"}, "b", "c"),
        ({"IsTruncated": False, "Marker": "left over"}, "b", None),
        ({}, None, None),
    ],
)
def test_a_marker_counts_where_the_page_says_that_there_is_more(
    page: dict[str, object], last: str | None, following: str | None
) -> None:
    assert MARKER.next(page, "iam:ListUsers", "*", [last] if last else ()) == following


def test_a_token_alone_says_that_there_is_more() -> None:
    assert NEXT_TOKEN.next({"NextToken": "t"}, "sso:ListInstances", "*") == "t"
    assert NEXT_TOKEN.next({"NextToken": ""}, "sso:ListInstances", "*", ["t"]) is None


@pytest.mark.parametrize("page", [{"IsTruncated": True, **marker} for marker in ({}, {"Marker": "b"}, {"Marker": "a"})])
def test_a_page_that_leads_nowhere_or_back_is_an_error_and_not_the_end(page: dict[str, object]) -> None:
    with pytest.raises(AwsUnreachable, match=r"iam:ListUsers on \*: AWS announced another page") as error:
        MARKER.next(page, "iam:ListUsers", "*", ["a", "b"])
    assert (error.value.action, error.value.resource) == ("iam:ListUsers", "*")


def test_items_of_all_pages_come_in_order_and_a_refused_page_is_no_shorter_list(reach: Reach) -> None:
    stand_in = StandIn()
    IamAccount(small_account(), stand_in, 1)
    users = Service(reach(stand_in), "iam", MARKER)

    names = [user["UserName"] for user in users.items("ListUsers", "Users", "*")]

    assert len(names) == stand_in.calls()["iam:ListUsers"] == 3
    assert len(set(names)) == 3
    stand_in.allowed = lambda action, _: action != "iam:ListUsers" or stand_in.calls()["iam:ListUsers"] < 5
    with pytest.raises(AwsDenied) as error:
        users.items("ListUsers", "Users", "*")
    assert error.value.action == "iam:ListUsers"


def test_pages_in_a_circle_end(reach: Reach) -> None:
    stand_in = StandIn()
    ways = {None: "a", "a": "b", "b": "a"}
    stand_in.handlers["iam:ListUsers"] = lambda request: {
        "Users": [],
        "IsTruncated": True,
        "Marker": ways[request.get("Marker")],
    }
    with pytest.raises(AwsUnreachable, match="gave no way to it"):
        Service(reach(stand_in), "iam", MARKER).items("ListUsers", "Users", "*")
    assert stand_in.calls()["iam:ListUsers"] == 3
