"""The people of Identity Center: memberships are asked in the direction that takes fewer calls."""

from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.identity_store import People, email_of, read_people
from raito_pipeline.aws.readers.reading import no_progress, workers
from raito_pipeline.model import OrgUser
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.conftest import Reach
from tests.aws.identity_center import REGION, center, group, member, refused, user
from tests.aws.identity_center import STORE as STORE_ID
from tests.aws.stand_in import Refused, StandIn
from tests.aws_actions import actions_of

STORE = "d-1234567890"


@pytest.mark.parametrize(
    ("users", "groups", "direction"),
    [
        (2, 3, "identitystore:ListGroupMembershipsForMember"),
        (3, 3, "identitystore:ListGroupMemberships"),
        (4, 1, "identitystore:ListGroupMemberships"),
    ],
)
def test_memberships_are_asked_in_the_cheaper_direction(
    emulated_aws: EmulatedAws, users: int, groups: int, direction: str
) -> None:
    clients = AwsClients("there")
    client = clients.client("identitystore")
    made = [
        client.create_user(
            IdentityStoreId=STORE,
            UserName=f"user{n}",
            DisplayName=f"User {n}",
            Name={"GivenName": "U", "FamilyName": str(n)},
        )["UserId"]
        for n in range(users)
    ]
    teams = [client.create_group(IdentityStoreId=STORE, DisplayName=f"team{n}")["GroupId"] for n in range(groups)]
    for team in teams:
        for one in made[:2]:
            client.create_group_membership(IdentityStoreId=STORE, GroupId=team, MemberId={"UserId": one})
    mark = emulated_aws.calls.mark

    with workers(5) as pool:
        people = read_people(Service(clients, "identitystore", NEXT_TOKEN), STORE, pool, no_progress)

    calls = emulated_aws.calls.since(mark)
    assert actions_of(calls) == {"identitystore:ListUsers", "identitystore:ListGroups", direction}
    assert len(calls) == 2 + min(users, groups)
    assert {user.user_id: user.group_ids for user in people.users} == {
        user: tuple(sorted(teams)) if user in made[:2] else () for user in made
    }


WORK, HOME = {"Value": "work@example.com", "Type": "work"}, {"Value": "home@example.com", "Type": "home"}
EMAILS: dict[str, tuple[Any, str | None]] = {
    "none": ([], None),
    "null": (None, None),
    "a primary one": ([HOME, {**WORK, "Primary": True}], "work@example.com"),
    "an only one that nobody marked": ([HOME], "home@example.com"),
    "an only one that is marked not to be": ([{**HOME, "Primary": False}], "home@example.com"),
    "several that nobody marked": ([HOME, WORK], "work@example.com"),
    "several of one kind": ([{"Value": "b@example.com"}, {"Value": "a@example.com"}], "a@example.com"),
    "several primary ones": ([{**HOME, "Primary": True}, {**WORK, "Primary": True}], "work@example.com"),
    "a primary one without value": ([{"Primary": True}, HOME], "home@example.com"),
    "only one without value": ([{"Primary": True}], None),
    "blanks": ([{"Value": " ", "Primary": True}, None, {"Value": " home@example.com "}], "home@example.com"),
    "one address twice": ([HOME, HOME], "home@example.com"),
    "kinds in capitals": ([HOME, {**WORK, "Type": "WORK"}], "work@example.com"),
}


@pytest.mark.parametrize("case", EMAILS)
def test_the_address_of_a_user_whatever_is_marked(case: str) -> None:
    emails, expected = EMAILS[case]
    assert email_of(emails) == expected
    assert email_of(emails and emails[::-1]) == expected


def people_of(reach: Reach, stand_in: StandIn, earlier: tuple[OrgUser, ...] = ()) -> People:
    clients = reach(stand_in)
    with workers(5) as pool:
        return read_people(Service(clients, "identitystore", NEXT_TOKEN, REGION), STORE_ID, pool, no_progress, earlier)


def test_people_without_names_are_shown_by_their_ids_and_people_without_ids_are_left_out(reach: Reach) -> None:
    users = [user(1), user(2, UserName=...), user(3, UserName=None, DisplayName="Three"), user(4, UserId=None), None]
    groups = [group(1), group(2, DisplayName=...), group(3, DisplayName=""), group(4, GroupId=...)]
    found = people_of(reach, center(users=users, groups=groups))
    assert [row.user_name for row in found.users] == ["user1", "u-2", "u-3"]
    assert [row.display_name for row in found.groups] == ["team1", "g-2", "g-3"]
    assert found.notes == (
        "without UserName, so shown by UserId: u-2, u-3", "without DisplayName, so shown by GroupId: g-2, g-3",
    )  # fmt: skip
    assert found.problems == (
        f"2 users without UserId in {STORE_ID} were left out", f"1 groups without GroupId in {STORE_ID} were left out",
    )  # fmt: skip


@pytest.mark.parametrize("users", [1, 4])
def test_memberships_that_name_no_user_are_no_memberships(reach: Reach, users: int) -> None:
    odd: list[Any] = [
        None, {"GroupId": "g-1"}, {"GroupId": "g-1", "MemberId": None},
        {"GroupId": "g-1", "MemberId": {"GroupId": "g-2"}}, {"MemberId": {"UserId": "u-1"}},
        member(99, 1), member(1, 99), member(1, 1), member(1, 1),
    ]  # fmt: skip
    people = [user(number) for number in range(1, users + 1)]
    found = people_of(reach, center(users=people, groups=[group(1), group(2)], members=odd))
    assert found.users[0].group_ids == ("g-1",)
    assert all(row.group_ids == () for row in found.users[1:])
    assert found.missed == found.problems == ()


def test_a_user_whose_groups_cannot_be_read_keeps_those_that_were_stored(reach: Reach) -> None:
    people = [user(1), user(2)]
    teams, members = [group(1), group(2), group(3)], [member(1, 1), member(2, 2)]
    whole = people_of(reach, center(users=people, groups=teams, members=members))

    def fails(action: str, request: Any) -> Refused | None:
        asked = action == "identitystore:ListGroupMembershipsForMember" and request["MemberId"] == {"UserId": "u-1"}
        return refused("ThrottlingException") if asked else None

    broken = center(users=people, groups=teams, members=members, fails=fails)
    found = people_of(reach, broken, whole.users)
    assert found.users == whole.users
    assert [(one.element, one.kept) for one in found.missed] == [("u-1", True)]
    assert people_of(reach, broken).users[0].group_ids == ()


def test_a_user_that_was_deleted_while_people_were_read_is_gone(reach: Reach) -> None:
    def fails(_action: str, request: Any) -> Refused | None:
        return refused("ResourceNotFoundException") if request.get("MemberId") == {"UserId": "u-1"} else None

    found = people_of(reach, center(users=[user(1), user(2)], groups=[group(n) for n in range(3)], fails=fails))
    assert [row.user_id for row in found.users] == ["u-2"]
    assert found.missed == ()
