import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf

# The model of S3 Control knows few of its errors by name, which the emulator remarks.
pytestmark = pytest.mark.filterwarnings("ignore:Exception.*does not match an error shape")
ELSEWHERE = "us-west-2"


@pytest.fixture
def control(client: ClientOf) -> Any:
    for region, bucket in ((REGION, "bucket-here"), (ELSEWHERE, "bucket-there")):
        client("s3", region=region).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region}
        )
    return client("s3control")


def policy(resource: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


def test_names_and_arns_belong_to_a_region(control: Any, client: ClientOf) -> None:
    there = client("s3control", region=ELSEWHERE)
    one = control.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-here")
    two = there.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-there")
    assert one["AccessPointArn"] == f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/reports"
    assert two["AccessPointArn"] == f"arn:aws:s3:{ELSEWHERE}:{ACCOUNT}:accesspoint/reports"
    assert one["Alias"] != two["Alias"]
    for made, of, bucket in ((one, control, "bucket-here"), (two, there, "bucket-there")):
        (found,) = of.list_access_points(AccountId=ACCOUNT)["AccessPointList"]
        assert (found["AccessPointArn"], found["Bucket"]) == (made["AccessPointArn"], bucket)
        described = of.get_access_point(AccountId=ACCOUNT, Name="reports")
        assert described["BucketAccountId"] == ACCOUNT
    control.delete_access_point(AccountId=ACCOUNT, Name="reports")
    assert control.list_access_points(AccountId=ACCOUNT)["AccessPointList"] == []
    assert there.get_access_point(AccountId=ACCOUNT, Name="reports")["Bucket"] == "bucket-there"


def test_access_points_come_in_pages(control: Any) -> None:
    names = [f"point-{number}" for number in range(5)]
    for name in names:
        control.create_access_point(AccountId=ACCOUNT, Name=name, Bucket="bucket-here")
    found, token, pages = [], None, 0
    while token is not None or pages == 0:
        page = control.list_access_points(AccountId=ACCOUNT, MaxResults=2, **({"NextToken": token} if token else {}))
        found += [point["Name"] for point in page["AccessPointList"]]
        token, pages = page.get("NextToken"), pages + 1
    assert (found, pages) == (names, 3)
    listed = control.list_access_points(AccountId=ACCOUNT, Bucket="bucket-there")
    assert listed["AccessPointList"] == []


@pytest.mark.parametrize(
    ("name", "bucket", "code"),
    [
        ("no-", "bucket-here", "InvalidRequest"),
        ("Upper-Case", "bucket-here", "InvalidRequest"),
        ("good-name", "bucket-there", "InvalidRequest"),
        ("good-name", "no-such-bucket", "InvalidRequest"),
        ("taken", "bucket-here", "AccessPointAlreadyOwnedByYou"),
    ],
)
def test_bad_access_points_are_refused(control: Any, name: str, bucket: str, code: str) -> None:
    control.create_access_point(AccountId=ACCOUNT, Name="taken", Bucket="bucket-here")
    with pytest.raises(ClientError) as caught:
        control.create_access_point(AccountId=ACCOUNT, Name=name, Bucket=bucket)
    assert caught.value.response["Error"]["Code"] == code


def test_policies_name_their_access_point(control: Any) -> None:
    place = {"AccountId": ACCOUNT, "Name": "reports"}
    arn = control.create_access_point(**place, Bucket="bucket-here")["AccessPointArn"]
    with pytest.raises(ClientError) as caught:
        control.get_access_point_policy(**place)
    assert caught.value.response["Error"]["Code"] == "NoSuchAccessPointPolicy"
    good = policy(f"{arn}/object/*")
    control.put_access_point_policy(**place, Policy=good)
    assert control.get_access_point_policy(**place)["Policy"] == good
    bad = [
        policy("arn:aws:s3:::bucket-here/*"),
        "no json",
        policy(arn, Principal=None)[:-3],
        policy(arn + "x" * 21_000),
    ]
    for text in bad:
        with pytest.raises(ClientError):
            control.put_access_point_policy(**place, Policy=text)
    control.delete_access_point_policy(**place)
    with pytest.raises(ClientError):
        control.get_access_point_policy(**place)


def test_a_missing_access_point_is_told(control: Any) -> None:
    with pytest.raises(ClientError) as caught:
        control.delete_access_point(AccountId=ACCOUNT, Name="missing")
    assert caught.value.response["Error"]["Code"] == "NoSuchAccessPoint"


def test_tags_of_an_access_point(control: Any) -> None:
    made = control.create_access_point(
        AccountId=ACCOUNT, Name="tagged", Bucket="bucket-here", Tags=[{"Key": "a", "Value": "1"}]
    )
    tags = control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=made["AccessPointArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]


def test_accounts_are_apart(control: Any, client: ClientOf) -> None:
    control.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-here")
    other = client("s3control", OTHER_ACCOUNT).list_access_points(AccountId=OTHER_ACCOUNT)
    assert other["AccessPointList"] == []
