"""Who made a call, by the name that Raito Cloud knows them under."""

from typing import Any

import msgspec
import pytest

from raito_pipeline.aws.usage.identity import who
from raito_pipeline.aws.usage.records import Identity

PEOPLE = {"p-1": "ann@example.com"}
ROLE = "arn:aws:sts::111122223333:assumed-role/analysts/session-1"


@pytest.mark.parametrize(
    ("said", "user", "role"),
    [
        ({"type": "IAMUser", "userName": "ann", "arn": "arn:user/ann"}, "ann", None),
        ({"type": "Root", "arn": "arn:root"}, "root", None),
        ({"type": "AssumedRole", "principalId": "AROA1:session-1", "arn": ROLE}, "session-1", "analysts"),
        (
            {
                "type": "AssumedRole",
                "principalId": "AROA1:session-1",
                "arn": ROLE,
                "sessionContext": {"sessionIssuer": {"userName": "issuer"}},
            },
            "session-1",
            "issuer",
        ),
        # a person of Identity Center, whatever stands beside it
        (
            {"type": "AssumedRole", "principalId": "AROA1:s", "arn": ROLE, "onBehalfOf": {"userId": "p-1"}},
            "ann@example.com",
            "analysts",
        ),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "p-9"}}, "p-9", None),
        ({"type": "AWSService", "invokedBy": "glue.amazonaws.com"}, "glue.amazonaws.com", None),
        ({"type": "AWSAccount", "accountId": "999988887777", "principalId": "AIDA"}, "AIDA", None),
        ({"type": "AWSAccount", "accountId": "999988887777"}, "999988887777", None),
        ({"type": "AssumedRole", "principalId": "AROA1", "arn": "arn:of:nothing"}, "arn:of:nothing", None),
    ],
)
def test_each_kind_of_identity(said: dict[str, Any], user: str, role: str | None) -> None:
    assert who(msgspec.convert(said, Identity), PEOPLE) == (user, role)


def test_an_identity_that_names_nobody() -> None:
    assert who(None, PEOPLE) is None
    assert who(msgspec.convert({"type": "Unknown"}, Identity), PEOPLE) is None
