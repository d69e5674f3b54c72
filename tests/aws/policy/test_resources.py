"""What resource patterns mean: for sure, perhaps, or nothing here."""

import pytest

from raito_pipeline.aws.policy.permissions import Permission
from raito_pipeline.aws.policy.resources import BucketResource, NoPattern, Pattern, read_pattern, touches

SALES = BucketResource.of_bucket("sales")
POINT = BucketResource.of_access_point("arn:aws:s3:eu-west-1:111122223333:accesspoint/door", "sales")
READ = Permission("s3:GetObject", "read", "read", True, True, False, True, False)
LIST = Permission("s3:ListBucket", "read", "read", True, True, True, False, True)


def pattern(text: str) -> Pattern:
    return read_pattern(text, "aws", variables=True)


@pytest.mark.parametrize(
    ("text", "whole", "folder"),
    [
        ("*", True, True),
        ("arn:aws:s3:::sales/*", True, True),
        ("arn:aws:s3:::sal*", True, True),
        ("arn:aws:s3:::sales/2026/*", False, True),
        ("arn:aws:s3:::sales/2026/a*", False, False),
        ("arn:aws:s3:::sales/${aws:username}/*", False, False),
        ("arn:aws:s3:::sales", False, False),
        ("arn:aws:s3:::other/*", False, False),
        ("arn:*:s3:::sales/*", True, True),
    ],
)
def test_what_is_covered_for_sure(text: str, whole: bool, folder: bool) -> None:
    assert pattern(text).covers_below(SALES, "") is whole
    assert pattern(text).covers_below(SALES, "2026") is folder


@pytest.mark.parametrize(
    ("text", "bucket", "objects"),
    [
        ("arn:aws:s3:::sales", True, False),
        ("arn:aws:s3:::sales/2026/a*", False, True),
        ("arn:aws:s3:::sales/${aws:username}/*", False, True),
        ("arn:aws:s3:::other/*", False, False),
        ("arn:aws:s3:::sales-eu/*", False, False),
        ("*", True, True),
    ],
)
def test_what_may_be_touched(text: str, bucket: bool, objects: bool) -> None:
    assert touches(pattern(text), SALES, "", LIST) is bucket
    assert touches(pattern(text), SALES, "", READ) is objects


def test_an_access_point_is_named_by_region_account_and_objects() -> None:
    named = "arn:aws:s3:eu-west-1:111122223333:accesspoint/door/object/*"

    assert (POINT.resource, POINT.objects) == ("accesspoint/door", "accesspoint/door/object/")
    assert pattern(named).covers_below(POINT, "")
    assert not pattern(named.replace("eu-west-1", "us-east-1")).covers_below(POINT, "")
    assert not pattern(named).covers_below(SALES, "")
    assert pattern("arn:aws:s3:::sales").plain
    assert not pattern(named).plain
    with pytest.raises(ValueError, match="unpack"):
        BucketResource.of_access_point("door", "sales")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sales", "no ARN"),
        ("arn:aws:s3:::", "service"),
        ("arn:aws:ec2:::x", "a service whose access is not shown"),
        ("arn:aws-cn:s3:::sales", "of partition aws-cn, and the account of aws"),
        ("", "no ARN"),
    ],
)
def test_what_says_nothing_about_s3_here(text: str, reason: str) -> None:
    if text == "arn:aws:s3:::":
        assert not pattern(text).may_be_place(SALES)
        return
    with pytest.raises(NoPattern, match=reason):
        pattern(text)
