"""The changes of access points, each on the emulated AWS: what is there already, what is gone, and who is new."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.order import in_order
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, Story, World, text, trust
from tests.aws.push.points import PointWorld, arrange, point_arn

ADA, BOB = f"arn:aws:iam::{ACCOUNT}:user/ada", f"arn:aws:iam::{ACCOUNT}:user/bob"
ARN = point_arn("sales")
RESERVED = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com"


@pytest.fixture
def there(world: World) -> PointWorld:
    return arrange(world)


def policy(*principals: str, key: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": ["s3:GetObject"]}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Resource": [f"{ARN}/object/{key}"]}]}


def story(*, was: str | None = None) -> Story:
    return Story().control("p", "sales", kind="aws_access_point", external_id=f"accesspoint:{ARN}", was=was)


def created() -> Story:
    return story().change("create", "access-point", ARN, {"Bucket": "data", "Tags": BY_RAITO})


def run(there: PointWorld, told: Story) -> Any:
    return next(one for one in told.apply(there.world.clients).results if one.access_control_id == "p")


def test_one_of_this_push_that_was_broken_off_is_taken_over(there: PointWorld) -> None:
    there.create("sales", tags=BY_RAITO)
    result = run(there, created().change("create", "access-point-policy", ARN, policy(ADA)))
    assert (result.errors, result.external_id) == ((), f"accesspoint:{ARN}")
    assert there.policy("sales") == policy(ADA)


def test_one_of_somebody_else_or_of_another_bucket_is_left_alone(there: PointWorld) -> None:
    there.create("sales")
    result = run(there, created())
    assert "was not made by Raito" in result.errors[0]
    there.client("s3").create_bucket(Bucket="other")
    there.client("s3control").delete_access_point(AccountId=ACCOUNT, Name="sales")
    there.create("sales", "other", tags=BY_RAITO)
    result = run(there, created())
    assert "it exists and opens bucket other, which cannot be changed" in result.errors[0]
    assert there.policy("sales") is None


@pytest.mark.parametrize("with_policy", [False, True])
def test_where_tags_may_not_be_read_only_one_without_a_policy_is_taken_over(
    there: PointWorld, with_policy: bool
) -> None:
    there.create("sales")
    if with_policy:
        there.put_policy("sales", *policy(ADA)["Statement"])
    there.world.aws.faults.add(Fault(kind="deny", operation="ListTagsForResource"))
    result = run(there, created())
    assert [("ListTagsForResource" in error) for error in result.errors] == ([True] if with_policy else [])


def test_a_policy_is_written_only_where_it_differs(there: PointWorld) -> None:
    there.create("sales", tags=BY_RAITO)
    there.put_policy("sales", *policy(ADA)["Statement"])
    mark = there.world.aws.calls.mark
    told = story(was=f"accesspoint:{ARN}").change("create", "access-point-policy", ARN, policy(ADA))
    assert run(there, told).errors == ()
    assert there.world.writes(mark) == []


def test_of_principals_that_are_not_there_nothing_is_written_where_nothing_was(there: PointWorld) -> None:
    """A permission set that nobody has in the account has no role there; the error of it comes with each push."""
    there.create("sales", tags=BY_RAITO)
    mark = there.world.aws.calls.mark
    told = story(was=f"accesspoint:{ARN}").change("create", "access-point-policy", ARN, policy("ssorole:Nobodys"))
    assert "made without permission set Nobodys, which has no role in the account" in run(there, told).errors[0]
    assert there.world.writes(mark) == []


def test_one_that_somebody_removed_is_said_where_its_policy_was_to_go(there: PointWorld) -> None:
    told = story(was=f"accesspoint:{ARN}").change("delete", "access-point-policy", ARN, before=text(policy(ADA)))

    result = run(there, told)

    assert (result.errors, ["is gone from AWS" in each for each in result.warnings]) == ((), [True])


def test_a_failed_policy_reports_the_access_point_that_is_there(there: PointWorld) -> None:
    there.world.aws.faults.add(Fault(kind="deny", operation="PutAccessPointPolicy"))
    result = run(there, created().change("create", "access-point-policy", ARN, policy(ADA)))
    assert (result.actual_name, result.external_id) == ("sales", f"accesspoint:{ARN}")
    assert "s3:PutAccessPointPolicy" in result.errors[0]
    there.world.aws.faults.clear()
    assert run(there, created().change("create", "access-point-policy", ARN, policy(ADA))).errors == ()


def test_a_role_of_the_same_push_comes_first_and_one_that_fails_takes_no_revocation_with_it(there: PointWorld) -> None:
    there.create("sales", tags=BY_RAITO)
    before = policy(ADA)
    there.put_policy("sales", *before["Statement"])
    there.world.aws.faults.add(Fault(kind="deny", operation="CreateRole", times=1))

    result = run(there, _with_role(before))

    assert "made without role made, which this push could not make" in result.errors[0]
    assert there.policy("sales")["Statement"][0]["Principal"] == {"AWS": [BOB]}
    assert run(there, _with_role(there.policy("sales"))).errors == ()
    assert there.policy("sales")["Statement"][0]["Principal"]["AWS"] == [f"arn:aws:iam::{ACCOUNT}:role/made", BOB]


def test_where_nothing_is_left_of_a_policy_it_goes(there: PointWorld) -> None:
    """A push that may only take something takes the last of it so; AWS takes no policy that says it."""
    there.create("sales", tags=BY_RAITO)
    there.put_policy("sales", *policy(ADA)["Statement"])
    left = only_taking(text(policy(ADA)), text(policy(BOB)))
    own = f"accesspoint:{ARN}"

    result = run(there, story(was=own).change("update", "access-point-policy", ARN, left, before=text(policy(ADA))))

    assert (result.errors, result.external_id, there.policy("sales")) == ((), own, None)


def _with_role(before: dict[str, Any]) -> Story:
    """A new role, and an access point that ada loses and the role and bob get."""
    told = Story().control("r", "made", external_id="role:made")
    told.change("create", "role", "made", {"AssumeRolePolicyDocument": trust("ada"), "Tags": BY_RAITO})
    own = f"accesspoint:{ARN}"
    told.control("p", "sales", kind="aws_access_point", external_id=own, was=own)
    after = policy("role:made", BOB)
    return told.change("update", "access-point-policy", ARN, after, before=json.dumps(before))


def test_a_principal_that_does_not_exist_is_named_and_the_others_get_what_is_theirs(there: PointWorld) -> None:
    nobody = f"arn:aws:iam::{ACCOUNT}:user/nobody"
    result = run(there, created().change("create", "access-point-policy", ARN, policy(ADA, nobody)))
    assert f"made without {nobody}, which does not exist" in result.errors[0]
    assert there.policy("sales") == policy(ADA)


def test_what_is_no_access_point_of_the_account_is_never_touched(there: PointWorld) -> None:
    for resource in ("arn:aws:s3:us-east-1:999999999999:accesspoint/sales", "sales", "arn:aws:s3:::data"):
        mark = there.world.aws.calls.mark
        result = run(there, story().change("delete", "access-point", resource))
        assert "no access point of account" in result.errors[0]
        assert there.world.aws.calls.since(mark) == []


def test_one_that_raito_did_not_make_is_deleted_only_where_the_export_names_it(there: PointWorld) -> None:
    there.create("sales")
    assert "was not made by Raito" in run(there, story().change("delete", "access-point", ARN, before="{}")).errors[0]
    told = Story().control("p", kind="aws_access_point", was=f"accesspoint:{ARN}")
    assert run(there, told.change("delete", "access-point", ARN, before="{}")).errors == ()
    assert there.names() == []


@pytest.mark.parametrize(
    ("goes", "principal"),
    [
        (("delete", "role", "readers"), f"arn:aws:iam::{ACCOUNT}:role/team/readers"),
        (("delete", "assignment", "Sales_team/user:ada"), f"{RESERVED}/AWSReservedSSO_Sales_team_0123456789abcdef"),
    ],
)
@pytest.mark.parametrize(
    "policy_goes", ["update access-point-policy", "delete access-point-policy", "delete access-point"]
)
def test_a_role_goes_after_the_policies_that_name_it(
    goes: tuple[str, str, str], principal: str, policy_goes: str
) -> None:
    """S3 gives its unique id afterwards, so that the policy would count as changed by somebody else."""
    operation, _, kind = policy_goes.partition(" ")
    after = policy(BOB) if operation == "update" else None
    told = Story().control("r").change(*goes).control("p")
    told.change(operation, kind, ARN, after, text(policy(principal, BOB)))
    assert [change.KIND for change in in_order(ACCESS_PROVIDER_TYPES.push.changes(told.changes))] == [kind, goes[1]]
