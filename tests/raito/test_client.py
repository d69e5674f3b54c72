"""Login and calls over the wire: against the local Raito Cloud, and against scripted faults."""

import itertools
import logging
import threading
import time

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoError, RaitoRefused, RaitoUnreachable
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.ports import free_port

from .conftest import SECRET, Answer, ScriptedServer, connection_to

JOB = Answer({"data": {"createJob": {"jobId": "job-1"}}})
VERSION = Answer({"data": {"SupportedCLIVersion": {"supportedVersions": ">=0.0.0", "deprecatedVersions": None}}})


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    assert SECRET not in text
    assert "token-" not in text
    return text


# --- the happy way


def test_a_listing_is_read_to_its_last_page(client: RaitoClient) -> None:
    for number in range(120):
        client.call("CreateIdentityStore", {"input": {"name": f"store-{number:03d}", "description": ""}})
    names = [node["name"] for node in client.pages("IdentityStores") if node["name"].startswith("store-")]
    assert sorted(names) == [f"store-{number:03d}" for number in range(120)]


def test_headers_of_a_call(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/query", VERSION)
    with RaitoClient(connection_to(scripted_login.url + "/", domain="SandBox")) as client:
        client.call("SupportedCLIVersion")
    (call,) = scripted_login.requests("POST", "/query")
    assert call.headers["Authorization"] == "token id-token-1"
    assert call.headers["Raito-Domain"] == "sandbox"
    assert call.headers["User-Agent"] == "raito-pipeline"
    assert call.headers["Content-Type"] == "application/json"
    (login,) = scripted_login.requests("POST", "/")
    assert login.json["ClientId"] == "client-1"
    assert login.json["AuthFlow"] == "USER_PASSWORD_AUTH"
    assert "Authorization" not in login.headers


def test_without_authentication_nothing_is_asked_of_cognito(scripted: ScriptedServer) -> None:
    scripted.on("POST", "/query", VERSION)
    with RaitoClient(connection_to(scripted.url, skip_authentication=True)) as client:
        client.login()
        client.call("SupportedCLIVersion")
    assert [(seen.method, seen.path) for seen in scripted.seen] == [("POST", "/query")]
    assert "Authorization" not in scripted.seen[0].headers


# --- faults


def test_an_address_where_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(RaitoUnreachable, match=r"connection refused. Check raito-url-override") as caught:
        RaitoClient(connection_to(url)).login()
    assert url in one_line(caught.value)


@pytest.mark.parametrize(
    ("name", "answers", "calls", "succeeds"),
    [
        pytest.param("SupportedCLIVersion", [Answer(status=500), VERSION], 2, True, id="a query after a 500"),
        pytest.param("SupportedCLIVersion", [Answer(drop=True), VERSION], 2, True, id="a query after a drop"),
        pytest.param("SupportedCLIVersion", [Answer(status=502)], 4, False, id="a query, four times 502"),
        pytest.param("SupportedCLIVersion", [Answer(status=400), VERSION], 1, False, id="a query that is wrong"),
        pytest.param("CreateJob", [Answer(status=500), JOB], 1, False, id="a mutation after a 500"),
        pytest.param("CreateJob", [Answer(drop=True), JOB], 1, False, id="a mutation after a drop"),
        pytest.param("CreateJob", [Answer(status=503), JOB], 2, True, id="a mutation turned away"),
        pytest.param("CreateJob", [Answer(status=429), JOB], 2, True, id="a mutation throttled"),
    ],
)
def test_only_what_is_safe_is_repeated(
    scripted_login: ScriptedServer, name: str, answers: list[Answer], calls: int, succeeds: bool
) -> None:
    scripted_login.on("POST", "/query", *answers)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        if succeeds:
            client.call(name, {"input": {}})
        else:
            with pytest.raises(RaitoError) as caught:
                client.call(name, {"input": {}})
            one_line(caught.value)
    assert len(scripted_login.requests("POST", "/query")) == calls


def test_a_mutation_that_never_left_is_repeated() -> None:
    """Nobody listens at first; the service comes up while the client waits."""
    port = free_port()
    servers: list[ScriptedServer] = []

    def come_up() -> None:
        servers.append(ScriptedServer(port, {("POST", "/query"): JOB}))

    timer = threading.Timer(0.3, come_up)
    timer.start()
    with RaitoClient(connection_to(f"http://127.0.0.1:{port}", skip_authentication=True, retry_delay=0.3)) as client:
        assert client.call("CreateJob", {"input": {}}) == {"jobId": "job-1"}
    timer.join()
    assert len(servers[0].requests("POST", "/query")) == 1
    servers[0].stop()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(scripted_login: ScriptedServer, status: int) -> None:
    scripted_login.on("POST", "/query", Answer(status=status, headers={"Retry-After": "1"}), JOB)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.login()
        started = time.monotonic()
        client.call("CreateJob", {"input": {}})
    assert time.monotonic() - started >= 0.95


def test_a_retry_after_that_is_too_long_is_an_error_at_once(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/query", Answer({"message": "tired"}, 503, headers={"Retry-After": "86400"}))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused, match="tired"):
        client.call("SupportedCLIVersion")
    assert len(scripted_login.requests("POST", "/query")) == 1


def test_a_slow_answer_is_not_waited_for(cloud: LocalRaitoCloud) -> None:
    cloud.add_fault(CloudFault(on="operation:createJob", delay=3.0))
    with RaitoClient(connection_to(cloud.url, timeout=1.5)) as client:
        client.login()
        with pytest.raises(RaitoUnreachable, match="no answer in time"):
            client.call("CreateJob", {"input": {"dataSourceId": None, "identityStoreId": None}})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer({"errors": [{"message": "first"}, {"message": "second"}]}), "first; second"),
        (Answer({"data": {"dataSource": {"__typename": "NotFoundError", "message": "gone"}}}), "NotFoundError.*gone"),
        (Answer({"data": {"dataSource": {"message": "no type name"}}}), "no type name"),
        (Answer({"data": {"dataSource": {"__typename": "PermissionDeniedError"}}}), "PermissionDeniedError"),
        (Answer({"data": {"dataSource": None}}), "holds no dataSource"),
        (Answer({"data": None}), "holds no dataSource"),
        (Answer([]), "no JSON object"),
        (Answer({"data": ["dataSource"]}), "holds no dataSource"),
        (Answer({"data": "maintenance"}), "holds no dataSource"),
        (Answer({"data": {"dataSource": []}}), "holds no dataSource"),
        (Answer({"data": {"dataSource": "ds-1"}}), "holds no dataSource"),
        (Answer(b"<html><body>Gateway <b>page</b></body></html>"), "no JSON: Gateway page"),
        (Answer({"errors": [{"message": "bad query"}]}, 422), r"status 422\): bad query"),
        (Answer(b"", 400), r"status 400\): Bad Request"),
        (Answer({"x": 1}, 302, {"Location": "http://127.0.0.1:1/"}), "status 302"),
    ],
)
def test_every_message_of_an_answer_is_told(scripted_login: ScriptedServer, answer: Answer, expected: str) -> None:
    scripted_login.on("POST", "/query", answer)
    with (
        RaitoClient(connection_to(scripted_login.url)) as client,
        pytest.raises(RaitoRefused, match=expected) as caught,
    ):
        client.call("DataSource", {"id": "ds-1"})
    assert one_line(caught.value).startswith("DataSource of ds-1: ")


