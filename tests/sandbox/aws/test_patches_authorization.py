"""IAM enforced: listings by prefix, bucket policies, roles that are assumed, and access points."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from raito_pipeline.sandbox.aws.access_points import keep_access_point_host
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf, code

BUCKET = "sales-data"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
POINT = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/sales"
DELEGATION = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": "*",
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    "Condition": {"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
}


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


@dataclass
class Estate:
    """A bucket with an access point, an administrator's clients, and ann, who has nothing at first."""

    aws: EmulatedAws
    client: ClientOf
    ann: Sequence[str]

    def ann_has(self, *statements: Mapping[str, Any]) -> None:
        iam_of(ACCOUNT).put_user_policy("ann", "own", json.dumps(document(*statements)))

    def bucket_policy(self, *statements: Mapping[str, Any]) -> None:
        self.as_administrator(
            self.client("s3").put_bucket_policy, Bucket=BUCKET, Policy=json.dumps(document(*statements))
        )

    def point_policy(self, *statements: Mapping[str, Any]) -> None:
        policy = json.dumps(document(*statements))
        self.as_administrator(
            self.client("s3control").put_access_point_policy, AccountId=ACCOUNT, Name="sales", Policy=policy
        )

    def as_administrator(self, call: Any, **arguments: Any) -> Any:
        enforce_iam(self.aws, on=False)
        try:
            return call(**arguments)
        finally:
            enforce_iam(self.aws, on=True)

    def s3(self, credentials: Sequence[str] = ()) -> Any:
        s3 = self.client("s3", credentials=credentials or self.ann)
        s3.meta.events.register("before-call.s3", keep_access_point_host, unique_id="access-point-host")
        return s3

    def reads(self, bucket: str = BUCKET, key: str = "eu/1.csv", credentials: Sequence[str] = ()) -> str:
        return code(self.s3(credentials).get_object, Bucket=bucket, Key=key)

    def lists(self, bucket: str = BUCKET, **more: str) -> str:
        return code(self.s3().list_objects_v2, Bucket=bucket, **more)


@pytest.fixture
def estate(aws: EmulatedAws, client: ClientOf) -> Iterator[Estate]:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("eu/1.csv", "us/1.csv"):
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"x")
    client("s3control").create_access_point(AccountId=ACCOUNT, Name="sales", Bucket=BUCKET)
    ann = create_limited_credentials(ACCOUNT, {}, "ann")
    enforce_iam(aws, on=True)
    yield Estate(aws, client, ann)
    enforce_iam(aws, on=False)


