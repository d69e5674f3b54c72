"""A stand-in for AWS that answers over HTTP as AWS does, page by page, out of plain dictionaries.

It stands for what an emulator does not do: listings that page, lists that leave members out, AWS's own policies,
and refusals that look at the resource. Faults are set per action.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

ACCOUNT = "200611803367"
ME = f"arn:aws:iam::{ACCOUNT}:user/reader"


class Refused(Exception):
    """An answer of AWS that is an error."""

    def __init__(self, status: int, code: str, message: str = "no") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class Dropped(Exception):
    """The connection breaks in the middle of the answer."""


def denied(action: str, resource: str) -> Refused:
    return Refused(
        403,
        "AccessDenied",
        f"User: {ME} is not authorized to perform: {action} on resource: {resource} because no "
        f"identity-based policy allows the {action} action",
    )


@dataclass
class Call:
    action: str
    resource: str
    request: Mapping[str, Any]


@dataclass
class StandIn:
    """What the server knows: one handler an action, the faults, and the log of calls."""

    handlers: dict[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    resources: dict[str, Callable[[Mapping[str, Any]], str]] = field(default_factory=dict)
    allowed: Callable[[str, str], bool] = lambda _action, _resource: True
    faults: dict[tuple[str, int], Exception] = field(default_factory=dict)
    """the nth call (from 1, 0 = every one) of an action ends in this"""
    log: list[Call] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def calls(self) -> Counter[str]:
        return Counter(call.action for call in self.log)

    def answer(self, action: str, request: Mapping[str, Any]) -> Any:
        resource = self.resources.get(action, lambda _: "*")(request)
        with self.lock:
            self.log.append(Call(action, resource, request))
            self.count[action] += 1
            nth = self.count[action]
            fault = self.faults.get((action, nth)) or self.faults.get((action, 0))
        if fault:
            raise fault
        if not self.allowed(action, resource):
            raise denied(action, resource)
        return self.handlers[action](request)


def page_of(items: list[Any], size: int, marker: str | None) -> tuple[list[Any], str | None]:
    """The page after a marker, and the marker of the next."""
    start = int(marker or 0)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None


def as_xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{as_xml(one)}</{key}>" for key, one in value.items() if one is not None)
    if isinstance(value, (list, tuple)):
        return "".join(f"<member>{as_xml(one)}</member>" for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))


_TARGETS = {"SWBExternalService": "sso", "AWSGlue": "glue", "AWSOrganizationsV20161128": "organizations"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one piece: in two, the client acknowledges the first one 40 ms late, and the second waits for it.
    wbufsize = -1
    disable_nagle_algorithm = True
    stand_in: StandIn

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def _serve(self, body: bytes) -> None:
        try:
            status, text = self._answered(body)
        except Dropped:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"<half")
            self.close_connection = True
            return
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answered(self, body: bytes) -> tuple[int, str]:
        target = self.headers.get("x-amz-target")
        parts = urlsplit(self.path)
        if target:
            prefix = _TARGETS.get(target.partition(".")[0], "identitystore")
            return self._json(f"{prefix}:{target.split('.')[1]}", json.loads(body))
        if parts.path.startswith("/v20180820/"):
            return self._control(parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()})
        form = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        form["Filter"] = [v for k, v in form.items() if k.startswith("Filter.member")]  # type: ignore[assignment]
        operation = form["Action"]
        prefix = "sts" if operation == "GetCallerIdentity" else "iam"
        try:
            answer = as_xml(self.stand_in.answer(f"{prefix}:{operation}", form))
        except Refused as refused:
            error = f"<Error><Type>Sender</Type><Code>{refused.code}</Code>{_message(refused)}</Error>"
            return refused.status, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
        return 200, f"<{operation}Response><{operation}Result>{answer}</{operation}Result></{operation}Response>"

    def _json(self, action: str, request: Mapping[str, Any]) -> tuple[int, str]:
        try:
            return 200, json.dumps(self.stand_in.answer(action, request))
        except Refused as refused:
            code = "AccessDeniedException" if refused.code == "AccessDenied" else refused.code
            return min(refused.status, 400) if refused.status < 500 else refused.status, json.dumps(
                {"__type": code, "message": refused.message}
            )

    def _control(self, path: str, query: Mapping[str, str]) -> tuple[int, str]:
        found = re.fullmatch(r"/v20180820/(?:accesspoint(?:/([^/]+)(/policy)?)?|tags/(.+?))/?", path)
        assert found, path
        of_one = "GetAccessPointPolicy" if found[2] else "GetAccessPoint"
        operation = "ListTagsForResource" if found[3] else of_one if found[1] else "ListAccessPoints"
        try:
            answer = self.stand_in.answer(f"s3:{operation}", {**query, "Name": found[1]})
        except Refused as refused:
            return refused.status, (
                f"<ErrorResponse><Error><Code>{refused.code}</Code>{_message(refused)}</Error></ErrorResponse>"
            )
        if "AccessPointList" in answer:
            points = "".join(f"<AccessPoint>{as_xml(one)}</AccessPoint>" for one in answer.pop("AccessPointList"))
            answer = f"<AccessPointList>{points}</AccessPointList>{as_xml(answer)}"
        elif "Tags" in answer:
            answer = f"<Tags>{''.join(f'<Tag>{as_xml(one)}</Tag>' for one in answer['Tags'])}</Tags>"
        else:
            answer = as_xml(answer)
        return 200, f"<{operation}Result>{answer}</{operation}Result>"


def _message(refused: Refused) -> str:
    return f"<Message>{escape(refused.message)}</Message>"


@contextmanager
def serving(stand_in: StandIn) -> Iterator[str]:
    """Serve a stand-in on a free port of this machine; gives its address."""
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def quoted(document: Any) -> str:
    """A policy document as IAM sends it."""
    return quote(document if isinstance(document, str) else json.dumps(document))
