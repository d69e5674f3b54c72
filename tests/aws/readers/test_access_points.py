"""Access points with their policies, and what becomes of one whose policy cannot be read."""

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied, AwsError
from raito_pipeline.aws.readers.access_points import read_access_points, read_named_access_points
from raito_pipeline.model import AccessPoint, Tag
from raito_pipeline.storage import ReadStatus
from tests.aws.conftest import Reach
from tests.aws.stand_in import Refused, StandIn, denied, page_of

ACCOUNT, REGION = "111122223333", "eu-west-1"
POLICY = '{"Version":"2012-10-17","Statement":[]}'


def arn(name: str) -> str:
    return f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/{name}"


def serves(*names: str, page: int = 2) -> StandIn:
    points = [{"Name": name, "Bucket": f"bucket-{name}", "AccessPointArn": arn(name)} for name in names]

    def listed(request: dict[str, str]) -> dict[str, object]:
        some, token = page_of(points, page, request.get("nextToken"))
        return {"AccessPointList": [dict(point) for point in some], "NextToken": token}

    return StandIn(
        {
            "s3:ListAccessPoints": listed,  # type: ignore[dict-item]
            "s3:GetAccessPointPolicy": lambda _: {"Policy": POLICY},
            "s3:ListTagsForResource": lambda _: {"Tags": [{"Key": "creator", "Value": "RAITO"}]},
        },
        {"s3:GetAccessPointPolicy": lambda request: request["Name"]},
    )


def test_all_pages_are_read_with_their_policies_in_order(reach: Reach) -> None:
    read = read_access_points(reach(serves("ccc", "aaa", "bbb")), ACCOUNT, REGION, 2)

    assert [(row.name, row.bucket, row.policy) for row in read.rows] == [
        (n, f"bucket-{n}", POLICY) for n in ("aaa", "bbb", "ccc")
    ]
    assert read.status is ReadStatus.COMPLETE


def test_one_without_a_policy_is_given_and_one_that_is_gone_is_not(reach: Reach) -> None:
    stand_in = serves("aaa", "bbb")
    stand_in.faults["s3:GetAccessPointPolicy", 1] = Refused(404, "NoSuchAccessPointPolicy")
    stand_in.faults["s3:GetAccessPointPolicy", 2] = Refused(404, "NoSuchAccessPoint")

    read = read_access_points(reach(stand_in), ACCOUNT, REGION, 1)

    assert [(row.name, row.policy) for row in read.rows] == [("aaa", None)]
    assert read.status is ReadStatus.COMPLETE


def test_a_policy_that_cannot_be_read_is_that_of_the_previous_sync_or_none_at_all(reach: Reach) -> None:
    before = AccessPoint("aaa", arn("aaa"), None, "bucket-aaa", None, "the old policy", ())
    stand_in = serves("aaa", "bbb", "ccc")
    for nth in (1, 2):
        stand_in.faults["s3:GetAccessPointPolicy", nth] = denied("s3:GetAccessPointPolicy", "x")

    read = read_access_points(reach(stand_in), ACCOUNT, REGION, 1, earlier=[before])

    assert [(row.name, row.policy) for row in read.rows] == [("aaa", "the old policy"), ("ccc", POLICY)]
    assert read.status is ReadStatus.PARTIAL
    assert any("left out" in problem for problem in read.problems)


def test_tags_that_cannot_be_read_are_those_of_the_previous_sync_or_not_known(reach: Reach) -> None:
    before = AccessPoint("aaa", arn("aaa"), None, "bucket-aaa", None, POLICY, (Tag("team", "x"),))
    stand_in = serves("aaa", "bbb", "ccc", "ddd")
    for nth in (1, 2):
        stand_in.faults["s3:ListTagsForResource", nth] = denied("s3:ListTagsForResource", "x")
    stand_in.faults["s3:ListTagsForResource", 3] = Refused(404, "NoSuchAccessPoint")

    read = read_access_points(reach(stand_in), ACCOUNT, REGION, 1, earlier=[before])

    assert [(row.name, row.tags) for row in read.rows] == [
        ("aaa", (Tag("team", "x"),)),
        ("bbb", None),
        ("ddd", (Tag("creator", "RAITO"),)),
    ]
    assert read.status is ReadStatus.PARTIAL
    assert all("tags of access points" in problem for problem in read.problems)


@pytest.mark.parametrize("nth", [1, 2])
def test_a_list_that_fails_on_any_page_gives_no_rows(nth: int, reach: Reach) -> None:
    stand_in = serves("aaa", "bbb", "ccc")
    stand_in.faults["s3:ListAccessPoints", nth] = denied("s3:ListAccessPoints", "*")

    with pytest.raises(AwsDenied, match="s3:ListAccessPoints"):
        read_access_points(reach(stand_in), ACCOUNT, REGION, 2)


def test_an_answer_without_a_list_is_an_error(reach: Reach) -> None:
    stand_in = StandIn({"s3:ListAccessPoints": lambda _: {}})

    with pytest.raises(AwsError):
        read_access_points(reach(stand_in), ACCOUNT, REGION, 2)


def test_those_that_are_named_are_read_without_a_list(reach: Reach) -> None:
    stand_in = serves()
    stand_in.handlers["s3:GetAccessPoint"] = lambda request: {"Name": request["Name"], "Bucket": "b"}
    stand_in.faults["s3:GetAccessPoint", 2] = Refused(404, "NoSuchAccessPoint")

    read = read_named_access_points(reach(stand_in), ACCOUNT, [arn("aaa"), arn("bbb")], 1)

    assert [(row.name, row.arn, row.bucket, row.policy) for row in read.rows] == [("aaa", arn("aaa"), "b", POLICY)]
    assert read.status is ReadStatus.COMPLETE