def test_secrets_that_the_service_repeats_are_not_told(
    scripted_login: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echoed = {"errors": [{"message": f"who is id-token-1 with {SECRET}?"}]}
    scripted_login.on("POST", "/query", Answer(status=500), Answer(echoed, 400))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused) as caught:
        client.call("DataSource", {"id": "ds-1"})
    assert "who is *** with ***?" in str(caught.value)
    raito_lines = [record.getMessage() for record in caplog.records if record.name.startswith("raito_pipeline")]
    assert raito_lines
    assert not any(SECRET in line or "id-token-1" in line for line in raito_lines)


# --- answers that are not as the documents ask


@pytest.mark.parametrize("job", [{}, {"jobId": None}, {"jobId": ""}, {"jobId": {"id": "x"}}])
def test_an_answer_without_what_was_asked_for_is_refused(scripted_login: ScriptedServer, job: object) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"createJob": job}}))
    with (
        RaitoClient(connection_to(scripted_login.url)) as client,
        pytest.raises(RaitoRefused, match=r"CreateJob: .*the answer holds no jobId"),
    ):
        client.ask("CreateJob", {"input": {}}, "jobId")


@pytest.mark.parametrize("outer", [{}, {"subtask": None}, {"subtask": []}, {"subtask": {"subtaskId": None}}])
def test_an_answer_is_looked_into_as_deep_as_it_goes(scripted_login: ScriptedServer, outer: object) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"exportAccessProvidersRequest": outer}}))
    with (
        RaitoClient(connection_to(scripted_login.url)) as client,
        pytest.raises(RaitoRefused, match=r"job-1: .*the answer holds no subtask\.subtaskId"),
    ):
        client.ask("ExportAccessProvidersRequest", {"input": {"jobId": "job-1"}}, "subtask", "subtaskId")


