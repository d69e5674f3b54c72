"""What an incoming HTTP request is in AWS's terms: account, region, service, operation and the text that names things.

Every AWS protocol says this elsewhere: JSON services in `X-Amz-Target`, query services in the form field `Action`, the
REST services (S3, S3 Control) by method, path and query string. Service and region stand in the signature's
credential scope: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_plus

from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import HTTPException

from raito_pipeline.sandbox.aws.access_points import read_access_point_host
from raito_pipeline.sandbox.aws.accounts import account_of

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]*)/(?P<service>[^/]*)/aws4_request")
_READING = re.compile(r"(Get|List|Describe|Head|Search|BatchGet|Select|Simulate|Check|Is[A-Z]|Generate|Preview)")
_REST_SERVICES = frozenset({"s3", "s3control"})
_NEVER_WRITING = frozenset({"sts", "cognito-idp"})
_UNSIGNED_TARGETS = {"AWSCognitoIdentityProviderService": "cognito-idp"}
_LONGEST_TEXT = 200_000


@dataclass(frozen=True)
class Incoming:
    """One request before it is answered. `text` is path, query and form or JSON body, decoded, for matching."""

    account: str
    access_key: str
    region: str
    service: str
    operation: str
    writes: bool
    method: str
    text: str
    body: bytes

    @property
    def digest(self) -> str:
        """Equal for two requests that ask the same: method, host and path, query, and form or body."""
        return hashlib.blake2b(f"{self.method} {self.text}".encode(), digest_size=12).hexdigest()


def read_incoming(environ: dict[str, Any]) -> Incoming:
    """Identify the request; its body is read in full and put back into `environ` for whoever answers it."""
    body = _take_body(environ)
    key, region, service = _credential_scope(environ)
    if service == "s3":
        read_access_point_host(environ, region)
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    form = _form(environ, body)
    if not service:
        service = _UNSIGNED_TARGETS.get(target.partition(".")[0], "sts" if "Action" in form else "s3")
    if service == "s3" and environ.get("PATH_INFO", "").startswith("/v20180820/"):
        service = "s3control"
    operation = form.get("Action") or target.rpartition(".")[2] or _rest_operation(service, environ)
    return Incoming(
        account=account_of(key),
        access_key=key,
        region=region,
        service=service,
        operation=operation,
        writes=is_writing(service, operation),
        method=str(environ["REQUEST_METHOD"]),
        text=_text(service, environ, body),
        body=body,
    )


def is_writing(service: str, operation: str) -> bool:
    """Whether the operation changes what AWS holds, going by its name, as AWS's names are regular in this."""
    return service not in _NEVER_WRITING and _READING.match(operation) is None


def _take_body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower():
        body: bytes = stream.read()
        environ.pop("HTTP_TRANSFER_ENCODING")
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _credential_scope(environ: Mapping[str, Any]) -> tuple[str, str, str]:
    query = parse_qs(str(environ.get("QUERY_STRING", "")))
    signed = "Credential=" + query["X-Amz-Credential"][0] if "X-Amz-Credential" in query else ""
    match = _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")) or signed)
    return (match["key"], match["region"], match["service"].lower()) if match else ("", "", "")


def _form(environ: Mapping[str, Any], body: bytes) -> dict[str, str]:
    if not str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return {}
    # Only the fields in front are of interest, not a whole policy document.
    return {name: values[0] for name, values in parse_qs(body.partition(b"&PolicyDocument=")[0].decode()).items()}


def _rest_operation(service: str, environ: dict[str, Any]) -> str:
    if service not in _REST_SERVICES:
        return ""
    try:
        operation, _ = get_service_router(service).match(Request(dict(environ), populate_request=False))
    except HTTPException:
        return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
    return str(operation.name)


def _text(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    where = unquote(f"{environ.get('RAW_URI', environ.get('PATH_INFO', ''))}")
    # The body of an S3 upload is data; elsewhere the body names the resource.
    return where if service == "s3" else where + "\n" + unquote_plus(body[:_LONGEST_TEXT].decode("utf-8", "replace"))
