import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf

BUCKET = "bucket-one"
SERVICES: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "list_users", {}),
    ("sts", "get_caller_identity", {}),
    ("s3", "list_objects_v2", {"Bucket": BUCKET}),
    ("s3control", "list_access_points", {"AccountId": ACCOUNT}),
    ("glue", "get_databases", {}),
    ("sso-admin", "list_instances", {}),
    ("identitystore", "list_users", {"IdentityStoreId": "d-1234567890"}),
]
CODES = {
    "deny": {"iam": "AccessDenied", "sts": "AccessDenied", "s3": "AccessDenied", "s3control": "AccessDenied"},
    "throttle": {"iam": "Throttling", "sts": "Throttling", "s3": "SlowDown", "s3control": "SlowDown"},
    "error": {"iam": "ServiceFailure", "sts": "ServiceFailure", "s3": "InternalError", "s3control": "InternalError"},
    "unavailable": dict.fromkeys(("iam", "sts", "s3", "s3control"), "ServiceUnavailable"),
    "expired": dict.fromkeys(("iam", "sts", "s3", "s3control"), "ExpiredToken"),
}
JSON_CODES = {
    "deny": "AccessDeniedException",
    "throttle": "ThrottlingException",
    "error": "InternalServerException",
    "unavailable": "ServiceUnavailableException",
    "expired": "ExpiredTokenException",
}
STATUS_500 = ("SlowDown", "InternalError", "ServiceUnavailable", "ServiceUnavailableException")


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize(("service", "method", "arguments"), SERVICES, ids=[row[0] for row in SERVICES])
def test_errors_have_the_protocols_shape(
    client: ClientOf, aws: EmulatedAws, service: str, method: str, arguments: dict[str, Any], kind: Any
) -> None:
    aws.faults.add(Fault(kind=kind))
    with pytest.raises(ClientError) as caught:
        getattr(client(service), method)(**arguments)
    error = caught.value.response
    assert error["Error"]["Code"] == CODES[kind].get(service, JSON_CODES[kind])
    assert error["Error"]["Message"]
    status = error["ResponseMetadata"]["HTTPStatusCode"]
    assert (status >= 500) == (error["Error"]["Code"] in STATUS_500 or kind == "error")
    assert aws.calls.since()[-1].fault == kind


def test_only_calls_that_change_something_are_meant(client: ClientOf, aws: EmulatedAws) -> None:
    """So that the n-th change of a push can be its last: `skip` and `times` count no reads."""
    iam = client("iam")
    aws.faults.add(Fault(kind="deny", writing=True, skip=1, times=1))
    outcome = []
    for name in ("first", "second", "third"):
        iam.list_groups()
        try:
            iam.create_group(GroupName=name)
            outcome.append("made")
        except ClientError as error:
            outcome.append(error.response["Error"]["Code"])
        iam.get_account_summary()
    assert outcome == ["made", "AccessDenied", "made"]
    assert {group["GroupName"] for group in iam.list_groups()["Groups"]} == {"first", "third"}
    assert [call.fault for call in aws.calls.since() if call.fault] == ["deny"]


def outcomes(client: ClientOf, count: int, account: str = ACCOUNT, region: str = REGION) -> str:
    """One letter for each call: "." if it came through, "x" if it failed."""
    glue = client("glue", account, region)
    letters = []
    for _ in range(count):
        try:
            glue.get_databases()
            letters.append(".")
        except ClientError:
            letters.append("x")
    return "".join(letters)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, "xxxx"),
        ({"times": 1}, "x..."),
        ({"times": 2}, "xx.."),
        ({"skip": 2, "times": 1}, "..x."),
        ({"skip": 3}, "...x"),
        ({"account": OTHER_ACCOUNT}, "...."),
        ({"account": ACCOUNT, "region": REGION, "service": "glue", "operation": "GetDatabases"}, "xxxx"),
        ({"region": "us-west-2"}, "...."),
        ({"service": "iam"}, "...."),
        ({"operation": "GetTables"}, "...."),
        ({"resource": "no such thing"}, "...."),
    ],
)
def test_where_and_how_often(client: ClientOf, aws: EmulatedAws, when: dict[str, Any], expected: str) -> None:
    aws.faults.add(Fault(kind="throttle", **when))
    assert outcomes(client, 4) == expected


def test_a_resource_is_found_in_path_query_and_body(client: ClientOf, aws: EmulatedAws) -> None:
    s3, iam, glue = client("s3"), client("iam"), client("glue")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    aws.faults.add(Fault(kind="deny", resource="the secret"))
    with pytest.raises(ClientError):
        s3.list_objects_v2(Bucket=BUCKET, Prefix="the secret/")
    with pytest.raises(ClientError):
        s3.put_object(Bucket=BUCKET, Key="in the secret folder/key")
    with pytest.raises(ClientError):
        iam.create_policy(PolicyName="p", PolicyDocument='{"Statement": "the secret"}')
    with pytest.raises(ClientError):
        glue.get_table(DatabaseName="the secret", Name="t")
    s3.put_object(Bucket=BUCKET, Key="open", Body=b"the secret stands in the data only")


def test_a_dropped_call_was_not_made_unless_it_fails_after(client: ClientOf, aws: EmulatedAws) -> None:
    iam = client("iam")
    aws.faults.add(Fault(kind="drop", operation="CreateUser", times=1))
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        iam.create_user(UserName="ann")
    assert iam.list_users()["Users"] == []
    aws.faults.add(Fault(kind="drop", operation="CreateUser", times=1, after=True))
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        iam.create_user(UserName="ann")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["ann"]
    assert [call.status for call in aws.calls if call.operation == "CreateUser"] == [0, 0]


