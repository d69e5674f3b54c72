"""Login and calls over the wire: against the local Raito Cloud, and against scripted faults."""

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from raito_pipeline.raito import (
    Connection,
    InvalidDomain,
    RaitoClient,
    RaitoError,
    RaitoLoginFailed,
    RaitoRefused,
    RaitoUnreachable,
    UnknownDomain,
)
from raito_pipeline.raito.setup import ensure_data_source, ensure_identity_store, link, trigger_url
from raito_pipeline.raito.usage_window import usage_window
from raito_pipeline.raito.version import check_version
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import COGNITO_VARIABLE, DOMAIN, SECRET, Answer, ScriptedServer, connection_to, token

JOB = Answer({"data": {"createJob": {"jobId": "job-1"}}})
VERSION = Answer({"data": {"SupportedCLIVersion": {"supportedVersions": ">=0.0.0", "deprecatedVersions": None}}})


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    assert SECRET not in text
    assert "token-" not in text
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the happy way


def test_set_up_of_stores_and_sources_happens_once(client: RaitoClient) -> None:
    for _ in range(2):
        store = ensure_identity_store(client, "people", "all of them")
        source = ensure_data_source(client, "account", "one account")
        link(client, source, store)
    assert [node["name"] for node in client.pages("IdentityStores")].count("people") == 1
    assert [node["name"] for node in client.pages("DataSources")].count("account") == 1
    window = usage_window(client, source)
    assert (window.first_used, window.last_used) == (None, None)
    assert trigger_url(client).startswith("ws://")
    assert check_version(client).supported


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


# --- login


def test_many_threads_log_in_once(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/query", VERSION)
    with RaitoClient(connection_to(scripted_login.url)) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.call("SupportedCLIVersion"), range(24)))
    assert len(scripted_login.requests("POST", "/")) == 1
    assert len(scripted_login.requests("GET", f"/admin/org/{DOMAIN}")) == 1


def test_an_expired_token_is_refreshed(scripted_login: ScriptedServer) -> None:
    # Expires 10 s from now, so it counts as expired at once.
    scripted_login.on("POST", "/", token(1, seconds=10, refresh="refresh-1"), token(2))
    scripted_login.on("POST", "/query", VERSION)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.call("SupportedCLIVersion")
        client.call("SupportedCLIVersion")
        client.call("SupportedCLIVersion")
    flows = [seen.json["AuthFlow"] for seen in scripted_login.requests("POST", "/")]
    assert flows == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]
    assert scripted_login.requests("POST", "/")[1].json["AuthParameters"] == {"REFRESH_TOKEN": "refresh-1"}
    used = [seen.headers["Authorization"] for seen in scripted_login.requests("POST", "/query")]
    assert used == ["token id-token-1", "token id-token-2", "token id-token-2"]


def test_a_refresh_that_fails_falls_back_to_the_password(scripted_login: ScriptedServer) -> None:
    refused = Answer({"__type": "NotAuthorizedException", "message": "Refresh Token has expired"}, 400)
    scripted_login.on("POST", "/", token(1, seconds=10, refresh="refresh-1"), refused, token(3))
    scripted_login.on("POST", "/query", VERSION)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.call("SupportedCLIVersion")
        client.call("SupportedCLIVersion")
    flows = [seen.json["AuthFlow"] for seen in scripted_login.requests("POST", "/")]
    assert flows == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"]


def test_a_token_that_is_not_taken_is_replaced_once(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/", token(1), token(2))
    scripted_login.on("POST", "/query", Answer({"message": "expired"}, 401), JOB)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert client.call("CreateJob", {"input": {}})["jobId"] == "job-1"
        scripted_login.on("POST", "/query", Answer({"message": "no entry"}, 401))
        with pytest.raises(RaitoRefused, match="no entry"):
            client.call("CreateJob", {"input": {}})
    assert len(scripted_login.requests("POST", "/query")) == 4


def test_a_challenge_is_named(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/", Answer({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s" * 30}))
    with pytest.raises(RaitoLoginFailed, match="NEW_PASSWORD_REQUIRED") as caught:
        RaitoClient(connection_to(scripted_login.url)).login()
    one_line(caught.value)


def test_a_wrong_password(cloud: LocalRaitoCloud) -> None:
    with pytest.raises(RaitoLoginFailed, match=r"NotAuthorizedException.*Check api-user and api-secret") as caught:
        RaitoClient(connection_to(cloud.url, api_secret=SecretStr("not-the-password"))).login()
    assert "not-the-password" not in one_line(caught.value)


def test_an_unknown_domain(cloud: LocalRaitoCloud) -> None:
    with pytest.raises(UnknownDomain, match=r"'elsewhere' \(status 404\). Check `domain`") as caught:
        RaitoClient(connection_to(cloud.url, domain="elsewhere")).login()
    one_line(caught.value)


@pytest.mark.parametrize("domain", ["", "a", "9lives", "under_score", "ends-", "two words", "a\nb"])
def test_a_domain_that_cannot_be_one(domain: str) -> None:
    with pytest.raises(InvalidDomain, match="Correct `domain`"):
        connection_to("", domain=domain)


def test_the_public_address_is_the_default() -> None:
    assert connection_to("").base_url == "https://api.raito.cloud/"
    assert SECRET not in repr(connection_to(""))


# --- faults


def test_an_address_where_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(RaitoUnreachable, match=r"connection refused. Check raito-url-override") as caught:
        RaitoClient(connection_to(url)).login()
    assert url in one_line(caught.value)


def test_cognito_where_nobody_listens(scripted_login: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COGNITO_VARIABLE, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RaitoUnreachable, match="login to Raito Cloud: http://127") as caught:
        RaitoClient(connection_to(scripted_login.url, attempts=1)).login()
    one_line(caught.value)


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
    assert 0.95 <= time.monotonic() - started < 5


def test_a_retry_after_that_is_too_long_is_an_error_at_once(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/query", Answer({"message": "tired"}, 503, headers={"Retry-After": "86400"}))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused, match="tired"):
        client.call("SupportedCLIVersion")
    assert len(scripted_login.requests("POST", "/query")) == 1


def test_a_slow_answer_is_not_waited_for(cloud: LocalRaitoCloud) -> None:
    cloud.add_fault(CloudFault(on="operation:createJob", delay=3.0))
    with RaitoClient(connection_to(cloud.url, timeout=0.5)) as client:
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


def test_a_broken_aws_profile_is_one_line(scripted_login: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(RaitoLoginFailed, match="no-such-profile") as caught:
        RaitoClient(connection_to(scripted_login.url)).login()
    one_line(caught.value)


def test_settings_are_values() -> None:
    assert connection_to("http://x").base_url == connection_to("http://x/").base_url == "http://x/"
    assert connection_to("http://x") == connection_to("http://x")
    assert isinstance(connection_to("http://x"), Connection)
    assert threading.active_count() < 100


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "refused (status 400): tired."),
        (403, "Check api-user, and what it may do in Raito Cloud."),
        (429, "sync again later."),
        (500, "sync again later, and tell Raito where it stays so."),
        (502, "sync again later, and tell Raito where it stays so."),
    ],
)
def test_a_refusal_says_what_to_do_about_it(status: int, advice: str) -> None:
    said = str(RaitoRefused("createJob", ("tired.",), status=status))
    assert said.endswith(advice)
    assert "tired. " in f"{said} "
