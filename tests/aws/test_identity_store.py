"""The people of Identity Center: memberships are asked in the direction that takes fewer calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.aws.identity_store import read_people
from raito_pipeline.aws.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.reading import no_progress, workers
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws_actions import actions_of

STORE = "d-1234567890"
KEY = "AKIAPEOPLEPEOPLEPEOP"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAws]:
    with EmulatedAws() as emulated:
        install_access_key("111122223333", KEY, "not-a-secret")
        config, credentials = tmp_path / "config", tmp_path / "credentials"
        config.write_text(f"[profile there]\nregion = us-east-1\nendpoint_url = {emulated.endpoint_url}\n")
        credentials.write_text(f"[there]\naws_access_key_id = {KEY}\naws_secret_access_key = not-a-secret\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield emulated


@pytest.mark.parametrize(
    ("users", "groups", "direction"),
    [
        (2, 3, "identitystore:ListGroupMembershipsForMember"),
        (3, 3, "identitystore:ListGroupMemberships"),
        (4, 1, "identitystore:ListGroupMemberships"),
    ],
)
def test_memberships_are_asked_in_the_cheaper_direction(
    aws: EmulatedAws, users: int, groups: int, direction: str
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
    mark = aws.calls.mark

    with workers(5) as pool:
        people = read_people(Service(clients, "identitystore", NEXT_TOKEN), STORE, pool, no_progress)

    calls = aws.calls.since(mark)
    assert actions_of(calls) == {"identitystore:ListUsers", "identitystore:ListGroups", direction}
    assert len(calls) == 2 + min(users, groups)
    assert {user.user_id: user.group_ids for user in people.users} == {
        user: tuple(sorted(teams)) if user in made[:2] else () for user in made
    }