def _page(cursor: str | None, *names: str | None) -> Answer:
    edges = [None if name is None else {"cursor": cursor, "node": {"id": name}} for name in names]
    return Answer({"data": {"identityStores": {"pageInfo": {"hasNextPage": True}, "edges": edges}}})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((_page("1", "a"), _page("1", "b")), ["a", "b"]),
        ((_page("1", "a"), _page("2", "b"), _page("1", "a")), ["a", "b", "a"]),
        ((_page("1", None, "a"), _page("2", None)), ["a"]),
        ((_page(None, "a"),), ["a"]),
        ((_page("1", "a"), Answer({"data": {"identityStores": {"__typename": "PagedResult"}}})), ["a"]),
        ((_page("1", "a"), Answer({"data": {"identityStores": {"edges": None}}})), ["a"]),
        ((_page("1", "a"), Answer({"data": {"identityStores": {"edges": {"node": {"id": "b"}}}}})), ["a"]),
    ],
    ids=["the same page", "pages in a circle", "no edge", "no cursor", "no list", "null", "an object"],
)
def test_a_part_of_a_listing_is_not_taken_for_the_whole(
    scripted_login: ScriptedServer, answers: tuple[Answer, ...], expected: list[str]
) -> None:
    scripted_login.on("POST", "/query", *answers)
    read: list[str] = []
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused, match="IdentityStores"):
        read.extend(node["id"] for node in itertools.islice(client.pages("IdentityStores"), 9))
    # What came before is given as it comes.
    assert read == expected


def test_what_is_nothing_in_a_listing_is_left_out(scripted_login: ScriptedServer) -> None:
    edges = [None, {"node": None}, {"node": {}}, {"node": {"id": None}}, {"cursor": "1", "node": {"id": "a"}}, "b"]
    page = {"identityStores": {"pageInfo": {"hasNextPage": False}, "edges": edges}}
    scripted_login.on("POST", "/query", Answer({"data": page}))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert [node["id"] for node in client.pages("IdentityStores")] == ["a"]


@pytest.mark.parametrize(("status", "told"), [(200, "the answer is no JSON"), (500, r"status 500")])
def test_an_answer_that_is_nested_without_end_is_none(scripted_login: ScriptedServer, status: int, told: str) -> None:
    scripted_login.on("POST", "/query", Answer(b"[" * 200_000, status))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused, match=told):
        client.call("CreateJob", {"input": {}})
