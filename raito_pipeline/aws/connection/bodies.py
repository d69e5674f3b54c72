"""The body of an object in S3. The SDK tries a call again, but not a body that breaks off while it is read."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from raito_pipeline.aws.connection.clients import AwsClients, bucket_call
from raito_pipeline.aws.connection.errors import AwsUnreachable

T = TypeVar("T")
_TRIES: Final = 4


def read_object(clients: AwsClients, region: str, bucket: str, key: str, read: Callable[[Any], T]) -> tuple[T, str]:
    """Fetch an object, and give what `read` makes of its body (botocore's `StreamingBody`), with the ETag.

    `read` begins anew where the body breaks off. Raises `AwsError`, `AwsUnreachable` where it breaks off every time.
    """
    arn = clients.s3_arn(f"{bucket}/{key}", region)
    for tried in range(1, _TRIES + 1):
        with bucket_call(clients, "s3:GetObject", f"{bucket}/{key}", region) as s3:
            answer = s3.get_object(Bucket=bucket, Key=key)
        try:
            return read(answer["Body"]), answer["ETag"].strip('"')
        # Not every OSError: that the disk is full is nothing to try again.
        except (BotoCoreError, HTTPError, ConnectionError, TimeoutError) as error:
            if tried == _TRIES:
                text = f"s3:GetObject on {arn}: the file broke off while it was read, {_TRIES} times: {error}."
                raise AwsUnreachable(text, action="s3:GetObject", resource=arn) from error
    raise AssertionError("unreachable")
