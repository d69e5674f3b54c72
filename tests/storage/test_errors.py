"""Errors of the storage: what was tried, where, why, and what to do."""

import errno

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from raito_pipeline.storage.errors import StorageError, is_of_storage, storage_errors


def of_s3(code: str, message: str = "Access Denied.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (OSError(errno.ENOSPC, "x"), "No space left on device", "make room there"),
        (OSError(errno.EACCES, "x"), "Permission denied", "let the user of this process read and write there"),
        (OSError(errno.EROFS, "x"), "Read-only file system", "mount it so that it can be written"),
        (OSError(errno.EIO, "x"), "Input/output error", "sync again; where it stays so, see to the storage"),
        (
            of_s3("AccessDenied"),
            "PutObject answered AccessDenied: Access Denied",
            "the credentials of this process need",
        ),
        (
            of_s3("NoSuchBucket", ""),
            "PutObject answered NoSuchBucket",
            "make the bucket, or correct `pipeline: storage:`",
        ),
        (
            of_s3("Odd", "for\nx-amz-security-token:Corr3ct-horse"),
            "PutObject answered Odd: for x-amz-security-token:***",
            "sync again",
        ),
        (OSError("When reading: AWS Error ACCESS_DENIED during HeadObject"), "When reading", "the credentials of this"),
        (OSError("AWS Error NETWORK_CONNECTION during X"), "AWS Error", "see whether this machine reaches S3"),
        (EndpointConnectionError(endpoint_url="http://x"), "Could not connect", "sync again"),
        (pa.ArrowInvalid("broken\n  file."), "broken file", "sync again"),
    ],
)
def test_each_says_why_and_what_to_do(error: Exception, reason: str, remedy: str) -> None:
    with pytest.raises(StorageError) as raised, storage_errors("iam_users 1", "written", "/data"):
        raise error

    text = str(raised.value)
    assert text.startswith(f"iam_users 1 could not be written (/data): {reason}")
    assert f"What to do: {remedy}" in text
    assert raised.value.__cause__ is error


def test_what_is_no_error_of_the_storage_passes() -> None:
    with pytest.raises(KeyError), storage_errors("x", "read", "/"):
        raise KeyError("mine")


@pytest.mark.parametrize(
    ("error", "of_storage"),
    [
        (OSError(errno.EIO, "x"), True),
        (EndpointConnectionError(endpoint_url="https://s3"), True),
        (OSError("Couldn't deserialize thrift"), False),  # how pyarrow tells that a file is damaged
        (pa.ArrowInvalid("x"), False),
    ],
)
def test_a_storage_that_fails_is_told_from_a_file_that_is_damaged(error: Exception, of_storage: bool) -> None:
    assert is_of_storage(error) is of_storage
