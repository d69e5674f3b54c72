"""IAM out of `GetAccountAuthorizationDetails`: what its answers become, and what the options leave out."""

from typing import Any

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied
from raito_pipeline.aws.readers.iam_details import ACTION, read_details
from raito_pipeline.aws.readers.iam_rows import AccountRows
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import NamePattern
from tests.aws.conftest import Reach
from tests.aws.iam_account import NO_S3, IamAccount, account, managed, principal, s3
from tests.aws.stand_in import ACCOUNT, StandIn

OWN = f"arn:aws:iam::{ACCOUNT}:policy/own"


def served(page: int = 1000) -> StandIn:
    """A user in a group, each with a policy of its own, and a managed one on both."""
    stand_in = StandIn()
    made = account(
        principal("User", "ann", groups=("team",), inline={"mine": s3()}, attached=(OWN,), tags={"team": "a"}),
        principal("Group", "team", inline={"ours": s3()}, attached=(OWN,)),
        policies=(managed("own", s3("s3:PutObject")),),
    )
    IamAccount(made, stand_in, page)
    return stand_in


def read(reach: Reach, options: IamOptions, page: int = 1000) -> AccountRows:
    return read_details(reach(served(page)), options, lambda *_: None)


def attached(rows: AccountRows) -> set[tuple[str, str, str]]:
    return {(row.principal_type, row.principal_name, row.policy_name) for row in rows.attachments}


@pytest.mark.parametrize("page", [1000, 1])
def test_an_account_in_one_page_or_many(reach: Reach, page: int) -> None:
    rows = read(reach, IamOptions(), page)

    assert [(user.user_name, user.group_names) for user in rows.users] == [("ann", ("team",))]
    assert [group.group_name for group in rows.groups] == ["team"]
    assert attached(rows) == {
        ("user", "ann", "mine"),
        ("user", "ann", "own"),
        ("group", "team", "ours"),
        ("group", "team", "own"),
    }


def test_the_document_of_a_policy_is_that_of_its_default_version(reach: Reach) -> None:
    (policy,) = read(reach, IamOptions()).policies

    assert "s3:PutObject" in policy.document
    assert NO_S3["Statement"][0]["Action"] not in policy.document


@pytest.mark.parametrize(
    "options",
    [
        {"aws_access_skip_user_inline_policies": True},
        {"aws_access_skip_group_inline_policies": True},
        {"aws_user_excludes": (NamePattern("ann"),)},
    ],
)
def test_what_the_options_leave_out_of_the_import_is_read_since_it_may_deny(
    reach: Reach, options: dict[str, Any]
) -> None:
    assert attached(read(reach, IamOptions(**options))) == attached(read(reach, IamOptions()))


def test_without_the_right_it_says_which_one(reach: Reach) -> None:
    stand_in = served()
    stand_in.allowed = lambda action, _: action != ACTION

    with pytest.raises(AwsDenied) as error:
        read_details(reach(stand_in), IamOptions(), lambda *_: None)
    assert error.value.action == ACTION
