import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.patches.principals import known_from
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf, code

# The model of S3 Control knows few of its errors by name, which the emulator remarks.
pytestmark = pytest.mark.filterwarnings("ignore:Exception.*does not match an error shape")
ELSEWHERE = "us-west-2"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


@pytest.fixture
def control(client: ClientOf) -> Any:
    for region, bucket in ((REGION, "bucket-here"), (ELSEWHERE, "bucket-there")):
        client("s3", region=region).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region}
        )
    client("iam").create_user(UserName="ann")
    return client("s3control")


def policy(resource: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "s3:GetObject", "Resource": resource}
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
        ("-no", "bucket-here", "InvalidRequest"),
        ("under_score", "bucket-here", "InvalidRequest"),
        ("with.dot", "bucket-here", "InvalidRequest"),
        ("n" * 51, "bucket-here", "InvalidRequest"),
        ("name-s3alias", "bucket-here", "InvalidRequest"),
        ("name--ol-s3", "bucket-here", "InvalidRequest"),
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


def test_errors_have_the_status_that_aws_gives_them(control: Any) -> None:
    there = {"AccountId": ACCOUNT, "Name": "there"}
    control.create_access_point(**there, Bucket="bucket-here")
    for call, arguments, expected in (
        (control.delete_access_point, {"AccountId": ACCOUNT, "Name": "missing"}, ("NoSuchAccessPoint", 404)),
        (control.get_access_point_policy, there, ("NoSuchAccessPointPolicy", 404)),
        (control.create_access_point, there | {"Bucket": "bucket-here"}, ("AccessPointAlreadyOwnedByYou", 409)),
    ):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == expected


def test_tags_of_an_access_point(control: Any) -> None:
    arn = control.create_access_point(
        AccountId=ACCOUNT, Name="tagged", Bucket="bucket-here", Tags=[{"Key": "creator", "Value": "RAITO"}]
    )["AccessPointArn"]
    place = {"AccountId": ACCOUNT, "ResourceArn": arn}

    def tags() -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in control.list_tags_for_resource(**place)["Tags"]}

    assert tags() == {"creator": "RAITO"}
    control.tag_resource(**place, Tags=[{"Key": "team", "Value": "Vertrieb Süd"}, {"Key": "creator", "Value": "X"}])
    assert tags() == {"creator": "X", "team": "Vertrieb Süd"}
    control.untag_resource(**place, TagKeys=["creator"])
    assert tags() == {"team": "Vertrieb Süd"}
    for bad in ([{"Key": "a", "Value": "x|y"}], [{"Key": f"k{number}", "Value": ""} for number in range(50)]):
        assert code(control.tag_resource, **place, Tags=bad) == "InvalidTag"
    assert tags() == {"team": "Vertrieb Süd"}


def test_tags_go_with_their_access_point(control: Any) -> None:
    made = {"AccountId": ACCOUNT, "Name": "tagged", "Bucket": "bucket-here"}
    arn = control.create_access_point(**made, Tags=[{"Key": "a", "Value": "1"}])["AccessPointArn"]
    place = {"AccountId": ACCOUNT, "ResourceArn": arn}
    control.delete_access_point(AccountId=ACCOUNT, Name="tagged")
    assert code(control.list_tags_for_resource, **place) == "NoSuchAccessPoint"
    assert code(control.tag_resource, **place, Tags=[{"Key": "a", "Value": "1"}]) == "NoSuchAccessPoint"
    control.create_access_point(**made)
    assert control.list_tags_for_resource(**place)["Tags"] == []


def refusal(control: Any, text: str) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        control.put_access_point_policy(AccountId=ACCOUNT, Name="reports", Policy=text)
    answer = caught.value.response
    return str(answer["Error"]["Code"]), int(answer["ResponseMetadata"]["HTTPStatusCode"])


def test_principals_of_a_policy_exist(control: Any, client: ClientOf, aws: EmulatedAws) -> None:
    arn = control.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-here")["AccessPointArn"]
    for who in (f"{ANN}-2", ANN.replace("/ann", "/people/ann"), "AIDAQWERTZUIOPASDFGH", "ann"):
        assert refusal(control, policy(arn, Principal={"AWS": who})) == ("MalformedPolicy", 400)
    assert refusal(control, policy(arn, Principal={"AWS": [ANN, f"{ANN}-2"]})) == ("MalformedPolicy", 400)
    assert refusal(control, policy(arn, Action=[])) == ("MalformedPolicy", 400)
    aws.pace.new_role_seconds = 3600
    trust = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="new", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    place, text = {"AccountId": ACCOUNT, "Name": "reports"}, policy(arn, Principal={"AWS": role})
    with pytest.raises(ClientError, match="Invalid principal in policy"):
        control.put_access_point_policy(**place, Policy=text)
    known_from(iam_of(ACCOUNT).get_role("new"), 0.0)
    assert code(control.put_access_point_policy, **place, Policy=text) == "done"


def test_a_public_policy_is_blocked_unless_the_access_point_was_made_for_it(control: Any) -> None:
    arn = control.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-here")["AccessPointArn"]
    for everybody in ("*", {"AWS": "*"}, {"AWS": [ANN, "*"]}):
        assert refusal(control, policy(arn, Principal=everybody)) == ("AccessDenied", 403)
    narrowed = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    narrow = policy(arn, Principal="*", Condition=narrowed)
    assert code(control.put_access_point_policy, AccountId=ACCOUNT, Name="reports", Policy=narrow) == "done"
    status = control.get_access_point_policy_status(AccountId=ACCOUNT, Name="reports")["PolicyStatus"]
    assert status["IsPublic"] is False
    control.create_access_point(
        AccountId=ACCOUNT,
        Name="open",
        Bucket="bucket-here",
        PublicAccessBlockConfiguration={"BlockPublicPolicy": False},
    )
    place = {"AccountId": ACCOUNT, "Name": "open"}
    public = policy(arn.replace("reports", "open"), Principal="*")
    assert code(control.put_access_point_policy, **place, Policy=public) == "done"
    assert control.get_access_point_policy_status(**place)["PolicyStatus"]["IsPublic"] is True


def test_another_region_does_not_know_the_access_point(control: Any, client: ClientOf) -> None:
    arn = control.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-here")["AccessPointArn"]
    there = client("s3control", region=ELSEWHERE)
    place = {"AccountId": ACCOUNT, "Name": "reports"}
    assert code(there.put_access_point_policy, **place, Policy=policy(arn)) == "NoSuchAccessPoint"
    assert code(there.get_access_point, **place) == "NoSuchAccessPoint"


def test_accounts_are_apart(control: Any, client: ClientOf) -> None:
    control.create_access_point(AccountId=ACCOUNT, Name="reports", Bucket="bucket-here")
    other = client("s3control", OTHER_ACCOUNT).list_access_points(AccountId=OTHER_ACCOUNT)
    assert other["AccessPointList"] == []
