"""What action patterns mean in Raito Cloud's permissions, and why some mean none."""

import json

import pytest

from raito_pipeline.aws.policy.actions import covered, gives_s3, known_actions, meaning, not_covered
from raito_pipeline.aws.policy.documents import read_document
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.policy.reasons import Code

ALL = {permission.name for permission in permissions()}


def test_every_permission_of_the_table_is_an_action_of_aws() -> None:
    assert {name for name in ALL if name.startswith("s3:")} - known_actions() == set()


@pytest.mark.parametrize(
    ("pattern", "some", "none"),
    [
        ("s3:GetObject", {"s3:GetObject"}, ALL - {"s3:GetObject"}),
        ("S3:getobject", {"s3:GetObject"}, ALL - {"s3:GetObject"}),
        ("s3:Get?bject", {"s3:GetObject"}, ALL - {"s3:GetObject"}),
        ("s3:GetObject*", {"s3:GetObject", "s3:GetObjectVersion"}, {"s3:PutObject"}),
        ("*", ALL, set()),
        ("s*:PutObject", {"s3:PutObject"}, {"s3:GetObject"}),
    ],
)
def test_a_pattern_covers(pattern: str, some: set[str], none: set[str]) -> None:
    given = meaning(pattern)

    assert some <= given.permissions
    assert given.permissions.isdisjoint(none)
    assert given.remark is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("s3", "not of the form"),
        ("ec2:RunInstances", "of a service whose access is not shown"),
        ("s3:NoSuchAction", "is not known"),
        ("S3:nosuch*", "is not known"),
    ],
)
def test_a_pattern_that_covers_nothing_says_why(pattern: str, reason: str) -> None:
    given = meaning(pattern)

    assert given.permissions == frozenset()
    assert given.remark is not None
    assert reason in given.remark.text


@pytest.mark.parametrize(
    "pattern",
    [
        "s3:GetAccessGrant",
        "S3:listaccessgrants*",
        "s3:GetBucketAbac",
        "s3:ListTagsForResource",
        "s3:GetStorageLensGroup",
    ],
)
def test_reading_settings_without_a_permission_in_raito_cloud_is_said_and_makes_nothing_incomplete(
    pattern: str,
) -> None:
    remark = meaning(pattern).remark

    assert remark is not None
    assert remark.code is Code.ELSEWHERE


@pytest.mark.parametrize(
    "pattern",
    [
        "s3:GetDataAccess",
        "s3:CreateAccessGrant",
        "s3:*AccessGrant",
        "s3:TagResource",
        "s3:PutBucketAbac",
        "s3:GetObjectAnnotation",
        "s3:ListObjectAnnotations",
        "s3:SubmitMultiRegionAccessPointRoutes",
        "s3:AllowVendedLogDeliveryForResource",
        "s3:NoSuchAction",
    ],
)
def test_what_gives_data_or_changes_something_without_a_permission_makes_it_incomplete(pattern: str) -> None:
    remark = meaning(pattern).remark

    assert remark is not None
    assert remark.code is Code.NARROWER


def test_not_action_is_all_that_is_not_covered() -> None:
    patterns = ["s3:Get*", "ec2:*"]

    assert covered(patterns) | not_covered(patterns) == ALL
    assert covered(patterns) & not_covered(patterns) == frozenset()
    assert "s3:PutObject" in not_covered(patterns)


@pytest.mark.parametrize(
    ("effect", "element", "value", "gives"),
    [
        ("Allow", "Action", "s3:GetObject", True),
        ("Allow", "Action", ["ec2:*", "s3:*"], True),
        ("Allow", "NotAction", "iam:*", True),
        ("Allow", "NotAction", "*", False),
        ("Allow", "Action", "ec2:*", False),
        ("Deny", "Action", "s3:*", False),
    ],
)
def test_whether_a_document_gives_anything_of_s3(effect: str, element: str, value: object, gives: bool) -> None:
    document = read_document(json.dumps({"Statement": {"Effect": effect, element: value, "Resource": "*"}}))

    assert gives_s3(document) is gives