def test_an_error_after_the_change(client: ClientOf, aws: EmulatedAws) -> None:
    iam = client("iam")
    aws.faults.add(Fault(kind="error", operation="CreateUser", after=True))
    with pytest.raises(ClientError):
        iam.create_user(UserName="ann")
    assert len(iam.list_users()["Users"]) == 1


def test_an_answer_that_is_cut_short(client: ClientOf, aws: EmulatedAws) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"x" * 100_000)
    aws.faults.add(Fault(kind="truncate", operation="GetObject", times=1))
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        s3.get_object(Bucket=BUCKET, Key="key")["Body"].read()
    assert len(s3.get_object(Bucket=BUCKET, Key="key")["Body"].read()) == 100_000


class NotFollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("fault", "status", "media", "body"),
    [
        (Fault(kind="page"), 200, "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        (Fault(kind="page", status=403), 403, "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        (Fault(kind="page", status=503), 503, "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        (Fault(kind="empty"), 200, "application/xml", b""),
        (Fault(kind="stub"), 200, "application/xml", b"<x/>"),
    ],
)
def test_what_somebody_else_answers(aws: EmulatedAws, fault: Fault, status: int, media: str, body: bytes) -> None:
    aws.faults.add(fault)
    try:
        with urllib.request.build_opener(NotFollowed).open(f"{aws.endpoint_url}/", timeout=60) as answer:
            seen = (answer.status, answer.headers["Content-Type"], answer.read())
    except urllib.error.HTTPError as error:
        seen = (error.code, error.headers["Content-Type"], error.read())
    assert seen[:2] == (status, media)
    assert seen[2].startswith(body)
    assert bool(seen[2]) == bool(body)


def test_a_stub_of_a_json_service_is_json(client: ClientOf, aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="stub"))
    answer = client("glue").get_databases()
    assert set(answer) == {"ResponseMetadata"}
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "2"


def test_half_the_text_comes_as_if_it_were_all(aws: EmulatedAws) -> None:
    def body() -> bytes:
        with urllib.request.urlopen(f"{aws.endpoint_url}/", timeout=60) as answer:
            content = bytes(answer.read())
            assert int(answer.headers["Content-Length"]) == len(content)
            return content

    whole = body()
    aws.faults.add(Fault(kind="half", times=1))
    assert body() == whole[: len(whole) // 2]
    assert body() == whole


def test_delays_add_up_with_the_fault_that_follows(client: ClientOf, aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="delay", delay=0.2, times=1))
    aws.faults.add(Fault(kind="throttle", delay=0.1, times=1))
    started = time.monotonic()
    assert outcomes(client, 1) == "x"
    assert time.monotonic() - started >= 0.3
    assert outcomes(client, 1) == "."


def test_code_status_and_message_can_be_told(client: ClientOf, aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="error", code="EntityTemporarilyUnmodifiable", status=409, message="wait & see <soon>"))
    with pytest.raises(ClientError) as caught:
        client("iam").list_users()
    error = caught.value.response
    assert error["Error"]["Code"] == "EntityTemporarilyUnmodifiable"
    assert error["Error"]["Message"] == "wait & see <soon>"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_a_denied_head_has_no_body(client: ClientOf, aws: EmulatedAws) -> None:
    aws.faults.add(Fault(kind="deny", service="s3"))
    with pytest.raises(ClientError) as caught:
        client("s3").head_bucket(Bucket=BUCKET)
    assert caught.value.response["Error"]["Code"] == "403"


def request(aws: EmulatedAws, method: str, path: str, body: Any = None) -> dict[str, Any]:
    content = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(aws.endpoint_url + path, method=method, data=content)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return dict(json.loads(answer.read()))


def test_other_processes_order_faults(client: ClientOf, aws: EmulatedAws) -> None:
    (first,) = request(aws, "POST", "/sandbox-api/faults", {"kind": "deny", "service": "glue"})["ids"]
    ids = request(aws, "POST", "/sandbox-api/faults", [{"kind": "delay", "delay": 0}, {"kind": "error"}])["ids"]
    assert outcomes(client, 2) == "xx"
    listed = request(aws, "GET", "/sandbox-api/faults")["faults"]
    assert [(fault["id"], fault["hits"]) for fault in listed] == [(first, 2), (ids[0], 0), (ids[1], 0)]
    request(aws, "DELETE", f"/sandbox-api/faults?id={ids[1]}")
    request(aws, "DELETE", f"/sandbox-api/faults?id={first}")
    assert outcomes(client, 1) == "."
    request(aws, "DELETE", "/sandbox-api/faults")
    assert aws.faults.listed() == []
    assert aws.calls.count() == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/sandbox-api/faults", {"kind": "explode"}, 400),
        ("POST", "/sandbox-api/faults", {"kind": "deny", "servise": "iam"}, 400),
        ("DELETE", "/sandbox-api/faults?id=none", None, 404),
        ("GET", "/sandbox-api/calls?since=yesterday", None, 400),
        ("GET", "/sandbox-api/nothing", None, 404),
    ],
)
def test_mistakes_are_told(aws: EmulatedAws, method: str, path: str, body: Any, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        request(aws, method, path, body)
    assert caught.value.code == status
    assert json.loads(caught.value.read())["error"]