def test_a_listing_is_limited_to_the_prefix_that_is_granted(estate: Estate) -> None:
    condition = {"StringLike": {"s3:prefix": ["eu/*", "eu"]}}
    estate.ann_has(allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", Condition=condition))
    assert estate.lists(Prefix="eu/") == "done"
    assert estate.lists(Prefix="us/") == "AccessDenied"
    assert estate.lists() == "AccessDenied"
    estate.ann_has(allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"))
    assert estate.lists() == "done"


def test_a_bucket_policy_grants_and_denies(estate: Estate) -> None:
    assert estate.reads() == "AccessDenied"
    named = allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/eu/*", Principal={"AWS": ANN})
    estate.bucket_policy(named)
    assert (estate.reads(), estate.reads(key="us/1.csv")) == ("done", "AccessDenied")
    estate.ann_has(allow("s3:GetObject", "*"))
    estate.bucket_policy(named | {"Effect": "Deny"})
    assert (estate.reads(), estate.reads(key="us/1.csv")) == ("AccessDenied", "done")


def granted(key: str = "*") -> dict[str, Any]:
    return allow("s3:GetObject", f"{POINT}/object/{key}", Principal={"AWS": ANN})


def test_an_access_point_grants_nothing_unless_the_bucket_delegates(estate: Estate) -> None:
    estate.point_policy(granted("eu/*"))
    assert estate.reads(POINT) == "AccessDenied"
    estate.bucket_policy(DELEGATION)
    assert estate.reads(POINT) == "done"
    assert estate.reads(POINT, "us/1.csv") == "AccessDenied"
    # What the access point grants is granted through it only.
    assert estate.reads() == "AccessDenied"
    other = DELEGATION | {"Condition": {"StringEquals": {"s3:DataAccessPointAccount": OTHER_ACCOUNT}}}
    estate.bucket_policy(other)
    assert estate.reads(POINT) == "AccessDenied"


def test_the_bucket_may_delegate_to_one_access_point(estate: Estate) -> None:
    estate.point_policy(granted())
    for arn, expected in ((POINT, "done"), (f"{POINT}-2", "AccessDenied")):
        estate.bucket_policy(DELEGATION | {"Condition": {"ArnEquals": {"s3:DataAccessPointArn": arn}}})
        assert estate.reads(POINT) == expected


def test_through_an_access_point_ones_own_policies_have_to_name_both(estate: Estate) -> None:
    bucket, point = f"arn:aws:s3:::{BUCKET}/*", f"{POINT}/object/*"
    for resources, expected in (([bucket], "AccessDenied"), ([point], "AccessDenied"), ([bucket, point], "done")):
        estate.ann_has(allow("s3:GetObject", resources))
        assert estate.reads(POINT) == expected
    estate.point_policy(granted() | {"Effect": "Deny"})
    assert estate.reads(POINT) == "AccessDenied"


def test_an_access_points_policy_taken_away_takes_the_access_away(estate: Estate) -> None:
    estate.bucket_policy(DELEGATION)
    estate.point_policy(granted())
    assert estate.reads(POINT) == "done"
    control = estate.client("s3control")
    estate.as_administrator(control.delete_access_point_policy, AccountId=ACCOUNT, Name="sales")
    assert estate.reads(POINT) == "AccessDenied"


def test_a_listing_through_an_access_point_is_limited_to_its_prefix(estate: Estate) -> None:
    estate.bucket_policy(DELEGATION)
    condition = {"StringLike": {"s3:prefix": "eu/*"}}
    estate.point_policy(allow("s3:ListBucket", POINT, Principal={"AWS": ANN}, Condition=condition))
    listed = estate.s3().list_objects_v2(Bucket=POINT, Prefix="eu/")["Contents"]
    assert [key["Key"] for key in listed] == ["eu/1.csv"]
    assert estate.lists(POINT, Prefix="us/") == "AccessDenied"
    assert estate.lists(POINT) == "AccessDenied"


def test_an_alias_reaches_the_same_and_the_call_log_knows_what_was_done(estate: Estate) -> None:
    estate.bucket_policy(DELEGATION)
    estate.point_policy(granted())
    control = estate.client("s3control")
    alias = estate.as_administrator(control.get_access_point, AccountId=ACCOUNT, Name="sales")["Alias"]
    assert estate.reads(alias) == "done"
    mark = estate.aws.calls.mark
    assert estate.reads(POINT) == "done"
    assert [(call.service, call.operation, call.status) for call in estate.aws.calls.since(mark)] == [
        ("s3", "GetObject", 200)
    ]
    assert estate.reads(f"{POINT}-2") == "AccessDenied"


def session(estate: Estate, role: str, **more: str) -> tuple[str, str, str]:
    sts = estate.client("sts", credentials=estate.ann)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    found = sts.assume_role(RoleArn=arn, RoleSessionName="ann", **more)["Credentials"]
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


def role(name: str, who: Any, policy: Any = None, **more: Any) -> None:
    trust = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"} | more
    iam = iam_of(ACCOUNT)
    iam.create_role(name, json.dumps(document(trust)), "/", None, "", [], "3600")
    if policy is not None:
        iam.put_role_policy(name, "own", json.dumps(document(policy)))


def assumed(estate: Estate, name: str, **more: str) -> str:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    call = estate.client("sts", credentials=estate.ann).assume_role
    return code(call, RoleArn=arn, RoleSessionName="ann", **more)


def test_a_role_gives_what_its_own_policies_allow_and_a_trust_alone_nothing(estate: Estate) -> None:
    role("reader", {"AWS": ANN}, allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/eu/*"))
    role("empty", {"AWS": ANN})
    reader, empty = session(estate, "reader"), session(estate, "empty")
    assert estate.reads(credentials=reader) == "done"
    assert estate.reads(key="us/1.csv", credentials=reader) == "AccessDenied"
    assert estate.reads(credentials=empty) == "AccessDenied"
    assert estate.reads() == "AccessDenied"


def test_a_trust_that_names_the_user_needs_no_right_to_assume_and_one_of_the_account_does(estate: Estate) -> None:
    role("named", {"AWS": ANN})
    role("account", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    role("other", {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"})
    role("external", {"AWS": ANN}, Condition={"StringEquals": {"sts:ExternalId": "secret"}})
    role("mfa", {"AWS": ANN}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert [assumed(estate, name) for name in ("named", "account", "other")] == ["done", *["AccessDenied"] * 2]
    assert (assumed(estate, "external"), assumed(estate, "external", ExternalId="secret")) == ("AccessDenied", "done")
    assert assumed(estate, "mfa") == "AccessDenied"
    estate.ann_has(allow("sts:AssumeRole", "*"))
    assert [assumed(estate, name) for name in ("account", "other")] == ["done", "AccessDenied"]


def test_a_boundary_limits_what_a_role_gives(estate: Estate) -> None:
    iam = iam_of(ACCOUNT)
    boundary = iam.create_policy("", "/", json.dumps(document(allow("s3:ListBucket", "*"))), "boundary", [])
    role("reader", {"AWS": ANN}, allow(["s3:GetObject", "s3:ListBucket"], "*"))
    iam.put_role_permissions_boundary("reader", boundary.arn)
    credentials = session(estate, "reader")
    assert estate.reads(credentials=credentials) == "AccessDenied"
    assert code(estate.s3(credentials).list_objects_v2, Bucket=BUCKET) == "done"
