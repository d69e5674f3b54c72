"""Who pushes, by the ARN that STS gives, and what gives that identity its rights."""

import pytest

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.rules.bounds import arns_of, identity, rights_of
from raito_pipeline.model import IamAttachment
from tests.aws.push.conftest import ACCOUNT, arn, trust
from tests.aws.push.exported import role, state

USER = f"arn:aws:iam::{ACCOUNT}:user/bob"


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/raito-sync/session", "role:raito-sync"),
        (f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Data_0123456789abcdef/ann@x.org",
         "role:AWSReservedSSO_Data_0123456789abcdef"),
        (f"arn:aws:iam::{ACCOUNT}:user/people/ann", "user:ann"),
        (f"arn:aws:iam::{ACCOUNT}:role/jobs/raito-sync", "role:raito-sync"),
        (f"arn:aws:iam::{ACCOUNT}:root", None),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/ann", None),
        (None, None),
    ],
)  # fmt: skip
def test_the_identity_that_pushes(caller: str | None, expected: str | None) -> None:
    assert identity(caller) == expected


def _with_policies() -> PushState:
    rows = (
        IamAttachment("user", "bob", "managed", "own", arn("own"), None),
        IamAttachment("group", "staff", "managed", "of-all", arn("of-all"), None),
        IamAttachment("user", "ada", "managed", "others", arn("others"), None),
    )
    return state((), (), rows)


def test_its_groups_and_policies_are_its_rights() -> None:
    assert rights_of(USER, _with_policies()) == {"user:bob", "group:staff", "policy:own", "policy:of-all"}
    assert rights_of(None, _with_policies()) == frozenset()


def test_a_role_of_a_permission_set_has_its_rights_from_that() -> None:
    name = "AWSReservedSSO_Data_0123456789abcdef"
    there = state(
        (role(name, trust("ada"), ()),), (), (IamAttachment("role", name, "managed", "own", arn("own"), None),)
    )
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ann@x.org"
    assert rights_of(caller, there) == {f"role:{name}", "ssorole:Data", "policy:own"}


def test_documents_name_it_by_the_arn_of_the_user_too() -> None:
    assert arns_of(USER, state()) == {USER}
    assert arns_of(f"arn:aws:iam::{ACCOUNT}:root", state()) == frozenset()
