"""The recorded pushes of access points, pushed here: feedback, policies and calls beside the client's.

What differs is said here, and explained in `docs/push-compared.md`.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.aws.readers.s3 import read_buckets
from raito_pipeline.config.groups import S3Options
from raito_pipeline.model import AccessControl
from tests.aws.push.center_push import REGION, CenterAccount
from tests.aws.push.conftest import ACCOUNT, World, text, trust
from tests.aws.push.recorded import FOLDER, recorded

IRELAND = "eu-west-1"
BUCKETS = {"data-00": REGION, "data-01": IRELAND, "data-02": REGION}
STEPS = ("1-create", "2-update", "3-update-again", "4-delete")


@dataclass
class PointAccount(CenterAccount):
    """An account with an organization, whose buckets and access points are read as well."""

    def state(self, controls: Iterable[AccessControl], clients: AwsClients) -> PushState:
        listed = tuple(controls)
        buckets = read_buckets(clients, S3Options()).rows
        regions = (REGION, IRELAND)
        points = [row for region in regions for row in read_access_points(clients, ACCOUNT, region, 2).rows]
        behind = buckets_behind(listed, {bucket.name: bucket for bucket in buckets})
        asked = read_bucket_policies(clients, behind)
        found = PointState.of(buckets, points, dict.fromkeys(regions), asked)
        return replace(super().state(listed, clients), points=found)

    def policies(self) -> dict[str, Any]:
        """The policies of all access points, by region and name."""
        return {
            f"{region}/{row.name}": json.loads(row.policy) if row.policy else None
            for region in (REGION, IRELAND)
            for row in read_access_points(self.world.clients, ACCOUNT, region, 2).rows
        }


@pytest.fixture
def account(world: World) -> PointAccount:
    """The estate that the pushes were recorded on, as far as access points go."""
    made = PointAccount(world)
    for number in range(1, 10):
        world.iam.create_user(UserName=f"user{number:04}")
    for group, members in {"group001": (1, 5, 6), "group002": (7, 8), "emptygroup": ()}.items():
        world.iam.create_group(GroupName=group)
        for number in members:
            world.iam.add_user_to_group(GroupName=group, UserName=f"user{number:04}")
    world.iam.create_role(RoleName="role0001", AssumeRolePolicyDocument=text(trust("ada")))
    for bucket, region in BUCKETS.items():
        place = {"LocationConstraint": region}
        world.clients.client("s3", region).create_bucket(Bucket=bucket, CreateBucketConfiguration=place)  # type: ignore[typeddict-item]
    made.person("person001")
    made.team("team1")
    made.assign(made.permission_set("ExistingSet", Description="Set ExistingSet"), "GROUP", made.team("team0"))
    return made


def statements(policy: Any) -> list[tuple[list[str], list[str], list[str]]]:
    """Principals (of permission sets without the hash of the account), actions and resources of a policy."""
    return sorted(
        (
            sorted(each.rpartition("_")[0] if "AWSReservedSSO" in each else each for each in one["Principal"]["AWS"]),
            sorted(one["Action"]),
            sorted(one["Resource"]),
        )
        for one in policy["Statement"]
    )


def test_2_access_points(account: PointAccount, tmp_path: Path) -> None:
    first, second, third, last = (recorded(f"2-access-points.{step}", tmp_path) for step in STEPS)
    theirs = [json.loads((FOLDER / f"2-access-points.{step}.json").read_text()) for step in STEPS]

    pushed = account.push(*first.controls)

    other = {"ap-sso-reserved", "ap-none", "ap-empty-group", "ap-unknown-user", "ap-gone"}
    for identifier, told in first.feedback.items():
        ours = pushed.results[identifier]
        if identifier not in other:
            assert (ours.actual_name, ours.external_id) == (told["actualName"], told["externalId"]), ours
            assert bool(ours.errors) == bool(told["errors"]), ours
    # Nobody is a state; the reserved form is found; what is gone is deleted; whom AWS does not know is named.
    assert [pushed.errors(one) for one in ("ap-none", "ap-empty-group", "ap-sso-reserved", "ap-gone")] == [""] * 4
    assert pushed.errors("ap-unknown-user") == "user nobody in its who is not in IAM of the account"
    assert pushed.results["ap-unknown-user"].external_id is not None
    here, recorded_policies = account.policies(), theirs[0]["access_points_afterwards"]
    assert set(here) - set(recorded_policies) == {
        f"{REGION}/{name}" for name in ("nobody", "empty-group", "reserved-role-point")
    }
    same = set(recorded_policies) - {
        f"{REGION}/unknown-user",
        f"{REGION}/users-point",
        f"{IRELAND}/bucket-point-in-ireland",
    }
    for name in sorted(same):
        assert statements(here[name]) == statements(recorded_policies[name]), name
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/users-point/object"
    assert [one["Resource"] for one in here[f"{REGION}/users-point"]["Statement"]] == [
        [f"{arn}/lvl0-3/object-003.parquet"],
        [f"{arn}/lvl0-1/*", f"{arn}/lvl0-2/*"],
    ]
    arn = f"arn:aws:s3:{IRELAND}:{ACCOUNT}:accesspoint/bucket-point-in-ireland"
    assert [(one["Action"], one["Resource"]) for one in here[f"{IRELAND}/bucket-point-in-ireland"]["Statement"]] == [
        (["s3:GetObject"], [f"{arn}/object/*"]),
        (["s3:ListBucket"], [arn]),
    ]
    assert [here[f"{REGION}/{name}"] for name in ("nobody", "empty-group", "unknown-user")] == [None] * 3
    more = {"CreateAccessPoint": 3}
    assert Counter(pushed.writes) - Counter(first.operations) == Counter(more)

    pushed = account.push(*second.controls)
    assert Counter(pushed.writes) == {"PutAccessPointPolicy": 1, "DeleteAccessPointPolicy": 1}
    assert "bucket data-02, which access point roles-point opens for ever" in pushed.errors("ap-roles")
    assert account.policies()[f"{REGION}/roles-point"] is None
    name = f"{REGION}/users-point"
    assert statements(account.policies()[name]) == statements(theirs[1]["access_points_afterwards"][name])

    assert (account.push(*third.controls).writes, len(third.writes)) == ([], 3)

    pushed = account.push(*last.controls)
    assert pushed.writes == last.operations
    assert [(one.actual_name, one.external_id, one.errors) for one in pushed.results.values()] == [("", None, ())] * 2
