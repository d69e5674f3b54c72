"""S3: conditional writes that only one of many callers wins, multipart uploads that say when they were begun, and
bucket policies that name principals that exist.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
"""

import json
import re
import threading
from datetime import UTC, datetime
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeMultipart
from moto.s3.responses import S3Response

from raito_pipeline.sandbox.aws.patches.principals import invalid_principals
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

_conditional = threading.Lock()


def patch_s3_writing() -> None:
    """Mend `If-Match` and `If-None-Match` of PutObject, `Initiated` of ListMultipartUploads, and PutBucketPolicy."""

    @replace(S3Response, "put_object")
    def put_object(before: Method, self: S3Response) -> Any:
        if not ("If-Match" in self.headers or "If-None-Match" in self.headers):
            return before(self)
        # moto compares first and writes then: two callers that compare at the same time would both win.
        with _conditional:
            return before(self)

    @replace(S3Response, "_bucket_response_put")
    def bucket_response_put(before: Method, self: S3Response, request: Any, name: str, query: dict[str, Any]) -> Any:
        if "policy" in query:
            _check_bucket_policy(self.body)
            before(self, request, name, query)
            return 204, {}, ""  # moto answers 200 and `True`
        return before(self, request, name, query)

    @replace(FakeMultipart, "__init__")
    def begin(before: Method, self: Any, *args: Any, **kwargs: Any) -> None:
        before(self, *args, **kwargs)
        self.initiated = datetime.now(UTC)

    @replace(S3Response, "list_multipart_uploads")
    def list_multipart_uploads(before: Method, self: S3Response) -> Any:
        status, headers, body = before(self)
        uploads = self.backend.list_multipart_uploads(self.bucket_name)
        text = body.decode() if isinstance(body, bytes) else str(body)
        return (
            status,
            headers,
            re.sub(r"<Upload>.*?</Upload>", lambda match: _dated(match[0], uploads), text, flags=re.S),
        )


def _check_bucket_policy(body: bytes | str) -> None:
    try:
        document = json.loads(body)
    except ValueError:
        raise S3ClientError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'") from None
    if invalid_principals(document):
        raise S3ClientError("MalformedPolicy", "Invalid principal in policy")


def _dated(element: str, uploads: dict[str, Any]) -> str:
    named = re.search(r"<UploadId>(.*?)</UploadId>", element)
    upload = uploads.get(named[1]) if named else None
    if upload is None:
        return element
    when = f"{upload.initiated.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    return re.sub(r"<Initiated>.*?</Initiated>", f"<Initiated>{when}</Initiated>", element)
