"""A policy of AWS that is a boundary and nothing else is read, by whichever way IAM is read."""

import pytest

from raito_pipeline.aws.readers.iam import EarlierIam, read_account
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.storage import ReadStatus
from tests.aws.iam_account import Account, IamAccount, account, managed, principal, s3
from tests.aws.stand_in import StandIn

from ..conftest import Reach

DETAILS = "iam:GetAccountAuthorizationDetails"
EDGE = "arn:aws:iam::aws:policy/Edge"


class _NotListed(IamAccount):
    """An account whose lists leave out policies that are boundaries alone."""

    def details(self, request):  # type: ignore[no-untyped-def]
        answer = super().details(request)
        answer["Policies"] = [one for one in answer.get("Policies", []) if one["Arn"] != EDGE]
        return answer


def made() -> Account:
    return account(
        principal("User", "ann", boundary=EDGE),
        principal("Role", "r", boundary=EDGE),
        policies=(managed("Edge", s3("s3:Get*", "*"), owner="aws"),),
    )


def serve(*denied: str) -> StandIn:
    stand_in = StandIn(allowed=lambda action, _: action not in denied)
    _NotListed(made(), stand_in)
    return stand_in


@pytest.mark.parametrize("denied", [(), (DETAILS,)], ids=["details", "lists"])
def test_its_document_is_read_once(reach: Reach, denied: tuple[str, ...]) -> None:
    stand_in = serve(*denied)
    clients = reach(stand_in)

    read = read_account(clients, IamOptions())

    (policy,) = read.policies.rows
    assert (policy.arn, policy.attachment_count, policy.aws_managed) == (EDGE, 0, True)
    assert "s3:Get*" in policy.document
    assert stand_in.calls()["iam:GetPolicy"] == stand_in.calls()["iam:GetPolicyVersion"] == 1

    stand_in.log.clear()
    again = read_account(clients, IamOptions(), earlier=EarlierIam(policies=read.policies.rows))
    assert again.policies.rows == read.policies.rows
    assert "iam:GetPolicyVersion" not in stand_in.calls()


def test_one_that_cannot_be_read_is_that_of_the_previous_sync_or_said_to_be_missing(reach: Reach) -> None:
    whole = read_account(reach(serve()), IamOptions())
    clients = reach(serve("iam:GetPolicy"))

    missing = read_account(clients, IamOptions())
    assert (missing.policies.rows, missing.policies.status) == ((), ReadStatus.PARTIAL)
    assert "permissions boundaries" in missing.policies.problems[0]

    kept = read_account(clients, IamOptions(), earlier=EarlierIam(policies=whole.policies.rows))
    assert (kept.policies.rows, kept.policies.status) == (whole.policies.rows, ReadStatus.PARTIAL)


def test_nobody_asks_where_iam_is_left_out(reach: Reach) -> None:
    stand_in = serve()
    read_account(reach(stand_in), IamOptions(aws_access_skip_iam=True))
    assert "iam:GetPolicy" not in stand_in.calls()


def test_for_one_that_may_not_be_read_stands_the_kept_copy(reach: Reach) -> None:
    power = "arn:aws:iam::aws:policy/PowerUserAccess"
    stand_in = StandIn(allowed=lambda action, _: action != "iam:GetPolicy")
    IamAccount(account(principal("User", "ann", boundary=power)), stand_in)

    read = read_account(reach(stand_in), IamOptions())

    (policy,) = read.policies.rows
    assert (policy.arn, policy.policy_name, policy.path) == (power, "PowerUserAccess", "/")
    assert policy.document_as_of is not None
    # Which version is in force is not to be read either.
    assert (policy.default_version_id, bool(policy.document_version_id)) == ("", True)
    assert read.policies.status is ReadStatus.COMPLETE
