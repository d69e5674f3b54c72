"""The people of Identity Center: memberships are asked in the direction that takes fewer calls."""

import pytest

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.aws.identity_store import read_people
from raito_pipeline.aws.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.reading import no_progress, workers
from raito_pipeline.sandbox.aws.server import EmulatedAws
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
        for member in made[:2]:
            client.create_group_membership(IdentityStoreId=STORE, GroupId=team, MemberId={"UserId": member})
    mark = emulated_aws.calls.mark

    with workers(5) as pool:
        people = read_people(Service(clients, "identitystore", NEXT_TOKEN), STORE, pool, no_progress)

    calls = emulated_aws.calls.since(mark)
    assert actions_of(calls) == {"identitystore:ListUsers", "identitystore:ListGroups", direction}
    assert len(calls) == 2 + min(users, groups)
    assert {user.user_id: user.group_ids for user in people.users} == {
        user: tuple(sorted(teams)) if user in made[:2] else () for user in made
    }
