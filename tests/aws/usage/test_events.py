"""Which permission an event of S3 needed."""

import pytest

from raito_pipeline.aws.usage.events import EventPermission, event_permission, global_permissions, plain_event


@pytest.mark.parametrize(
    ("event", "permission", "usage"),
    [
        ("GetObject", "s3:GetObject", "read"),
        ("HeadObject", "s3:GetObject", "read"),
        ("ListObjectsV2", "s3:ListBucket", "read"),
        ("UploadPart", "s3:PutObject", "write"),
        ("CopyObject", "s3:PutObject", "write"),
        ("DeleteObjects", "s3:DeleteObject", "write"),
        ("PutBucketPolicy", "s3:PutBucketPolicy", "write"),
    ],
)
def test_an_event_needs_the_action_of_iam(event: str, permission: str, usage: str) -> None:
    assert event_permission(event) == EventPermission(permission, usage)  # type: ignore[arg-type]


def test_a_version_makes_it_another_action_where_there_is_one() -> None:
    versioned = event_permission("HeadObject", True)
    assert versioned is not None
    assert versioned.permission == "s3:GetObjectVersion"
    assert event_permission("PutObject", True) == event_permission("PutObject")


def test_an_event_of_no_known_permission_is_none() -> None:
    assert event_permission("RunInstances") is None
    assert "s3:RunInstances" not in global_permissions()


def test_an_event_that_reads_another_object_is_not_plain() -> None:
    assert plain_event("CopyObject") is None
    assert plain_event(None) is None
    assert plain_event("GetObject") == event_permission("GetObject")
