"""Login: once for all threads, refreshed, begun anew, and every failure in one line without a secret."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoLoginFailed, RaitoRefused, RaitoUnreachable, UnknownDomain
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.ports import free_port

from .conftest import COGNITO_VARIABLE, DOMAIN, Answer, ScriptedServer, connection_to, token
from .test_client import JOB, VERSION, one_line


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


@pytest.mark.parametrize(
    "ended",
    [
        Answer({"message": "expired"}, 401),
        Answer({"message": "The incoming token has expired"}, 403),
        Answer({"errors": [{"message": "Could not verify JWT: JWTExpired"}], "data": None}),
        Answer({"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}),
    ],
)
def test_a_token_that_is_not_taken_is_replaced_once(scripted_login: ScriptedServer, ended: Answer) -> None:
    scripted_login.on("POST", "/", token(1), token(2))
    scripted_login.on("POST", "/query", ended, JOB)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert client.call("CreateJob", {"input": {}})["jobId"] == "job-1"
        scripted_login.on("POST", "/query", Answer({"message": "no entry"}, 401))
        with pytest.raises(RaitoRefused, match="no entry"):
            client.call("CreateJob", {"input": {}})
    assert len(scripted_login.requests("POST", "/query")) == 4


def test_what_was_done_is_not_asked_for_again_for_a_token(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/", token(1))
    in_part = {"errors": [{"message": "UNAUTHENTICATED: who made it"}], "data": {"createJob": {"jobId": "job-1"}}}
    scripted_login.on("POST", "/query", Answer(in_part))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(RaitoRefused, match="who made it"):
        client.call("CreateJob", {"input": {}})
    assert len(scripted_login.requests("POST", "/query")) == 1


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


def test_a_page_of_a_proxy_is_no_unknown_domain(scripted: ScriptedServer) -> None:
    scripted.on("GET", f"/admin/org/{DOMAIN}", Answer(b"<html>Blocked</html>", 403))
    with pytest.raises(RaitoRefused, match=r"status 403.*Blocked.*a proxy between"):
        RaitoClient(connection_to(scripted.url)).login()


def test_cognito_where_nobody_listens(scripted_login: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COGNITO_VARIABLE, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RaitoUnreachable, match="login to Raito Cloud: http://127") as caught:
        RaitoClient(connection_to(scripted_login.url, attempts=1)).login()
    one_line(caught.value)


def test_a_broken_aws_profile_is_one_line(scripted_login: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(RaitoLoginFailed, match="no-such-profile") as caught:
        RaitoClient(connection_to(scripted_login.url)).login()
    one_line(caught.value)


def test_a_password_is_not_sent_by_plain_http_to_another_machine(
    scripted_login: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COGNITO_VARIABLE, "http://login.example.com")
    client = RaitoClient(connection_to(scripted_login.url))
    with client, pytest.raises(RaitoLoginFailed, match=r"login.example.com: plain http"):
        client.call("SupportedCLIVersion")
    assert scripted_login.requests("POST", "/query") == []
