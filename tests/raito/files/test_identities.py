"""Users and groups: each element as recorded from a real client."""

from pathlib import Path

from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import (
    IamGroup,
    IamUser,
    OrgGroup,
    OrgUser,
    Tag,
)
from raito_pipeline.raito.files.identities import write_account_identities, write_organization_identities

from .reading import ACCOUNT, LONG_AGO, read


def iam_user(number: str, name: str, groups: tuple[str, ...] = (), tags: tuple[Tag, ...] = ()) -> IamUser:
    return IamUser(number, name, f"arn:aws:iam::{ACCOUNT}:user/{name}", "/", LONG_AGO, groups, None, tags)


def iam_group(number: str, name: str) -> IamGroup:
    return IamGroup(number, name, f"arn:aws:iam::{ACCOUNT}:group/{name}", "/", LONG_AGO)


def test_users_and_groups_of_an_account(tmp_path: Path) -> None:
    users = [
        iam_user("AIDA1", "user0003", ("group000",), (Tag("email", "user0003@example.com"),)),
        iam_user("AIDA2", "user0049"),
        iam_user("AIDA3", "robot", (), (Tag("Kind", "Machine"), Tag("work-email", "b@x"), Tag("a-email", "a@x"))),
        iam_user("AIDA4", "svc-hidden", ("group000",), (Tag("email", "hidden@example.com"),)),
    ]
    users_file, groups_file = write_account_identities(
        tmp_path,
        ACCOUNT,
        users,
        [iam_group("AGPA1", "group000")],
        excluded=[NamePattern("svc-.*"), NamePattern("user00")],
        machine_tag="kind:machine",
    )
    assert users_file.path.name == "users.json"
    assert read(users_file) == [
        {
            "externalId": "AIDA1",
            "name": "user0003",
            "userName": "user0003",
            "email": "user0003@example.com",
            "groupExternalIds": ["AGPA1"],
            "tags": [{"key": "email", "value": "user0003@example.com", "source": "aws-s3"}],
            "isMachine": None,
        },
        {
            "externalId": "AIDA2",
            "name": "user0049",
            "userName": "user0049",
            "email": "user0049",
            "groupExternalIds": [],
            "tags": [],
            "isMachine": None,
        },
        {
            "externalId": "AIDA3",
            "name": "robot",
            "userName": "robot",
            "email": "a@x",
            "groupExternalIds": [],
            "tags": [
                {"key": "Kind", "value": "Machine", "source": "aws-s3"},
                {"key": "work-email", "value": "b@x", "source": "aws-s3"},
                {"key": "a-email", "value": "a@x", "source": "aws-s3"},
            ],
            "isMachine": True,
        },
        {
            "externalId": "AIDA4",
            "name": "svc-hidden",
            "userName": "svc-hidden",
            "email": "svc-hidden",
            "groupExternalIds": ["AGPA1"],
            "tags": None,
            "isMachine": None,
        },
        {
            "externalId": "arn:aws:iam::111122223333:user/root",
            "name": "root",
            "userName": "root",
            "email": "root@111122223333",
            "groupExternalIds": None,
            "tags": None,
            "isMachine": None,
        },
    ]
    assert read(groups_file) == [
        {
            "externalId": "AGPA1",
            "name": "group000",
            "displayName": "group000",
            "description": "",
            "parentGroupExternalIds": None,
            "tags": None,
        }
    ]


def test_users_and_groups_of_an_organization(tmp_path: Path) -> None:
    users_file, groups_file = write_organization_identities(
        tmp_path,
        [
            OrgUser("d-1", "f45e", "person000", "Person", "p0@example.com", ("9eec",)),
            OrgUser("d-1", "c8", "p1", "", None, ()),
        ],
        [OrgGroup("d-1", "9eec", "team0", "the team")],
    )
    assert read(users_file) == [
        {
            "externalId": "f45e",
            "name": "person000",
            "userName": "person000",
            "email": "p0@example.com",
            "groupExternalIds": ["9eec"],
            "tags": None,
            "isMachine": None,
        },
        {
            "externalId": "c8",
            "name": "p1",
            "userName": "p1",
            "email": "p1",
            "groupExternalIds": [],
            "tags": None,
            "isMachine": None,
        },
    ]
    assert [(group["displayName"], group["description"]) for group in read(groups_file)] == [("team0", "the team")]
