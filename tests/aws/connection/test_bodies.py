"""The body of an object is read whole, again where it breaks off."""

from typing import Any

import boto3
import pytest

from raito_pipeline.aws.connection.bodies import read_object
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsUnreachable
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.conftest import READ_ACCOUNT

BUCKET, REGION = "bodies", "eu-west-1"


@pytest.fixture
def aws(emulated_aws: EmulatedAws) -> EmulatedAws:
    s3 = boto3.Session(profile_name="there").client("s3", region_name=REGION)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789" * 1000)
    return emulated_aws


def _read(body: Any) -> bytes:
    return bytes(body.read())


def test_a_body_that_breaks_off_is_read_again_from_its_beginning(aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="truncate", service="s3", operation="GetObject", times=2))

    content, etag = read_object(AwsClients("there", attempts=1), REGION, BUCKET, "k", _read)

    assert (content, len(etag), etag.strip('"')) == (b"0123456789" * 1000, 32, etag)
    assert [call.operation for call in aws.calls.since(0)].count("GetObject") == 3


def test_one_that_always_breaks_off_says_so_and_gives_nothing(aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="truncate", service="s3", operation="GetObject"))

    with pytest.raises(AwsUnreachable, match=r"s3:GetObject on arn:aws:s3:::bodies/k: the file broke off .* 4 times"):
        read_object(AwsClients("there", attempts=1), REGION, BUCKET, "k", _read)


def test_what_aws_refuses_is_asked_once(aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="deny", account=READ_ACCOUNT, service="s3", operation="GetObject"))
    mark = aws.calls.mark

    with pytest.raises(AwsDenied):
        read_object(AwsClients("there", attempts=1), REGION, BUCKET, "k", _read)
    assert len(aws.calls.since(mark)) == 1


def test_an_error_of_whoever_reads_is_no_error_of_aws(aws: EmulatedAws) -> None:
    def full(_body: Any) -> bytes:
        raise OSError(28, "No space left on device")

    mark = aws.calls.mark
    with pytest.raises(OSError, match="No space left"):
        read_object(AwsClients("there", attempts=1), REGION, BUCKET, "k", full)
    assert len(aws.calls.since(mark)) == 1
