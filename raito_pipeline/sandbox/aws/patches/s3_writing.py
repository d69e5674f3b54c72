"""S3: conditional writes that only one of many callers wins, and multipart uploads that say when they were begun."""

import re
import threading
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeMultipart
from moto.s3.responses import S3Response

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

_conditional = threading.Lock()


def patch_s3_writing() -> None:
    """Mend `If-Match` and `If-None-Match` of PutObject, and `Initiated` of ListMultipartUploads."""

    @replace(S3Response, "put_object")
    def put_object(before: Method, self: S3Response) -> Any:
        if not ("If-Match" in self.headers or "If-None-Match" in self.headers):
            return before(self)
        # moto compares first and writes then: two callers that compare at the same time would both win.
        with _conditional:
            return before(self)

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
            re.sub(r"<Upload>.*?</Upload>", lambda found: _dated(found[0], uploads), text, flags=re.S),
        )


def _dated(element: str, uploads: dict[str, Any]) -> str:
    named = re.search(r"<UploadId>(.*?)</UploadId>", element)
    upload = uploads.get(named[1]) if named else None
    if upload is None:
        return element
    when = f"{upload.initiated.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    return re.sub(r"<Initiated>.*?</Initiated>", f"<Initiated>{when}</Initiated>", element)
