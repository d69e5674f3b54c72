"""Error answers in the shape of each AWS protocol, so that SDKs see what they would see from AWS.

JSON services name the error in `__type`, query services (IAM, STS) in an `ErrorResponse`, S3 in an `Error` element.
"""

import json
import re
import uuid
from dataclasses import replace
from xml.sax.saxutils import escape, unescape

from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.http import Answer
from raito_pipeline.sandbox.aws.incoming import Incoming

_BAD_REQUEST, _FORBIDDEN = 400, 403
_DENIED = b"<Code>AccessDenied</Code>"
_QUERY_SERVICES = frozenset({"iam", "sts", "sns"})
_REST_XML_SERVICES = frozenset({"s3", "s3control"})


_QUERY = {
    "deny": (403, "AccessDenied"),
    "throttle": (400, "Throttling"),
    "error": (500, "ServiceFailure"),
    "unavailable": (503, "ServiceUnavailable"),
    "expired": (403, "ExpiredToken"),
}
_REST_XML = {
    "deny": (403, "AccessDenied"),
    "throttle": (503, "SlowDown"),
    "error": (500, "InternalError"),
    "unavailable": (503, "ServiceUnavailable"),
    "expired": (400, "ExpiredToken"),
}
_JSON = {
    "deny": (400, "AccessDeniedException"),
    "throttle": (400, "ThrottlingException"),
    "error": (500, "InternalServerException"),
    "unavailable": (503, "ServiceUnavailableException"),
    "expired": (400, "ExpiredTokenException"),
}
_PAGE = b"""<!DOCTYPE html>
<html><head><title>Web gateway</title><meta charset="utf-8"></head>
<body><p>Please sign in to the network&nbsp;first.<br></body></html>"""
_S3_ACTIONS = {
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "ListBuckets"): "ListAllMyBuckets",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "GetAccountPublicAccessBlock",
}
"""Operations of S3 whose action is called otherwise."""
_CODE = re.compile(r"<Code>(.*?)</Code>")
_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
_CONTROL_STATUSES = {
    "AccessDenied": 403,
    "NoSuchAccessPoint": 404,
    "NoSuchAccessPointPolicy": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "AccessPointAlreadyOwnedByYou": 409,
}
"""What S3 Control answers errors with that its model does not know, other than 400."""
_JSON_CODES = {"AccessDenied": "AccessDeniedException", "InvalidClientTokenId": "UnrecognizedClientException"}
_MESSAGES = {
    "throttle": "Rate exceeded",
    "error": "We encountered an internal error. Please try again.",
    "unavailable": "Service is unable to handle request.",
    "expired": "The security token included in the request is expired",
}


def fault_answer(fault: Fault, call: Incoming) -> Answer:
    """The error answer of AWS that this fault (deny, throttle, error, unavailable or expired) gives to this call."""
    status, code = _errors_of(call.service)[fault.kind]
    denied = f"User: arn:aws:iam::{call.account}:user/sandbox is not authorized to perform: {_action(call)}"
    message = fault.message or _MESSAGES.get(fault.kind, denied)
    return error_answer(call, fault.status or status, fault.code or code, message)


def foreign_answer(fault: Fault, call: Incoming) -> Answer:
    """What somebody between client and AWS answers in AWS's place: a page, nothing, or a stub of the right kind."""
    if fault.kind == "page":
        return Answer(fault.status or 200, (("Content-Type", "text/html; charset=utf-8"),), _PAGE)
    is_xml = call.service in _QUERY_SERVICES or call.service in _REST_XML_SERVICES
    stub = ("application/xml", b"<x/>") if is_xml else ("application/json", b"{}")
    media, body = stub if fault.kind == "stub" else (stub[0], b"")
    return Answer(fault.status or 200, (("Content-Type", media),), body)


def in_the_protocols_shape(call: Incoming, answer: Answer) -> Answer:
    """The emulator refuses calls in one XML shape, which SDKs of other protocols cannot read; other answers stay."""
    if answer.status == _BAD_REQUEST and call.service in _QUERY_SERVICES and _DENIED in answer.body:
        return Answer(_FORBIDDEN, answer.headers, answer.body)
    if answer.status == _BAD_REQUEST and call.service == "s3control":
        named = _CODE.search(answer.body.decode("utf-8", "replace"))
        return replace(answer, status=_CONTROL_STATUSES.get(named[1] if named else "", answer.status))
    if answer.status < _BAD_REQUEST or not _is_foreign(call.service, answer.body):
        return answer
    text = answer.body.decode("utf-8", "replace")
    code, message = _CODE.search(text), _MESSAGE.search(text)
    name = code[1] if code else "InternalServerException"
    is_json = call.service not in _REST_XML_SERVICES
    return error_answer(
        call,
        _BAD_REQUEST if is_json and answer.status < 500 else answer.status,
        _JSON_CODES.get(name, name) if is_json else name,
        unescape(message[1]) if message else f"The emulated AWS failed at {_action(call)}.",
    )


def _is_foreign(service: str, body: bytes) -> bool:
    if service in _QUERY_SERVICES:
        return False
    return b"<Errors>" in body if service in _REST_XML_SERVICES else body[:1] == b"<"


def error_answer(call: Incoming, status: int, code: str, message: str) -> Answer:
    """An error in the shape of the call's protocol; without a body for HEAD."""
    request_id = str(uuid.uuid4())
    if call.service in _QUERY_SERVICES:
        media, body = "text/xml", _query_error(status, code, message, request_id)
    elif call.service in _REST_XML_SERVICES:
        media, body = "application/xml", _rest_error(call.service, code, message, request_id)
    else:
        media, body = "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
    content = b"" if call.method == "HEAD" else body.encode()
    headers = [("Content-Type", media), ("Content-Length", str(len(content))), ("x-amzn-RequestId", request_id)]
    if media.startswith("application/x-amz-json"):
        headers.append(("x-amzn-ErrorType", code))
    return Answer(status, tuple(headers), content)


def _errors_of(service: str) -> dict[str, tuple[int, str]]:
    if service in _QUERY_SERVICES:
        return _QUERY
    return _REST_XML if service in _REST_XML_SERVICES else _JSON


def _action(call: Incoming) -> str:
    """The IAM action of a call, as AWS names it when it denies one."""
    operation = _S3_ACTIONS.get((call.service, call.operation), call.operation)
    return f"{'s3' if call.service == 's3control' else call.service}:{operation}"


def _query_error(status: int, code: str, message: str, request_id: str) -> str:
    fault = "Receiver" if status >= 500 else "Sender"
    return (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _rest_error(service: str, code: str, message: str, request_id: str) -> str:
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    if service == "s3control":
        return f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return error.replace("</Error>", f"<RequestId>{request_id}</RequestId></Error>")
