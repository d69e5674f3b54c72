"""An account whose access points are pushed as a sync does it: read, plan, apply; and who then reads what."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.aws.readers.s3 import read_buckets
from raito_pipeline.config.groups import IamOptions, PushOptions, S3Options
from raito_pipeline.model import AccessControl, DataObjectReference, PushResult, WhatItem, WhoEntry
from raito_pipeline.sandbox.aws.access_points import keep_access_point_host
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.enforcement import enforce_iam
from raito_pipeline.sandbox.aws.pace import instantly
from tests.aws.push.conftest import ACCOUNT, World

HERE, THERE = "us-east-1", "eu-west-1"
DELEGATION = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "*",
    "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
    "Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
}
SECRET = "not-a-secret"


def point_arn(name: str, region: str = HERE) -> str:
    return f"arn:aws:s3:{region}:{ACCOUNT}:accesspoint/{name}"


def item(path: str, *permissions: str, kind: str = "folder", region: str = HERE) -> WhatItem:
    """Permissions on BUCKET/PATH."""
    return WhatItem(DataObjectReference(f"{ACCOUNT}:{region}:{path}", kind), permissions or ("s3:GetObject",))


def who(*users: str, groups: Sequence[str] = (), inherit: Sequence[str] = ()) -> WhoEntry:
    return WhoEntry(users, tuple(groups), tuple(inherit), ())


def point_control(identifier: str, **changes: Any) -> AccessControl:
    """An access control that is an access point; by default of ada, on the folder eu of the bucket data."""
    values: dict[str, Any] = {
        "position": 0, "id": identifier, "name": identifier, "description": "why", "naming_hint": "",
        "type": "aws_access_point", "external_id": None, "action": "grant", "delete": False, "actual_name": None,
        "who": who("ada"), "deleted_who": None, "what": (item("data/eu"),), "delete_what": (),
        "who_locked": False, "inheritance_locked": False, "what_locked": False, "delete_locked": False, "owners": (),
    }  # fmt: skip
    return AccessControl(**{**values, **changes})


def role_control(identifier: str, **changes: Any) -> AccessControl:
    return point_control(identifier, **{"type": "aws_role", **changes})


def exported(control: AccessControl, result: PushResult, **changes: Any) -> AccessControl:
    """The access control as Raito Cloud exports it after the feedback."""
    return replace(control, actual_name=result.actual_name, external_id=result.external_id, **changes)


@dataclass
class Pushed:
    """A push: its plan, and what came of each access control."""

    plan: Plan
    results: Mapping[str, PushResult]

    def steps(self) -> list[tuple[str, str, str]]:
        """Operation, kind and name of each row of the plan."""
        return [(row.operation, row.kind, row.resource.rpartition("/")[2]) for row in self.plan.changes]

    def errors(self, identifier: str = "p") -> tuple[str, ...]:
        return self.results[identifier].errors

    def warnings(self, identifier: str = "p") -> tuple[str, ...]:
        return self.results[identifier].warnings


@dataclass
class PointWorld:
    """The account of `world` with the buckets data (us-east-1) and far (eu-west-1)."""

    world: World
    options: PushOptions

    def client(self, service: str, region: str = HERE) -> Any:
        return self.world.clients.client(service, region)  # type: ignore[call-overload]

    def state(self, controls: Sequence[AccessControl], regions: Sequence[str] = (HERE, THERE)) -> PushState:
        """The tables of a sync, read over the wire."""
        clients = self.world.clients
        iam = read_account(clients, IamOptions())
        buckets = read_buckets(clients, S3Options()).rows
        points = [row for region in regions for row in read_access_points(clients, ACCOUNT, region, 2).rows]
        behind = buckets_behind(controls, {bucket.name: bucket for bucket in buckets})
        policies = read_bucket_policies(clients, behind)
        unread = dict.fromkeys(regions)
        return PushState.of(
            ACCOUNT,
            iam.users.rows,
            iam.groups.rows,
            iam.roles.rows,
            iam.policies.rows,
            iam.attachments.rows,
            points=PointState.of(buckets, points, unread, policies),
        )

    def push(self, *controls: AccessControl, state: PushState | None = None, **options: Any) -> Pushed:
        """Read, plan and apply, once."""
        placed = [replace(each, position=position) for position, each in enumerate(controls)]
        chosen = self.options.model_copy(update=options)
        types = ACCESS_PROVIDER_TYPES.push
        bounds = Bounds(buckets={"data": HERE, "far": THERE})
        made = plan_push(placed, state or self.state(placed), chosen, types, bounds)
        applied = apply_plan(self.world.clients, ACCOUNT, types, made.changes, made.targets, placed, 2)
        return Pushed(made, {result.access_control_id: result for result in applied.results})

    def policy(self, name: str, region: str = HERE) -> Any:
        """The policy of an access point, None where it has none."""
        try:
            answer = self.client("s3control", region).get_access_point_policy(AccountId=ACCOUNT, Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchAccessPointPolicy":
                raise
            return None
        return json.loads(answer["Policy"])

    def put_policy(self, name: str, *statements: Mapping[str, Any]) -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.client("s3control").put_access_point_policy(AccountId=ACCOUNT, Name=name, Policy=text)

    def tags(self, name: str) -> list[dict[str, str]]:
        answer = self.client("s3control").list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=point_arn(name))
        return list(answer["Tags"])

    def create(self, name: str, bucket: str = "data", *, tags: Sequence[dict[str, str]] = ()) -> None:
        """An access point that was not made by this push."""
        more = {"Tags": list(tags)} if tags else {}
        self.client("s3control").create_access_point(AccountId=ACCOUNT, Name=name, Bucket=bucket, **more)

    def names(self, region: str = HERE) -> list[str]:
        listed = self.client("s3control", region).list_access_points(AccountId=ACCOUNT)["AccessPointList"]
        return sorted(point["Name"] for point in listed)

    def delegate(self) -> None:
        self.bucket_policy(DELEGATION)

    def bucket_policy(self, *statements: Mapping[str, Any]) -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.client("s3").put_bucket_policy(Bucket="data", Policy=text)

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """IAM is enforced inside."""
        enforce_iam(self.world.aws, on=True)
        try:
            yield
        finally:
            enforce_iam(self.world.aws, on=False)

    def reads(self, user: str, name: str, *keys: str) -> list[str]:
        """Which keys a user reads through an access point (or a bucket)."""
        s3 = self.as_user(user)
        found = []
        with self.enforced():
            for key in keys:
                try:
                    s3.get_object(Bucket=name, Key=key)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "AccessDenied":
                        raise
                else:
                    found.append(key)
        return found

    def as_user(self, user: str) -> Any:
        """An S3 client of a user, which reaches access points by their ARN."""
        key = f"AKIA{user.upper():A<16}"[:20]
        install_access_key(ACCOUNT, key, SECRET, user)
        session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=SECRET, region_name=HERE)
        config = Config(retries={"total_max_attempts": 1}, s3={"use_arn_region": True})
        s3 = session.client("s3", endpoint_url=self.world.aws.endpoint_url, config=config)
        s3.meta.events.register("before-call.s3", keep_access_point_host)
        return s3


_KEPT: dict[str, AwsClients] = {}
"""clients by address: making them takes longer than most tests"""


def arrange(world: World) -> PointWorld:
    """Users ada, bob, cyd (below a path), group staff of bob and cyd, role reader, two buckets with keys."""
    world = replace(world, clients=_KEPT.setdefault(world.aws.endpoint_url, world.clients))
    iam = world.iam
    iam.create_user(UserName="cyd", Path="/people/")
    for user in ("bob", "cyd"):
        iam.add_user_to_group(GroupName="staff", UserName=user)
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}, "Action": "sts:AssumeRole"}
    ]}  # fmt: skip
    with instantly():  # S3 knows it at once
        iam.create_role(RoleName="reader", Path="/data/", AssumeRolePolicyDocument=json.dumps(trust))
    made = PointWorld(world, PushOptions())
    made.client("s3").create_bucket(Bucket="data")
    far = {"LocationConstraint": THERE}
    made.client("s3", THERE).create_bucket(Bucket="far", CreateBucketConfiguration=far)
    for key in ("eu/1", "eu/2", "us/1"):
        made.client("s3").put_object(Bucket="data", Key=key, Body=b"x")
    return made
