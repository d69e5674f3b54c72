"""What a read can say, and what it cannot."""

from datetime import UTC, datetime

import pytest

from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsDenied, AwsError, AwsOptedOut, AwsThrottled
from raito_pipeline.aws.readers.reading import Read, UnreadElement, element_error
from raito_pipeline.storage.cells import ReadStatus

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def denied(bucket: str) -> AwsDenied:
    text = f"s3:GetBucketTagging on {bucket}: AWS denied the call. Grant s3:GetBucketTagging on {bucket}."
    return AwsDenied(text, action="s3:GetBucketTagging", resource=bucket, code="AccessDenied")


@pytest.mark.parametrize("status", ReadStatus)
def test_nothing_is_never_said_for_not_known(status: ReadStatus) -> None:
    """A reader that turns the error of a listing into a read without rows does not get that far."""
    if status in (ReadStatus.OPTED_OUT, ReadStatus.COMPLETE, ReadStatus.OUT_OF_SCOPE):
        Read((), status, (), BEGAN)
    if status is ReadStatus.DENIED:
        assert Read.denied("organizations:ListRoots failed", BEGAN).rows == ()
    elif status is not ReadStatus.OPTED_OUT:
        with pytest.raises(ValueError, match=r"a read|a partial read"):
            Read((), status, ("iam:ListUsers failed",), BEGAN)


def test_what_was_refused_says_why() -> None:
    with pytest.raises(ValueError, match="denied has 0 problems"):
        Read((), ReadStatus.DENIED, (), BEGAN)
    with pytest.raises(ValueError, match="denied has rows"):
        Read((1,), ReadStatus.DENIED, ("organizations:ListRoots failed",), BEGAN)


@pytest.mark.parametrize("status", [ReadStatus.OPTED_OUT, ReadStatus.OUT_OF_SCOPE])
def test_where_nothing_was_asked_there_are_no_rows(status: ReadStatus) -> None:
    with pytest.raises(ValueError, match="has rows"):
        Read((1,), status, (), BEGAN)


def test_elements_of_which_nothing_can_be_made_are_missing_too() -> None:
    read = Read[int].complete((), BEGAN).without([], ["user u-1 has no name, and was left out"])
    assert (read.status, read.missing) == (ReadStatus.PARTIAL, 1)


def test_unread_elements_make_a_read_partial_with_one_line_a_kind() -> None:
    throttled = AwsThrottled("throttled.", action="s3:GetBucketTagging", resource="d", code="SlowDown")
    unread = [
        UnreadElement("tags of buckets", "a", denied("a"), kept=True),
        UnreadElement("tags of buckets", "b", denied("b"), kept=True),
        UnreadElement("tags of buckets", "c", denied("c")),
        UnreadElement("tags of buckets", "d", throttled, kept=True),
    ]
    read = Read.complete((1, 2), BEGAN).without(unread)
    assert read.status is ReadStatus.PARTIAL
    assert read.rows == (1, 2)
    assert [line.count("Grant s3:GetBucketTagging") for line in read.problems] == [1, 0, 1]
    assert ["as the previous sync stored them" in line for line in read.problems] == [True, True, False]
    assert "The same for 1 more" in read.problems[0]
    assert Read[int].complete((), BEGAN).without(unread[:1]).status is ReadStatus.PARTIAL
    assert Read.complete((1,), BEGAN).without([]).status is ReadStatus.COMPLETE


@pytest.mark.parametrize("kind", [AwsCredentialsInvalid, AwsOptedOut])
def test_what_would_meet_every_element_is_no_matter_of_one(kind: type[AwsError]) -> None:
    error = kind("ended", action="s3:GetBucketTagging", resource="a")
    with pytest.raises(kind):
        element_error(error)
    assert element_error(denied("a")).code == "AccessDenied"
