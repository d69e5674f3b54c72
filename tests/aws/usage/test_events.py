"""Which permission an event of S3 needed."""

import botocore.session
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


def test_each_call_on_an_object_or_a_listing_has_a_permission() -> None:
    """The names are those of the API, and of CloudTrail where it has others."""
    model = botocore.session.get_session().get_service_model("s3")
    on_objects = [
        name
        for name in model.operation_names
        if "Key" in (model.operation_model(name).input_shape or model.shape_for("Owner")).members
    ]
    assert len(on_objects) > 20
    listings = ["ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads", "HeadBucket"]
    others = [f"{verb}ObjectLock{what}" for verb in ("Get", "Put") for what in ("Retention", "LegalHold")]

    without = {name for name in [*on_objects, *listings, *others, "DeleteObjects"] if event_permission(name) is None}

    # Raito Cloud does not know the permissions of these.
    assert {name for name in without if "Annotation" not in name} <= {"UpdateObjectEncryption"}


@pytest.mark.parametrize("verb", ["Get", "Put"])
@pytest.mark.parametrize("what", ["Retention", "LegalHold"])
def test_what_cloudtrail_calls_otherwise_than_the_api_is_the_same(verb: str, what: str) -> None:
    named = event_permission(f"{verb}ObjectLock{what}")
    assert named is not None
    assert named == event_permission(f"{verb}Object{what}")
